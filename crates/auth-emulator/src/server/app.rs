//! What the handlers share: the state behind its lock, and the emulator's URL.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use tokio::sync::watch;

use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::Stamp;
use crate::fault::Faults;
use crate::ids;
use crate::keys::SigningKey;
use crate::ledger::Ledger;
use crate::store::State;

/// What all handlers share.
pub(crate) struct App {
    state: Mutex<State>,
    key: SigningKey,
    port: u16,
    base_url: String,
    faults: Faults,
    ledger: Ledger,
    stop: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(state: State, key: SigningKey, port: u16, stop: watch::Receiver<bool>) -> Self {
        Self {
            state: Mutex::new(state),
            key,
            port,
            base_url: format!("http://127.0.0.1:{port}"),
            faults: Faults::default(),
            ledger: Ledger::default(),
            stop,
        }
    }

    /// The state. Its lock is never held over an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(super) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The `iss` parameter of authorization responses (RFC 9207), if they have one.
    pub(super) fn response_issuer(&self, segment: &str) -> Option<String> {
        let tenant = Tenant::parse(segment).ok().filter(|_| self.state().settings.response_issuer)?;
        Some(format!("{}/{}/v2.0", self.base_url, tenant.signs_in_at().guid()))
    }

    /// Waits until the emulator is told to stop.
    pub(crate) async fn stopped(&self) {
        // An error means that the emulator has been dropped, which also stops it.
        let _ = self.stop.clone().wait_for(|stopped| *stopped).await;
    }

    /// The identifiers and time in an error response to this request.
    pub(super) fn stamp(&self, headers: &HeaderMap) -> Stamp {
        let mut state = self.state();
        let sent = headers.get("client-request-id").and_then(|value| value.to_str().ok());
        let sent = sent
            .filter(|text| !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()));
        Stamp {
            trace_id: ids::guid(&mut state.rng),
            correlation_id: sent.map_or_else(|| ids::guid(&mut state.rng), str::to_owned),
            now: UnixTime::now(),
        }
    }
}

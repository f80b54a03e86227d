//! The shell: sockets, the clock and the lock around what is remembered.

mod authorize;
mod discovery;
mod guard;
mod listener;
mod reply;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::sync::watch;

use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::{OAuthError, Stamp};
use crate::fault::Faults;
use crate::ids;
use crate::keys::SigningKey;
use crate::ledger::Ledger;
use crate::store::State;

pub(crate) use listener::{Cutter, LoopbackListener};

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
    pub(crate) fn new(
        state: State,
        key: SigningKey,
        port: u16,
        stop: watch::Receiver<bool>,
    ) -> Self {
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

    /// What is remembered. Never held over an await.
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

    /// Waits until the emulator is told to stop.
    pub(crate) async fn stopped(&self) {
        // An error says that the emulator is gone, which is the same.
        let _ = self.stop.clone().wait_for(|stopped| *stopped).await;
    }

    /// What a refusal of this request is stamped with.
    fn stamp(&self, headers: &HeaderMap) -> Stamp {
        let mut state = self.state();
        let sent = headers.get("client-request-id").and_then(|value| value.to_str().ok());
        let sent = sent.filter(|text| {
            !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        Stamp {
            trace_id: ids::guid(&mut state.rng),
            correlation_id: sent.map_or_else(|| ids::guid(&mut state.rng), str::to_owned),
            now: UnixTime::now(),
        }
    }
}

fn tenant(segment: &str) -> Result<Tenant, OAuthError> {
    Tenant::parse(segment)
        .ok_or_else(|| OAuthError::unknown_tenant(&crate::token::printable(segment)))
}

/// All endpoints.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(discovery::index))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::configuration))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::authorize))
        .route("/{tenant}/oauth2/v2.0/signin", post(authorize::form))
        .route("/{tenant}/oauth2/v2.0/consent", post(authorize::form))
        .route("/{tenant}/oauth2/v2.0/token", post(token::token))
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .with_state(app)
}

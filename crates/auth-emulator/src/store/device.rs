//! Issued device codes, and their users' decisions (RFC 8628).

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{Rng, RngExt as _};

use super::sign_in::SignIn;
use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::ids::{self, Fingerprint};
use crate::scope::ScopeRequest;

/// A device's request.
#[derive(Debug, Clone)]
pub(crate) struct DeviceRequest {
    pub(crate) client_id: String,
    pub(crate) tenant: Tenant,
    pub(crate) scopes: ScopeRequest,
    pub(crate) claims: Option<String>,
}

/// A device code and the code that the user enters for it.
#[derive(Clone)]
pub(crate) struct DeviceCode {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
}

/// A user's decision about a device.
#[derive(Debug, Clone)]
pub(crate) enum Decision {
    Allowed(SignIn),
    Declined,
}

/// Why a device code yields no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTokens {
    Unknown,
    OtherClient,
    Pending,
    /// It was polled too early; from now on the interval is longer.
    TooFast,
    Declined,
    Expired,
    /// Its tokens have already been issued.
    Spent,
}

/// The device codes, by their fingerprints.
#[derive(Default)]
pub(crate) struct DeviceCodes(BTreeMap<Fingerprint, DeviceRecord>);

struct DeviceRecord {
    request: DeviceRequest,
    user_code: String,
    expires: UnixTime,
    interval: Duration,
    /// When the device may poll next.
    next: UnixTime,
    life: Life,
}

enum Life {
    Pending,
    Decided(Decision),
    Spent,
}

impl DeviceCodes {
    /// How long a dead code is remembered, in seconds, so that its device gets the right error.
    const MEMORY: u64 = 3_600;
    /// How much a poll that comes too early lengthens the interval, in seconds (RFC 8628 §3.5).
    const SLOWER: Duration = Duration::from_secs(5);
    /// Letters that form no words and are hard to confuse (RFC 8628 §6.1).
    const LETTERS: [char; 20] =
        ['B', 'C', 'D', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Z'];

    pub(crate) fn issue<R: Rng + ?Sized>(
        &mut self,
        rng: &mut R,
        now: UnixTime,
        request: DeviceRequest,
        lifetime: Duration,
        interval: Duration,
    ) -> DeviceCode {
        self.0.retain(|_, known| known.expires.as_secs().saturating_add(Self::MEMORY) > now.as_secs());
        let device_code = ids::opaque(rng, "1.D.");
        let mut user_code = Self::user_code(rng);
        while self.0.values().any(|known| known.user_code == user_code) {
            user_code = Self::user_code(rng);
        }
        let (expires, next) = (now.after(lifetime), now.after(interval));
        let record =
            DeviceRecord { request, user_code: user_code.clone(), expires, interval, next, life: Life::Pending };
        self.0.insert(ids::fingerprint(&device_code), record);
        DeviceCode { device_code, user_code }
    }

    /// Eight letters in two groups.
    fn user_code<R: Rng + ?Sized>(rng: &mut R) -> String {
        let mut code = String::new();
        for place in 0..8 {
            if place == 4 {
                code.push('-');
            }
            code.extend(Self::LETTERS.get(rng.random_range(0..Self::LETTERS.len())));
        }
        code
    }

    /// Finds the device that waits for this code, even in lower case, without the hyphen or with spaces.
    pub(crate) fn entered(&self, user_code: &str, now: UnixTime) -> Option<Fingerprint> {
        let same = |known: &str| letters(known).eq(letters(user_code));
        self.0.iter().find(|(_, known)| known.is_open(now) && same(&known.user_code)).map(|(device, _)| *device)
    }

    /// Returns a device's request while it waits for its user.
    pub(crate) fn waiting(&self, device: &Fingerprint, now: UnixTime) -> Option<&DeviceRequest> {
        self.0.get(device).filter(|known| known.is_open(now)).map(|known| &known.request)
    }

    /// Records the user's decision. The first one counts.
    pub(crate) fn decide(&mut self, device: &Fingerprint, decision: Decision, now: UnixTime) {
        if let Some(record) = self.0.get_mut(device).filter(|known| known.is_open(now)) {
            record.life = Life::Decided(decision);
        }
    }

    /// Handles a poll of a device.
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        client_id: &str,
        now: UnixTime,
    ) -> Result<(&DeviceRequest, &SignIn), NoTokens> {
        let record = self.0.get_mut(&ids::fingerprint(device_code)).ok_or(NoTokens::Unknown)?;
        if record.request.client_id != client_id {
            return Err(NoTokens::OtherClient);
        }
        let too_fast = now < record.next;
        if too_fast {
            record.interval = record.interval.saturating_add(Self::SLOWER);
        }
        record.next = now.after(record.interval);
        match &record.life {
            Life::Spent => Err(NoTokens::Spent),
            _ if record.expires <= now => Err(NoTokens::Expired),
            _ if too_fast => Err(NoTokens::TooFast),
            Life::Pending => Err(NoTokens::Pending),
            Life::Decided(Decision::Declined) => Err(NoTokens::Declined),
            Life::Decided(Decision::Allowed(sign_in)) => Ok((&record.request, sign_in)),
        }
    }

    /// Marks the code as used, because its tokens are issued.
    pub(crate) fn spend(&mut self, device_code: &str) {
        if let Some(record) = self.0.get_mut(&ids::fingerprint(device_code)) {
            record.life = Life::Spent;
        }
    }
}

impl DeviceRecord {
    /// Whether the user may still decide.
    fn is_open(&self, now: UnixTime) -> bool {
        matches!(self.life, Life::Pending) && self.expires > now
    }
}

fn letters(user_code: &str) -> impl Iterator<Item = char> {
    user_code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase())
}

//! Issued authorization codes.

use std::collections::BTreeMap;

use rand::Rng;

use super::sign_in::SignIn;
use crate::clock::UnixTime;
use crate::ids::{self, Fingerprint};

/// What a code stands for.
#[derive(Clone)]
pub(crate) struct CodeRecord {
    pub(crate) sign_in: SignIn,
    /// Compared byte for byte with that of the token request.
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) claims: Option<String>,
    /// When the user signed in, if the client requested that with `max_age`.
    pub(crate) auth_time: Option<UnixTime>,
    pub(crate) expires: UnixTime,
    pub(crate) redeemed: bool,
}

/// The codes, by their fingerprints.
#[derive(Default)]
pub(crate) struct Codes(BTreeMap<Fingerprint, CodeRecord>);

impl Codes {
    /// How long a used code is remembered, in seconds, so that its second use is recognized.
    const MEMORY: u64 = 3_600;

    pub(crate) fn issue<R: Rng + ?Sized>(&mut self, rng: &mut R, now: UnixTime, record: CodeRecord) -> String {
        self.0.retain(|_, known| known.expires.as_secs().saturating_add(Self::MEMORY) > now.as_secs());
        let code = ids::opaque(rng, "1.");
        self.0.insert(ids::fingerprint(&code), record);
        code
    }

    pub(crate) fn find_mut(&mut self, code: &str) -> Option<&mut CodeRecord> {
        self.0.get_mut(&ids::fingerprint(code))
    }
}

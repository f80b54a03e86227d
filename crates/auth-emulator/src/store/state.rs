//! The state of the emulator.

use std::collections::BTreeMap;

use rand::rngs::StdRng;

use super::code::Codes;
use super::consent::Consents;
use super::device::DeviceCodes;
use super::refresh::RefreshTokens;
use super::transaction::Transactions;
use crate::authorization_request::AuthorizationRequest;
use crate::clock::UnixTime;
use crate::directory::User;
use crate::ids::Fingerprint;
use crate::settings::Settings;

/// Everything the emulator remembers.
pub(crate) struct State {
    pub(crate) rng: StdRng,
    pub(crate) settings: Settings,
    pub(crate) users: Vec<User>,
    pub(crate) codes: Codes,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) consents: Consents,
    /// Transactions of applications with a redirect URI.
    pub(crate) transactions: Transactions<AuthorizationRequest>,
    pub(crate) device_codes: DeviceCodes,
    /// Transactions of devices, each with the fingerprint of its device code.
    pub(crate) device_transactions: Transactions<Fingerprint>,
    /// When each user last signed in since the start, by object ID.
    pub(crate) signed_in: BTreeMap<String, UnixTime>,
    sign_ins: u64,
}

impl State {
    pub(crate) fn new(rng: StdRng, settings: Settings, users: Vec<User>) -> Self {
        Self {
            rng,
            settings,
            users,
            codes: Codes::default(),
            refresh_tokens: RefreshTokens::default(),
            consents: Consents::default(),
            transactions: Transactions::default(),
            device_codes: DeviceCodes::default(),
            device_transactions: Transactions::default(),
            signed_in: BTreeMap::new(),
            sign_ins: 0,
        }
    }

    /// Returns a unique number for a sign-in.
    pub(crate) fn next_sign_in(&mut self) -> u64 {
        self.sign_ins = self.sign_ins.wrapping_add(1);
        self.sign_ins
    }

    pub(crate) fn user_named(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username().eq_ignore_ascii_case(username))
    }

    pub(crate) fn user_with_id(&self, object_id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.object_id() == object_id)
    }
}

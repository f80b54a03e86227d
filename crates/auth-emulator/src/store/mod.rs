//! What the emulator remembers, in memory only. Everything here is plain data: time and randomness
//! are handed in, and no lock is taken.

mod code;
mod consent;
mod refresh;
mod transaction;

use std::collections::BTreeSet;

use rand::rngs::StdRng;

pub(crate) use code::{CodeRecord, Codes};
pub(crate) use consent::Consents;
pub(crate) use refresh::{Dead, RefreshTokens};
pub(crate) use transaction::{Stage, Transaction, Transactions};

use crate::directory::{TenantId, User};
use crate::scope::ScopeRequest;
use crate::settings::Settings;

/// Everything the emulator remembers.
pub(crate) struct State {
    pub(crate) rng: StdRng,
    pub(crate) settings: Settings,
    pub(crate) users: Vec<User>,
    pub(crate) codes: Codes,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) consents: Consents,
    pub(crate) transactions: Transactions,
    /// Object ids of the users who signed in since the start, for `prompt=none`.
    pub(crate) signed_in: BTreeSet<String>,
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
            signed_in: BTreeSet::new(),
            sign_ins: 0,
        }
    }

    /// A number that no other sign-in has.
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

/// What a sign-in ended in: it travels from the authorization code to each refresh token.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    pub(crate) id: u64,
    pub(crate) user: User,
    pub(crate) tenant: TenantId,
    pub(crate) client_id: String,
    pub(crate) scopes: ScopeRequest,
}

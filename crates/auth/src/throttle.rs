//! Decides whether a refresh may be tried now, and what the call gets otherwise.
//!
//! | last attempt | while a cached token is valid | otherwise |
//! | --- | --- | --- |
//! | `Retry-After` | no attempt for that time | [`AuthError::Throttled`] for that time |
//! | status 429 or 5xx | no attempt for 30 s, doubling up to 10 min | [`AuthError::Throttled`] for 60 s |
//! | the user must sign in | no attempt for 2 min, or `Retry-After` if longer | the same error for that time |
//! | any other failure | no attempt for 30 s, doubling up to 10 min | tried again at once |
//!
//! A pause that the server asked for applies to every call for the token. "The user must sign in" applies only to the
//! refresh tokens that were refused, not to forced calls, and ends once the user has signed in.
//!
//! This is MSAL.NET's throttling (its providers `RetryAfter`, `HttpStatus` and `UiRequired`), but within one client,
//! and separate for each account and claims: one user, tenant or challenge never blocks another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::RandomState;
use auth_core::{AccountId, RefreshCandidate, ServerError, Throttled};

use crate::error::AuthError;
use crate::key::Key;

/// The pause after the first failure; each further failure doubles it (S-83).
const FIRST: Duration = Duration::from_secs(30);
/// The longest pause of our own; a server may ask for a longer one.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// The pause for an overloaded server that sends no `Retry-After`.
const OVERLOADED: Duration = Duration::from_secs(60);
/// How long a refusal that requires the user is remembered.
const REFUSED: Duration = Duration::from_secs(120);
/// How many pauses are remembered; beyond that the oldest is forgotten.
const CAPACITY: usize = 4096;

/// The recent failures of refreshes.
#[derive(Default)]
pub(crate) struct Throttle {
    pauses: Mutex<Pauses>,
    hasher: RandomState,
}

type Pauses = HashMap<Slot, Pause, RandomState>;

/// A refresh that a call wants to make.
pub(crate) struct Attempt<'a> {
    pub(crate) key: &'a Key,
    /// The refresh tokens to redeem: what happened to old ones does not apply to new ones.
    pub(crate) candidates: &'a [RefreshCandidate],
    pub(crate) forced: bool,
    /// Whether a cached token is still valid.
    pub(crate) has_valid_token: bool,
}

/// The answer to an [`Attempt`].
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Go ahead.
    Try,
    /// Do not ask the provider; return the cached token.
    Serve,
    /// Do not ask the provider; return this error.
    Refuse(AuthError),
}

/// A digest of the refresh tokens of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(u64);

#[derive(PartialEq, Eq, Hash)]
struct Slot {
    account: AccountId,
    /// A digest of the rest, because claims may be long.
    request: u64,
}

struct Pause {
    since: Duration,
    failures: u32,
    /// How long it lasts while a cached token is valid.
    patience: Duration,
    /// The error to return otherwise.
    refusal: Option<Refusal>,
}

struct Refusal {
    server: ServerError,
    /// How long the server must not be asked by any call.
    patience: Duration,
    refused: Option<Refused>,
}

/// Refresh tokens that were refused because the user must sign in.
struct Refused {
    tokens: Digest,
    answer: AuthError,
    lasts: Duration,
}

impl Throttle {
    /// Decides whether the refresh may be tried now. Uses uptime, so that setting the clock does not change a pause
    ///
    pub(crate) fn judge(&self, attempt: &Attempt<'_>, uptime: Duration) -> Verdict {
        let pauses = self.pauses();
        if pauses.is_empty() {
            return Verdict::Try;
        }
        let Some(pause) = pauses.get(&self.slot(attempt.key)) else { return Verdict::Try };
        let Some(passed) = pause.passed(uptime) else { return Verdict::Try };
        if attempt.has_valid_token {
            return if passed < pause.patience { Verdict::Serve } else { Verdict::Try };
        }
        let digest = || self.digest(attempt.candidates);
        let error = pause.refusal.as_ref().and_then(|refusal| refusal.answer(digest, attempt.forced, passed));
        error.map_or(Verdict::Try, Verdict::Refuse)
    }

    /// Whether refreshes of this token have failed lately, so that the next may have to wait.
    pub(crate) fn has_paused(&self, key: &Key) -> bool {
        let pauses = self.pauses();
        !pauses.is_empty() && pauses.contains_key(&self.slot(key))
    }

    /// Returns a digest that distinguishes refresh tokens without revealing them.
    pub(crate) fn digest(&self, candidates: &[RefreshCandidate]) -> Digest {
        let secrets: Vec<_> = candidates.iter().map(|candidate| candidate.refresh_token.expose()).collect();
        Digest(self.hasher.hash_one(secrets))
    }

    /// Records that a refresh with these refresh tokens failed.
    pub(crate) fn failed(&self, key: &Key, tokens: Digest, error: &AuthError, uptime: Duration) {
        let mut pauses = self.pauses();
        let slot = self.slot(key);
        let failures = pauses.get(&slot).filter(|pause| pause.is_recent(uptime)).map_or(0, |pause| pause.failures);
        let own = FIRST.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST);
        let refusal = Refusal::of(error, tokens);
        let refused = refusal.as_ref().and_then(|refusal| refusal.refused.as_ref());
        let patience = own.max(refused.map(|refused| refused.lasts).or_else(|| retry_after(error)).unwrap_or_default());
        make_room(&mut pauses, uptime);
        pauses.insert(slot, Pause { since: uptime, failures: failures.saturating_add(1), patience, refusal });
    }

    /// Forgets the failures of a token, because it has been refreshed.
    pub(crate) fn succeeded(&self, key: &Key) {
        let mut pauses = self.pauses();
        if !pauses.is_empty() {
            pauses.remove(&self.slot(key));
        }
    }

    /// Forgets refusals that required the account's user to sign in, because that has happened or the account was
    /// removed. Pauses that a busy server asked for remain.
    pub(crate) fn forget_refusals(&self, account: &AccountId) {
        self.pauses().retain(|slot, pause| slot.account != *account || !pause.is_over_after_sign_in());
    }

    fn slot(&self, key: &Key) -> Slot {
        Slot {
            account: key.account.clone(),
            request: self.hasher.hash_one((&key.authority, key.scopes_text(), &key.claims)),
        }
    }

    fn pauses(&self) -> MutexGuard<'_, Pauses> {
        // A panic cannot leave the map half changed, so ignore poisoning.
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the map within its capacity: pauses that no longer count are removed first, then the oldest.
fn make_room(pauses: &mut Pauses, uptime: Duration) {
    if pauses.len() < CAPACITY {
        return;
    }
    pauses.retain(|_, pause| pause.is_recent(uptime));
    let full = pauses.len() >= CAPACITY;
    if let Some(oldest) = pauses.values().map(|pause| pause.since).min().filter(|_| full) {
        pauses.retain(|_, pause| pause.since != oldest);
    }
}

impl Pause {
    /// How long the pause has lasted. `None` if uptime went backwards after all; the pause then counts as over.
    fn passed(&self, uptime: Duration) -> Option<Duration> {
        uptime.checked_sub(self.since)
    }

    /// A failure lengthens the next pause until twice the length of its own has passed.
    fn is_recent(&self, uptime: Duration) -> bool {
        let lasts = self.refusal.as_ref().map_or(self.patience, |refusal| refusal.lasts().max(self.patience));
        self.passed(uptime).is_some_and(|passed| passed <= lasts.saturating_mul(2))
    }

    /// Forgets that the user must sign in, and returns whether nothing is left of the pause.
    fn is_over_after_sign_in(&mut self) -> bool {
        let Some(refusal) = &mut self.refusal else { return false };
        if refusal.refused.take().is_none() {
            return false;
        }
        self.patience = refusal.patience;
        self.patience.is_zero()
    }
}

impl Refusal {
    fn of(error: &AuthError, tokens: Digest) -> Option<Self> {
        let named = retry_after(error);
        let busy = |server: &ServerError| {
            Some(Self { server: server.clone(), patience: named.unwrap_or(OVERLOADED), refused: None })
        };
        match error {
            AuthError::UiRequired(ui) => {
                let (server, patience) = (ServerError::clone(ui.server.as_ref()?), named.unwrap_or_default());
                let refused = Refused { tokens, answer: error.clone(), lasts: patience.max(REFUSED) };
                Some(Self { server, patience, refused: Some(refused) })
            }
            AuthError::Throttled(throttled) => busy(&throttled.server),
            AuthError::Server(server) if named.is_some() || is_overloaded(server) => busy(server),
            _ => None,
        }
    }

    fn lasts(&self) -> Duration {
        self.refused.as_ref().map_or(self.patience, |refused| refused.lasts)
    }

    /// The error for a call with these refresh tokens when this much of the pause has passed; `None` if it may try.
    fn answer(&self, tokens: impl FnOnce() -> Digest, forced: bool, passed: Duration) -> Option<AuthError> {
        let wait = self.patience.saturating_sub(passed);
        let applies =
            |refused: &&Refused| passed < refused.lasts && (!forced || !wait.is_zero()) && refused.tokens == tokens();
        if let Some(refused) = self.refused.as_ref().filter(applies) {
            return Some(refused.answer.clone());
        }
        (!wait.is_zero()).then(|| Throttled::new(self.server.clone(), Some(wait)).into())
    }
}

fn is_overloaded(server: &ServerError) -> bool {
    matches!(server.status, Some(429 | 500..=599))
}

/// The `Retry-After` of the server, whatever the error.
fn retry_after(error: &AuthError) -> Option<Duration> {
    match error {
        AuthError::UiRequired(ui) => ui.server.as_ref()?.retry_after,
        AuthError::Throttled(throttled) => throttled.retry_after,
        AuthError::Server(server) => server.retry_after,
        _ => None,
    }
}

#[cfg(test)]
mod tests;

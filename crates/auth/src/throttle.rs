//! Whether a refresh may be tried now, and what the answer is when it may not.
//!
//! | the last try | while a token serves | where none serves |
//! | --- | --- | --- |
//! | `Retry-After` | left alone so long | [`AuthError::Throttled`] so long |
//! | status 429 or 5xx | 30 s, doubling up to 10 min | [`AuthError::Throttled`] for 60 s |
//! | the user must sign in | 2 min, or longer if `Retry-After` says so | the same answer so long |
//! | anything else | 30 s, doubling up to 10 min | tried again at once |
//!
//! What the server asked for concerns every call for the token. That the user must sign in concerns the refresh tokens that
//! were refused: not a forced call, not other refresh tokens, and nobody once the user has signed in.
//!
//! This is MSAL.NET's throttling (its providers `RetryAfter`, `HttpStatus` and `UiRequired`), but within one client, and
//! by account and claims too: one user, one tenant or one challenge never stops another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::RandomState;
use auth_core::{AccountId, RefreshCandidate, ServerError, Throttled};

use crate::error::AuthError;
use crate::key::Key;

/// The pause after the first failure; each further one doubles it (S-83).
const FIRST: Duration = Duration::from_secs(30);
/// The longest pause that we choose ourselves; a server may ask for more.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// A server that is overloaded and names no time is left alone so long.
const UNNAMED: Duration = Duration::from_secs(60);
/// A refusal that sends to the user is believed so long.
const REFUSED: Duration = Duration::from_secs(120);
/// How many pauses are remembered at most; beyond that the oldest is forgotten.
const CAPACITY: usize = 4096;

/// What became of refreshes lately.
#[derive(Default)]
pub(crate) struct Throttle {
    pauses: Mutex<Pauses>,
    hasher: RandomState,
}

type Pauses = HashMap<Slot, Pause, RandomState>;

/// A refresh that is wanted.
pub(crate) struct Attempt<'a> {
    pub(crate) key: &'a Key,
    /// With which refresh tokens: a new one is not concerned by what became of the old.
    pub(crate) candidates: &'a [RefreshCandidate],
    pub(crate) forced: bool,
    /// Whether there is a token that serves meanwhile.
    pub(crate) serves: bool,
}

/// The answer to an [`Attempt`].
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Go ahead.
    Try,
    /// Leave the provider alone; the token serves.
    Serve,
    /// Leave the provider alone, and tell the caller this.
    Refuse(AuthError),
}

/// A digest of the refresh tokens of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(u64);

#[derive(PartialEq, Eq, Hash)]
struct Slot {
    account: AccountId,
    /// A digest of the rest: claims may be long.
    request: u64,
}

struct Pause {
    since: Duration,
    failures: u32,
    /// How long it lasts while a token serves.
    patience: Duration,
    /// What is told where none does.
    refusal: Option<Refusal>,
}

struct Refusal {
    server: ServerError,
    /// How long the server wants to be left alone by everybody.
    patience: Duration,
    refused: Option<Refused>,
}

/// Refresh tokens for which the user must sign in.
struct Refused {
    tokens: Digest,
    answer: AuthError,
    lasts: Duration,
}

impl Throttle {
    /// Whether the refresh may be tried now. Times are by a clock that nobody sets, so that a pause lasts as long as it
    /// should.
    pub(crate) fn judge(&self, attempt: &Attempt<'_>, uptime: Duration) -> Verdict {
        let pauses = self.pauses();
        if pauses.is_empty() {
            return Verdict::Try;
        }
        let Some(pause) = pauses.get(&self.slot(attempt.key)) else { return Verdict::Try };
        let Some(passed) = pause.passed(uptime) else { return Verdict::Try };
        if attempt.serves {
            return if passed < pause.patience { Verdict::Serve } else { Verdict::Try };
        }
        let digest = || self.digest(attempt.candidates);
        let told = pause.refusal.as_ref().and_then(|refusal| refusal.answer(digest, attempt.forced, passed));
        told.map_or(Verdict::Try, Verdict::Refuse)
    }

    /// A digest that tells refresh tokens apart and says nothing of them.
    pub(crate) fn digest(&self, candidates: &[RefreshCandidate]) -> Digest {
        let secrets: Vec<_> = candidates.iter().map(|candidate| candidate.refresh_token.expose()).collect();
        Digest(self.hasher.hash_one(secrets))
    }

    /// Remembers that a refresh with these refresh tokens failed.
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

    /// Forgets the failures of a token that was refreshed.
    pub(crate) fn succeeded(&self, key: &Key) {
        let mut pauses = self.pauses();
        if !pauses.is_empty() {
            pauses.remove(&self.slot(key));
        }
    }

    /// Forgets what sent the account's user to sign in, because that has happened or the account is gone. What a busy
    /// server asked for stays.
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
        // Each change is one insertion or removal: a poisoned map is a good one.
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the map within its bounds: what counts no more goes first, then the oldest.
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
    /// How long it has lasted. `None` where the clock that nobody sets was set back after all: then it is
    /// over, lest it last longer than it should.
    fn passed(&self, uptime: Duration) -> Option<Duration> {
        uptime.checked_sub(self.since)
    }

    /// A failure counts towards the next pause for as long again as its own pause was.
    fn is_recent(&self, uptime: Duration) -> bool {
        let lasts = self.refusal.as_ref().map_or(self.patience, |refusal| refusal.lasts().max(self.patience));
        self.passed(uptime).is_some_and(|passed| passed <= lasts.saturating_mul(2))
    }

    /// Forgets that the user must sign in, and tells whether nothing is left of the pause then.
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
            Some(Self { server: server.clone(), patience: named.unwrap_or(UNNAMED), refused: None })
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

    /// What a call with these refresh tokens is told after so much time of the pause; `None` where it may try.
    fn answer(&self, tokens: impl FnOnce() -> Digest, forced: bool, passed: Duration) -> Option<AuthError> {
        let wait = self.patience.saturating_sub(passed);
        let is_told =
            |refused: &&Refused| passed < refused.lasts && (!forced || !wait.is_zero()) && refused.tokens == tokens();
        if let Some(refused) = self.refused.as_ref().filter(is_told) {
            return Some(refused.answer.clone());
        }
        (!wait.is_zero()).then(|| Throttled::new(self.server.clone(), Some(wait)).into())
    }
}

fn is_overloaded(server: &ServerError) -> bool {
    matches!(server.status, Some(429 | 500..=599))
}

/// The time that the server named, whatever else it said.
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

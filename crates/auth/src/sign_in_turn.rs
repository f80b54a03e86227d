//! One sign-in at a time, with a browser or on another device, for all calls and programs that need the user.

use std::pin::pin;
use std::time::Duration;

use auth_cache::{BoxedLock, LockBudget, StorageError, StorageErrorKind};
use auth_core::Authority;
use tokio::sync::MutexGuard;
use tokio::time::{Instant, timeout};

use crate::result::AuthResult;
use crate::shared::Shared;
use crate::silent::SilentRequest;
use crate::timing::Timing;

/// The outcome of waiting for the turn.
pub(crate) enum Turn<'a> {
    /// This call signs the user in.
    Own(#[expect(dead_code, reason = "it is held, not read")] SignInTurn<'a>),
    /// Another call has done so, and the cache now has the token.
    Answered(Box<AuthResult>),
}

impl<'a> Turn<'a> {
    /// Takes the turn after a silent call that requires the user. Repeats the `silent` call if another call had the
    /// turn before, or if `names_are_new`: tokens cached under the newly learned names of the authority were not found
    /// at first. `None` always signs in.
    pub(crate) async fn take(
        shared: &'a Shared,
        silent: Option<SilentRequest<'_>>,
        names_are_new: bool,
        authority: &Authority,
        longest: Duration,
        timing: &mut Timing,
    ) -> Self {
        let turn = SignInTurn::take(shared, authority, longest, timing).await;
        match silent.filter(|_| turn.waited || names_are_new) {
            Some(silent) => match silent.miss().await {
                Ok(result) => Self::Answered(Box::new(result)),
                Err(_) => Self::Own(turn),
            },
            None => Self::Own(turn),
        }
    }
}

/// The turn of one sign-in; it ends when this is dropped.
pub(crate) struct SignInTurn<'a> {
    _here: Option<MutexGuard<'a, ()>>,
    _elsewhere: Option<BoxedLock>,
    /// Whether another call may have signed in meanwhile.
    waited: bool,
}

impl<'a> SignInTurn<'a> {
    /// Waits for a running sign-in, in this program or another one over the same store, at most `longest`. After that,
    /// or if the store has no locks, the sign-in begins regardless.
    async fn take(shared: &'a Shared, authority: &Authority, longest: Duration, timing: &mut Timing) -> Self {
        let begun = Instant::now();
        let (here, waited) = match shared.sign_ins.try_lock() {
            Ok(here) => (Some(here), false),
            Err(_) => (timeout(longest, shared.sign_ins.lock()).await.ok(), true),
        };
        match timing.cache(pin!(lock(shared, authority, Duration::ZERO))).await {
            Ok(lock) => Self { _here: here, _elsewhere: Some(lock), waited },
            Err(error) if error.kind == StorageErrorKind::LockTimedOut => {
                tracing::warn!(target: "auth", "another program is signing the user in; waiting for it");
                let left = longest.saturating_sub(begun.elapsed());
                let lock = timeout(left, lock(shared, authority, left));
                let lock = timing.cache(pin!(lock)).await;
                Self { _here: here, _elsewhere: lock.ok().and_then(Result::ok), waited: true }
            }
            Err(error) => {
                tracing::debug!(target: "auth", %error, "signing in without the lock");
                Self { _here: here, _elsewhere: None, waited }
            }
        }
    }
}

async fn lock(shared: &Shared, authority: &Authority, longest: Duration) -> Result<BoxedLock, StorageError> {
    shared.cache.sign_in_lock(authority, shared.client_id(), &mut LockBudget::new(longest)).await
}

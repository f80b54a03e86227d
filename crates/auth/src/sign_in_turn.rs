//! One sign-in, with a browser or on another device, for all calls and programs that need the user at the same time.

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

/// What became of waiting for the turn.
pub(crate) enum Turn<'a> {
    /// This call has the user sign in.
    Own(#[expect(dead_code, reason = "it is held, not read")] SignInTurn<'a>),
    /// Somebody else did so meanwhile, and the cache answers.
    Answered(Box<AuthResult>),
}

impl<'a> Turn<'a> {
    /// Takes the turn after a silent call that found the user is needed, and asks once more if somebody had it before, or
    /// the names of the authority `is_news`: what is cached under them was not found. Without `silent` a sign-in of its own
    /// is wanted.
    pub(crate) async fn take(
        shared: &'a Shared,
        silent: Option<SilentRequest<'_>>,
        is_news: bool,
        authority: &Authority,
        longest: Duration,
        timing: &mut Timing,
    ) -> Self {
        let turn = SignInTurn::take(shared, authority, longest, timing).await;
        match silent.filter(|_| turn.waited || is_news) {
            Some(silent) => match silent.miss().await {
                Ok(result) => Self::Answered(Box::new(result)),
                Err(_) => Self::Own(turn),
            },
            None => Self::Own(turn),
        }
    }
}

/// The turn of one sign-in; it ends with the value.
pub(crate) struct SignInTurn<'a> {
    _here: Option<MutexGuard<'a, ()>>,
    _elsewhere: Option<BoxedLock>,
    /// Whether somebody else may have signed in meanwhile.
    waited: bool,
}

impl<'a> SignInTurn<'a> {
    /// Waits for whoever has the user sign in already, in this program or in another over the same store, at most as long as
    /// a user has. Beyond that, and where the store has no lock, the page is shown all the same.
    async fn take(shared: &'a Shared, authority: &Authority, longest: Duration, timing: &mut Timing) -> Self {
        let begun = Instant::now();
        let (here, waited) = match shared.sign_ins.try_lock() {
            Ok(here) => (Some(here), false),
            Err(_) => (timeout(longest, shared.sign_ins.lock()).await.ok(), true),
        };
        match timing.cache(pin!(lock(shared, authority, Duration::ZERO))).await {
            Ok(lock) => Self { _here: here, _elsewhere: Some(lock), waited },
            Err(error) if error.kind == StorageErrorKind::LockTimedOut => {
                tracing::warn!(target: "auth", "another program has the user sign in; waiting for it");
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

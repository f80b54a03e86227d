//! One sign-in page for all calls and programs that need the user at the same time.

use std::pin::pin;
use std::time::Duration;

use auth_cache::{BoxedLock, LockBudget, StorageError, StorageErrorKind};
use auth_core::Authority;
use tokio::sync::MutexGuard;

use crate::shared::Shared;
use crate::timing::Timing;

/// The turn of one sign-in; it ends with the value.
pub(crate) struct SignInTurn<'a> {
    _here: Option<MutexGuard<'a, ()>>,
    _elsewhere: Option<BoxedLock>,
    /// Whether somebody else may have signed in meanwhile.
    pub(crate) waited: bool,
}

impl<'a> SignInTurn<'a> {
    /// Waits for whoever has the user sign in already, in this program or in another over the same store, at most as long as
    /// a user has. Beyond that, and where the store has no lock, the page is shown all the same.
    pub(crate) async fn take(
        shared: &'a Shared,
        authority: &Authority,
        longest: Duration,
        timing: &mut Timing,
    ) -> Self {
        let (here, waited) = match shared.sign_ins.try_lock() {
            Ok(here) => (Some(here), false),
            Err(_) => (tokio::time::timeout(longest, shared.sign_ins.lock()).await.ok(), true),
        };
        match timing.cache(pin!(lock(shared, authority, Duration::ZERO))).await {
            Ok(lock) => Self { _here: here, _elsewhere: Some(lock), waited },
            Err(error) if error.kind == StorageErrorKind::LockTimedOut => {
                tracing::warn!(target: "auth", "another program has the user sign in; waiting for it");
                let lock = tokio::time::timeout(longest, lock(shared, authority, longest));
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

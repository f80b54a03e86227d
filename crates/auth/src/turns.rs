//! One redemption at a time for each account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use auth_core::AccountId;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Who is redeeming a refresh token of which account.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    by_account: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
}

impl Flights {
    /// Waits until nobody else redeems for this account.
    pub(crate) async fn enter(&self, account: &AccountId) -> OwnedMutexGuard<()> {
        self.of(account).lock_owned().await
    }

    /// Enters only if nobody redeems for this account.
    pub(crate) fn try_enter(&self, account: &AccountId) -> Option<OwnedMutexGuard<()>> {
        self.of(account).try_lock_owned().ok()
    }

    fn of(&self, account: &AccountId) -> Arc<AsyncMutex<()>> {
        let mut flights = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        let key = account.as_str().to_ascii_lowercase();
        if let Some(flight) = flights.get(&key).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::default();
        flights.insert(key, Arc::downgrade(&flight));
        flight
    }
}

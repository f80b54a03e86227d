//! One redemption at a time per account: refresh tokens rotate, and using an old one may revoke all of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ahash::RandomState;
use auth_core::AccountId;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The queue of each account. Accounts never wait for each other.
#[derive(Default)]
pub(crate) struct Turns {
    by_account: Mutex<ByAccount>,
}

type ByAccount = HashMap<AccountId, Weak<AsyncMutex<()>>, RandomState>;

/// The turn of one redemption; it ends when this is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    account: &'a AccountId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until no one else redeems for the account. First come, first served.
    pub(crate) async fn take<'a>(&'a self, account: &'a AccountId) -> Turn<'a> {
        // Created before the wait, so that a dropped call also cleans up.
        let mut turn = Turn { turns: self, account, guard: None };
        turn.guard = Some(self.queue(account).lock_owned().await);
        turn
    }

    fn queue(&self, account: &AccountId) -> Arc<AsyncMutex<()>> {
        let mut by_account = self.by_account();
        let known = by_account.entry(account.clone()).or_default();
        known.upgrade().unwrap_or_else(|| {
            let queue = Arc::default();
            *known = Arc::downgrade(&queue);
            queue
        })
    }

    fn by_account(&self) -> MutexGuard<'_, ByAccount> {
        self.by_account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut by_account = self.turns.by_account();
        drop(self.guard.take());
        // No one can join the queue while the map is locked.
        if let Entry::Occupied(queue) = by_account.entry(self.account.clone())
            && queue.get().strong_count() == 0
        {
            queue.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn calls_for_one_account_take_turns_and_leave_no_queue_behind() {
        let turns = Turns::default();
        let [a, same, b] = ["a", "A", "b"].map(AccountId::new);
        let (mut first, mut second) = (Box::pin(turns.take(&a)), Box::pin(turns.take(&same)));
        let Poll::Ready(turn) = poll(first.as_mut()) else { panic!("the first in the queue") };
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(Box::pin(turns.take(&b)).as_mut()).is_ready(), "another account");
        assert!(poll(Box::pin(turns.take(&a)).as_mut()).is_pending(), "dropped before its turn");
        drop(turn);
        let Poll::Ready(turn) = poll(second.as_mut()) else { panic!("its turn") };
        assert_eq!(turns.by_account().len(), 1);
        drop((turn, first, second));
        assert!(turns.by_account().is_empty());
    }
}

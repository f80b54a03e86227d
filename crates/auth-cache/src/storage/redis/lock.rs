//! Locks with a time limit, renewed while they are held.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::failure::{Failure, NO_RANDOM_BYTES};
use super::link::{Link, in_background};
use super::scripts::{self, Call};
use crate::storage::{LockBudget, StorageLock};

/// How long a document's lock outlives a holder that died.
const LEASE: Duration = Duration::from_secs(5);
/// How long a lock for a request or a sign-in outlives its holder. Others wait for ten seconds: a holder that is
/// stopped for that long still has the lock, and remains the only one to redeem.
const LONG_LEASE: Duration = Duration::from_secs(12);
/// How often a holder renews its lock; one renewal may be lost.
const RENEWAL: Duration = Duration::from_millis(1_500);
/// How long a lock is renewed at most, whatever its holder does. Longer than any request takes.
const LONGEST: Duration = Duration::from_secs(120);
/// How long a waiting caller pauses between two attempts, at first and at most.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// The number of the lock that is held, 0 if none. A write with a lower number than an earlier write is refused.
pub(super) type Fence = Arc<AtomicU64>;

/// A lock that is held, or may be. Only its token releases it.
pub(super) struct RedisLock {
    link: Arc<Link>,
    key: String,
    token: String,
    fence: Option<Fence>,
    renewing: Option<AbortHandle>,
    /// Whether the server may have given it to us.
    may_be_held: bool,
}

impl StorageLock for RedisLock {}

impl Drop for RedisLock {
    fn drop(&mut self) {
        if let Some(renewing) = &self.renewing {
            renewing.abort();
        }
        if let Some(fence) = &self.fence {
            fence.store(0, Ordering::Relaxed);
        }
        if self.may_be_held {
            let (link, release) = (Arc::clone(&self.link), scripts::release(&self.key, &self.token));
            in_background(async move {
                // If the release fails, the lock expires.
                drop(link.script::<u64>(release).await);
            });
        }
    }
}

/// What a lock protects.
pub(super) enum Kind<'a> {
    /// Writing a partition. The fence refuses writes of a holder that was overtaken.
    Document { partition: &'a str, fence_key: &'a str, fence: &'a Fence },
    /// Asking a provider or a user. Nothing is written under this lock: the result is written under the document's, and
    /// replaces only what it is based on.
    Conversation,
}

impl Kind<'_> {
    const fn lease(&self) -> Duration {
        match self {
            Self::Document { .. } => LEASE,
            Self::Conversation => LONG_LEASE,
        }
    }

    fn take(&self, key: &str, token: &str) -> Call {
        let milliseconds = self.lease().as_millis();
        match self {
            Self::Document { partition, fence_key, .. } => {
                scripts::lock_fenced([key, fence_key, partition], token, milliseconds)
            }
            Self::Conversation => scripts::lock(key, token, milliseconds),
        }
    }
}

/// Waits for a lock for as long as the budget lasts; `None` if it is then still held elsewhere.
pub(super) async fn acquire(
    link: &Arc<Link>,
    key: &str,
    kind: Kind<'_>,
    budget: &mut LockBudget,
) -> Result<Option<RedisLock>, Failure> {
    let mut wait = SHORTEST_WAIT;
    loop {
        let begun = Instant::now();
        let mut lock = RedisLock {
            link: Arc::clone(link),
            key: key.to_owned(),
            token: new_token()?,
            fence: None,
            renewing: None,
            may_be_held: true,
        };
        let taken: u64 = link.script(kind.take(key, &lock.token)).await?;
        if taken > 0 {
            lock.renewing = Some(renew(link, key, &lock.token, kind.lease()));
            if let Kind::Document { fence, .. } = kind {
                fence.store(taken, Ordering::Relaxed);
                lock.fence = Some(Arc::clone(fence));
            }
            return Ok(Some(lock));
        }
        lock.may_be_held = false;
        if budget.left().is_zero() {
            return Ok(None);
        }
        sleep(wait.min(budget.left())).await;
        budget.spend(begun.elapsed());
        wait = wait.saturating_mul(2).min(LONGEST_WAIT);
    }
}

/// Renews a lock until it is released, belongs to another holder, or has been held for too long.
fn renew(link: &Arc<Link>, key: &str, token: &str, lease: Duration) -> AbortHandle {
    let (link, key, token) = (Arc::clone(link), key.to_owned(), token.to_owned());
    let renewing = tokio::spawn(async move {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            sleep(RENEWAL).await;
            // Asks again even if the server does not answer: the lock may not have expired yet.
            if let Ok(false) = link.insist(scripts::renew(&key, &token, lease.as_millis())).await {
                return;
            }
        }
    });
    renewing.abort_handle()
}

/// Returns a token that identifies the holder.
fn new_token() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Unexpected(NO_RANDOM_BYTES))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

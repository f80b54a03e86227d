//! Locks with a time limit, renewed while they are held.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::failure::Failure;
use super::link::{Link, beside};
use super::scripts::{self, Call};
use crate::storage::{LockBudget, StorageLock};

/// So long the lock of a document outlives a holder that died.
const LEASE: Duration = Duration::from_secs(5);
/// So long one that is held over a request or a sign-in does: a holder that is stopped for as long as others wait, which is ten
/// seconds, has it still, and redeems alone.
const LONG_LEASE: Duration = Duration::from_secs(12);
/// How often a holder says that it lives: once may be lost.
const RENEWAL: Duration = Duration::from_millis(1_500);
/// So long a lock is held at most, whatever its holder does: longer than any request takes.
const LONGEST: Duration = Duration::from_secs(120);
/// How long who waits leaves the server alone, at first and at most.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// The number of the lock that is held, 0 for none: what is written with a lower one than before is refused.
pub(super) type Fence = Arc<AtomicU64>;

/// A lock that is held, or may be; only whoever took it lets it go.
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
            beside(async move {
                // What cannot be let go lapses.
                drop(link.script::<u64>(release).await);
            });
        }
    }
}

/// What a lock keeps others from.
pub(super) enum Kind<'a> {
    /// Writing a partition. Who was overtaken is found out by the fence.
    Document { partition: &'a str, fence_key: &'a str, fence: &'a Fence },
    /// Asking a provider or a user. Nobody writes by this lock: what comes of it is written under the document's, and only over
    /// what it was made from.
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

/// Waits for a lock as long as the budget lasts; `None` when somebody else has it still.
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

/// Says that the holder lives, until it lets go, the lock is somebody else's, or it took too long.
fn renew(link: &Arc<Link>, key: &str, token: &str, lease: Duration) -> AbortHandle {
    let (link, key, token) = (Arc::clone(link), key.to_owned(), token.to_owned());
    let renewing = tokio::spawn(async move {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            sleep(RENEWAL).await;
            // A server that does not answer is asked again, and not left alone: the lock lapses meanwhile, or it does not.
            if let Ok(false) = link.insist(scripts::renew(&key, &token, lease.as_millis())).await {
                return;
            }
        }
    });
    renewing.abort_handle()
}

/// What tells one holder from all others.
fn new_token() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Unexpected("the system has no randomness"))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

//! Locks with a time limit, renewed while they are held.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::failure::Failure;
use super::link::{Link, beside};
use super::scripts;
use crate::storage::{LockBudget, StorageLock};

/// So long a lock outlives a holder that died.
const LEASE: Duration = Duration::from_secs(5);
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

/// Waits for a lock as long as the budget lasts; `None` when somebody else has it still.
pub(super) async fn acquire(
    link: &Arc<Link>,
    [key, fence_key]: [String; 2],
    partition: &str,
    fence: Option<Fence>,
    budget: &mut LockBudget,
) -> Result<Option<RedisLock>, Failure> {
    let mut wait = SHORTEST_WAIT;
    loop {
        let begun = Instant::now();
        let mut lock = RedisLock {
            link: Arc::clone(link),
            key: key.clone(),
            token: new_token()?,
            fence: None,
            renewing: None,
            may_be_held: true,
        };
        let keys = [key.clone(), fence_key.clone()];
        let taken: u64 = link.script(scripts::lock(keys, partition, &lock.token, LEASE.as_millis())).await?;
        if taken > 0 {
            lock.renewing = Some(renew(link, &lock.key, &lock.token));
            lock.fence = fence.inspect(|fence| fence.store(taken, Ordering::Relaxed));
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
fn renew(link: &Arc<Link>, key: &str, token: &str) -> AbortHandle {
    let (link, key, token) = (Arc::clone(link), key.to_owned(), token.to_owned());
    let renewing = tokio::spawn(async move {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            sleep(RENEWAL).await;
            // A server that does not answer is asked again: the lock lapses, or it does not.
            if let Ok(false) = link.script(scripts::renew(&key, &token, LEASE.as_millis())).await {
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

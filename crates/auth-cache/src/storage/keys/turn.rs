//! Taking turns to ask a keyring (S-104).

use core::future::poll_fn;
use core::task::Poll;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::{KeyError, KeyErrorKind};
use crate::storage::BoxFuture;
use crate::storage::backoff::Backoff;

/// How long to leave a keyring alone after a failure, at first and at most: each request may open a dialog.
const PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(480);

/// Lets one caller at a time ask a keyring. All waiting callers get its failure, and so do new callers for a while.
#[derive(Debug)]
pub(in crate::storage) struct Turn {
    asking: Arc<async_lock::Mutex<()>>,
    backoff: Arc<Mutex<Backoff<KeyError>>>,
}

impl Default for Turn {
    fn default() -> Self {
        Self { asking: Arc::default(), backoff: Arc::new(Backoff::new(PAUSE, LONGEST_PAUSE).into()) }
    }
}

impl Turn {
    /// Runs `work` when it is the caller's turn. Once begun it is completed, even if the caller gives up: its dialog is
    /// open, and the user should not see a second one.
    pub(in crate::storage) async fn ask<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, KeyError>> + Send + 'static,
    ) -> Result<T, KeyError> {
        lock(&self.backoff).check()?;
        let turn = self.asking.lock_arc().await;
        lock(&self.backoff).check()?;
        let backoff = Arc::clone(&self.backoff);
        complete(Box::pin(async move {
            let done = work.await;
            match &done {
                Ok(_) => lock(&backoff).succeeded(),
                Err(error) => lock(&backoff).failed(error.clone()),
            }
            drop(turn);
            done
        }))
        .await
    }
}

fn lock(backoff: &Mutex<Backoff<KeyError>>) -> MutexGuard<'_, Backoff<KeyError>> {
    // Replaced as a whole, so poison does not matter.
    backoff.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` on a thread where it may wait for the user.
#[cfg(feature = "keyring")]
pub(in crate::storage) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(task_failed(&error)))
}

fn task_failed(error: &tokio::task::JoinError) -> KeyError {
    KeyError::new(KeyErrorKind::Other, format!("the request to the keyring failed: {error}"))
}

async fn complete<T: Send + 'static>(mut work: BoxFuture<'static, Result<T, KeyError>>) -> Result<T, KeyError> {
    // A key that is available at once needs no task and no runtime.
    if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
        return done;
    }
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn(work).await.unwrap_or_else(|error| Err(task_failed(&error))),
        Err(_) => work.await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{advance, timeout};

    use super::*;

    /// A keyring whose dialog is never answered.
    #[derive(Clone, Default)]
    struct Unanswered(Arc<AtomicUsize>);

    impl Unanswered {
        async fn ask(self) -> Result<(), KeyError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            drop(timeout(Duration::from_secs(10), pending::<()>()).await);
            Err(KeyError::new(KeyErrorKind::TimedOut, "no answer"))
        }

        fn asked(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_one_dialog_and_its_failure_lasts_for_a_while() {
        let (turn, keyring) = (Arc::new(Turn::default()), Unanswered::default());
        let begun = tokio::time::Instant::now();
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let (turn, keyring) = (Arc::clone(&turn), keyring.clone());
                tokio::spawn(async move { turn.ask(keyring.ask()).await })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap_err().kind, KeyErrorKind::TimedOut);
        }
        assert_eq!((keyring.asked(), begun.elapsed().as_secs()), (1, 10));
        turn.ask(keyring.clone().ask()).await.unwrap_err();
        assert_eq!((keyring.asked(), begun.elapsed().as_secs()), (1, 10), "it is left alone");
        advance(PAUSE).await;
        assert_eq!(turn.ask(async { Ok(7) }).await, Ok(7), "then it is asked again");
    }

    #[tokio::test(start_paused = true)]
    async fn the_dialog_of_a_caller_that_gave_up_answers_the_others() {
        let (turn, keyring) = (Turn::default(), Unanswered::default());
        timeout(Duration::from_secs(1), turn.ask(keyring.clone().ask())).await.unwrap_err();
        turn.ask(keyring.clone().ask()).await.unwrap_err();
        assert_eq!(keyring.asked(), 1);
    }
}

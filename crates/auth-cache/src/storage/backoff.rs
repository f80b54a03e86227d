//! Backing off from what has failed.

use std::time::Duration;

use tokio::time::Instant;

/// Repeats a failure to every caller during a pause, which doubles with each failure up to `longest`.
#[derive(Debug)]
pub(super) struct Backoff<E> {
    shortest: Duration,
    longest: Duration,
    failure: Option<Failure<E>>,
}

#[derive(Debug)]
struct Failure<E> {
    error: E,
    pause: Duration,
    until: Instant,
}

impl<E: Clone> Backoff<E> {
    pub(super) const fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest, failure: None }
    }

    /// Returns the last failure while the pause lasts.
    pub(super) fn check(&self) -> Result<(), E> {
        match &self.failure {
            Some(failure) if Instant::now() < failure.until => Err(failure.error.clone()),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn failed(&mut self, error: E) {
        // Concurrent failures count once.
        if self.check().is_ok() {
            let doubled = |failure: &Failure<E>| failure.pause.saturating_mul(2).min(self.longest);
            let pause = self.failure.as_ref().map_or(self.shortest, doubled);
            let now = Instant::now();
            self.failure = Some(Failure { error, pause, until: now.checked_add(pause).unwrap_or(now) });
        }
    }

    pub(super) fn succeeded(&mut self) {
        self.failure = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pause_doubles_and_ends_with_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3));
        assert_eq!(backoff.check(), Ok(()));
        for (number, seconds) in [1, 2, 3, 3].into_iter().enumerate() {
            backoff.failed(number);
            backoff.failed(99);
            tokio::time::advance(Duration::from_millis(seconds * 1_000 - 1)).await;
            assert_eq!(backoff.check(), Err(number));
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(backoff.check(), Ok(()));
        }
        backoff.failed(4);
        backoff.succeeded();
        assert_eq!(backoff.check(), Ok(()));
        backoff.failed(5);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(backoff.check(), Ok(()));
    }
}

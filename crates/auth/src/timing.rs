//! How long calls take.

use std::pin::Pin;
use std::time::{Duration, Instant};

/// How long a call took, measured from when it first had to wait. All zero if the token was in memory, because then no
/// clock is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// The whole call.
    pub total: Duration,
    /// The part spent in HTTP.
    pub in_http: Duration,
    /// The part spent in the cache and its store.
    pub in_cache: Duration,
}

/// Measures a running call.
#[derive(Debug)]
pub(crate) struct Timing {
    begun: Instant,
    pub(crate) in_http: Duration,
    pub(crate) in_cache: Duration,
}

impl Timing {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), in_http: Duration::ZERO, in_cache: Duration::ZERO }
    }

    pub(crate) fn durations(&self) -> Durations {
        Durations { total: self.begun.elapsed(), in_http: self.in_http, in_cache: self.in_cache }
    }

    /// Waits for `work` and counts the time as spent in the cache. The caller pins `work`, because a future that takes
    /// another by value contains it twice.
    pub(crate) async fn cache<T>(&mut self, work: Pin<&mut impl Future<Output = T>>) -> T {
        let begun = Instant::now();
        let output = work.await;
        self.in_cache = self.in_cache.saturating_add(begun.elapsed());
        output
    }

    /// Waits for `work` and counts the time as spent in HTTP.
    pub(crate) async fn http<T>(&mut self, work: Pin<&mut impl Future<Output = T>>) -> T {
        let begun = Instant::now();
        let output = work.await;
        self.in_http = self.in_http.saturating_add(begun.elapsed());
        output
    }
}

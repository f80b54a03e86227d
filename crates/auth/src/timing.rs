//! How long things take.

use std::pin::Pin;
use std::time::{Duration, Instant};

/// How long a call took, from when it first had to wait: a token that the memory holds is handed out without asking a clock
/// for the time it took, and its durations are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// The whole call.
    pub total: Duration,
    /// Of it, the time in HTTP.
    pub in_http: Duration,
    /// Of it, the time in the cache and its store.
    pub in_cache: Duration,
}

/// Measures a call under way.
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

    /// Waits for `work` and counts the time as spent in the cache. It is pinned by the caller, as a future that takes
    /// another one by value has room for it twice.
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

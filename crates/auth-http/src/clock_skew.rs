//! Compares this machine's clock with those of the servers (R-36).

use core::fmt;
use core::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;

use auth_core::{Body, TransportError, server_time};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::clock::Clock;
use crate::transport::{DynTransport, Transport};

/// Five minutes, in seconds: beyond that, times in ID tokens are no longer accepted (S-74).
const TOLERATED: u64 = 300;

/// A transport that compares the `Date` of each response with the local clock. It only reports differences.
///
/// ```
/// use std::sync::Arc;
/// use auth_http::{ClockSkewWatch, InMemoryTransport, SystemClock};
///
/// let transport = InMemoryTransport::new(|_| Ok(Default::default()));
/// let watch = ClockSkewWatch::new(Arc::new(transport), Arc::new(SystemClock), |delta| println!("{delta} s"));
/// # let _: &dyn auth_http::DynTransport = &watch;
/// ```
pub struct ClockSkewWatch {
    transport: Arc<dyn DynTransport>,
    clock: Arc<dyn Clock>,
    report: Box<dyn Fn(i64) + Send + Sync>,
    /// The difference reported last; zero while the clocks agree.
    reported: AtomicI64,
}

impl ClockSkewWatch {
    /// Creates a transport that sends over `transport`. When a server's clock differs from `clock` by more than five
    /// minutes, it calls `report` with the number of seconds by which the server is ahead (negative if it is behind),
    /// and again only after that number has changed by more than five minutes.
    pub fn new(
        transport: Arc<dyn DynTransport>,
        clock: Arc<dyn Clock>,
        report: impl Fn(i64) + Send + Sync + 'static,
    ) -> Self {
        Self { transport, clock, report: Box::new(report), reported: AtomicI64::new(0) }
    }

    fn compare(&self, headers: &HeaderMap) {
        let Some(server) = server_time(headers) else { return };
        let seconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let delta = seconds(server.as_unix_seconds()).saturating_sub(seconds(self.clock.now().as_unix_seconds()));
        let reported = self.reported.load(Ordering::Relaxed);
        let next = if !is_far(delta, 0) {
            0
        } else if is_far(delta, reported) {
            delta
        } else {
            reported
        };
        // Only one of several simultaneous responses reports a change.
        let is_news = next != reported
            && self.reported.compare_exchange(reported, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && next != 0;
        if is_news {
            (self.report)(delta);
        }
    }
}

fn is_far(one: i64, other: i64) -> bool {
    one.abs_diff(other) > TOLERATED
}

impl Transport for ClockSkewWatch {
    // Not an `async fn`, whose future would also contain the request.
    fn send(&self, request: Request<Body>) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send {
        let response = self.transport.send(request);
        async move {
            let response = response.await?;
            self.compare(response.headers());
            Ok(response)
        }
    }
}

impl fmt::Debug for ClockSkewWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockSkewWatch").field("reported", &self.reported).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU64;

    use auth_core::{Timestamp, TransportFault};
    use http::HeaderValue;

    use super::*;
    use crate::InMemoryTransport;

    /// 14 Nov 2023, 22:13:20.
    const SERVER: u64 = 1_700_000_000;

    struct ManualClock(Arc<AtomicU64>);

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_seconds(self.0.load(Ordering::Relaxed))
        }
    }

    /// The reports after responses with these headers at these times of the local clock.
    async fn reported(answers: &[(u64, &'static [(&'static str, &'static str)])]) -> Vec<i64> {
        let (time, reported) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
        let headers = Arc::new(Mutex::new(HeaderMap::new()));
        let shown = Arc::clone(&headers);
        let transport = InMemoryTransport::new(move |_| {
            let mut response = Response::default();
            *response.headers_mut() = shown.lock().unwrap().clone();
            Ok(response)
        });
        let listener = Arc::clone(&reported);
        let report = move |delta| listener.lock().unwrap().push(delta);
        let watch = ClockSkewWatch::new(Arc::new(transport), Arc::new(ManualClock(Arc::clone(&time))), report);
        for (now, answer) in answers {
            time.store(*now, Ordering::Relaxed);
            *headers.lock().unwrap() =
                answer.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
            Transport::send(&watch, Request::default()).await.unwrap();
        }
        reported.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn each_change_is_reported_once() {
        const DATE: &[(&str, &str)] = &[("date", "Tue, 14 Nov 2023 22:13:20 GMT")];
        for (clock, expected) in [
            (&[SERVER][..], &[][..]),
            (&[SERVER - 300, SERVER + 300], &[]),
            (&[SERVER - 301], &[301]),
            (&[SERVER + 301], &[-301]),
            (&[SERVER - 400, SERVER - 401, SERVER - 700], &[400]),
            (&[SERVER - 400, SERVER - 701], &[400, 701]),
            (&[SERVER - 400, SERVER + 400], &[400, -400]),
            (&[SERVER - 400, SERVER, SERVER - 400], &[400, 400]),
            (&[SERVER - 400, SERVER - 299, SERVER - 301], &[400, 301]),
            (&[0], &[1_700_000_000]),
            (&[u64::MAX], &[1_700_000_000 - i64::MAX]),
        ] {
            let answers: Vec<_> = clock.iter().map(|now| (*now, DATE)).collect();
            assert_eq!(reported(&answers).await, expected, "{clock:?}");
        }
        let silent: [&[(&str, &str)]; 3] =
            [&[], &[("date", "soon")], &[("date", "Tue, 14 Nov 2023 22:13:20 GMT"), ("age", "9")]];
        for headers in silent {
            assert_eq!(reported(&[(0, headers)]).await, [0_i64; 0], "{headers:?}");
            assert_eq!(reported(&[(0, DATE), (0, headers), (0, DATE)]).await, [1_700_000_000], "{headers:?}");
        }
    }

    #[tokio::test]
    async fn failures_pass_through() {
        let transport = InMemoryTransport::new(|_| Err(TransportError::before_send(TransportFault::Connect, "h", "")));
        let watch = ClockSkewWatch::new(Arc::new(transport), Arc::new(crate::SystemClock), |_| panic!("no answer"));
        let error = Transport::send(&watch, Request::default()).await.unwrap_err();
        assert_eq!(error.fault, TransportFault::Connect);
    }
}

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

/// A transport that compares the `Date` of each response with the clock. It corrects nothing.
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
    tell: Box<dyn Fn(i64) + Send + Sync>,
    /// The difference reported last; zero while the clocks agree.
    told: AtomicI64,
}

impl ClockSkewWatch {
    /// Sends over `transport`. When a server's clock differs from `clock` by more than five minutes, calls `tell` with
    /// the number of seconds by which the server is ahead (negative if it is behind), and again only when that number
    /// has changed by more than five minutes.
    pub fn new(
        transport: Arc<dyn DynTransport>,
        clock: Arc<dyn Clock>,
        tell: impl Fn(i64) + Send + Sync + 'static,
    ) -> Self {
        Self { transport, clock, tell: Box::new(tell), told: AtomicI64::new(0) }
    }

    fn look(&self, headers: &HeaderMap) {
        let Some(server) = server_time(headers) else { return };
        let seconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let delta = seconds(server.as_unix_seconds()).saturating_sub(seconds(self.clock.now().as_unix_seconds()));
        let told = self.told.load(Ordering::Relaxed);
        let next = if !is_far(delta, 0) {
            0
        } else if is_far(delta, told) {
            delta
        } else {
            told
        };
        // Of several simultaneous responses, one reports it.
        let is_news = next != told
            && self.told.compare_exchange(told, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && next != 0;
        if is_news {
            (self.tell)(delta);
        }
    }
}

fn is_far(one: i64, other: i64) -> bool {
    one.abs_diff(other) > TOLERATED
}

impl Transport for ClockSkewWatch {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        let response = self.transport.send(request).await?;
        self.look(response.headers());
        Ok(response)
    }
}

impl fmt::Debug for ClockSkewWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockSkewWatch").field("told", &self.told).finish_non_exhaustive()
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

    struct Hand(Arc<AtomicU64>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_seconds(self.0.load(Ordering::Relaxed))
        }
    }

    /// What is reported when responses with these headers arrive at these times of our clock.
    async fn told(answers: &[(u64, &'static [(&'static str, &'static str)])]) -> Vec<i64> {
        let (hand, told) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
        let headers = Arc::new(Mutex::new(HeaderMap::new()));
        let shown = Arc::clone(&headers);
        let transport = InMemoryTransport::new(move |_| {
            let mut response = Response::default();
            *response.headers_mut() = shown.lock().unwrap().clone();
            Ok(response)
        });
        let listener = Arc::clone(&told);
        let tell = move |delta| listener.lock().unwrap().push(delta);
        let watch = ClockSkewWatch::new(Arc::new(transport), Arc::new(Hand(Arc::clone(&hand))), tell);
        for (now, answer) in answers {
            hand.store(*now, Ordering::Relaxed);
            *headers.lock().unwrap() =
                answer.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
            Transport::send(&watch, Request::default()).await.unwrap();
        }
        told.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn it_is_told_once_per_change() {
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
            assert_eq!(told(&answers).await, expected, "{clock:?}");
        }
        let silent: [&[(&str, &str)]; 3] =
            [&[], &[("date", "soon")], &[("date", "Tue, 14 Nov 2023 22:13:20 GMT"), ("age", "9")]];
        for headers in silent {
            assert_eq!(told(&[(0, headers)]).await, [0_i64; 0], "{headers:?}");
            assert_eq!(told(&[(0, DATE), (0, headers), (0, DATE)]).await, [1_700_000_000], "{headers:?}");
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

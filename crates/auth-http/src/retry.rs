//! Decides which requests are sent a second time (S-57, R-42).

use core::time::Duration;

use auth_core::{Replay, TransportError, TransportFault};
use bytes::Bytes;
use http::Response;
use http::header::RETRY_AFTER;

/// Whether to retry the request, which is done at most once.
pub(crate) fn is_worth_it(replay: Replay, outcome: &Result<Response<Bytes>, TransportError>) -> bool {
    match outcome {
        // If the server names a time to wait, the flow handles that.
        Ok(response) => {
            replay == Replay::Once
                && response.status().is_server_error()
                && !response.headers().contains_key(RETRY_AFTER)
        }
        Err(error) => {
            let may_recover = !matches!(error.fault, TransportFault::TooLarge | TransportFault::Untrusted);
            may_recover && (replay == Replay::Once || !error.may_have_been_sent)
        }
    }
}

/// One second plus or minus half a second, so that clients that failed together do not retry together.
pub(crate) fn pause() -> Duration {
    Duration::from_millis(rand::random_range(500..=1500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_retried_only_if_safe_and_promising() {
        let answer = |status, retry_after: bool| {
            let mut response = Response::builder().status(status);
            if retry_after {
                response = response.header(RETRY_AFTER, "3");
            }
            Ok(response.body(Bytes::new()).unwrap())
        };
        let before = |fault| Err(TransportError::before_send(fault, "h", ""));
        let after = |fault| Err(TransportError::after_send(fault, "h", ""));
        for (outcome, once, never) in [
            (answer(200, false), false, false),
            (answer(400, false), false, false),
            (answer(408, false), false, false),
            (answer(429, false), false, false),
            (answer(500, false), true, false),
            (answer(503, true), false, false),
            (before(TransportFault::Connect), true, true),
            (before(TransportFault::Timeout), true, true),
            (before(TransportFault::Untrusted), false, false),
            (after(TransportFault::Timeout), true, false),
            (after(TransportFault::Interrupted), true, false),
            (after(TransportFault::TooLarge), false, false),
        ] {
            assert_eq!(is_worth_it(Replay::Once, &outcome), once, "{outcome:?}");
            assert_eq!(is_worth_it(Replay::Never, &outcome), never, "{outcome:?}");
        }
    }
}

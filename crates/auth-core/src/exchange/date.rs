//! Times in headers (RFC 9110 §5.6.7).

use std::time::UNIX_EPOCH;

use http::HeaderMap;
use http::header::{AGE, DATE};

use crate::time::Timestamp;

/// Returns the server's time from the header `Date` (RFC 9110 §6.6.1). `None` if it is missing or ambiguous, or if the
/// answer comes from a cache and may be old (RFC 9111 §5.1).
///
/// ```
/// use auth_core::{Timestamp, server_time};
///
/// let mut response = http::Response::new(());
/// response.headers_mut().insert("date", "Tue, 14 Nov 2023 22:13:20 GMT".parse()?);
/// assert_eq!(server_time(response.headers()), Some(Timestamp::from_unix_seconds(1_700_000_000)));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[must_use]
pub fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let mut dates = headers.get_all(DATE).iter();
    let (Some(date), None, false) = (dates.next(), dates.next(), headers.contains_key(AGE)) else { return None };
    http_date(date.to_str().ok()?.trim())
}

/// Parses a date in any of HTTP's three formats; `None` before 1970.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_unix_seconds(since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_time_is_read_unless_missing_or_ambiguous() {
        const NOW: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
        for (headers, expected) in [
            (&[("date", NOW)][..], Some(1_700_000_000)),
            (&[("date", " Tue, 14 Nov 2023 22:13:20 GMT ")], Some(1_700_000_000)),
            (&[("date", "Tuesday, 14-Nov-23 22:13:20 GMT")], Some(1_700_000_000)),
            (&[("date", "Tue Nov 14 22:13:20 2023")], Some(1_700_000_000)),
            (&[("date", NOW), ("age", "0")], None),
            (&[("date", NOW), ("date", NOW)], None),
            (&[], None),
            (&[("date", "")], None),
            (&[("date", "1700000000")], None),
            (&[("date", "Wed, 14 Nov 2023 22:13:20 GMT")], None),
            (&[("date", "Tue, 31 Nov 2023 22:13:20 GMT")], None),
            (&[("date", "Sun, 14 Nov 1965 22:13:20 GMT")], None),
            (&[("date", "Fri, 31 Dec 9999 23:59:59 GMT")], Some(253_402_300_799)),
        ] {
            let mut response = http::Response::builder();
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            let response = response.body(()).unwrap();
            assert_eq!(server_time(response.headers()).map(Timestamp::as_unix_seconds), expected, "{headers:?}");
        }
    }
}

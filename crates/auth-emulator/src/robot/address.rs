//! URLs that the robot may visit.

use url::Url;

use super::error::RobotError;
use crate::redirect::is_loopback;

/// Parses a URL, and rejects any that is not on this machine.
pub(super) fn parse(text: &str) -> Result<Url, RobotError> {
    checked(Url::parse(text).map_err(|_| RobotError::Address)?)
}

/// Rejects a URL that is not on this machine, or not plain HTTP.
pub(super) fn checked(url: Url) -> Result<Url, RobotError> {
    if url.scheme() == "http" && is_loopback(&url) {
        Ok(url)
    } else {
        Err(RobotError::NotLoopback(without_query(&url)))
    }
}

/// The part of a URL that is safe to show: scheme, host, port and path.
pub(super) fn without_query(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_elsewhere_are_rejected_and_shown_without_their_query() {
        for text in ["https://127.0.0.1:1/", "http://contoso.example/a?code=canary", "ftp://localhost/"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, RobotError::NotLoopback(_)), "{text}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{text}");
        }
        assert!(matches!(parse("no address"), Err(RobotError::Address)));
        assert!(parse("http://localhost:1/a?b=c").is_ok());
    }
}

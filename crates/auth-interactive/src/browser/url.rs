//! Checks that a URL may be passed to another program (S-31).

use core::net::Ipv4Addr;

use http::Uri;

use crate::error::BrowserError;

const MAX_URL: usize = 8 * 1024;

/// Checks that `url` may be opened: `https`, or `http` to this machine; no user name; visible ASCII without characters
/// that shells and launchers treat specially; at most 8 KiB. Such a URL cannot be mistaken for an option or for several
/// arguments (S-31). [`sign_in`](fn@crate::sign_in) and `SystemBrowser` make this check themselves.
///
/// # Errors
/// [`BrowserError::Url`] if not, with the rule that `url` breaks.
///
/// ```
/// assert!(auth_interactive::check_url(&"https://login.example/authorize?a=b%20c".parse().unwrap()).is_ok());
/// assert!(auth_interactive::check_url(&"ftp://login.example/".parse().unwrap()).is_err());
/// ```
pub fn check_url(url: &Uri) -> Result<(), BrowserError> {
    checked_text(url).map(drop)
}

/// Returns the text of `url` if it passes [`check_url`].
pub(super) fn checked_text(url: &Uri) -> Result<String, BrowserError> {
    let wrong = |why| Err(BrowserError::Url(why));
    match (url.scheme_str(), url.host()) {
        (Some("https"), Some(host)) if !host.is_empty() => {}
        (Some("http"), Some(host)) if is_loopback(host) => {}
        (Some("http"), _) => return wrong("it must use https, as it does not name this machine"),
        _ => return wrong("it is not an https URL"),
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return wrong("it contains a user name");
    }
    let text = url.to_string();
    if text.len() > MAX_URL {
        return wrong("it is longer than 8 KiB");
    }
    if text.bytes().any(|byte| !byte.is_ascii_graphic() || b"\"'`$|<>\\".contains(&byte)) {
        return wrong("it contains a character that must be percent-encoded");
    }
    Ok(text)
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "[::1]") || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// P-15. Half of the texts resemble URLs.
        #[test]
        fn p15_an_accepted_url_is_one_plain_word(text in prop_oneof![any::<String>(), "https?://[ -~]{0,40}"]) {
            let text = text.parse::<Uri>().ok().and_then(|url| checked_text(&url).ok());
            if let Some(text) = text {
                prop_assert!(text.starts_with("https://") || text.starts_with("http://"));
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'`$|<>\\".contains(&byte)));
                prop_assert!(text.len() <= MAX_URL);
            }
        }
    }

    #[test]
    fn s31_only_plain_web_urls_are_accepted() {
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL));
        let rows = [
            ("https://login.example/authorize?x=%20%24&y=1", true),
            ("https://[2001:db8::1]:8443/", true),
            ("http://localhost:8400/x", true),
            ("http://127.0.0.1:1/", true),
            ("http://127.9.9.9:1/", true),
            ("http://[::1]:1/", true),
            ("http://login.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://0.0.0.0/", false),
            ("https://user@login.example/", false),
            ("ftp://login.example/", false),
            ("javascript:alert", false),
            ("/authorize", false),
            ("*", false),
            ("login.example:443", false),
            ("https://a.example/?$HOME", false),
            ("https://a.example/?a|b", false),
            ("https://a.example/?a'b", false),
            ("https://a.example/?`id`", false),
            (&long, false),
        ];
        for (url, allowed) in rows {
            // What `Uri` itself refuses never reaches an opener.
            let verdict = url.parse::<Uri>().is_ok_and(|url| check_url(&url).is_ok());
            assert_eq!(verdict, allowed, "{url}");
        }
    }
}

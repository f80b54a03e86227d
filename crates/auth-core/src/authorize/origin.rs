//! Web origins (RFC 6454).

use http::Uri;

/// Returns whether `text` is a web origin as browsers write it in `Origin`: in lower case, without the scheme's default
/// port, and with nothing after it (RFC 6454 §6.2).
///
/// ```
/// use auth_core::is_web_origin;
///
/// assert!(is_web_origin("https://pages.example") && is_web_origin("http://[::1]:8080"));
/// assert!(!is_web_origin("https://pages.example/") && !is_web_origin("https://pages.example:443"));
/// ```
#[must_use]
pub fn is_web_origin(text: &str) -> bool {
    text.parse().ok().and_then(|uri| web_origin(&uri)).is_some_and(|origin| origin == text)
}

/// The origin of an http or https URL; `None` for any other.
pub(super) fn web_origin(uri: &Uri) -> Option<String> {
    let (scheme, host) = (uri.scheme_str()?, uri.host()?.to_ascii_lowercase());
    let implied = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    Some(match uri.port_u16().filter(|port| *port != implied) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

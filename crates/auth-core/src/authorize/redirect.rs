//! Redirect URIs (S-11, RFC 8252).

use core::fmt;

use http::Uri;

use crate::error::ConfigError;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The URI to which the provider redirects the user: a loopback address, an https URL, or a private scheme in
/// reverse-DNS form.
///
/// ```
/// use auth_core::RedirectUri;
///
/// let uri = RedirectUri::parse("http://localhost:8400/done")?;
/// assert_eq!((uri.loopback_host(), uri.port(), uri.path()), (Some("localhost"), Some(8400), "/done"));
/// assert!(RedirectUri::parse("http://example.com/").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    /// `None` for a private scheme, of which only the text matters.
    uri: Option<Uri>,
}

impl RedirectUri {
    /// Parses the text, which must be exactly as registered.
    ///
    /// # Errors
    /// [`ConfigError::RedirectUri`] if the text is longer than 2048 bytes, contains anything but visible ASCII, has a
    /// fragment, a wildcard, user information, a forbidden character or an invalid port, or is anything but `https`, a
    /// private scheme, or `http` on `localhost`, `127.0.0.1` or `[::1]` (S-11).
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |why| Err(ConfigError::RedirectUri(why));
        if text.len() > 2048 {
            return wrong("it is longer than 2048 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("it contains characters other than visible ASCII");
        }
        if text.bytes().any(|byte| b"#*@\\\"<>^`{|}".contains(&byte)) {
            return wrong("it has a fragment, a wildcard, user information or a forbidden character");
        }
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        if is_private_scheme(scheme) && !rest.is_empty() {
            return Ok(Self { text: text.to_owned(), uri: None });
        }
        if !matches!(scheme, "http" | "https") {
            return wrong("it is neither a loopback address, https, nor a private scheme such as com.example.app");
        }
        let Ok(uri) = text.parse::<Uri>() else { return wrong("it is not a URI") };
        let host = uri.host().unwrap_or_default();
        if scheme == "http" && !LOOPBACK.contains(&host) {
            return wrong("http is accepted only for localhost, 127.0.0.1 and [::1]; use https");
        }
        let port = uri.authority().and_then(|authority| authority.as_str().strip_prefix(host));
        if !port.is_some_and(is_port) {
            return wrong("its port is not a number from 1 to 65535");
        }
        Ok(Self { text: text.to_owned(), uri: Some(uri) })
    }

    /// Returns the text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the host of a loopback URI: `localhost`, `127.0.0.1` or `[::1]`.
    #[must_use]
    pub fn loopback_host(&self) -> Option<&'static str> {
        let uri = self.uri.as_ref().filter(|uri| uri.scheme_str() == Some("http"))?;
        let host = uri.host()?;
        LOOPBACK.into_iter().find(|name| *name == host)
    }

    /// Returns the port, if the text contains one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.uri.as_ref()?.port_u16()
    }

    /// Returns the path as in a request line; `/` if there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.as_ref().map_or("/", Uri::path)
    }

    /// Returns this loopback URI with another port; any other URI is returned unchanged. Receivers use it to insert the
    /// free port that the system gave them (RFC 8252 §7.3).
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        let Some(host) = self.loopback_host() else { return self.clone() };
        // A URI without a path stays without: `http://localhost:1234`, as registered, has no slash.
        let (_, tail) = self.text.split_once(host).unwrap_or_default();
        let tail = tail.find(['/', '?']).and_then(|start| tail.get(start..)).unwrap_or_default();
        let text = format!("http://{host}:{port}{tail}");
        match text.parse() {
            Ok(uri) => Self { text, uri: Some(uri) },
            Err(_) => self.clone(),
        }
    }
}

/// Whether this is a scheme (RFC 3986 §3.1) in reverse-DNS form (RFC 8252 §7.1).
fn is_private_scheme(scheme: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.contains('.')
        && scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && scheme.bytes().all(legal)
}

/// Whether this is empty, or a colon and a port in canonical form.
fn is_port(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(':') else { return text.is_empty() };
    digits.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == digits)
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

//! Redirect URIs (S-11, RFC 8252).

use core::fmt;

use http::Uri;

use crate::error::ConfigError;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Where the provider sends the user back to: a loopback address, an https URL, or a private scheme in reverse-DNS form.
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
    uri: Uri,
}

impl RedirectUri {
    /// Takes the text exactly as it is registered.
    ///
    /// # Errors
    /// [`ConfigError::RedirectUri`] when the policy of S-11 forbids it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |why| Err(ConfigError::RedirectUri(why));
        if text.len() > 2048 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("it holds characters other than visible ASCII");
        }
        if text.bytes().any(|byte| b"#*@\\\"<>^`{|}".contains(&byte)) {
            return wrong(
                "it has a fragment, a wildcard, user information or a forbidden character",
            );
        }
        let Ok(uri) = text.parse::<Uri>() else { return wrong("it is no URI") };
        match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(host)) if LOOPBACK.contains(&host) => {
                if uri.authority().is_some_and(|authority| authority.as_str().ends_with(':')) {
                    return wrong("its port is not a number");
                }
            }
            (Some("http"), _) => {
                return wrong("http is for localhost, 127.0.0.1 and [::1] only; use https");
            }
            (Some("https"), Some(_)) => {}
            (Some(scheme), _) if scheme.contains('.') => {}
            _ => {
                return wrong(
                    "it is neither a loopback address, https, nor a private scheme such as com.example.app",
                );
            }
        }
        Ok(Self { text: text.to_owned(), uri })
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host where it is this machine: `localhost`, `127.0.0.1` or `[::1]`.
    #[must_use]
    pub fn loopback_host(&self) -> Option<&'static str> {
        let host = self.uri.host().filter(|_| self.uri.scheme_str() == Some("http"))?;
        LOOPBACK.into_iter().find(|name| *name == host)
    }

    /// The port, where the text names one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.uri.port_u16()
    }

    /// The path as a request line shows it; `/` when there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The same loopback URI with another port; anything else stays as it is. A receiver that was given a free port by
    /// the system completes its redirect URI with this (RFC 8252 §7.3).
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        let Some(host) = self.loopback_host() else { return self.clone() };
        // A bare host stays bare: `http://localhost:1234`, as it is registered, without a slash.
        let tail = match self.uri.path_and_query() {
            Some(tail) if self.text.matches('/').count() > 2 => tail.as_str(),
            _ => "",
        };
        let text = format!("http://{host}:{port}{tail}");
        match text.parse() {
            Ok(uri) => Self { text, uri },
            Err(_) => self.clone(),
        }
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

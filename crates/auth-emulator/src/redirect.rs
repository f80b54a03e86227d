//! Where and how an authorization response is sent.

use std::net::Ipv6Addr;

use url::{Host, Url};

/// How the response travels through the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    Query,
    FormPost,
}

/// Where the response goes. The redirect URI is known to be a loopback URL.
#[derive(Clone)]
pub(crate) struct ReplyTo {
    /// As the client wrote it: the token endpoint compares it byte for byte.
    pub(crate) redirect_uri: String,
    pub(crate) url: Url,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
}

impl ReplyTo {
    /// The URL with the response in its query.
    pub(crate) fn with_query(&self, fields: &[(&str, String)]) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(fields);
        url
    }

    /// The receiver in the syntax of a content security policy.
    pub(crate) fn csp_source(&self) -> String {
        match self.url.host() {
            // A policy cannot contain an IPv6 address, so allow the scheme.
            Some(Host::Ipv6(_)) | None => format!("{}:", self.url.scheme()),
            Some(_) => self.url.origin().ascii_serialization(),
        }
    }
}

/// Whether this is an `http` or `https` URL of this machine, without what a redirect URI must not contain.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        None => false,
    };
    local
        && matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_redirect_uris_are_accepted() {
        for (text, expected) in [
            ("http://localhost:5000", true),
            ("http://LOCALHOST/cb", true),
            ("http://127.0.0.1:5000/cb?x=1", true),
            ("https://[::1]:5000/", true),
            ("http://localhost.example/", false),
            ("http://127.0.0.1.example/", false),
            ("http://localhost@contoso.example/", false),
            ("http://user@localhost/", false),
            ("http://localhost/#x", false),
            ("http://192.168.1.1/", false),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(is_loopback(&url), expected, "{text}");
        }
    }

    #[test]
    fn the_query_of_the_redirect_uri_is_kept() {
        let text = "http://localhost:5000/cb?x=1";
        let to = ReplyTo {
            redirect_uri: text.into(),
            url: Url::parse(text).unwrap(),
            mode: ResponseMode::Query,
            state: None,
        };
        let url = to.with_query(&[("code", "a b".into())]);
        assert_eq!(url.as_str(), "http://localhost:5000/cb?x=1&code=a+b");
        assert_eq!(to.csp_source(), "http://localhost:5000");
    }
}

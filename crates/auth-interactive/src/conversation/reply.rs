//! The replies: fixed pages with fixed headers, and nothing of a request in them (S-21, S-25).

use auth_core::ResponseMode;

use crate::pages::{Document, wrong_request};

/// Why a request is refused. The reply to each is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Malformed, or without the right state.
    BadRequest,
    /// From an origin that may not post, or not a navigation (S-18).
    Forbidden,
    NotFound,
    MethodNotAllowed(ResponseMode),
    /// [`MethodNotAllowed`](Self::MethodNotAllowed) for `HEAD`, whose reply has no body.
    HeadNotAllowed(ResponseMode),
    /// Too slow (S-23).
    Timeout,
    /// The response has already arrived (S-24).
    Conflict,
    LengthRequired,
    BodyTooLarge,
    TargetTooLong,
    UnsupportedMediaType,
    /// `Host` names another server (S-17).
    Misdirected,
    HeadersTooLarge,
}

impl Refusal {
    /// The status line after the version.
    pub(crate) const fn status(self) -> &'static str {
        match self {
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed(_) | Self::HeadNotAllowed(_) => "405 Method Not Allowed",
            Self::Timeout => "408 Request Timeout",
            Self::Conflict => "409 Conflict",
            Self::LengthRequired => "411 Length Required",
            Self::BodyTooLarge => "413 Content Too Large",
            Self::TargetTooLong => "414 URI Too Long",
            Self::UnsupportedMediaType => "415 Unsupported Media Type",
            Self::Misdirected => "421 Misdirected Request",
            Self::HeadersTooLarge => "431 Request Header Fields Too Large",
        }
    }
}

/// The bytes of one reply, after which the connection is closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply(Vec<u8>);

impl Reply {
    /// A page for the user.
    pub(crate) fn page(page: &Document) -> Self {
        Self((head("200 OK", "", page.html.len(), &page.policy) + &page.html).into_bytes())
    }

    /// A redirect: after a query response to the bare path, so that the code leaves the address bar (S-27), or to where
    /// the application wants it (S-26).
    pub(crate) fn see_other(location: &str) -> Self {
        Self(head("303 See Other", &format!("Location: {location}\r\n"), 0, &wrong_request().policy).into_bytes())
    }

    pub(crate) fn refusal(refusal: Refusal) -> Self {
        let Document { html, policy } = wrong_request();
        let (length, body) = match refusal {
            // S-17: a request under another name gets the status and nothing else, as does one that is refused before
            // its name is known.
            Refusal::Misdirected | Refusal::TargetTooLong | Refusal::HeadersTooLarge => (0, ""),
            Refusal::HeadNotAllowed(_) => (html.len(), ""),
            _ => (html.len(), html.as_str()),
        };
        // RFC 9110 §15.5.6 requires `Allow`; it reveals no more than the sign-in page does.
        let allow = match refusal {
            Refusal::MethodNotAllowed(mode) | Refusal::HeadNotAllowed(mode) => match mode {
                ResponseMode::FormPost => "Allow: POST\r\n",
                ResponseMode::Query => "Allow: GET\r\n",
            },
            _ => "",
        };
        Self((head(refusal.status(), allow, length, policy) + body).into_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The head of every reply (S-25).
fn head(status: &str, extra: &str, length: usize, policy: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: {length}\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\n\
         Content-Security-Policy: {policy}\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\
         {extra}Connection: close\r\n\r\n"
    )
}

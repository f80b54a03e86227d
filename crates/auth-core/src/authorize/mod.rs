//! The front channel: the request that the browser takes to the provider, and the response (RFC 6749 §4.1, RFC 9207,
//! RFC 9700).

mod kept;
mod mailbox;
mod origin;
mod pending;
mod prompt;
mod push;
mod redirect;
mod request;
mod response;

pub use origin::is_web_origin;
pub use pending::PendingAuthorization;
pub use prompt::Prompt;
pub use push::PushedAuthorization;
pub use redirect::RedirectUri;
pub use request::AuthorizationRequest;
pub use response::AuthorizationResponse;

/// How the response reaches the redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a receiver must serve each; a fragment is never used (S-08)")]
pub enum ResponseMode {
    /// As a form that the browser posts, which keeps the code out of URLs and browser histories.
    FormPost,
    /// In the query of the redirect URI, for providers without `form_post`.
    Query,
}

impl ResponseMode {
    /// Returns the value of the parameter `response_mode`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FormPost => "form_post",
            Self::Query => "query",
        }
    }
}

#[cfg(test)]
mod tests;

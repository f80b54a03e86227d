//! What the application got wrong.

/// A wrong setting; the text says which and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The authority text is not usable.
    #[error("the authority is not usable: {0}")]
    Authority(&'static str),
    /// The authority names a host that is no known Entra host.
    #[error(
        "the identity provider does not know the authority host {host}; for a provider other than Microsoft Entra give its issuer instead, and for a cloud of your own add its host to the known authorities"
    )]
    UnknownAuthorityHost {
        /// The host in question.
        host: String,
    },
    /// The tenant is not a name that Entra could know.
    #[error("the tenant must be a GUID, a domain name, common, organizations or consumers")]
    Tenant,
    /// The client id is empty or holds a character other than visible ASCII.
    #[error("the client id must be 1 to 256 visible ASCII characters")]
    ClientId,
    /// A scope is empty or holds a forbidden character.
    #[error("a scope must be visible ASCII without spaces, quotes and backslashes")]
    Scope,
    /// The correlation id is not a UUID.
    #[error("the correlation id must be a UUID")]
    CorrelationId,
    /// The claims are not a JSON object.
    #[error("the claims must be a JSON object of at most 16 KiB")]
    Claims,
    /// A client capability is empty, too long, or holds a character other than visible ASCII.
    #[error("a client capability must be 1 to 256 visible ASCII characters")]
    Capability,
    /// The redirect URI is not usable.
    #[error("the redirect URI is not usable: {0}")]
    RedirectUri(&'static str),
    /// A web origin is not written as browsers send it.
    #[error(
        "a sign-in origin must be written as browsers send it, such as https://pages.example, with nothing after it"
    )]
    Origin,
    /// An extra query parameter has the name of one that the protocol sets.
    #[error("the extra query parameter {name} would override one of the protocol")]
    ReservedParameter {
        /// The name in question.
        name: String,
    },
    /// A parameter would stand twice in the authorization request: two extra ones of a name, or one that the provider's own
    /// address has already (RFC 6749 §3.1).
    #[error("the parameter {name} would stand twice in the request")]
    DuplicateParameter {
        /// The name in question.
        name: String,
    },
    /// The client id stands among the scopes to consent to.
    #[error("the client id is no scope that a user can consent to")]
    ConsentScope,
    /// The clocks may not be so far apart.
    #[error("the clock skew must be at most ten minutes")]
    ClockSkew,
    /// The provider takes authorization requests only where they are pushed to it first (RFC 9126).
    #[error("the identity provider takes pushed authorization requests only; use `AuthorizationRequest::push`")]
    PushRequired,
    /// The name or the version of the application cannot be sent in an HTTP header.
    #[error("the application {0} must be at most 256 printable ASCII characters")]
    ApplicationName(&'static str),
    /// The authorization URL is longer than 64 KiB.
    #[error("the authorization URL is too long; ask for fewer scopes, claims or extra parameters")]
    UrlTooLong,
    /// The provider's metadata does not offer `S256`, so a sign-in would not be protected.
    #[error("the identity provider does not support PKCE with S256")]
    PkceUnsupported,
    /// The provider has no endpoint for what is asked of it.
    #[error("the identity provider offers no {0}")]
    NotOffered(&'static str),
    /// A part that the application must bring is missing.
    #[error("there is no {part}; {remedy}")]
    Missing {
        /// What is missing.
        part: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The random number generator failed.
    #[error("the random number generator of the system failed")]
    Randomness,
}

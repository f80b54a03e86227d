//! Configuration errors.

/// An invalid setting. The message names it and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text of the authority is not usable.
    #[error("the authority is not usable: {0}")]
    Authority(&'static str),
    /// The authority's host is not a known Entra host.
    #[error(
        "the identity provider does not know the authority host {host}; for a provider other than Microsoft Entra, specify its issuer; for a private cloud, add its host to the known authorities"
    )]
    UnknownAuthorityHost {
        /// The host in question.
        host: String,
    },
    /// The text cannot name an Entra tenant.
    #[error("the tenant must be a GUID, a domain name, common, organizations or consumers")]
    Tenant,
    /// The client id is empty, too long, or contains characters other than visible ASCII.
    #[error("the client id must be 1 to 256 visible ASCII characters")]
    ClientId,
    /// A scope is empty or contains a forbidden character.
    #[error("a scope must be visible ASCII without spaces, quotes or backslashes")]
    Scope,
    /// The correlation id is not a UUID.
    #[error("the correlation id must be a UUID")]
    CorrelationId,
    /// The claims are not a JSON object, or are too long.
    #[error("the claims must be a JSON object of at most 16 KiB")]
    Claims,
    /// A client capability is empty, too long, or contains characters other than visible ASCII.
    #[error("a client capability must be 1 to 256 visible ASCII characters")]
    Capability,
    /// The redirect URI is not usable.
    #[error("the redirect URI is not usable: {0}")]
    RedirectUri(&'static str),
    /// A sign-in origin is not written as browsers send it.
    #[error(
        "a sign-in origin must be written as browsers send it, such as https://pages.example, without a trailing slash or path"
    )]
    Origin,
    /// An extra query parameter has the name of a parameter that the protocol sets.
    #[error("the extra query parameter {name} is reserved by the protocol; leave it out")]
    ReservedParameter {
        /// The name in question.
        name: String,
    },
    /// A parameter would appear twice in the authorization request: as two extra parameters, or because the provider's
    /// endpoint already contains it (RFC 6749 §3.1).
    #[error("the parameter {name} would appear twice in the request")]
    DuplicateParameter {
        /// The name in question.
        name: String,
    },
    /// The client id is among the scopes to consent to.
    #[error("the client id is not a scope that a user can consent to")]
    ConsentScope,
    /// The tolerated clock skew is too large.
    #[error("the clock skew must be at most ten minutes")]
    ClockSkew,
    /// The provider only accepts pushed authorization requests (RFC 9126).
    #[error("the identity provider only accepts pushed authorization requests; use `AuthorizationRequest::push`")]
    PushRequired,
    /// The name or the version of the application cannot be sent in an HTTP header.
    #[error("the application {0} must be at most 256 printable ASCII characters")]
    ApplicationName(&'static str),
    /// The authorization URL is longer than 64 KiB.
    #[error("the authorization URL is too long; ask for fewer scopes, claims or extra parameters")]
    UrlTooLong,
    /// The provider's metadata does not list `S256`, so sign-ins would not be protected.
    #[error("the identity provider does not support PKCE with S256")]
    PkceUnsupported,
    /// The provider has no endpoint for the requested operation.
    #[error("the identity provider offers no {0}")]
    NotOffered(&'static str),
    /// The application has not provided a required part.
    #[error("there is no {part}; {remedy}")]
    Missing {
        /// The missing part.
        part: &'static str,
        /// The remedy.
        remedy: &'static str,
    },
    /// The random number generator failed.
    #[error("the system's random number generator failed")]
    Randomness,
}

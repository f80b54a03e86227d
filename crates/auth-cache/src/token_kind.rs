//! What distinguishes tokens with the same scopes.

use auth_core::text::same;

use crate::extension::Extension;

/// The kind of token that a query wants. A token of another kind never answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenKind<'a> {
    /// The token type (RFC 6749 §7.1): `Bearer`, `pop`, `ssh-cert`.
    pub token_type: &'a str,
    /// The ID of the key that the token is bound to, if any.
    pub key_id: Option<&'a str>,
    /// The extra data of the request, if any.
    pub extension: Option<&'a Extension>,
}

impl TokenKind<'_> {
    /// The type of plain tokens.
    pub(crate) const BEARER: &'static str = "Bearer";

    /// A plain Bearer token: not bound to a key, requested without extra data.
    pub const PLAIN: Self = Self { token_type: Self::BEARER, key_id: None, extension: None };
}

impl<'a> TokenKind<'a> {
    /// A token of type `token_type`, bound to the key `key_id`.
    ///
    /// ```
    /// use auth_cache::TokenKind;
    ///
    /// assert_eq!(TokenKind::bound("pop", "my-key").key_id, Some("my-key"));
    /// ```
    #[must_use]
    pub const fn bound(token_type: &'a str, key_id: &'a str) -> Self {
        Self { token_type, key_id: Some(key_id), extension: None }
    }

    /// Returns this kind for a request with extra data.
    #[must_use]
    pub const fn with_extension(self, extension: &'a Extension) -> Self {
        Self { extension: Some(extension), ..self }
    }

    pub(crate) fn is_plain(&self) -> bool {
        same(self.token_type, Self::BEARER)
            && self.key_id.unwrap_or_default().is_empty()
            && self.extension.is_none_or(Extension::is_empty)
    }
}

impl Default for TokenKind<'_> {
    fn default() -> Self {
        Self::PLAIN
    }
}

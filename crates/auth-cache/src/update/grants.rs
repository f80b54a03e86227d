//! Tokens that a confidential client can request again without the user.

use std::sync::Arc;

use auth_core::{AccountId, Authority, ClientId, Timestamp, Tokens};

use super::access_token::NewAccessToken;
use crate::assertion::Assertion;
use crate::document::{Document, Origin, PartitionKey};
use crate::extension::Extension;
use crate::names::shared;
use crate::pending::Moment;
use crate::token_kind::TokenKind;

/// An application's own token, to be cached.
///
/// ```
/// use auth_cache::{AppTokenUpdate, StorageError, TokenCache};
/// use auth_core::{Authority, ClientId, Tokens};
/// use std::sync::Arc;
///
/// async fn keep(
///     cache: &TokenCache,
///     authority: Arc<Authority>,
///     client_id: ClientId,
///     tokens: Tokens,
/// ) -> Result<(), StorageError> {
///     cache.store_app(AppTokenUpdate::new(authority, client_id, Arc::new(tokens))).await
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppTokenUpdate {
    /// The authority that issued it.
    pub authority: Arc<Authority>,
    /// The client it was issued to.
    pub client_id: ClientId,
    /// The token.
    pub tokens: Arc<Tokens>,
    /// The extra data of the request, if any.
    pub extension: Extension,
    /// Like [`TokenUpdate::bypass`](super::TokenUpdate::bypass).
    pub bypass: bool,
}

impl AppTokenUpdate {
    /// Creates an update with a plain Bearer token.
    #[must_use]
    pub fn new(authority: Arc<Authority>, client_id: ClientId, tokens: Arc<Tokens>) -> Self {
        Self { authority, client_id, tokens, extension: Extension::default(), bypass: false }
    }

    pub(crate) fn apply(&self, document: &Document, moment: Moment) {
        self.put(document, &self.place(), (AccountId::new(""), ""), self.tokens.expires_on, moment);
    }

    pub(crate) fn place(&self) -> PartitionKey {
        PartitionKey::app(self.client_id.as_str(), self.realm())
    }

    /// The key under which MSAL for .NET keeps the partition in a distributed cache.
    pub(crate) fn suggested_key(&self) -> String {
        let hash = match self.extension.is_empty() {
            true => String::new(),
            false => format!("_{}", self.extension.hash_without_lengths()),
        };
        format!("{}_{}{hash}_AppTokenCache", self.client_id.as_str(), self.realm())
    }

    fn realm(&self) -> &str {
        self.tokens.realm(&self.authority)
    }

    fn put(
        &self,
        document: &Document,
        place: &PartitionKey,
        (home_account_id, assertion): (AccountId, &str),
        expires_on: Timestamp,
        moment: Moment,
    ) {
        let origin = Arc::new(Origin {
            home_account_id,
            environment: shared(self.authority.environment()),
            client_id: shared(self.client_id.as_str()),
            authority_type: self.authority.authority_type(),
            tokens: Arc::clone(&self.tokens),
        });
        let new = NewAccessToken {
            origin: &origin,
            authority: &self.authority,
            realm: self.realm(),
            kind: TokenKind::PLAIN.with_extension(&self.extension),
            assertion,
            expires_on,
            since: (moment == Moment::Again).then_some(self.tokens.received_at),
            bypass: self.bypass,
        };
        document.edit(place, |partition| new.put(&mut partition.access_tokens));
    }
}

/// A token obtained on behalf of a user, to be cached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AssertionTokenUpdate {
    /// The assertion that it was obtained with.
    pub assertion: Assertion,
    /// When the assertion expires; the token is not handed out after that (S-84). `None` for a session key.
    pub assertion_expires_on: Option<Timestamp>,
    /// The token, as for an application's own.
    pub app: AppTokenUpdate,
}

impl AssertionTokenUpdate {
    /// Creates an update with a token that was obtained with `assertion`.
    #[must_use]
    pub const fn new(assertion: Assertion, assertion_expires_on: Option<Timestamp>, app: AppTokenUpdate) -> Self {
        Self { assertion, assertion_expires_on, app }
    }

    pub(crate) fn apply(&self, document: &Document, moment: Moment) {
        let place = PartitionKey::assertion(&self.assertion);
        let account = self.app.tokens.home_account_id().unwrap_or_else(|| AccountId::new(""));
        self.app.put(document, &place, (account, self.assertion.as_str()), self.expires_on(), moment);
    }

    /// When the token or its assertion expires, whichever is first.
    pub(crate) fn expires_on(&self) -> Timestamp {
        let expires_on = self.app.tokens.expires_on;
        self.assertion_expires_on.map_or(expires_on, |end| end.min(expires_on))
    }
}

//! What a redemption brought: tokens that passed every check.

use core::fmt;
use core::time::Duration;

use crate::account_id::AccountId;
use crate::authority::Authority;
use crate::client_info::ClientInfo;
use crate::error::ProtocolError;
use crate::id_token::{Expected, IdToken};
use crate::scopes::Scopes;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token_response::TokenResponse;

/// The tokens of one response of a token endpoint.
#[derive(Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token; its type is always `Bearer`.
    pub access_token: Secret,
    /// The refresh token, where the server sent one.
    pub refresh_token: Option<Secret>,
    /// The family of client ids that share refresh tokens (Entra's `foci`).
    pub family_id: Option<String>,
    /// The id_token, checked but unverified by signature.
    pub id_token: Option<IdToken>,
    /// Who the account is at home (Entra).
    pub client_info: Option<ClientInfo>,
    /// What was asked for, without the scopes that OpenID Connect reserves.
    pub requested_scopes: Scopes,
    /// What was granted: the response's `scope`, or what was asked for when it has none (RFC 6749 §5.1).
    pub granted_scopes: Scopes,
    /// When the response came.
    pub received_at: Timestamp,
    /// When the access token expires, counted from when it was asked for.
    pub expires_on: Timestamp,
    /// Until when the access token may serve while the server is down (Entra's `ext_expires_in`).
    pub extended_expires_on: Option<Timestamp>,
    /// When the access token should be refreshed beside its use (Entra's `refresh_in`).
    pub refresh_on: Option<Timestamp>,
}

impl Tokens {
    /// An access token that came from elsewhere than a token endpoint, such as from a broker; the fields say the rest.
    #[must_use]
    pub fn new(access_token: Secret, requested: &Scopes, expires_on: Timestamp, received_at: Timestamp) -> Self {
        let requested_scopes = requested.without_oidc();
        Self {
            access_token,
            refresh_token: None,
            family_id: None,
            id_token: None,
            client_info: None,
            granted_scopes: requested_scopes.clone(),
            requested_scopes,
            received_at,
            expires_on,
            extended_expires_on: None,
            refresh_on: None,
        }
    }

    pub(crate) fn accept(
        response: TokenResponse,
        expected: &Expected<'_>,
        requested: &Scopes,
        requested_at: Timestamp,
        now: Timestamp,
    ) -> Result<Self, ProtocolError> {
        let id_token = match &response.id_token {
            Some(raw) => {
                let token = IdToken::parse(raw)?;
                token.verify(expected, now)?;
                token.verify_hash("at_hash", &response.access_token)?;
                if let Some(code) = expected.code {
                    token.verify_hash("c_hash", code)?;
                }
                Some(token)
            }
            None if expected.nonce.is_some() => {
                return Err(ProtocolError::Missing { message: "token response", name: "id_token" });
            }
            None => None,
        };
        let requested_scopes = requested.without_oidc();
        // A clock that was set back meanwhile must not stretch the lifetime.
        let start = requested_at.min(now);
        let after = |duration: Duration| start.saturating_add(duration);
        Ok(Self {
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            family_id: response.family_id,
            id_token,
            client_info: response.client_info,
            granted_scopes: response.scope.unwrap_or_else(|| requested_scopes.clone()),
            requested_scopes,
            received_at: now,
            expires_on: after(response.expires_in),
            extended_expires_on: response.ext_expires_in.map(after),
            refresh_on: response.refresh_in.map(after),
        })
    }

    /// What was asked for and not granted.
    #[must_use]
    pub fn declined_scopes(&self) -> Scopes {
        self.requested_scopes.difference(&self.granted_scopes)
    }

    /// Whose tokens these are: `uid.utid` of the client info, else the subject of the id_token.
    #[must_use]
    pub fn home_account_id(&self) -> Option<AccountId> {
        match &self.client_info {
            Some(info) => Some(AccountId::new([info.uid.as_str(), ".", &info.utid].concat())),
            None => self.id_token.as_ref()?.text("sub").map(AccountId::new),
        }
    }

    /// Whether these are tokens of this account; `None` where the response names nobody.
    pub(crate) fn are_of(&self, account: &AccountId) -> Option<bool> {
        match &self.client_info {
            Some(info) => Some(account.is_of(&info.uid, &info.utid)),
            // A subject is compared as it is (OpenID Connect Core §2).
            None => self.home_account_id().map(|found| found.as_str() == account.as_str()),
        }
    }

    /// The `realm` under which the shared cache keeps the tokens: at Entra the tenant of the id_token.
    #[must_use]
    pub fn realm<'a>(&'a self, authority: &'a Authority) -> &'a str {
        authority.realm(self.id_token.as_ref().and_then(|token| token.text("tid")))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("granted_scopes", &self.granted_scopes)
            .field("expires_on", &self.expires_on)
            .field("refresh_on", &self.refresh_on)
            .finish_non_exhaustive()
    }
}

//! The validated tokens of a token response.

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

/// The tokens of one token response.
///
/// ```
/// use auth_core::{Scopes, Secret, Timestamp, Tokens};
///
/// let (now, expires_on) = (Timestamp::from_unix_seconds(1_700_000_000), Timestamp::from_unix_seconds(1_700_003_600));
/// let tokens = Tokens::new(Secret::new("eyJ0".to_owned()), &Scopes::parse("openid User.Read")?, expires_on, now);
/// assert_eq!(tokens.granted_scopes.to_string(), "User.Read");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token; its type is always `Bearer`.
    pub access_token: Secret,
    /// The refresh token, if the server sent one.
    pub refresh_token: Option<Secret>,
    /// The family of client ids that share refresh tokens (Entra's `foci`).
    pub family_id: Option<String>,
    /// The ID token, validated except for its signature.
    pub id_token: Option<IdToken>,
    /// The account's identity in its home tenant (Entra).
    pub client_info: Option<ClientInfo>,
    /// The requested scopes, without those of OpenID Connect.
    pub requested_scopes: Scopes,
    /// The granted scopes: the response's `scope`, or the requested ones if it has none (RFC 6749 §5.1).
    pub granted_scopes: Scopes,
    /// When the response was received.
    pub received_at: Timestamp,
    /// When the access token expires, counted from the time of the request.
    pub expires_on: Timestamp,
    /// When the access token expires if the server is down (Entra's `ext_expires_in`).
    pub extended_expires_on: Option<Timestamp>,
    /// When to refresh the access token, although it can still be used (Entra's `refresh_in`).
    pub refresh_on: Option<Timestamp>,
}

impl Tokens {
    /// Creates tokens from an access token that does not come from a token endpoint, for example from a broker. Set the
    /// fields for anything else.
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
        // Setting the clock back meanwhile must not extend the lifetime.
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

    /// Returns the requested scopes that were not granted.
    #[must_use]
    pub fn declined_scopes(&self) -> Scopes {
        self.requested_scopes.difference(&self.granted_scopes)
    }

    /// Returns the account's id: `uid.utid` from the client info, otherwise the subject of the ID token.
    #[must_use]
    pub fn home_account_id(&self) -> Option<AccountId> {
        match &self.client_info {
            Some(info) => Some(AccountId::new([info.uid.as_str(), ".", &info.utid].concat())),
            None => self.id_token.as_ref()?.text("sub").map(AccountId::new),
        }
    }

    /// Whether these are tokens of this account; `None` if the response identifies no account.
    pub(crate) fn are_of(&self, account: &AccountId) -> Option<bool> {
        match &self.client_info {
            Some(info) => Some(account.is_of(&info.uid, &info.utid)),
            // Subjects are case-sensitive (OpenID Connect Core §2).
            None => self.home_account_id().map(|found| found.as_str() == account.as_str()),
        }
    }

    /// Returns the `realm` under which the shared cache stores the tokens: for Entra the tenant of the ID token.
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

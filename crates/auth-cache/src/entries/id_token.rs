//! Id_tokens.

use std::sync::{Arc, OnceLock};

use auth_core::text::same;
use auth_core::{AccountId, Authority, IdToken, Secret, Timestamp};

use crate::members::{Entry, Members};
use crate::names::shared;

/// An id_token, still raw.
#[derive(Debug)]
pub(crate) struct IdTokenEntry {
    pub(crate) environment: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) realm: Arc<str>,
    pub(crate) secret: Secret,
    /// Its `iss` and `sub`.
    of: OnceLock<Option<(Box<str>, Box<str>)>>,
    /// Where this process got the token, so that it is not read again.
    known: OnceLock<IdToken>,
}

impl Entry for IdTokenEntry {
    fn read(members: &Members<'_>) -> Option<Self> {
        Some(Self {
            environment: shared(&members.text("environment").or_empty()?),
            client_id: shared(&members.text("client_id").or_empty()?),
            realm: members.text("realm").or_empty()?.into(),
            secret: members.secret("secret")?,
            of: OnceLock::new(),
            known: OnceLock::new(),
        })
    }
}

impl IdTokenEntry {
    /// The id_token of a response.
    pub(crate) fn new([environment, client_id]: [&Arc<str>; 2], realm: Arc<str>, token: &IdToken) -> Self {
        Self {
            environment: Arc::clone(environment),
            client_id: Arc::clone(client_id),
            realm,
            secret: token.secret().clone(),
            of: OnceLock::new(),
            known: OnceLock::from(token.clone()),
        }
    }

    /// The token with its claims; `None` if it is none.
    pub(crate) fn parse(&self) -> Option<IdToken> {
        self.known.get().cloned().or_else(|| IdToken::parse(&self.secret).ok())
    }

    /// Its `iat`.
    pub(crate) fn issued_at(&self) -> Timestamp {
        let iat = self.parse().and_then(|token| token.claims().get("iat")?.as_u64());
        Timestamp::from_unix_seconds(iat.unwrap_or_default())
    }

    /// Its `iss`: where several issuers share a host, all that tells whose the entries beside it are.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.of().map(|(issuer, _)| issuer)
    }

    /// Whether this authority issued it, and to this account. Subjects that differ in case only are two users (OpenID
    /// Connect Core §2), although the keys of the document fold them into one (S-80).
    pub(crate) fn is_of(&self, authority: &Authority, account: &AccountId) -> bool {
        self.of().is_some_and(|(issuer, subject)| {
            authority.is_issuer(issuer) && (subject == account.as_str() || !same(subject, account.as_str()))
        })
    }

    fn of(&self) -> Option<(&str, &str)> {
        let of = self.of.get_or_init(|| {
            let token = self.parse()?;
            Some((token.text("iss")?.into(), token.text("sub").unwrap_or_default().into()))
        });
        of.as_ref().map(|(issuer, subject)| (&**issuer, &**subject))
    }
}

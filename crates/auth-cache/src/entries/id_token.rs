//! ID tokens.

use std::sync::{Arc, OnceLock};

use auth_core::text::same;
use auth_core::{AccountId, Authority, IdToken, Secret, Timestamp};

use crate::members::{Entry, Members};
use crate::names::shared;

/// An ID token, parsed on demand.
#[derive(Debug)]
pub(crate) struct IdTokenEntry {
    pub(crate) environment: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) realm: Arc<str>,
    pub(crate) secret: Secret,
    /// Its `iss` and `sub`.
    issuer_and_subject: OnceLock<Option<(Box<str>, Box<str>)>>,
    /// The parsed token, if this process received it.
    known: OnceLock<IdToken>,
}

impl Entry for IdTokenEntry {
    fn read(members: &Members<'_>) -> Option<Self> {
        Some(Self {
            environment: shared(&members.text("environment").or_empty()?),
            client_id: shared(&members.text("client_id").or_empty()?),
            realm: members.text("realm").or_empty()?.into(),
            secret: members.secret("secret")?,
            issuer_and_subject: OnceLock::new(),
            known: OnceLock::new(),
        })
    }
}

impl IdTokenEntry {
    /// The ID token of a response.
    pub(crate) fn new([environment, client_id]: [&Arc<str>; 2], realm: Arc<str>, token: &IdToken) -> Self {
        Self {
            environment: Arc::clone(environment),
            client_id: Arc::clone(client_id),
            realm,
            secret: token.secret().clone(),
            issuer_and_subject: OnceLock::new(),
            known: OnceLock::from(token.clone()),
        }
    }

    /// The token with its claims; `None` if it is not a valid ID token.
    pub(crate) fn parse(&self) -> Option<IdToken> {
        self.known.get().cloned().or_else(|| IdToken::parse(&self.secret).ok())
    }

    /// Its `iat`; the epoch if it has none.
    pub(crate) fn issued_at(&self) -> Timestamp {
        let iat = self.parse().and_then(|token| token.claims().get("iat")?.as_u64());
        Timestamp::from_unix_seconds(iat.unwrap_or_default())
    }

    /// Its `iss`. Where several issuers share a host, nothing else tells whose the entries next to it are.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer_and_subject().map(|(issuer, _)| issuer)
    }

    /// Whether this authority issued it, and not to a user whose ID differs from the account's in case only: those are
    /// two users (OpenID Connect Core §2), although keys in the document do not tell them apart (S-80).
    pub(crate) fn is_of(&self, authority: &Authority, account: &AccountId) -> bool {
        self.issuer_and_subject().is_some_and(|(issuer, subject)| {
            authority.is_issuer(issuer) && (subject == account.as_str() || !same(subject, account.as_str()))
        })
    }

    fn issuer_and_subject(&self) -> Option<(&str, &str)> {
        let both = self.issuer_and_subject.get_or_init(|| {
            let token = self.parse()?;
            Some((token.text("iss")?.into(), token.text("sub").unwrap_or_default().into()))
        });
        both.as_ref().map(|(issuer, subject)| (&**issuer, &**subject))
    }
}

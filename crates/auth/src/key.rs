//! Which calls want the same.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use auth_core::{AccountId, Claims, Scopes};

/// Which token is wanted: the account, the authority, the scopes and the claims, as the identity provider tells them apart.
/// The client is that of the whole client.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) account: AccountId,
    /// As a text, where it is not the client's own.
    pub(crate) authority: Option<Arc<str>>,
    /// Their order and letters do not count, nor those that every request has.
    scopes: Scopes,
    /// As they were given: equal claims in other words are other claims.
    pub(crate) claims: Option<Claims>,
}

impl Key {
    pub(crate) fn new(
        account: &AccountId,
        authority: Option<&Arc<str>>,
        scopes: &Scopes,
        claims: Option<&Claims>,
    ) -> Self {
        Self {
            account: account.clone(),
            authority: authority.cloned(),
            scopes: scopes.clone(),
            claims: claims.cloned(),
        }
    }

    /// The scopes as a text: equal for equal keys.
    pub(crate) fn scopes_text(&self) -> String {
        self.scopes.without_oidc().sorted().to_string().to_ascii_lowercase()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // Subjects that differ in case only are two users (S-80).
        self.account.as_str() == other.account.as_str()
            && self.authority == other.authority
            && self.claims == other.claims
            && self.scopes.grants(&other.scopes)
            && other.scopes.grants(&self.scopes)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.account.hash(state);
        self.authority.hash(state);
        self.scopes.mask().hash(state);
        self.claims.hash(state);
    }
}

/// Which calls can share one answer: those that want the same token in the same way.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct FlightKey {
    pub(crate) token: Key,
    /// A forced refresh must not be answered by what an unforced one finds in the cache.
    pub(crate) forced: bool,
    /// What the caller adds to the request may change its answer.
    pub(crate) extra_query: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_does_not_tell_apart_is_the_same() {
        let key = |account, scopes, claims: Option<&str>| {
            let claims = claims.map(|claims| Claims::parse(claims).unwrap());
            Key::new(&AccountId::new(account), None, &Scopes::parse(scopes).unwrap(), claims.as_ref())
        };
        let plain = key("u.t", "User.Read Mail.Read", None);
        for (other, same) in [
            (key("u.t", "mail.read user.read openid", None), true),
            (key("v.t", "User.Read Mail.Read", None), false),
            (key("U.T", "User.Read Mail.Read", None), false),
            (key("u.t", "User.Read", None), false),
            (key("u.t", "User.Read Mail.Read", Some("{}")), false),
        ] {
            assert_eq!(plain == other, same);
        }
        assert!(key("u.t", "a", Some("{}")) != key("u.t", "a", Some(r#"{"a":1}"#)));
        let at = |authority: &str| {
            Key::new(&AccountId::new("u.t"), Some(&authority.into()), &Scopes::parse("a").unwrap(), None)
        };
        assert!(at("a.example") == at("a.example") && at("a.example") != at("b.example"));
        assert!(at("a.example") != key("u.t", "a", None));
    }
}

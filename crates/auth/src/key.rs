//! Keys that tell which calls can share a token or a request.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use auth_core::{AccountId, Claims, Scopes};

/// Identifies a token within a client: account, authority, scopes and claims, as the identity provider distinguishes
/// them.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) account: AccountId,
    /// As text, unless it is the client's own.
    pub(crate) authority: Option<Arc<str>>,
    /// Compared without order and case, and without the scopes that every request has.
    scopes: Scopes,
    /// Compared as text.
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

    /// The scopes as text, the same for equal keys.
    pub(crate) fn scopes_text(&self) -> String {
        self.scopes.without_oidc().sorted().to_string().to_ascii_lowercase()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // Subjects that differ only in case are different users (S-80).
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

/// Identifies calls that can share a request: those that want the same token in the same way.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct FlightKey {
    pub(crate) token: Key,
    /// A forced refresh must not get what an unforced one finds in the cache.
    pub(crate) forced: bool,
    /// Extra parameters may change the response.
    pub(crate) extra_query: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_equal_if_the_provider_would_issue_the_same_token() {
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

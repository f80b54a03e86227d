//! Which calls want the same.

use std::hash::{Hash, Hasher};

use auth_core::{AccountId, Claims, Scopes, Tenant};

/// Which token is wanted: the account, the tenant, the scopes and the claims, as the identity provider tells them apart.
/// Client and cloud are those of the whole client.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) account: AccountId,
    /// Where the request names one; else it is that of the client, or of the account.
    pub(crate) tenant: Option<Box<str>>,
    /// Their order and letters do not count, nor those that every request has.
    scopes: Scopes,
    /// As they were given: equal claims in other words are other claims.
    pub(crate) claims: Option<Claims>,
}

impl Key {
    pub(crate) fn new(account: &AccountId, tenant: Option<&Tenant>, scopes: &Scopes, claims: Option<&Claims>) -> Self {
        Self {
            account: account.clone(),
            tenant: tenant.map(|tenant| tenant.as_str().into()),
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
        self.account == other.account
            && self.tenant == other.tenant
            && self.claims == other.claims
            && self.scopes.grants(&other.scopes)
            && other.scopes.grants(&self.scopes)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.account.hash(state);
        self.tenant.hash(state);
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
        let plain = key("U.T", "User.Read Mail.Read", None);
        for (other, same) in [
            (key("u.t", "mail.read user.read openid", None), true),
            (key("v.t", "User.Read Mail.Read", None), false),
            (key("u.t", "User.Read", None), false),
            (key("u.t", "User.Read Mail.Read", Some("{}")), false),
        ] {
            assert_eq!(plain == other, same);
        }
        assert!(key("u.t", "a", Some("{}")) != key("u.t", "a", Some(r#"{"a":1}"#)));
        let at = |tenant: &str| {
            let tenant = tenant.parse().unwrap();
            Key::new(&AccountId::new("u.t"), Some(&tenant), &Scopes::parse("a").unwrap(), None)
        };
        assert!(at("A.example") == at("a.example") && at("a.example") != at("b.example"));
        assert!(at("a.example") != key("u.t", "a", None));
    }
}

//! Scope sets (RFC 6749 §3.3).

use core::fmt;

use crate::error::ConfigError;

/// The scopes that OpenID Connect reserves; they steer the sign-in and name no resource.
const OIDC: [&str; 3] = ["openid", "profile", "offline_access"];

/// A set of scopes in the order and the letters in which they were given.
///
/// ```
/// use auth_core::Scopes;
///
/// let scopes = Scopes::parse("User.Read Mail.Read")?;
/// assert_eq!(scopes.to_string(), "User.Read Mail.Read");
/// assert!(scopes.contains_all(&Scopes::parse("mail.read")?));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Reads a space-separated list, as it stands in requests and responses. An empty text is an empty set.
    ///
    /// # Errors
    /// [`ConfigError::Scope`] when a scope holds a character that RFC 6749 §3.3 forbids.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::new(text.split(' ').filter(|scope| !scope.is_empty()))
    }

    /// Takes the scopes one by one; a repeated scope counts once.
    ///
    /// # Errors
    /// [`ConfigError::Scope`] when a scope is empty or holds a character that RFC 6749 §3.3 forbids (a space among them).
    pub fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        let mut set = Self::default();
        for scope in scopes {
            let scope = scope.into();
            let legal = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            if scope.is_empty() || !scope.bytes().all(legal) {
                return Err(ConfigError::Scope);
            }
            set.insert(&scope);
        }
        Ok(set)
    }

    /// Whether there is no scope at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether `scope` is in the set; letters compare ASCII-case-insensitively, as Entra and every MSAL do (S-68).
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|own| own.eq_ignore_ascii_case(scope))
    }

    /// Whether all of `other` is in this set.
    #[must_use]
    pub fn contains_all(&self, other: &Self) -> bool {
        other.iter().all(|scope| self.contains(scope))
    }

    /// Whether the two sets have a scope in common.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        other.iter().any(|scope| self.contains(scope))
    }

    /// The set without `openid`, `profile` and `offline_access`: what a cached token must grant.
    #[must_use]
    pub fn without_oidc(&self) -> Self {
        let resource = |scope: &&str| !OIDC.iter().any(|oidc| oidc.eq_ignore_ascii_case(scope));
        Self(self.iter().filter(resource).map(str::to_owned).collect())
    }

    /// The set with `openid`, `profile` and `offline_access` added: what a user flow asks for.
    #[must_use]
    pub fn with_oidc(&self) -> Self {
        let mut all = self.clone();
        OIDC.iter().for_each(|scope| all.insert(scope));
        all
    }

    /// The scopes of this set that `other` lacks.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.iter().filter(|scope| !other.contains(scope)).map(str::to_owned).collect())
    }

    /// The same set in the order in which it is written to the shared cache: by folded letters, then by bytes.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let mut scopes = self.0.clone();
        scopes.sort_by_cached_key(|scope| (scope.to_ascii_lowercase(), scope.clone()));
        Self(scopes)
    }

    fn insert(&mut self, scope: &str) {
        if !self.contains(scope) {
            self.0.push(scope.to_owned());
        }
    }
}

/// Space-separated, as it stands in a request.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn grammar() {
        for (text, accepted) in [
            ("", true),
            ("User.Read", true),
            ("  a   b ", true),
            ("api://x/.default", true),
            ("a\"b", false),
            ("a\\b", false),
            ("a\tb", false),
            ("é", false),
        ] {
            assert_eq!(Scopes::parse(text).is_ok(), accepted, "{text}");
        }
        assert!(Scopes::new(["a b"]).is_err());
        assert!(Scopes::new([""]).is_err());
    }

    #[test]
    fn sets() {
        assert_eq!(scopes("b A a B").to_string(), "b A");
        assert_eq!(scopes("OpenID User.Read profile").without_oidc(), scopes("User.Read"));
        assert_eq!(scopes("email").without_oidc(), scopes("email"));
        assert_eq!(scopes("x openid").with_oidc(), scopes("x openid profile offline_access"));
        assert_eq!(scopes("b a B C").sorted(), scopes("a b C"));
        assert_eq!(scopes("a b c").difference(&scopes("B")), scopes("a c"));
        assert!(scopes("a").contains_all(&scopes("")));
        assert!(!scopes("a").contains_all(&scopes("a b")));
        assert!(!scopes("").intersects(&scopes("a")));
    }
}

//! Scope sets (RFC 6749 §3.3).

use core::fmt;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::ConfigError;
use crate::text::{cmp_folded, same};

/// The scopes of OpenID Connect, which control the sign-in and name no resource. `email` is not one of them: it is a
/// permission of Microsoft Graph, and a token's granted scopes contain it.
const OIDC: [&str; 3] = ["openid", "profile", "offline_access"];

/// About the number of scopes of a token.
const TYPICAL: usize = 8;

/// A set of scopes that keeps their order and case. Clones share the data.
///
/// ```
/// use auth_core::Scopes;
///
/// let scopes = Scopes::parse("User.Read Mail.Read")?;
/// assert_eq!(scopes.to_string(), "User.Read Mail.Read");
/// assert!(scopes.contains_all(&Scopes::parse("mail.read")?));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Scopes(Arc<Inner>);

/// A bit mask of a scope set, for ruling out quickly that it grants another.
///
/// Public only for the other crates of this workspace.
///
/// ```
/// # use auth_core::Scopes;
/// let (granted, wanted) = (Scopes::parse("User.Read Mail.Read")?, Scopes::parse("mail.read")?);
/// assert!(granted.mask().may_grant(wanted.mask()));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScopeMask(u64);

impl ScopeMask {
    /// Returns `false` if the set certainly does not grant the one of `wanted`, so that [`Scopes::grants`] need not be
    /// called.
    #[must_use]
    pub const fn may_grant(self, wanted: Self) -> bool {
        wanted.0 & !self.0 == 0
    }

    /// Returns the mask of the union of the two sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What comparisons need is prepared once, because sets are compared far more often than created.
#[derive(Default)]
struct Inner {
    /// The scopes as given, without duplicates, separated by spaces.
    given: Box<str>,
    /// The number of scopes in `given`.
    count: usize,
    /// Whether `given` is sorted by folded case.
    is_sorted: bool,
    /// The scopes in lower case, sorted, without the reserved ones.
    resources: Packed,
    /// Two bits for each of `resources`: a set that grants another has all its bits.
    mask: u64,
    /// Bit `n` for the reserved scope `OIDC[n]`.
    reserved: u8,
}

impl Scopes {
    /// Parses a space-separated list, as in requests and responses. An empty text is an empty set.
    ///
    /// # Errors
    /// [`ConfigError::Scope`] if a scope contains a character that RFC 6749 §3.3 forbids.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        // Without an early exit, the loop is vectorized.
        if text.bytes().fold(true, |all, byte| all & (is_legal(byte) | (byte == b' '))) {
            let mut given = Vec::with_capacity(TYPICAL);
            given.extend(text.split(' ').filter(|scope| !scope.is_empty()));
            Ok(Self::of(given))
        } else {
            Err(ConfigError::Scope)
        }
    }

    /// Creates a set from single scopes; duplicates are dropped.
    ///
    /// # Errors
    /// [`ConfigError::Scope`] if a scope is empty or contains a character that RFC 6749 §3.3 forbids, such as a space.
    pub fn new<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        let given: Vec<String> = scopes.into_iter().map(Into::into).collect();
        if given.iter().any(|scope| scope.is_empty() || !scope.bytes().all(is_legal)) {
            return Err(ConfigError::Scope);
        }
        Ok(Self::of(given.iter().map(String::as_str).collect()))
    }

    /// The set of scopes that have been validated.
    fn of(mut given: Vec<&str>) -> Self {
        let mut sorted: Vec<_> = given.iter().copied().enumerate().collect();
        // A stable sort, so that the first of several duplicates is kept.
        sorted.sort_by(|(_, one), (_, other)| cmp_folded(one, other));
        sorted.dedup_by(|(_, later), (_, first)| same(later, first));
        let reserved = sorted.iter().fold(0, |bits, (_, scope)| bits | reserved_bit(scope));
        let resources = Packed::of(sorted.iter().map(|(_, scope)| *scope).filter(|scope| reserved_bit(scope) == 0));
        let is_sorted = sorted.is_sorted_by_key(|(position, _)| *position);
        let mask = resources.iter().fold(0, |mask, scope| mask | mask_bits(scope));
        if sorted.len() < given.len() {
            sorted.sort_unstable_by_key(|(position, _)| *position);
            given = sorted.into_iter().map(|(_, scope)| scope).collect();
        }
        let (count, given) = (given.len(), given.join(" ").into());
        Self(Arc::new(Inner { given, count, is_sorted, resources, mask, reserved }))
    }

    /// Returns whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// Returns the number of scopes, including the reserved ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// Returns the scopes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        Iter { rest: self.0.given.split(' '), left: self.0.count }
    }

    /// Returns the scopes in order, separated by spaces, as in a request.
    ///
    /// ```
    /// # use auth_core::Scopes;
    /// assert_eq!(Scopes::new(["User.Read", "Mail.Read"])?.as_str(), "User.Read Mail.Read");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.given
    }

    /// Returns whether `scope` is in the set, ASCII-case-insensitively, as Entra and every MSAL compare scopes (S-68).
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        match reserved_bit(scope) {
            0 => self.0.resources.iter().any(|own| own.eq_ignore_ascii_case(scope.as_bytes())),
            bit => self.0.reserved & bit != 0,
        }
    }

    /// Returns whether all of `other` is in this set.
    #[must_use]
    pub fn contains_all(&self, other: &Self) -> bool {
        other.0.reserved & !self.0.reserved == 0 && self.grants(other)
    }

    /// Returns whether a token with these scopes may be used for `wanted`: whether every scope of `wanted` is in this
    /// set, except `openid`, `profile` and `offline_access`, which are not permissions at a resource. Compares
    /// ASCII-case-insensitively (S-68), in linear time and without allocating.
    ///
    /// ```
    /// # use auth_core::Scopes;
    /// let granted = Scopes::parse("User.Read Mail.Read")?;
    /// assert!(granted.grants(&Scopes::parse("openid mail.read")?));
    /// assert!(!granted.grants(&Scopes::parse("email")?));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn grants(&self, wanted: &Self) -> bool {
        let (own, wanted) = (&*self.0, &*wanted.0);
        if !self.mask().may_grant(ScopeMask(wanted.mask)) || wanted.resources.0.len() > own.resources.0.len() {
            return false;
        }
        let mut rest = own.resources.iter();
        wanted.resources.iter().all(|scope| rest.any(|own| own == scope))
    }

    /// Returns a bit mask of the set, for searching many sets. Public only for the other crates of this workspace.
    #[doc(hidden)]
    #[must_use]
    pub fn mask(&self) -> ScopeMask {
        ScopeMask(self.0.mask)
    }

    /// Returns whether the two sets have a scope in common.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        let own = self.members();
        other.iter().any(own)
    }

    /// Returns the set without `openid`, `profile` and `offline_access`: what a cached token must grant.
    #[must_use]
    pub fn without_oidc(&self) -> Self {
        if self.0.reserved == 0 {
            return self.clone();
        }
        self.filter(|scope| reserved_bit(scope) == 0)
    }

    /// Returns the set with `openid`, `profile` and `offline_access` added, as requested for users.
    #[must_use]
    pub fn with_oidc(&self) -> Self {
        Self::of(self.iter().chain(OIDC).collect())
    }

    /// Returns the scopes of this set that `other` lacks.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        if other.contains_all(self) {
            return Self::default();
        }
        let theirs = other.members();
        self.filter(|scope| !theirs(scope))
    }

    /// Returns the set sorted by folded case, the order in the shared cache.
    #[must_use]
    pub fn sorted(&self) -> Self {
        if self.0.is_sorted {
            return self.clone();
        }
        let mut scopes: Vec<_> = self.iter().collect();
        scopes.sort_by(|one, other| cmp_folded(one, other));
        Self::of(scopes)
    }

    /// Like `contains`, in logarithmic time, for many calls.
    fn members(&self) -> impl Fn(&str) -> bool {
        let resources: BTreeSet<_> = self.0.resources.iter().collect();
        move |scope| match reserved_bit(scope) {
            0 => resources.contains(scope.to_ascii_lowercase().as_bytes()),
            bit => self.0.reserved & bit != 0,
        }
    }

    fn filter(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self::of(self.iter().filter(|scope| wanted(scope)).collect())
    }
}

/// The scopes of a set, in order.
struct Iter<'a> {
    rest: core::str::Split<'a, char>,
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        // Splitting an empty text gives one part.
        self.left = self.left.checked_sub(1)?;
        self.rest.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// Texts one after another, each prefixed with its length, so that comparing two sets reads memory sequentially.
#[derive(Default)]
struct Packed(Box<[u8]>);

impl Packed {
    /// Packs the texts in lower case.
    fn of<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Self {
        let sizes = texts.clone().map(|text| text.len().saturating_add(size_of::<u32>()));
        let mut packed = Vec::with_capacity(sizes.fold(0, usize::saturating_add));
        for text in texts {
            // No message can contain a scope of 4 GiB.
            let Ok(length) = u32::try_from(text.len()) else { continue };
            packed.extend_from_slice(&length.to_le_bytes());
            packed.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
        }
        Self(packed.into_boxed_slice())
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.0;
        core::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk()?;
            let (text, tail) = tail.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
            rest = tail;
            Some(text)
        })
    }
}

/// Whether a scope may contain this byte (RFC 6749 §3.3).
const fn is_legal(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// The bit of a reserved scope, in any case; 0 for all others.
fn reserved_bit(scope: &str) -> u8 {
    let index = OIDC.iter().position(|oidc| oidc.eq_ignore_ascii_case(scope));
    index.map_or(0, |index| 1 << index)
}

/// Two of 64 bits, by the FNV-1a hash of a folded scope.
fn mask_bits(scope: &[u8]) -> u64 {
    let hash = scope
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    (1 << (hash >> 58)) | (1 << ((hash >> 52) & 63))
}

/// Sets are equal if they have the same scopes in the same order and case.
impl PartialEq for Scopes {
    fn eq(&self, other: &Self) -> bool {
        self.0.given == other.0.given
    }
}

impl Eq for Scopes {}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scopes").field(&self.iter().collect::<Vec<_>>()).finish()
    }
}

/// Space-separated, as in a request.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn only_characters_of_the_grammar_are_accepted() {
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
    fn set_operations_fold_case_and_keep_the_order() {
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

    #[test]
    fn a_grant_ignores_the_reserved_scopes() {
        for (own, wanted, granted) in [
            ("User.Read Mail.Read", "mail.read", true),
            ("user.read mail.read", "Mail.Read USER.READ", true),
            ("User.Read", "User.Read Mail.Read", false),
            ("User.Read", "User.Rea", false),
            ("User.Rea", "User.Read", false),
            ("User.Read", "User.ReadWrite", false),
            ("User.Read", "OpenID User.Read offline_access profile", true),
            ("User.Read openid profile", "user.read", true),
            ("User.Read", "", true),
            ("", "", true),
            ("", "openid", true),
            ("", "a", false),
            // `email` is a permission, the others are not.
            ("User.Read", "email", false),
            ("User.Read email", "EMAIL", true),
            ("a b c d e f", "a f", true),
            ("a b c d e f", "f a g", false),
        ] {
            let (own, wanted) = (scopes(own), scopes(wanted));
            assert_eq!(own.grants(&wanted), granted, "{own} / {wanted}");
            assert_eq!(own.contains_all(&wanted.without_oidc()), granted, "{own} / {wanted}");
        }
        assert!(!scopes("a").contains_all(&scopes("a openid")), "only `grants` ignores the reserved scopes");
        assert!(scopes("a OPENID").contains_all(&scopes("openid a")));
        assert!(scopes("a OPENID").contains("OpenId") && !scopes("a").contains("openid"));
    }

    #[test]
    fn a_clone_shares_everything() {
        let one = scopes("User.Read");
        assert!(Arc::ptr_eq(&one.0, &one.clone().0) && Arc::ptr_eq(&one.0, &one.without_oidc().0));
        assert_eq!((one.len(), scopes("a A openid").len(), Scopes::default().len()), (1, 2, 0));
        assert_eq!(format!("{one:?}"), r#"Scopes(["User.Read"])"#);
    }

    // A server may grant very many scopes: a quadratic operation would take minutes here.
    #[test]
    fn no_operation_is_quadratic() {
        let text = |prefix: &str| (0..100_000).map(|n| format!("{prefix}{n} ")).collect::<String>();
        let (many, twice, others) = (scopes(&text("A")), scopes(&(text("a") + &text("A"))), scopes(&text("b")));
        assert_eq!(twice.len(), many.len());
        assert!(many.grants(&twice) && many.contains_all(&twice) && many.intersects(&twice));
        assert!(!many.grants(&others) && !many.intersects(&others));
        assert_eq!(many.difference(&others), many);
        assert!(many.difference(&twice).is_empty());
        assert_eq!(many.with_oidc().len(), many.len() + 3);
        assert_eq!(many.sorted().len(), many.len());
    }

    proptest::proptest! {
        #[test]
        fn grants_is_containment(own in "([aAbB]{1,3} |openid ){0,8}", wanted in "([aAbB]{1,3} |profile ){0,4}") {
            let (own, wanted) = (scopes(&own), scopes(&wanted));
            let all = wanted.without_oidc().iter().all(|scope| own.iter().any(|own| own.eq_ignore_ascii_case(scope)));
            proptest::prop_assert_eq!(own.grants(&wanted), all);
        }
    }
}

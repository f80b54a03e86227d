//! Environments, client IDs, realms and scopes: few, and the same in nearly all entries. Entries share them, so that
//! what a lookup compares stays in the processor's cache, however many entries there are.

use std::sync::{Arc, OnceLock};

use auth_core::{ConfigError, Scopes};

/// How many values of each kind are shared. Any others belong to their entries alone.
const SHARED: usize = 64;

/// An environment or a client ID.
pub(crate) fn shared(name: &str) -> Arc<str> {
    static NAMES: Pool<Arc<str>> = Pool::new();
    NAMES.get(name, || name.into())
}

/// A realm. There may be many of them, which must not crowd out the other names.
pub(crate) fn shared_realm(realm: &str) -> Arc<str> {
    static REALMS: Pool<Arc<str>> = Pool::new();
    REALMS.get(realm, || realm.into())
}

/// The scopes of a token, from its text.
pub(crate) fn shared_scopes(target: &str) -> Result<Scopes, ConfigError> {
    static SCOPES: Pool<Result<Scopes, ConfigError>> = Pool::new();
    SCOPES.get(target, || Scopes::parse(target))
}

/// The first values that this process met, by their texts. Only reading an entry clones one: if lookups did, all
/// threads would write to the same reference count.
struct Pool<T> {
    known: [OnceLock<(Box<str>, T)>; SHARED],
}

impl<T: Clone> Pool<T> {
    const fn new() -> Self {
        Self { known: [const { OnceLock::new() }; SHARED] }
    }

    /// The value for `text`, shared if it is one of the first. Waits only while another thread makes one.
    fn get(&self, text: &str, make: impl Fn() -> T) -> T {
        for place in &self.known {
            let (known, value) = place.get_or_init(|| (text.into(), make()));
            if **known == *text {
                return value.clone();
            }
        }
        make()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_shared_and_their_number_is_bounded() {
        let texts: Vec<_> = (0..SHARED + 9).map(|number| format!("name {number}")).collect();
        let names: Vec<_> = texts.iter().map(|text| shared(text)).collect();
        assert!(names.iter().zip(&texts).all(|(name, text)| **name == **text));
        let again = texts.iter().zip(&names).filter(|(text, name)| Arc::ptr_eq(&shared(text), name)).count();
        assert!(again <= SHARED, "{again}");
    }
}

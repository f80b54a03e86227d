//! Environments, client ids and realms: few, and the same in nearly all entries. Entries share them, so that what a lookup
//! compares with is in the processor's cache, however many entries there are.

use std::sync::{Arc, PoisonError, RwLock};

/// So many are shared; the names of a document with more are its own.
const SHARED: usize = 64;

/// The text, shared with other entries where it is one of the first that the process met. Only whoever reads an entry counts
/// a reference: a lookup that did would make all threads write the same memory.
pub(crate) fn shared(name: &str) -> Arc<str> {
    static NAMES: RwLock<Vec<Arc<str>>> = RwLock::new(Vec::new());
    let find = |names: &[Arc<str>]| names.iter().find(|own| &***own == name).map(Arc::clone);
    // A list of names is whole at any time: poison tells nothing.
    let known = NAMES.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = find(&known) {
        return found;
    }
    let full = known.len() >= SHARED;
    drop(known);
    let new: Arc<str> = name.into();
    if !full {
        let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&names) {
            return found;
        }
        names.push(Arc::clone(&new));
    }
    new
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

//! A short prefix by which most names differ.

/// The first bytes of a name, and its length. Names with different marks differ; if the marks are equal, compare the
/// names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark([u8; 8], usize);

impl Mark {
    #[inline]
    pub(crate) fn of(name: &str) -> Self {
        let name = name.as_bytes();
        let first = name.first_chunk().copied().unwrap_or_else(|| {
            let mut first = [0; 8];
            first.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
            first
        });
        Self(first, name.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_have_equal_marks() {
        let names = ["", "a", "b", "ab", "abcdefg", "abcdefgh", "abcdefghi", "bbcdefghi", "a\0", "\0a"];
        for (one, other) in names.iter().flat_map(|one| names.map(|other| (*one, other))) {
            assert!(Mark::of(one) == Mark::of(other) || one != other);
            assert_eq!(Mark::of(one) == Mark::of(other), one == other, "{one:?} {other:?}");
        }
        assert!(Mark::of("abcdefghi") == Mark::of("abcdefghj"));
    }
}

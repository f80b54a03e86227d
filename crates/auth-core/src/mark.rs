//! A short prefix by which most names differ.

/// The first bytes of a name, and its length. Names with different marks differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64, usize);

impl Mark {
    #[inline]
    pub(crate) fn of(name: &str) -> Self {
        let name = name.as_bytes();
        let first = match name.first_chunk() {
            Some(first) => u64::from_le_bytes(*first),
            None => name.iter().rev().fold(0, |first, byte| first << 8 | u64::from(*byte)),
        };
        Self(first, name.len())
    }

    /// One of 64 bits, the same for equal names.
    #[inline]
    pub(crate) fn bit(self) -> u64 {
        // Any odd number with many bits spreads the names.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let hash = self.0.wrapping_add(self.1 as u64).wrapping_mul(SPREAD);
        1 << (hash >> 58)
    }

    /// Whether the mark contains the whole name, so that names with this mark are equal.
    #[inline]
    pub(crate) fn is_whole(self) -> bool {
        self.1 <= size_of::<u64>()
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
            assert_eq!(Mark::of(one).is_whole(), one.len() <= 8, "{one:?}");
            assert!(one != other || Mark::of(one).bit() == Mark::of(other).bit());
        }
        assert!(Mark::of("abcdefghi") == Mark::of("abcdefghj"));
    }
}

//! The order of accesses: spread over the whole set, so that large sets exceed the processor's caches, and the same in
//! every run.

/// Numbers below a bound, from a linear congruential generator (the constants are Knuth's for MMIX).
#[derive(Clone, Debug)]
pub struct Order {
    state: u64,
    bound: usize,
}

impl Order {
    /// Numbers below `bound`.
    #[must_use]
    pub const fn below(bound: usize) -> Self {
        Self { state: 42, bound }
    }

    /// The same with another seed.
    #[must_use]
    pub const fn starting_at(bound: usize, state: u64) -> Self {
        Self { state, bound }
    }

    /// Draws the next number.
    #[inline]
    pub fn draw(&mut self) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The low bits of such a generator have a short period.
        (self.state >> 33) as usize % self.bound
    }
}

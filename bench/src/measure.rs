//! Timing: both sides warm up, then alternate in rounds; the median counts.

use std::time::{Duration, Instant};

/// The effort for one figure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The approximate length of one turn.
    pub turn: Duration,
    /// The number of turns for each side.
    pub rounds: usize,
}

impl Effort {
    /// For figures to publish.
    pub const FULL: Self = Self { turn: Duration::from_millis(30), rounds: 25 };
    /// For a quick look.
    pub const QUICK: Self = Self { turn: Duration::from_millis(10), rounds: 11 };
}

/// A turn, which runs the operation the given number of times.
pub type Turn<'a> = &'a mut dyn FnMut(u64);

/// The figures of two sides.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// Ours.
    pub ours: f64,
    /// The bare program's.
    pub limit: f64,
    /// The median of the ratios of all rounds. It is steadier than the ratio of the medians, because a disturbance of
    /// the machine that lasts longer than a turn affects both sides.
    pub ratio: f64,
}

impl Compared {
    /// The medians of figures taken in pairs.
    #[must_use]
    pub fn of(rounds: &[(f64, f64)]) -> Self {
        Self {
            ours: median(rounds.iter().map(|round| round.0)),
            limit: median(rounds.iter().map(|round| round.1)),
            ratio: median(rounds.iter().map(|round| round.0 / round.1)),
        }
    }
}

/// Times two sides alternately, in nanoseconds per operation.
pub fn compare(effort: Effort, ours: Turn<'_>, limit: Turn<'_>) -> Compared {
    let (our_count, limit_count) = (warm_up(effort.turn, ours), warm_up(effort.turn, limit));
    let rounds: Vec<_> = (0..effort.rounds).map(|_| (time(our_count, ours), time(limit_count, limit))).collect();
    Compared::of(&rounds)
}

/// Repeats the operation until its duration is known, and returns how many times it fits into `turn`.
pub fn warm_up(turn: Duration, work: Turn<'_>) -> u64 {
    let mut count = 1;
    loop {
        let begun = Instant::now();
        work(count);
        let took = begun.elapsed();
        if took >= turn / 4 {
            let each = took.as_secs_f64() / count as f64;
            return ((turn.as_secs_f64() / each) as u64).max(1);
        }
        count *= 2;
    }
}

/// Returns the nanoseconds per operation, measured over `count` operations.
pub fn time(count: u64, work: Turn<'_>) -> f64 {
    let begun = Instant::now();
    work(count);
    begun.elapsed().as_nanos() as f64 / count as f64
}

/// The median.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_figure_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        let compared = Compared::of(&[(2.0, 1.0), (30.0, 10.0), (4.0, 1.0)]);
        assert_eq!((compared.ours, compared.limit, compared.ratio), (4.0, 1.0, 3.0));
    }

    #[test]
    fn a_turn_is_filled() {
        let mut done = 0;
        let count = warm_up(Duration::from_millis(1), &mut |count| {
            for _ in 0..count {
                done += std::hint::black_box(1);
            }
        });
        assert!(count > 1 && done > 1);
    }
}

//! A row of the table: our figure, that of the bare program, and the target.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::measure::{Compared, median};

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Time for one operation, in nanoseconds.
    Nanoseconds,
    /// Memory.
    Bytes,
    /// Instructions for one operation.
    Instructions,
    /// Requests.
    Requests,
    /// Any other count.
    Count,
    /// Operations per second.
    PerSecond,
    /// A factor.
    Times,
}

/// A bound for a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Bound {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Exactly this.
    Exactly(f64),
}

/// A target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The bound for the figure.
    pub figure: Option<Bound>,
    /// The bound for its ratio to the bare program's.
    pub ratio: Option<Bound>,
}

/// Whether a target is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is no target.
    NoTarget,
    /// The target is met.
    Met,
    /// Only the ratio is met, as expected on a slow or busy machine.
    FigureMissed,
    /// The ratio is missed, or the figure if there is no ratio.
    Missed,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The workload, such as `W1`.
    pub workload: String,
    /// The size of the data, or the part measured.
    pub size: String,
    /// The unit of the figures.
    pub unit: Unit,
    /// Our figure.
    pub ours: f64,
    /// The bare program's figure.
    pub limit: Option<f64>,
    /// The ratio of ours to the bare program's.
    pub ratio: Option<f64>,
    /// A target.
    pub target: Target,
}

impl Row {
    /// Creates a row with our figure only.
    pub fn new(workload: &str, size: impl Into<String>, unit: Unit, ours: f64) -> Self {
        let target = Target::default();
        Self { workload: workload.to_owned(), size: size.into(), unit, ours, limit: None, ratio: None, target }
    }

    /// Creates a row with both figures.
    pub fn compared(workload: &str, size: impl Into<String>, unit: Unit, figures: Compared) -> Self {
        let (limit, ratio) = (Some(figures.limit), Some(figures.ratio));
        Self { limit, ratio, ..Self::new(workload, size, unit, figures.ours) }
    }

    /// Adds a bound for the figure.
    #[must_use]
    pub const fn figure(mut self, bound: Bound) -> Self {
        self.target.figure = Some(bound);
        self
    }

    /// Adds a bound for the ratio.
    #[must_use]
    pub const fn ratio(mut self, bound: Bound) -> Self {
        self.target.ratio = Some(bound);
        self
    }

    /// Returns the row with the medians of all figures of these rows, which measure the same; `None` if there are none.
    #[must_use]
    pub fn median(rows: &[Self]) -> Option<Self> {
        let first = rows.first()?.clone();
        let middle = |figure: fn(&Self) -> Option<f64>| {
            let figures: Option<Vec<_>> = rows.iter().map(figure).collect();
            figures.map(median)
        };
        let ours = middle(|row| Some(row.ours)).unwrap_or(first.ours);
        Some(Self { ours, limit: middle(|row| row.limit), ratio: middle(|row| row.ratio), ..first })
    }

    /// Returns whether the target is met.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let holds = |bound: Option<Bound>, figure: Option<f64>| Some(bound?.holds(figure?));
        match (holds(self.target.ratio, self.ratio), holds(self.target.figure, Some(self.ours))) {
            (None, None) => Verdict::NoTarget,
            (Some(false), _) | (None, Some(false)) => Verdict::Missed,
            (Some(true), Some(false)) => Verdict::FigureMissed,
            _ => Verdict::Met,
        }
    }
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
            Self::Exactly(exact) => (figure - exact).abs() < 1e-9,
        }
    }

    /// Formats the bound with its sign, and its number with `show`.
    pub fn show(self, show: impl Fn(f64) -> String) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {}", show(most)),
            Self::AtLeast(least) => format!("≥ {}", show(least)),
            Self::Exactly(exact) => format!("= {}", show(exact)),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTarget => "",
            Self::Met => "met",
            Self::FigureMissed => "ratio met, figure missed",
            Self::Missed => "missed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64, limit: f64) -> Row {
        let figures = Compared { ours, limit, ratio: ours / limit };
        Row::compared("W1", "1", Unit::Nanoseconds, figures)
    }

    #[test]
    fn the_ratio_decides_if_there_is_one() {
        let aimed = |ours, limit| row(ours, limit).ratio(Bound::AtMost(2.0)).figure(Bound::AtMost(200.0)).verdict();
        assert_eq!(aimed(150.0, 100.0), Verdict::Met);
        assert_eq!(aimed(300.0, 200.0), Verdict::FigureMissed);
        assert_eq!(aimed(150.0, 50.0), Verdict::Missed);
        assert_eq!(row(1.0, 1.0).verdict(), Verdict::NoTarget);
    }

    #[test]
    fn the_median_row_has_the_medians_of_all_figures() {
        let rows = [row(110.0, 100.0), row(130.0, 100.0), row(121.0, 110.0)];
        let middle = Row::median(&rows).unwrap();
        assert_eq!((middle.ours, middle.limit, middle.ratio), (121.0, Some(100.0), Some(1.1)));
        let count = Row::median(&[Row::new("herd", "1,000", Unit::Requests, 1.0)]).unwrap();
        assert_eq!((count.ours, count.limit, count.ratio), (1.0, None, None));
        assert_eq!(Row::median(&[]), None);
    }

    #[test]
    fn without_a_ratio_the_figure_decides() {
        let requests = |count| Row::new("herd", "1,000", Unit::Requests, count).figure(Bound::Exactly(1.0)).verdict();
        assert_eq!(requests(1.0), Verdict::Met);
        assert_eq!(requests(2.0), Verdict::Missed);
    }
}

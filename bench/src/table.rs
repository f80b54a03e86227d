//! The table of figures, as text.

use std::fmt::Write as _;

use crate::row::{Row, Target, Unit, Verdict};

const HEAD: [&str; 7] = ["workload", "size", "ours", "limit", "ratio", "target", ""];

/// Formats the rows as aligned text.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let head = HEAD.map(str::to_owned);
    let lines: Vec<_> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    for cells in &lines {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            // Figures are right-aligned, words left-aligned.
            if (2..=4).contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Returns one line that names the missed targets, or says that all were met.
#[must_use]
pub fn missed(rows: &[Row]) -> String {
    let missed = rows.iter().filter(|row| row.verdict() == Verdict::Missed);
    let names: Vec<_> = missed.map(|row| format!("{} {}", row.workload, row.size).trim_end().to_owned()).collect();
    let aims = rows.iter().filter(|row| row.verdict() != Verdict::NoTarget).count();
    match names.len() {
        0 => format!("All {aims} targets were met."),
        many => format!("{many} of {aims} targets were missed: {}.", names.join("; ")),
    }
}

fn cells(row: &Row) -> [String; HEAD.len()] {
    let optional = |figure: Option<f64>, show: &dyn Fn(f64) -> String| figure.map(show).unwrap_or_default();
    [
        row.workload.clone(),
        row.size.clone(),
        figure(row.unit, row.ours),
        optional(row.limit, &|limit| figure(row.unit, limit)),
        optional(row.ratio, &ratio),
        target(row.unit, row.target),
        row.verdict().to_string(),
    ]
}

fn target(unit: Unit, target: Target) -> String {
    let parts = [
        target.ratio.map(|bound| bound.show(ratio)),
        target.figure.map(|bound| bound.show(|exact| figure(unit, exact))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn ratio(ratio: f64) -> String {
    format!("{ratio:.2} ×")
}

fn figure(unit: Unit, figure: f64) -> String {
    let scaled = |steps: &[(f64, &str)]| {
        let fits = steps.iter().rfind(|(factor, _)| figure >= *factor).unwrap_or(&steps[0]);
        let value = figure / fits.0;
        let digits = if value >= 100.0 || value.fract() == 0.0 { 0 } else { 1 + usize::from(value < 10.0) };
        format!("{value:.digits$} {}", fits.1)
    };
    match unit {
        Unit::Nanoseconds => scaled(&[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")]),
        Unit::Bytes => scaled(&[(1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB")]),
        Unit::PerSecond => scaled(&[(1.0, "/s"), (1e3, "k/s"), (1e6, "M/s")]),
        Unit::Instructions | Unit::Requests | Unit::Count => grouped(figure.round() as u64),
        Unit::Times => ratio(figure),
    }
}

/// Formats a number with a comma between groups of three digits.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        let _ = text.write_char(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Compared;
    use crate::row::Bound;

    #[test]
    fn columns_are_aligned() {
        let figures = Compared { ours: 1_600.0, limit: 94.0, ratio: 17.02 };
        let rows = [
            Row::compared("W1", "1", Unit::Nanoseconds, figures).ratio(Bound::AtMost(2.2)),
            Row::new("herd", "10,000 callers", Unit::Requests, 1.0).figure(Bound::Exactly(1.0)),
        ];
        let expected = "\
workload  size               ours  limit    ratio  target
W1        1               1.60 µs  94 ns  17.02 ×  ≤ 2.20 ×  missed
herd      10,000 callers        1                  = 1       met
";
        assert_eq!(table(&rows), expected);
        assert_eq!(missed(&rows), "1 of 2 targets were missed: W1 1.");
        assert_eq!(missed(&rows[1..]), "All 1 targets were met.");
    }

    #[test]
    fn figures_are_short() {
        let shown = [0.5, 94.0, 94.6, 354.2, 1_234.0, 29_400_000.0].map(|ns| figure(Unit::Nanoseconds, ns));
        assert_eq!(shown, ["0.50 ns", "94 ns", "94.6 ns", "354 ns", "1.23 µs", "29.4 ms"]);
        assert_eq!(figure(Unit::Instructions, 1_234_567.4), "1,234,567");
        assert_eq!(figure(Unit::Times, 1.0349), "1.03 ×");
    }
}

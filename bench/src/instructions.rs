//! Instructions of one silent hit, counted by callgrind. The figures are repeatable to within a hundredth, even on a
//! busy machine.
//!
//! Only the hits are counted. Building the cache varies between runs by more instructions than hits may vary between
//! caches.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::child;
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;
use crate::workload::hit::{COUNTED, Side};

/// The number of hits.
const CALLS: u64 = 20_000;
/// The users of the small and the large cache.
const SMALL: u64 = 1;
const LARGE: u64 = 10_000;

/// Counts for a small and a large cache.
///
/// # Errors
/// If valgrind cannot be run, or its report has no total.
pub fn run(data: &Path) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut ours = [0.0; 2];
    for (at, users) in [SMALL, LARGE].into_iter().enumerate() {
        ours[at] = per_call(Side::Ours, users, data)?;
        let limit = per_call(Side::Limit, users, data)?;
        let mut row = Row::new("W1", format!("{}, instructions", grouped(users)), Unit::Instructions, ours[at]);
        (row.limit, row.ratio) = (Some(limit), Some(ours[at] / limit));
        rows.push(row.figure(Bound::AtMost(2_500.0)));
    }
    let size = format!("{} to {}, instructions", grouped(LARGE), grouped(SMALL));
    rows.push(Row::new("W1", size, Unit::Times, ours[1] / ours[0]).figure(Bound::AtMost(1.05)));
    Ok(rows)
}

fn per_call(side: Side, users: u64, data: &Path) -> io::Result<f64> {
    let report = data.join(format!("callgrind-{}.out", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", report.display()));
    valgrind.arg(format!("--toggle-collect={COUNTED}"));
    let own = child::command();
    valgrind.arg(own.get_program()).args(["repeat", side.name(), &users.to_string(), &CALLS.to_string()]);
    let status = valgrind.stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("valgrind failed ({status})")));
    }
    let text = fs::read_to_string(&report)?;
    fs::remove_file(&report)?;
    let sum = sum(&text).filter(|sum| *sum > 0);
    sum.map(|sum| sum as f64 / CALLS as f64).ok_or_else(|| io::Error::other("valgrind counted nothing"))
}

/// The total at the end of a report.
fn sum(report: &str) -> Option<u64> {
    report.lines().rev().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sum_is_the_last_total() {
        assert_eq!(super::sum("events: Ir\nfn=(1)\n12 34\n\ntotals: 1234\n"), Some(1234));
        assert_eq!(super::sum("events: Ir\n"), None);
    }
}

//! The workloads, their sizes, and where their data is.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::generate::Contents;
use crate::measure::Effort;
use crate::row::Row;
use crate::workload::{app, authorize, flood, herd, hit, redeem, redeem_http, redis, start, threads, writers};

/// A workload with its sizes.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// The sizes to measure.
    pub sizes: &'static [&'static str],
    /// How many of the sizes `--quick` measures, from the smallest up.
    pub quick: usize,
    /// The number of processes for each size, of which the median counts. More than one where figures differ by several
    /// percent from process to process, but not within one.
    pub processes: usize,
}

/// All workloads, in the order of the table. Instructions are counted separately.
pub const WORKLOADS: [Workload; 12] = [
    workload("W1", &["1", "100", "10000", "100000", "1000000"], 2),
    workload("W1p", &["1", "100", "1000", "10000"], 2),
    workload("W2", &["1x1", "10x10", "1000x10", "1000x100"], 2),
    workload("W3", &["1", "100", "10000", "100000"], 2),
    workload("W4", &["1", "100", "10000"], 2),
    Workload { processes: 9, ..workload("W4-HTTP", &["1"], 1) },
    workload("W5", &["1"], 1),
    workload("W6", &["2", "8"], 2),
    workload("herd", &["1000", "10000"], 1),
    workload("flood", &["100000", "1000000"], 1),
    workload("W7", &["100", "10000"], 1),
    workload("redis", &["1000"], 1),
];

const fn workload(name: &'static str, sizes: &'static [&'static str], quick: usize) -> Workload {
    Workload { name, sizes, quick, processes: 1 }
}

/// The name that selects the instruction count.
pub const INSTRUCTIONS: &str = "instructions";

/// Measures one size of one workload; `None` if there is no such workload.
#[must_use]
pub fn measure(name: &str, size: &str, effort: Effort, data: &Path) -> Option<Vec<Row>> {
    if name == "W2" {
        let (tenants, scopes) = size.split_once('x')?;
        return Some(vec![app::run(tenants.parse().ok()?, scopes.parse().ok()?, effort)]);
    }
    let number: u64 = size.parse().ok()?;
    let file = || users_file(number, data).expect("room for generated data");
    Some(match name {
        "W1" => hit::in_memory(number, effort),
        "W1p" => vec![hit::in_file(number, &file(), effort)],
        "W3" => start::run(number, &file(), effort),
        "W4" => vec![redeem::run(number, effort)],
        "W4-HTTP" => vec![redeem_http::run(effort)],
        "W5" => vec![authorize::run(effort)],
        "W6" => writers::run(number, &users_file(100, data).expect("room for generated data"), effort),
        "herd" if number == 1_000 => [herd::one_token(number, effort), vec![herd::many_tokens(number)]].concat(),
        "herd" => herd::one_token(number, effort),
        "flood" => flood::run(number),
        "W7" => threads::run(number, effort),
        "redis" => redis::run(number, effort),
        _ => return None,
    })
}

/// The generated file with this many users, created if it is missing.
fn users_file(users: u64, data: &Path) -> io::Result<PathBuf> {
    let path = data.join(format!("users-{users}.json"));
    if !path.exists() {
        fs::create_dir_all(data)?;
        // Write under another name until it is complete.
        let part = path.with_extension("part");
        let mut to = BufWriter::new(File::create(&part)?);
        Contents::users(users).write(&mut to)?;
        to.flush()?;
        fs::rename(part, &path)?;
    }
    Ok(path)
}

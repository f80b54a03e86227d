//! Child processes of this program, for measurements that need their own process: memory, and large caches.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use crate::row::Row;

/// A child process that returned no figures.
#[derive(Debug)]
pub struct ChildError(String);

/// Measures one size of one workload in a child process.
fn measure(workload: &str, size: &str, quick: bool, data: &Path) -> Result<Vec<Row>, ChildError> {
    let mut command = command();
    command.args(["measure", workload, size, "--data"]).arg(data).args(quick.then_some("--quick"));
    answer(&mut command)
}

/// Measures one size of one workload in several child processes, one after the other, and returns the rows with the
/// medians of their figures.
///
/// # Errors
/// [`ChildError`] if a process fails or its output cannot be parsed.
pub fn measure_in(
    processes: usize,
    workload: &str,
    size: &str,
    quick: bool,
    data: &Path,
) -> Result<Vec<Row>, ChildError> {
    let runs = (0..processes).map(|_| measure(workload, size, quick, data)).collect::<Result<Vec<_>, _>>()?;
    let row_of_all = |at| runs.iter().filter_map(|rows| rows.get(at).cloned()).collect::<Vec<_>>();
    Ok((0..runs.first().map_or(0, Vec::len)).filter_map(|at| Row::median(&row_of_all(at))).collect())
}

/// A command that runs this program.
#[must_use]
pub fn command() -> Command {
    Command::new(env::current_exe().expect("the path of this program"))
}

/// Runs a command of this program and parses its JSON output.
///
/// # Errors
/// [`ChildError`] if the process fails or its output cannot be parsed.
pub fn answer<T: DeserializeOwned>(command: &mut Command) -> Result<T, ChildError> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(ChildError(output.status.to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| ChildError(error.to_string()))
}

impl From<io::Error> for ChildError {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Display for ChildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ChildError {}

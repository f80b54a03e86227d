//! `cargo xtask bench`: benchmarks against a bare program that does the same work.
//!
//! The program `auth-bench` measures and prints; this module builds it and provides what it needs.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::failure::{Failure, Result};
use crate::install;
use crate::workspace::{self, Workspace};

pub(crate) fn run(workspace: &Workspace, workloads: &[String], quick: bool) -> Result<ExitCode> {
    if workloads.is_empty() || workloads.iter().any(|name| name.eq_ignore_ascii_case("instructions")) {
        install::valgrind()?;
    }
    let program = build(workspace)?;
    let mut table = Command::new(program);
    table.arg("table").args(workloads).args(quick.then_some("--quick")).arg("--data").arg(data(workspace));
    let status = table.status().map_err(|error| Failure::new(format!("cannot start auth-bench: {error}")))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Fails if a silent hit takes too many instructions. Unlike times, they do not depend on the load of the machine.
pub(crate) fn instructions(workspace: &Workspace) -> Result<()> {
    install::valgrind()?;
    let program = build(workspace)?;
    workspace::run(Command::new(program).arg("instructions").arg("--data").arg(data(workspace)))
}

/// Builds the program in release mode and returns its path.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    workspace::run(workspace.cargo("build").args(["--release", "--package", "auth-bench"]))?;
    Ok(workspace.target.join("release").join("auth-bench"))
}

/// The folder for generated data.
fn data(workspace: &Workspace) -> PathBuf {
    workspace.target.join("bench")
}

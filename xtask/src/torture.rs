//! `cargo xtask torture`: the torture tests of the cache file with full counts, and a summary.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::install;
use crate::workspace::{self, Workspace};

pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result<()> {
    install::torture()?;
    let peers = install::run(workspace)?;
    let mut test = workspace.cargo("test");
    peers.announce(&mut test).env("AUTH_TORTURE", "full");
    test.args(["--release", "--package", "auth-tests", "--features", "peers,torture", "--test", "torture", "--"]);
    reported(workspace, test.args(names))
}

/// Runs tests and prints the report lines that some of them write, whether or not the tests pass.
pub(crate) fn reported(workspace: &Workspace, tests: &mut Command) -> Result<()> {
    let path = workspace.target.join("torture.txt");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Failure::file("remove", &path)(error)),
        Ok(()) | Err(_) => {}
    }
    let done = workspace::run(tests.env("AUTH_TORTURE_REPORT", &path));
    let mut lines: Vec<_> = fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned).collect();
    lines.sort();
    eprintln!("\n{} reports of torture:\n{}", lines.len(), lines.join("\n"));
    done
}

//! `cargo xtask demo`: builds and runs `auth demo`.

use std::process::{Command, ExitCode};

use crate::failure::{Failure, Result};
use crate::workspace::cargo_path;

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let status = Command::new(cargo_path())
        .args(["run", "--locked", "--quiet", "--package", "auth-cli", "--bin", "auth", "--", "demo"])
        .args(arguments)
        .status()
        .map_err(|error| Failure::new(format!("cannot start cargo: {error}")))?;
    // A process ended by a signal has no exit code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

//! The program `auth`: tokens on the command line.
//!
//! Only the result goes to stdout; progress and messages go to stderr.
#![forbid(unsafe_code)]

mod app;
mod args;
mod browser;
mod commands;
mod device_code;
mod failure;
mod output;
mod pasted;
mod process;
mod terminal;
mod usage;

use std::process::ExitCode;

use args::{Args, Command};
use failure::Failure;

fn main() -> ExitCode {
    process::harden();
    let args = match Args::read() {
        Ok(args) => args,
        Err(early) => return early.finish(),
    };
    terminal::init_log();
    let format = args.command.output();
    let done = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(args.command)),
        Err(error) => Err(Failure::internal(&error)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(format),
    }
}

/// Runs the command until it ends or the user interrupts it.
async fn run(command: Command) -> Result<(), Failure> {
    process::survive_file_size_limits();
    if command.ends_by_interrupt() {
        return commands::run(command).await;
    }
    tokio::select! {
        // Polled first, to listen for the interrupt: the command may print a prompt before it waits for anything.
        biased;
        interrupt = tokio::signal::ctrl_c() => Err(match interrupt {
            Ok(()) => Failure::interrupted(),
            Err(error) => Failure::internal(&error),
        }),
        done = commands::run(command) => done,
    }
}

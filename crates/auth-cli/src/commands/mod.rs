//! The commands.

mod accounts;
mod cache;
#[cfg(feature = "emulator")]
mod demo;
#[cfg(feature = "emulator")]
mod emulator;
mod logout;
mod token;

use crate::args::Command;
use crate::failure::Failure;

/// Runs one command.
pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Token(args) => token::run(*args).await,
        Command::Accounts(args) => accounts::run(&args).await,
        Command::Logout(args) => logout::run(&args).await,
        Command::Cache(command) => cache::run(&command).await,
        #[cfg(feature = "emulator")]
        Command::Emulator(args) => emulator::run(&args).await,
        #[cfg(feature = "emulator")]
        Command::Demo(args) => demo::run(&args).await,
    }
}

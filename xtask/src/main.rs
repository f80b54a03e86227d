//! The tasks of the workspace: `cargo xtask demo`, `test`, `torture`, `bench`, `pages`, `tidy` and `deny`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task reports to the person who started it")]

mod bench;
mod demo;
mod deny;
mod failure;
mod install;
mod pages;
mod steps;
mod test;
mod tidy;
mod torture;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Workspace tasks")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Build and run `auth demo`, with these arguments
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check and every test, installing the third-party software they need
    Test,
    /// Run the torture tests of the cache file in full: kill writers, fill the disk, make system calls fail
    Torture {
        /// Names of tests, or parts of names [default: all]
        names: Vec<String>,
    },
    /// Compare the workspace with a bare program that does the same work
    Bench {
        /// Some of W1, W1p, W2, W3, W4, W4-HTTP, W5, W6, herd, flood, W7, redis, instructions [default: all]
        workloads: Vec<String>,
        /// Small sizes and few rounds: less than a minute
        #[arg(long)]
        quick: bool,
    },
    /// Take pictures of the pages that end a sign-in, into docs/pages
    Pages,
    /// Check the invariants of the workspace that no compiler checks
    Tidy {
        /// Write the dependency lists instead of comparing them
        #[arg(long)]
        bless: bool,
    },
    /// Check licences, bans and sources of dependencies with cargo-deny, which is installed if missing
    Deny,
}

fn main() -> ExitCode {
    let chore = Arguments::parse().chore;
    let done = Workspace::load().and_then(|workspace| match chore {
        Chore::Demo { arguments } => demo::run(&arguments),
        Chore::Test => test::run(&workspace).map(|()| ExitCode::SUCCESS),
        Chore::Torture { names } => torture::run(&workspace, &names).map(|()| ExitCode::SUCCESS),
        Chore::Bench { workloads, quick } => bench::run(&workspace, &workloads, quick),
        Chore::Pages => pages::run(&workspace).map(|()| ExitCode::SUCCESS),
        Chore::Tidy { bless } => tidy::run(&workspace, bless).map(|()| ExitCode::SUCCESS),
        Chore::Deny => deny::run(&workspace).map(|()| ExitCode::SUCCESS),
    });
    done.unwrap_or_else(|failure| {
        eprintln!("cargo xtask: {failure}");
        ExitCode::FAILURE
    })
}

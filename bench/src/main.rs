//! `auth-bench`: measures and prints a table. `cargo xtask bench` builds and runs it.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program reports to the person who started it")]

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use auth_bench::generate::{Contents, Signature, Users};
use auth_bench::measure::Effort;
use auth_bench::plan::{self, INSTRUCTIONS, WORKLOADS};
use auth_bench::row::{Row, Verdict};
use auth_bench::workload::hit::{self, Side};
use auth_bench::workload::redeem;
use auth_bench::workload::start::{self, Starter};
use auth_bench::workload::writers::{self, Writer};
use auth_bench::{child, instructions, table};
use clap::{Args, Parser, Subcommand};

type Done = Result<ExitCode, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Benchmarks of the workspace against a bare program that does the same work")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a generated cache document to stdout
    Generate(Generate),
    /// Measure workloads and print the table
    Table {
        /// Some of W1, W1p, W2, W3, W4, W4-HTTP, W5, W6, herd, flood, W7, redis, instructions [default: all]
        workloads: Vec<String>,
        /// Small sizes and few rounds
        #[arg(long)]
        quick: bool,
        /// The folder for generated data
        #[arg(long)]
        data: PathBuf,
    },
    /// Fail if a silent hit takes too many instructions
    Instructions {
        /// The folder for generated data
        #[arg(long)]
        data: PathBuf,
    },
    /// Measure one size of one workload, and print its rows as JSON
    #[command(hide = true)]
    Measure {
        workload: String,
        size: String,
        #[arg(long)]
        quick: bool,
        #[arg(long)]
        data: PathBuf,
    },
    /// Run one turn of W3, and print its figures as JSON
    #[command(hide = true)]
    Start { starter: Starter, path: PathBuf },
    /// Run one process of W6, and print its figures as JSON
    #[command(hide = true)]
    Write { writer: Writer, number: u64, path: PathBuf },
    /// Run only silent hits, for a tool that counts instructions
    #[command(hide = true)]
    Repeat { side: Side, users: u64, count: u64 },
    /// Run only redemptions, for a profiler
    #[command(hide = true)]
    Redeem { users: u64, count: u64 },
}

#[derive(Args)]
struct Generate {
    /// The number of users
    #[arg(required_unless_present_any = ["app", "token"])]
    users: Option<u64>,
    /// Tokens of an application instead, for this many tenants and scopes
    #[arg(long, num_args = 2, value_names = ["TENANTS", "SCOPES"], conflicts_with = "users")]
    app: Option<Vec<u64>>,
    /// Make every access token expired
    #[arg(long, conflicts_with_all = ["app", "token"])]
    expired: bool,
    /// Make secrets short
    #[arg(long, conflicts_with_all = ["app", "token"])]
    slim: bool,
    /// The response of a token endpoint instead
    #[arg(long, conflicts_with_all = ["app", "users"])]
    token: bool,
}

impl Generate {
    fn contents(&self) -> Contents {
        match (self.users, self.app.as_deref()) {
            (_, Some(&[tenants, scopes])) => Contents::App { tenants, scopes },
            (Some(users), _) => {
                let expired = if self.expired { 0..users } else { 0..0 };
                let signature = Signature::Text;
                Contents::Users(Users { numbers: 0..users, expired, slim: self.slim, signature })
            }
            _ => Contents::Token { user: 0, signature: Signature::Text },
        }
    }
}

fn main() -> Done {
    match Arguments::parse().command {
        Command::Generate(what) => {
            let mut to = BufWriter::new(io::stdout().lock());
            what.contents().write(&mut to)?;
            to.flush()?;
        }
        Command::Table { workloads, quick, data } => return measure_all(&workloads, quick, &data),
        Command::Instructions { data } => return instructions_hold(&data),
        Command::Measure { workload, size, quick, data } => {
            let effort = if quick { Effort::QUICK } else { Effort::FULL };
            let rows = plan::measure(&workload, &size, effort, &data).ok_or("no such workload")?;
            println!("{}", serde_json::to_string(&rows)?);
        }
        Command::Start { starter, path } => println!("{}", serde_json::to_string(&start::start(starter, &path))?),
        Command::Write { writer, number, path } => {
            println!("{}", serde_json::to_string(&writers::write(writer, number, &path, || println!()))?);
        }
        Command::Repeat { side, users, count } => hit::repeat(side, users, count),
        Command::Redeem { users, count } => redeem::repeat(users, count),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the table. A failed measurement is a failure; a missed target is not.
fn measure_all(chosen: &[String], quick: bool, data: &Path) -> Done {
    std::fs::create_dir_all(data)?;
    let known = || WORKLOADS.iter().map(|workload| workload.name).chain([INSTRUCTIONS]);
    if let Some(unknown) = chosen.iter().find(|name| !known().any(|known| known.eq_ignore_ascii_case(name))) {
        return Err(format!(
            "unknown workload {unknown}; the workloads are {}",
            known().collect::<Vec<_>>().join(", ")
        )
        .into());
    }
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|other| other.eq_ignore_ascii_case(name));
    let (mut rows, mut failures): (Vec<Row>, Vec<String>) = (Vec::new(), Vec::new());
    for workload in WORKLOADS.iter().filter(|workload| is_chosen(workload.name)) {
        let sizes =
            if quick { workload.sizes.iter().take(workload.quick) } else { workload.sizes.iter().take(usize::MAX) };
        for size in sizes {
            eprintln!("    {} {size}", workload.name);
            let processes = if quick { 1 } else { workload.processes };
            match child::measure_in(processes, workload.name, size, quick, data) {
                Ok(measured) => rows.extend(measured),
                Err(error) => failures.push(format!("{} {size}: {error}", workload.name)),
            }
        }
    }
    if is_chosen(INSTRUCTIONS) {
        eprintln!("    {INSTRUCTIONS}");
        match instructions::run(data) {
            Ok(counted) => rows.extend(counted),
            Err(error) => failures.push(format!("{INSTRUCTIONS}: {error}")),
        }
    }
    println!("\n{}\n{}", table::table(&rows), table::missed(&rows));
    for failure in &failures {
        eprintln!("not measured: {failure}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn instructions_hold(data: &Path) -> Done {
    std::fs::create_dir_all(data)?;
    let rows = instructions::run(data)?;
    println!("\n{}\n{}", table::table(&rows), table::missed(&rows));
    let missed = rows.iter().any(|row| row.verdict() == Verdict::Missed);
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

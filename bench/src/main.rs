//! `auth-bench`: writes generated caches. `cargo xtask bench` says the rest.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write as _};

use auth_bench::generate::{Contents, Signature, Users};
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about = "How fast the workspace is")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a generated cache document to stdout
    Generate(Generate),
}

#[derive(Args)]
struct Generate {
    /// How many users
    #[arg(required_unless_present_any = ["app", "token"])]
    users: Option<u64>,
    /// Tokens of an application instead, for so many tenants and scopes
    #[arg(long, num_args = 2, value_names = ["TENANTS", "SCOPES"], conflicts_with = "users")]
    app: Option<Vec<u64>>,
    /// Every access token has expired
    #[arg(long, conflicts_with_all = ["app", "token"])]
    expired: bool,
    /// Secrets are short
    #[arg(long, conflicts_with_all = ["app", "token"])]
    slim: bool,
    /// The answer of a token endpoint instead
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

fn main() -> io::Result<()> {
    match Arguments::parse().command {
        Command::Generate(what) => {
            let mut to = BufWriter::new(io::stdout().lock());
            what.contents().write(&mut to)?;
            to.flush()
        }
    }
}

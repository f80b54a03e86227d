//! The program `auth`, with an emulator of its own.

use std::path::PathBuf;

use auth_emulator::{Emulator, EmulatorBuilder, GrantType};
use auth_tests::program::{Home, Run, program};

pub(crate) const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
pub(crate) const ADA: &str = "ada@contoso.example";
pub(crate) const GRACE: &str = "grace@contoso.example";
pub(crate) const ROBOT: &str = env!("CARGO_BIN_EXE_robot");

/// A home folder and an identity provider.
pub(crate) struct Cli {
    pub(crate) home: Home,
    pub(crate) emulator: Emulator,
}

impl Cli {
    pub(crate) async fn start() -> Self {
        Self::of(Emulator::builder()).await
    }

    pub(crate) async fn of(builder: EmulatorBuilder) -> Self {
        Self { home: Home::default(), emulator: builder.start().await.unwrap() }
    }

    /// The cache file of [`auth`](Self::auth).
    pub(crate) fn cache_file(&self) -> PathBuf {
        self.home.file("tokens.json")
    }

    /// `auth` with the words of a line, for this client and emulator, with a cache file and with a robot as its
    /// browser.
    pub(crate) fn auth(&self, line: &str) -> Run {
        self.auth_somewhere(line).args(["--cache-file".into(), self.cache_file()])
    }

    /// [`auth`](Self::auth) without naming a cache file.
    pub(crate) fn auth_somewhere(&self, line: &str) -> Run {
        let words = line.split_whitespace();
        let run = self.home.auth(words).env("BROWSER", format!("'{ROBOT}' %s"));
        run.args(["--client-id", CLIENT, "--authority", &self.emulator.authority()])
    }

    /// [`auth`](Self::auth), with a limit on the size of files.
    pub(crate) fn auth_with_short_files(&self, bytes: u64, line: &str) -> Run {
        let run = self.home.run("prlimit").args([format!("--fsize={bytes}").into(), program().as_os_str().to_owned()]);
        let run = run.args(line.split_whitespace()).env("BROWSER", format!("'{ROBOT}' %s"));
        let run = run.args(["--client-id", CLIENT, "--authority", &self.emulator.authority()]);
        run.args(["--cache-file".into(), self.cache_file()])
    }

    /// Signs in and leaves the cache file behind.
    pub(crate) async fn sign_in(&self, user: &str) {
        let run = self.auth("token --scope User.Read --interactive --output json");
        run.env("BROWSER", robot(&format!("--user {user}"))).end().await.expect(0);
    }

    /// The numbers of codes and refresh tokens that were redeemed.
    pub(crate) fn asked(&self) -> (u64, u64) {
        let ledger = self.emulator.ledger();
        let count = |grant| ledger.token_requests(grant);
        (count(GrantType::AuthorizationCode), count(GrantType::RefreshToken))
    }
}

/// A value for `BROWSER`: the robot with these words.
pub(crate) fn robot(words: &str) -> String {
    format!("'{ROBOT}' {words} %s")
}

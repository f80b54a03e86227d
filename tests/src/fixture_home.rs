//! A home folder that contains the cache of a fixture.

use std::path::PathBuf;

use crate::fixtures::{App, Fixture, Kind};
use crate::program::{Home, Run};

/// A home folder that contains the cache of a fixture.
#[derive(Debug)]
pub struct FixtureHome {
    /// The folder.
    pub folder: Home,
}

impl FixtureHome {
    /// Creates a home with the cache of a fixture.
    pub fn with(fixture: &Fixture) -> Self {
        let home = Self { folder: Home::default() };
        std::fs::write(home.file(), &fixture.content).unwrap();
        home
    }

    /// The cache file.
    pub fn file(&self) -> PathBuf {
        self.folder.file("tokens.json")
    }

    /// Runs `auth` with the words of `line`, for an application.
    pub fn auth(&self, line: &str, app: &App) -> Run {
        let at = if app.authority_kind == Kind::Oidc { "--oidc-issuer" } else { "--authority" };
        let run = self.folder.auth(line.split_whitespace()).args(["--client-id", &app.client_id, at, &app.authority]);
        run.args(["--output".into(), "json".into(), "--cache-file".into(), self.file()])
    }
}

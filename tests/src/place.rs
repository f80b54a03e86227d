//! A home with the cache of another library in it.

use std::path::PathBuf;

use crate::fixtures::{App, Fixture, Kind};
use crate::program::{Home, Run};

/// The home.
#[derive(Debug)]
pub struct Place {
    /// Its folder.
    pub home: Home,
}

impl Place {
    /// A new one with the cache of a fixture.
    pub fn with(fixture: &Fixture) -> Self {
        let place = Self { home: Home::default() };
        std::fs::write(place.file(), &fixture.content).unwrap();
        place
    }

    /// The cache file.
    pub fn file(&self) -> PathBuf {
        self.home.file("tokens.json")
    }

    /// `auth` with the words of a line, for an application.
    pub fn auth(&self, line: &str, app: &App) -> Run {
        let at = if app.authority_kind == Kind::Oidc { "--oidc-issuer" } else { "--authority" };
        let run = self.home.auth(line.split_whitespace()).args(["--client-id", &app.client_id, at, &app.authority]);
        run.args(["--output".into(), "json".into(), "--cache-file".into(), self.file()])
    }
}

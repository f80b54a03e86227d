//! Why a task failed, for the person who started it.

use std::fmt;
use std::io;
use std::path::Path;

/// A message that says what failed and what to do.
#[derive(Debug)]
pub(crate) struct Failure(String);

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// For `map_err`: a failed file operation on `path`.
    pub(crate) fn file<'a>(verb: &'a str, path: &'a Path) -> impl Fn(io::Error) -> Self + 'a {
        move |error| Self(format!("cannot {verb} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

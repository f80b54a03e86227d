//! The caches of other libraries in `tests/fixtures`, each with a description of its correct answers.
//!
//! Descriptions are read strictly: an unknown field is an error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use auth::{Authority, Clock, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// A cache and its description.
#[derive(Debug)]
pub struct Fixture {
    /// The library and the case, such as `msal-go/a_msa`.
    pub name: String,
    /// The file, byte for byte.
    pub content: Vec<u8>,
    /// The description.
    pub meta: Meta,
}

/// The description of a cache. See `tests/fixtures/README.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the README of the fixtures explains the fields")]
pub struct Meta {
    pub case: String,
    pub why: String,
    pub written_by: String,
    pub made_at: u64,
    pub written_as_of: u64,
    pub clock_offset_seconds: i64,
    pub steps: Vec<Step>,
    pub accounts: Vec<Person>,
    pub queries: Vec<Query>,
}

/// A token response that was put into the cache; only the fields that matter afterwards.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the README of the fixtures explains the fields")]
pub struct Step {
    pub app: App,
    pub scopes: Vec<String>,
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub assertion: Option<String>,
}

/// A user who has signed in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the README of the fixtures explains the fields")]
pub struct Person {
    pub home_account_id: String,
    pub username: Option<String>,
    pub local_account_id: String,
    pub tenants: Vec<String>,
    pub environment_any_of: Vec<String>,
    #[serde(default)]
    pub informational: bool,
}

/// An application.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the README of the fixtures explains the fields")]
pub struct App {
    pub client_id: String,
    pub authority: String,
    pub authority_kind: Kind,
    pub confidential: bool,
    pub client_secret: Option<String>,
}

/// A kind of authority.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "their names say it")]
pub enum Kind {
    Aad,
    B2c,
    Adfs,
    Oidc,
    Ciam,
}

/// A query and its correct answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the README of the fixtures explains the fields")]
pub struct Query {
    pub name: String,
    #[serde(rename = "do")]
    pub kind: Call,
    pub app: App,
    pub account: Option<String>,
    pub scopes: Vec<String>,
    #[serde(default)]
    pub force_refresh: bool,
    pub token_type: Option<String>,
    pub key_id: Option<String>,
    pub req_cnf: Option<String>,
    pub fmi_path: Option<String>,
    pub assertion: Option<String>,
    pub assertion_of_step: Option<usize>,
    pub network: Network,
    pub expect: Expect,
    #[serde(default)]
    pub informational: bool,
    pub note: Option<String>,
}

/// How a token is requested.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "their names say it")]
pub enum Call {
    Silent,
    ClientCredentials,
    Obo,
}

/// The behaviour of the token endpoint. Discovery is always answered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Must not be called.
    Forbid,
    /// Answers.
    Answer,
    /// Refuses the refresh token.
    InvalidGrant,
    /// Is temporarily unavailable.
    #[serde(rename = "503")]
    Unavailable,
    /// Does not answer.
    Down,
}

/// The correct answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the README of the fixtures explains the fields")]
pub struct Expect {
    pub source: Source,
    pub step: Option<usize>,
    pub error: Option<String>,
    pub grant_type: Option<String>,
    pub refresh_token_of_step: Option<usize>,
    pub client_id: Option<String>,
    #[serde(default)]
    pub scope_contains: Vec<String>,
    pub token_url_contains: Option<String>,
    pub note: Option<String>,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the README of the fixtures explains them")]
pub enum Source {
    Cache,
    Network,
    None,
    Error,
}

/// Returns the folder of the fixtures.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Returns all caches that have a description, in the order of their names.
pub fn all() -> Vec<Fixture> {
    let files = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let folders = files(&folder()).filter(|path| path.is_dir());
    let mut fixtures: Vec<_> = folders.flat_map(|folder| files(&folder).filter_map(|path| read(&path))).collect();
    fixtures.sort_by(|one, other| one.name.cmp(&other.name));
    fixtures
}

fn read(description: &Path) -> Option<Fixture> {
    let case = description.file_name()?.to_str()?.strip_suffix(".meta.json")?;
    let library = description.parent()?.file_name()?.to_str()?;
    let name = format!("{library}/{case}");
    let meta = serde_json::from_slice(&std::fs::read(description).unwrap());
    let meta = meta.unwrap_or_else(|error| panic!("{name}: {error}"));
    let content = std::fs::read(description.with_file_name(format!("{case}.json"))).unwrap();
    Some(Fixture { name, content, meta })
}

impl Fixture {
    /// Parses the file as JSON.
    pub fn document(&self) -> Value {
        serde_json::from_slice(&self.content).unwrap()
    }

    /// Returns this cache as if it had been made at another time, in Unix seconds. Only the times in the file differ,
    /// so that a program that uses the clock of this machine sees the cache as intended.
    #[must_use]
    pub fn moved_to(&self, made_at: u64) -> Self {
        let moved = |time: u64| (time + made_at).checked_sub(self.meta.made_at).unwrap();
        let times = times(&self.document());
        let text = str::from_utf8(&self.content).unwrap();
        let words = text.split('"').map(|word| match word.parse() {
            Ok(time) if times.contains(&time) => moved(time).to_string(),
            _ => word.to_owned(),
        });
        let content = words.collect::<Vec<_>>().join("\"").into_bytes();
        let meta = Meta { made_at, written_as_of: moved(self.meta.written_as_of), ..self.meta.clone() };
        Self { name: self.name.clone(), content, meta }
    }

    /// Returns the time of the queries.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.meta.made_at)
    }
}

/// Returns the times in a cache.
fn times(document: &Value) -> BTreeSet<u64> {
    const FIELDS: [&str; 5] =
        ["cached_at", "expires_on", "extended_expires_on", "refresh_on", "last_modification_time"];
    let entries = document.as_object().unwrap().values().flat_map(|section| section.as_object().unwrap().values());
    let values = entries.flat_map(|entry| FIELDS.iter().filter_map(|field| entry.get(*field)));
    values.map(|time| time.as_str().unwrap().parse().unwrap()).collect()
}

impl App {
    /// Parses the authority.
    pub fn authority(&self) -> Authority {
        let read = if self.authority_kind == Kind::Oidc { Authority::oidc } else { Authority::parse };
        read(&self.authority).unwrap_or_else(|error| panic!("{}: {error}", self.authority))
    }
}

impl Query {
    /// Whether a public client can ask it, for a plain bearer token.
    pub fn is_public(&self) -> bool {
        self.kind == Call::Silent && !self.app.confidential && self.token_type.is_none()
    }
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub struct Stopped(pub Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_cache_changes_only_its_times() {
        for fixture in all() {
            assert_eq!(fixture.moved_to(fixture.meta.made_at).content, fixture.content, "{}", fixture.name);
            for seconds in [-86_400, 1] {
                let moved = fixture.moved_to(fixture.meta.made_at.checked_add_signed(seconds).unwrap());
                let expected =
                    times(&fixture.document()).into_iter().map(|time| time.checked_add_signed(seconds).unwrap());
                assert!(times(&moved.document()).into_iter().eq(expected), "{}", fixture.name);
                let back = moved.moved_to(fixture.meta.made_at);
                assert_eq!(back.content, fixture.content, "{}", fixture.name);
            }
        }
    }
}

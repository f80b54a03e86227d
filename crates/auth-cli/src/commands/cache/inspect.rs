//! `auth cache inspect`.

use auth::{AuthError, Clock as _, SystemClock, Timestamp};
use serde::Serialize;

use super::document::{Document, Entry, SECTIONS};
use crate::args::{CacheArgs, ListOutput};
use crate::failure::Failure;
use crate::output::lifetime;
use crate::terminal;

/// An entry in the JSON of `auth cache inspect`: identity, scopes, times in Unix seconds.
#[derive(Serialize)]
struct EntryJson {
    section: &'static str,
    home_account_id: Option<String>,
    local_account_id: Option<String>,
    username: Option<String>,
    environment: Option<String>,
    realm: Option<String>,
    client_id: Option<String>,
    family_id: Option<String>,
    token_type: Option<String>,
    scopes: Vec<String>,
    cached_at: Option<u64>,
    expires_on: Option<u64>,
    refresh_on: Option<u64>,
    last_modification_time: Option<u64>,
}

impl EntryJson {
    fn new(section: &'static str, entry: &Entry) -> Self {
        let scopes = entry.target.text().unwrap_or_default();
        Self {
            section,
            home_account_id: entry.home_account_id.text(),
            local_account_id: entry.local_account_id.text(),
            username: entry.username.text(),
            environment: entry.environment.text(),
            realm: entry.realm.text(),
            client_id: entry.client_id.text(),
            family_id: entry.family_id.text(),
            token_type: entry.token_type.text(),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            cached_at: entry.cached_at.seconds(),
            expires_on: entry.expires_on.seconds(),
            refresh_on: entry.refresh_on.seconds(),
            last_modification_time: entry.last_modification_time.seconds(),
        }
    }

    fn line(&self, now: Timestamp) -> String {
        let who = self.username.as_ref().or(self.home_account_id.as_ref());
        let left = self.expires_on.map(|seconds| match now.duration_until(Timestamp::from_unix_seconds(seconds)) {
            left if left.is_zero() => "expired".to_owned(),
            left => format!("valid for {}", lifetime(left)),
        });
        let scopes = Some(self.scopes.join(" ")).filter(|scopes| !scopes.is_empty());
        let known = [who, self.environment.as_ref(), self.realm.as_ref(), self.client_id.as_ref()];
        let known = known.into_iter().chain([scopes.as_ref(), left.as_ref()]).flatten();
        let words = [self.section].into_iter().chain(known.map(String::as_str));
        words.collect::<Vec<_>>().join("  ")
    }
}

pub(super) async fn run(args: &CacheArgs) -> Result<(), Failure> {
    let store = args.store()?;
    let stored = store.read().await.map_err(AuthError::from)?;
    let path = store.file().path().display();
    let not_json = || Failure::cache(&format!("the token cache {path} is not a JSON object"));
    let document = Document::parse(&stored.content).ok_or_else(not_json)?;
    let entries = SECTIONS
        .into_iter()
        .flat_map(|section| document.entries(section).into_iter().map(move |entry| EntryJson::new(section, &entry)));
    match args.output {
        ListOutput::Json => terminal::json(&entries.collect::<Vec<_>>()),
        ListOutput::Text => entries.for_each(|entry| terminal::result(entry.line(SystemClock.now()))),
    }
    Ok(())
}

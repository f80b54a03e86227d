//! `auth cache status`.

use std::collections::{BTreeMap, BTreeSet};

use auth::{AuthError, FileState, FileStorage, LockHolder};
use serde::Serialize;

use super::document::{Document, SECTIONS};
use super::form::form;
use crate::app::CacheStore;
use crate::args::{CacheArgs, ListOutput};
use crate::failure::Failure;
use crate::terminal;

/// The JSON of `auth cache status`.
#[derive(Serialize)]
struct StatusJson {
    path: String,
    exists: bool,
    /// `empty`, `plain`, `encrypted` or `unknown`.
    form: &'static str,
    size: Option<u64>,
    /// In octal, as `chmod` takes it.
    mode: Option<String>,
    owner: Option<u32>,
    lock: Option<LockJson>,
    /// The number of accounts.
    accounts: Option<usize>,
    /// The number of entries in each section.
    entries: Option<BTreeMap<&'static str, usize>>,
    /// Why the numbers are missing.
    problem: Option<String>,
    set_aside: bool,
    shared_folder: bool,
    network_file_system: bool,
}

/// The program that holds the lock.
#[derive(Serialize)]
struct LockJson {
    process: u32,
    name: String,
}

impl From<LockHolder> for LockJson {
    fn from(LockHolder { process, name, .. }: LockHolder) -> Self {
        Self { process, name }
    }
}

pub(super) async fn run(args: &CacheArgs) -> Result<(), Failure> {
    let store = args.store()?;
    // Taken first, because reading repairs permissions.
    let state = store.file().state().map_err(AuthError::from)?;
    let content = content(&store).await;
    let status = StatusJson::new(store.file(), state, content);
    match args.output {
        ListOutput::Json => terminal::json(&status),
        ListOutput::Text => status.lines().into_iter().for_each(terminal::result),
    }
    Ok(())
}

/// The numbers of accounts, and of entries in each section.
struct Content {
    accounts: usize,
    entries: BTreeMap<&'static str, usize>,
}

async fn content(store: &CacheStore) -> Result<Content, String> {
    let stored = store.read().await.map_err(|error| error.to_string())?;
    let document =
        Document::parse(&stored.content).ok_or("it is not a JSON object; it will be moved aside at its next use")?;
    let accounts = document.entries("Account");
    let accounts: BTreeSet<_> = accounts.iter().filter_map(|account| account.home_account_id.text()).collect();
    let entries = SECTIONS.map(|section| (section, document.entries(section).len())).into();
    Ok(Content { accounts: accounts.len(), entries })
}

impl StatusJson {
    fn new(storage: &FileStorage, state: FileState, content: Result<Content, String>) -> Self {
        let (content, problem) = match content {
            Ok(content) => (Some(content), None),
            Err(problem) => (None, Some(problem)),
        };
        Self {
            path: storage.path().display().to_string(),
            exists: state.size.is_some(),
            form: form(state.form),
            size: state.size,
            mode: state.mode.map(|mode| format!("{mode:04o}")),
            owner: state.owner,
            lock: state.lock.map(LockJson::from),
            accounts: content.as_ref().map(|content| content.accounts),
            entries: content.map(|content| content.entries),
            problem,
            set_aside: state.is_set_aside,
            shared_folder: state.is_folder_shared,
            network_file_system: state.is_remote,
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.path.clone()];
        lines.push(match (self.size, &self.mode, self.owner) {
            (None, _, _) => "does not exist yet".to_owned(),
            (Some(size), Some(mode), Some(owner)) => {
                format!("{}, {size} bytes, mode {mode}, owned by user {owner}", self.form)
            }
            (Some(size), _, _) => format!("{}, {size} bytes", self.form),
        });
        if let (Some(accounts), Some(entries)) = (self.accounts, &self.entries) {
            let entries: Vec<_> = entries.iter().map(|(name, count)| format!("{name} {count}")).collect();
            lines.push(format!("accounts: {accounts}; entries: {}", entries.join(", ")));
        }
        lines.extend(self.problem.clone());
        lines.push(match &self.lock {
            None => "not locked".to_owned(),
            Some(lock) => format!("locked by process {} ({})", lock.process, lock.name),
        });
        for (holds, line) in [
            (self.set_aside, "a document that could not be understood was moved aside, as .corrupt"),
            (self.shared_folder, "other users can write to its folder"),
            (self.network_file_system, "it is on a network file system, where locks may have no effect"),
        ] {
            lines.extend(holds.then(|| line.to_owned()));
        }
        lines
    }
}

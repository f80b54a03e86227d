//! Entries that this process makes: typed from the start, and serialized when their text is needed.

use std::sync::{Arc, OnceLock};

use auth_core::{AccountId, Tokens};
use zeroize::Zeroizing;

use super::new_entry::Foreign;
use super::{Key, KeyKind, NewEntry};
use crate::members::Entry;

/// What all entries from one token response have in common.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Empty for an application's own tokens.
    pub(crate) home_account_id: AccountId,
    pub(crate) environment: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) authority_type: &'static str,
    pub(crate) tokens: Arc<Tokens>,
}

impl Origin {
    /// The members that all credentials have.
    pub(crate) fn credential(&self, credential_type: &'static str) -> NewEntry<'_> {
        NewEntry::new()
            .with("home_account_id", self.home_account_id.as_str())
            .with("environment", &*self.environment)
            .with("credential_type", credential_type)
            .with("client_id", &*self.client_id)
    }

    /// The environment and the client ID.
    pub(crate) const fn names(&self) -> [&Arc<str>; 2] {
        [&self.environment, &self.client_id]
    }

    /// Estimates how many bytes an entry takes in the document, given those of its own.
    fn size(&self, own: usize) -> usize {
        /// Names of members, and times.
        const REST: usize = 320;
        // These appear in the key as well.
        let common = [self.home_account_id.as_str(), &self.environment, &self.client_id].map(str::len);
        common.into_iter().fold(own, |sum, length| sum.saturating_add(length.saturating_mul(2))).saturating_add(REST)
    }
}

/// An entry that this process makes.
pub(crate) trait Make: Entry + Send + Sync + 'static {
    /// The kind of its key.
    fn kind(&self) -> KeyKind;

    /// About how many bytes it has in addition to those from its origin.
    fn own_bytes(&self) -> usize;

    /// Its canonical key.
    fn key(&self, origin: &Origin) -> Key;

    /// Its members. Reading them gives the same entry.
    fn members<'a>(&'a self, origin: &'a Origin) -> NewEntry<'a>;
}

/// The text of an entry that this process made.
pub(super) struct Made {
    /// The kind of its key, which tells it from other entries under the same key (S-79).
    pub(super) kind: KeyKind,
    /// Whether it has members of other programs.
    pub(super) has_foreign: bool,
    /// About how many bytes it takes in the document. Unchanged when the text is written, so that totals stay right.
    pub(super) size: usize,
    text: Box<dyn Text>,
}

/// A text that is serialized at most once.
trait Text: Send + Sync {
    fn written(&self) -> &Written;
}

/// The key and the JSON of an entry.
pub(super) struct Written {
    pub(super) key: String,
    pub(super) json: Zeroizing<String>,
}

/// A text that is serialized on demand.
struct Later<E> {
    entry: Arc<E>,
    origin: Arc<Origin>,
    foreign: Foreign,
    written: OnceLock<Written>,
}

impl Made {
    /// An entry that is serialized on demand.
    pub(super) fn later<E: Make>(entry: &Arc<E>, origin: &Arc<Origin>, foreign: Foreign) -> Self {
        let (kind, has_foreign) = (entry.kind(), !foreign.is_empty());
        let size = origin.size(entry.own_bytes()).saturating_add(foreign.size());
        let (entry, origin) = (Arc::clone(entry), Arc::clone(origin));
        Self { kind, has_foreign, size, text: Box::new(Later { entry, origin, foreign, written: OnceLock::new() }) }
    }

    /// An entry that is serialized at once.
    pub(super) fn now(key: Key, entry: &NewEntry<'_>) -> Self {
        let (kind, has_foreign, written) = (key.kind(), entry.has_foreign(), Written::new(key, entry));
        let size = written.key.len().saturating_add(written.json.len());
        Self { kind, has_foreign, size, text: Box::new(written) }
    }

    pub(super) fn written(&self) -> &Written {
        self.text.written()
    }
}

impl Written {
    fn new(key: Key, entry: &NewEntry<'_>) -> Self {
        Self { key: key.into_text(), json: Zeroizing::new(entry.to_json()) }
    }
}

impl Text for Written {
    fn written(&self) -> &Written {
        self
    }
}

impl<E: Make> Text for Later<E> {
    fn written(&self) -> &Written {
        self.written.get_or_init(|| {
            let entry = self.entry.members(&self.origin).with_foreign(&self.foreign);
            Written::new(self.entry.key(&self.origin), &entry)
        })
    }
}

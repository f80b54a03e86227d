//! Entries that this process makes: typed at once, and written when somebody asks for their text.

use std::sync::{Arc, OnceLock};

use auth_core::{AccountId, Tokens};
use zeroize::Zeroizing;

use super::new_entry::Foreign;
use super::{Key, KeyKind, NewEntry};
use crate::members::Entry;

/// What the entries of one response have in common.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Empty for an application's own.
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

    /// Environment and client id.
    pub(crate) const fn names(&self) -> [&Arc<str>; 2] {
        [&self.environment, &self.client_id]
    }

    /// How much an entry takes in the document, about, which has so many bytes of its own.
    fn size(&self, own: usize) -> usize {
        /// The names of members, and times.
        const REST: usize = 320;
        // These stand in the key once more.
        let common = [self.home_account_id.as_str(), &self.environment, &self.client_id].map(str::len);
        common.into_iter().fold(own, |sum, length| sum.saturating_add(length.saturating_mul(2))).saturating_add(REST)
    }
}

/// An entry that this process makes.
pub(crate) trait Make: Entry + Send + Sync + 'static {
    /// What its key is of.
    fn kind(&self) -> KeyKind;

    /// How many bytes it has beside those of its origin, about.
    fn own_bytes(&self) -> usize;

    /// Its canonical key.
    fn key(&self, origin: &Origin) -> Key;

    /// Its members. Reading them gives the entry again.
    fn members<'a>(&'a self, origin: &'a Origin) -> NewEntry<'a>;
}

/// The text of an entry of this process.
pub(super) struct Made {
    /// What its key is of, which tells it from others under the same (S-79).
    pub(super) kind: KeyKind,
    /// Whether it has members of other programs.
    pub(super) has_foreign: bool,
    /// How many bytes it takes in the document, about: it stays the same when the text is written.
    pub(super) size: usize,
    text: Box<dyn Text>,
}

/// A text that is written once at most.
trait Text: Send + Sync {
    fn written(&self) -> &Written;
}

/// Key and JSON of an entry.
pub(super) struct Written {
    pub(super) key: String,
    pub(super) json: Zeroizing<String>,
}

/// A text that is written when somebody asks.
struct Later<E> {
    entry: Arc<E>,
    origin: Arc<Origin>,
    foreign: Foreign,
    written: OnceLock<Written>,
}

impl Made {
    /// An entry that is written later.
    pub(super) fn later<E: Make>(entry: &Arc<E>, origin: &Arc<Origin>, foreign: Foreign) -> Self {
        let (kind, has_foreign) = (entry.kind(), !foreign.is_empty());
        let size = origin.size(entry.own_bytes()).saturating_add(foreign.size());
        let (entry, origin) = (Arc::clone(entry), Arc::clone(origin));
        Self { kind, has_foreign, size, text: Box::new(Later { entry, origin, foreign, written: OnceLock::new() }) }
    }

    /// An entry that is written at once.
    pub(super) fn now(key: Key, entry: &NewEntry<'_>) -> Self {
        let (kind, has_foreign, written) = (key.kind(), entry.has_foreign(), Written::of(key, entry));
        let size = written.key.len().saturating_add(written.json.len());
        Self { kind, has_foreign, size, text: Box::new(written) }
    }

    pub(super) fn written(&self) -> &Written {
        self.text.written()
    }
}

impl Written {
    fn of(key: Key, entry: &NewEntry<'_>) -> Self {
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
            Written::of(self.entry.key(&self.origin), &entry)
        })
    }
}

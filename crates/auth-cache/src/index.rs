//! The document as lookups see it: one immutable partition per home account.

use std::collections::HashMap;
use std::sync::Arc;

use auth_core::Account;

use crate::document::{Document, Members, Section};
use crate::entries::{AccessToken, AppMetadata, IdTokenEntry, RefreshToken, read_account};

/// Everything of one home account. Nobody changes it; a writer replaces it.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    pub(crate) access_tokens: Vec<AccessToken>,
    pub(crate) refresh_tokens: Vec<RefreshToken>,
    pub(crate) id_tokens: Vec<IdTokenEntry>,
    pub(crate) accounts: Vec<Account>,
}

/// All partitions of a document.
#[derive(Debug, Default)]
pub(crate) struct Index {
    partitions: HashMap<String, Arc<Partition>>,
    app_metadata: Vec<AppMetadata>,
}

impl Index {
    pub(crate) fn new(document: &Document) -> Self {
        let mut partitions = HashMap::<String, Partition>::new();
        let mut fill = |section, put: &dyn Fn(&Members, &mut Partition)| {
            for (_, members) in document.entries(section) {
                let Some(id) = members.text("home_account_id").or_empty() else { continue };
                // Without an account a token is an application's own: no user's query may reach it (S-81).
                if id.is_empty() && section != Section::Account {
                    continue;
                }
                put(&members, partitions.entry(id.to_ascii_lowercase()).or_default());
            }
        };
        fill(Section::AccessToken, &|members, partition| partition.access_tokens.extend(AccessToken::read(members)));
        fill(Section::RefreshToken, &|members, partition| partition.refresh_tokens.extend(RefreshToken::read(members)));
        fill(Section::IdToken, &|members, partition| partition.id_tokens.extend(IdTokenEntry::read(members)));
        fill(Section::Account, &|members, partition| partition.accounts.extend(read_account(members)));
        Self {
            partitions: partitions.into_iter().map(|(id, partition)| (id, Arc::new(partition))).collect(),
            app_metadata: document
                .entries(Section::AppMetadata)
                .filter_map(|(_, members)| AppMetadata::read(&members))
                .collect(),
        }
    }

    /// The partition of a home account.
    pub(crate) fn partition(&self, home_account_id: &str) -> Option<&Partition> {
        self.partitions.get(&home_account_id.to_ascii_lowercase()).map(|partition| &**partition)
    }

    /// All partitions, in no order.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.partitions.values().map(|partition| &**partition)
    }

    /// The entries that say which clients are in a family.
    pub(crate) fn app_metadata(&self) -> &[AppMetadata] {
        &self.app_metadata
    }
}

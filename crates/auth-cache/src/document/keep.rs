//! How long a stored document is useful.

use auth_core::Timestamp;

use super::{Document, Partition, Partitions, entries};
use crate::entries::AccessToken;

impl Document {
    /// When the last entry expires, if all entries are access tokens; `None` otherwise. A refresh token does not say
    /// how long it lives, and accounts and entries that we do not understand are kept. App metadata does not count.
    pub(crate) fn keep_until(&self) -> Option<Timestamp> {
        let common = self.common();
        if !common.unfiled.is_empty() || !common.foreign.is_empty() {
            return None;
        }
        // Only stores with one partition per value need to know.
        if [&self.users, &self.apps, &self.assertions].map(Partitions::len).iter().sum::<usize>() > 1 {
            return None;
        }
        self.all().first().map_or(Some(Timestamp::EPOCH), |(_, partition)| last_expiry(partition))
    }
}

fn last_expiry(partition: &Partition) -> Option<Timestamp> {
    let is_lasting =
        !partition.refresh_tokens.is_empty() || !partition.id_tokens.is_empty() || !partition.accounts.is_empty();
    let is_read = |count| count == partition.access_tokens.len();
    let expiries = entries(&partition.access_tokens).map(|token: &AccessToken| token.life.expires_on);
    (!is_lasting && is_read(entries(&partition.access_tokens).count())).then(|| expiries.max()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_token, account, app_metadata, at, document, refresh_token, text};
    use serde_json::json;

    #[test]
    fn only_a_document_of_access_tokens_has_an_end() {
        let app = [("home_account_id", json!("")), ("expires_on", text(900))];
        let token = |changes: &[_]| ("AccessToken", access_token("s", changes));
        for (entries, expected) in [
            (vec![], Some(Timestamp::EPOCH)),
            (vec![("AppMetadata", app_metadata("", &[]))], Some(Timestamp::EPOCH)),
            (vec![token(&app)], Some(at(900))),
            (vec![token(&app), token(&[("home_account_id", json!("")), ("expires_on", text(60))])], Some(at(900))),
            (vec![token(&app), token(&[("home_account_id", json!("")), ("secret", json!({}))])], None),
            (vec![token(&app), token(&[])], None),
            (vec![token(&[]), ("RefreshToken", refresh_token("r", &[]))], None),
            (vec![("Account", account("ada", &[]))], None),
            (vec![("Another", json!({}))], None),
        ] {
            assert_eq!(document(&entries).keep_until(), expected, "{entries:?}");
        }
    }
}

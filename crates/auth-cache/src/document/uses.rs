//! What this process knows of its tokens beyond their entries, over a new reading of the store.

use std::collections::HashMap;

use super::Document;
use super::partition::Partition;

impl Document {
    /// Takes over from an older reading when its tokens were first looked at and last handed out, where they are the same
    /// still: otherwise those that are asked for all the time would go as soon as those that nobody wants, and a clock that
    /// was set back would make tokens younger after all. So does the time of the last look for those that have expired.
    pub(crate) fn keep_uses(&self, older: &Self) {
        self.sweep.keep(&older.sweep);
        let kinds = [(&self.users, &older.users), (&self.apps, &older.apps), (&self.assertions, &older.assertions)];
        for (partitions, older) in kinds {
            for older in older.all() {
                partitions.get(&older.name, |partition| keep_uses(partition, &older));
            }
        }
    }
}

fn keep_uses(partition: &Partition, older: &Partition) {
    let seen = older.access_tokens.iter().filter_map(|item| Some((item.key(), item.known()?)));
    let seen: HashMap<_, _> = seen.filter(|(_, token)| token.is_seen()).collect();
    if seen.is_empty() {
        return;
    }
    for item in &partition.access_tokens {
        if let Some(older) = seen.get(item.key())
            && let Some(token) = item.entry()
        {
            token.keep_use(older);
        }
    }
}

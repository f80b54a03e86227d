//! Carries what this process knows about the use of its tokens over to a new reading of the store.

use std::collections::HashMap;

use super::Document;
use super::partition::Partition;

impl Document {
    /// Adopts from an older reading when unchanged tokens were first seen and last handed out. Otherwise a token in
    /// constant use could be evicted before one that nobody wants, and setting the clock back would make tokens younger
    /// after all. Also adopts the time of the last sweep.
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
    let used = older.access_tokens.iter().filter_map(|item| Some((item.key(), item.known()?)));
    let used: HashMap<_, _> = used.filter(|(_, token)| token.has_use()).collect();
    if used.is_empty() {
        return;
    }
    for item in &partition.access_tokens {
        if let Some(older) = used.get(item.key())
            && let Some(token) = item.entry()
        {
            token.keep_use(older);
        }
    }
}

//! What rewriting a cache must not lose.

use auth::Authority;
use serde_json::{Map, Value};

use crate::cache::section;

const SECTIONS: [&str; 5] = ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"];

/// A refresh of an account's tokens.
#[derive(Debug)]
pub struct Refreshed<'a> {
    /// The authority that issued them.
    pub authority: &'a Authority,
    /// The client that requested them.
    pub client_id: &'a str,
    /// The home account id.
    pub account: &'a str,
    /// The time of the refresh, in Unix seconds.
    pub now: u64,
}

impl Refreshed<'_> {
    /// Returns what is in `before`, but neither in `after` nor rightly replaced there.
    pub fn losses(&self, before: &Value, after: &Value) -> Vec<String> {
        let mut losses = Vec::new();
        for (name, content) in before.as_object().unwrap() {
            if !SECTIONS.contains(&name.as_str()) {
                losses.extend((after[name] != *content).then(|| format!("section {name}")));
                continue;
            }
            for (key, entry) in content.as_object().unwrap() {
                let kept = after[name].get(key) == Some(entry);
                let replaced = || self.concerns(name, entry) && self.is_replaced(name, entry, after);
                losses.extend((!kept && !replaced()).then(|| format!("{name}/{key}")));
            }
        }
        losses
    }

    fn concerns(&self, section: &str, entry: &Value) -> bool {
        // A token of a family belongs to every client in it.
        let client = entry["client_id"] == *self.client_id || !entry["family_id"].is_null();
        let account = entry["home_account_id"] == *self.account;
        match section {
            "Account" => account,
            "AppMetadata" => client,
            _ => account && client,
        }
    }

    /// Whether a newer entry of the same cloud replaces it, and repeats everything that is not specific to one token.
    /// An access token that has expired may disappear without replacement.
    fn is_replaced(&self, name: &str, entry: &Value, after: &Value) -> bool {
        let stands_for_it = |new: &&Value| {
            let same = |field: &str| match field {
                "environment" => {
                    [*new, entry].iter().all(|one| self.authority.is_environment(one[field].as_str().unwrap()))
                }
                "token_type" => {
                    let [new, old] = [*new, entry].map(|one| one[field].as_str().unwrap());
                    new.eq_ignore_ascii_case(old)
                }
                // A token of a family belongs to every client in it.
                "client_id" if !entry["family_id"].is_null() => true,
                _ => entry[field] == "" || new.get(field) == entry.get(field),
            };
            let says_the_same =
                entry.as_object().unwrap().keys().all(|field| is_of_one_token(name, field) || same(field));
            says_the_same && (name != "AccessToken" || overlap(new, entry))
        };
        let expires_on = entry["expires_on"].as_str().and_then(|time| time.parse::<u64>().ok());
        let expired = name == "AccessToken" && expires_on.is_some_and(|time| time <= self.now);
        let covered = || section(after, name).iter().any(|new| new["realm"] == entry["realm"] && overlap(new, entry));
        section(after, name).iter().any(stands_for_it) || (expired && !covered())
    }
}

/// Whether a field may differ in a new token of the same account.
fn is_of_one_token(section: &str, field: &str) -> bool {
    match section {
        "AccessToken" => {
            ["secret", "target", "cached_at", "expires_on", "extended_expires_on", "refresh_on"].contains(&field)
        }
        "RefreshToken" => ["secret", "target", "last_modification_time"].contains(&field),
        "IdToken" => field == "secret",
        // Becomes the type that every library accepts.
        "Account" => field == "authority_type" || field == "last_modification_time",
        _ => false,
    }
}

/// Whether two tokens have a scope in common, apart from those of OpenID Connect.
fn overlap(one: &Value, other: &Value) -> bool {
    let scopes = |entry: &Value| -> Vec<String> {
        let target = entry["target"].as_str().unwrap_or_default().to_ascii_lowercase();
        let all = target.split(' ').map(str::to_owned);
        all.filter(|scope| !["openid", "profile", "email", "offline_access"].contains(&scope.as_str())).collect()
    };
    let others = scopes(other);
    scopes(one).iter().any(|scope| others.contains(scope))
}

/// Returns a document without the entries for which `gone` returns true.
pub fn without(document: &Value, gone: impl Fn(&str, &Value) -> bool) -> Value {
    let mut rest = document.clone();
    for (name, content) in rest.as_object_mut().unwrap() {
        let Some(entries) = content.as_object_mut() else { continue };
        let kept = core::mem::take(entries).into_iter().filter(|(_, entry)| !gone(name, entry));
        *entries = kept.collect::<Map<_, _>>();
    }
    rest
}

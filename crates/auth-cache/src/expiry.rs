//! Removal of expired access tokens.

use std::sync::Arc;

use auth_core::text::same;
use auth_core::{ClientId, Timestamp};

use crate::document::{Document, Item, remove};
use crate::entries::AccessToken;

/// Drops this client's expired access tokens, whoever they belong to: a user may not return, and an assertion is
/// not used again (S-84).
pub(crate) fn drop_expired(document: &Document, client_id: &ClientId, now: Timestamp) {
    if !document.is_time_to_sweep(now) {
        return;
    }
    let is_gone = |token: &AccessToken| token.life.expires_on <= now && same(&token.client_id, client_id.as_str());
    let may_go = |item: &Arc<Item<AccessToken>>| match item.known() {
        Some(token) => is_gone(token),
        // Most entries are not parsed yet, and need not be.
        None => item.members().is_some_and(|members| {
            members.time("expires_on").unwrap_or_default() <= now
                && same(&members.lenient("client_id"), client_id.as_str())
        }),
    };
    for place in document.keys(|partition| partition.access_tokens.iter().any(may_go)) {
        document.edit(&place, |partition| remove(&mut partition.access_tokens, is_gone));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{access_token, at, client, counted, document, refresh_token, secrets, text, value};

    #[test]
    fn expired_tokens_of_this_client_are_dropped() {
        let token = |secret: &str, assertion: &str, end: i64, client: &str| {
            let changes =
                [("user_assertion_hash", json!(assertion)), ("expires_on", text(end)), ("client_id", json!(client))];
            ("AccessToken", access_token(secret, &changes))
        };
        let own = client();
        let own = own.as_str();
        let document = document(&[
            token("a1", "a", 0, own),
            token("a2", "a", 1, own),
            token("b1", "b", -1, &own.to_uppercase()),
            token("c1", "c", -9, "another-client"),
            token("d1", "d", 100, own),
            ("RefreshToken", refresh_token("b2", &[("user_assertion_hash", json!("b"))])),
            ("AccessToken", access_token("users", &[("expires_on", text(-1))])),
            (
                "AccessToken",
                access_token("other-users", &[("expires_on", text(-1)), ("home_account_id", json!("v.t"))]),
            ),
            ("AccessToken", access_token("users-later", &[])),
            ("AccessToken", access_token("broken", &[("expires_on", text(-1)), ("secret", json!({}))])),
            (
                "AccessToken",
                access_token("applications", &[("expires_on", text(-1)), ("home_account_id", json!(null))]),
            ),
        ]);
        for (seconds, left) in [
            (-10, &["a1", "a2", "applications", "b1", "c1", "d1", "other-users", "users", "users-later"][..]),
            (49, &["a1", "a2", "applications", "b1", "c1", "d1", "other-users", "users", "users-later"]),
            (50, &["c1", "d1", "users-later"]),
            (109, &["c1", "d1", "users-later"]),
            (110, &["c1", "users-later"]),
        ] {
            drop_expired(&document, &client(), at(seconds));
            let value = value(&document);
            let entries = value["AccessToken"].as_object().unwrap().values();
            let mut secrets: Vec<_> = entries.filter_map(|entry| entry["secret"].as_str()).collect();
            secrets.sort_unstable();
            assert_eq!(value["AccessToken"].as_object().unwrap().len(), secrets.len() + 1, "the broken entry stays");
            assert_eq!(secrets, left, "after {seconds} s");
            assert_eq!(document.size(), counted(&document));
        }
        assert_eq!(secrets(&document, "RefreshToken"), ["b2"]);
    }
}

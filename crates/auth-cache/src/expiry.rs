//! What goes as nobody will ask for it again.

use core::time::Duration;

use auth_core::text::same;
use auth_core::{ClientId, Timestamp};

use crate::document::{Document, remove};
use crate::entries::AccessToken;

/// So often at most all assertions are looked at: a service has one for each of its callers.
const PAUSE: Duration = Duration::from_secs(60);

/// Drops this client's tokens of assertions that have expired, as their tokens have by then (S-84). A user's own tokens go when
/// the next one comes; an assertion does not come again.
pub(crate) fn drop_expired(document: &Document, client_id: &ClientId, now: Timestamp) {
    if !document.has_assertions() || !document.is_time_to_sweep(now, PAUSE) {
        return;
    }
    let is_gone = |token: &AccessToken| token.life.expires_on <= now && same(&token.client_id, client_id.as_str());
    let places =
        document.assertions(|partition| partition.access_tokens.iter().filter_map(|item| item.entry()).any(is_gone));
    for place in places {
        document.edit(&place, |partition| remove(&mut partition.access_tokens, is_gone));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{access_token, at, client, counted, document, refresh_token, secrets, text};

    #[test]
    fn what_expired_with_its_assertion_goes() {
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
                access_token("applications", &[("expires_on", text(-1)), ("home_account_id", json!(null))]),
            ),
        ]);
        for (seconds, left) in [
            (-10, &["a1", "a2", "applications", "b1", "c1", "d1", "users"][..]),
            (49, &["a1", "a2", "applications", "b1", "c1", "d1", "users"]),
            (50, &["applications", "c1", "d1", "users"]),
            (109, &["applications", "c1", "d1", "users"]),
            (110, &["applications", "c1", "users"]),
        ] {
            drop_expired(&document, &client(), at(seconds));
            let mut secrets = secrets(&document, "AccessToken");
            secrets.sort();
            assert_eq!(secrets, left, "after {seconds} s");
            assert_eq!(document.size(), counted(&document));
        }
        assert_eq!(secrets(&document, "RefreshToken"), ["b2"]);
    }
}

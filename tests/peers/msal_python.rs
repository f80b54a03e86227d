//! One cache file for the program `auth` and for MSAL Python, in both directions.

use auth_tests::cache;
use auth_tests::canary::sha256;
use serde_json::{Value, json};

use crate::provider::{Provider, installed, script, with_peers};

impl Provider {
    /// MSAL Python over the cache file of this provider.
    async fn msal_python(&self, command: &str) -> Value {
        let made = self.certificates.as_ref().unwrap();
        let run = with_peers(self.home.run(installed("AUTH_TEST_PYTHON")))
            .args([script("msal_python.py")])
            .args([command, "--oidc-authority", self.issuer(), "--client-id", self.client_id()])
            .args(["--scope", self.scope()])
            .args(["--cache".into(), self.cache_file()])
            .args(["--ca".into(), made.authority.clone()]);
        let run = if command == "sign-in" { run.args(["--cert".into(), made.server.clone()]) } else { run };
        run.end().await.expect(0).json()
    }
}

#[tokio::test]
async fn msal_python_finds_the_token_that_auth_cached_without_a_token_request() {
    let provider = Provider::over_https().await;
    let token = provider.token("").end().await.expect(0).json();
    let found = provider.msal_python("silent").await;
    assert_eq!(found["token_requests"], 0, "{found}");
    let access_token = token["access_token"].as_str().unwrap();
    assert_eq!(found["result"]["access_token_sha256"], sha256(access_token), "{found}");
    assert_eq!(found["result"]["token_source"], "cache");
    assert_eq!(found["accounts"].as_array().unwrap().len(), 1);
    for name in ["username", "home_account_id"] {
        assert_eq!(found["accounts"][0][name], token["account"][name], "{found}");
    }

    cache::expire_file(&provider.cache_file());
    let refreshed = provider.msal_python("silent").await;
    assert_eq!(refreshed["token_requests"], 1, "{refreshed}");
    assert_eq!(refreshed["result"]["token_source"], "identity_provider", "{refreshed}");
    assert_eq!(provider.grants("refresh_token"), 1);
    provider.stop().await;
}

#[tokio::test]
async fn auth_finds_the_token_that_msal_python_cached_and_keeps_what_is_foreign() {
    let provider = Provider::over_https().await;
    let written = provider.msal_python("sign-in").await;
    assert!(written["result"]["error"].is_null(), "{written}");
    let asked = provider.requests().len();
    let cached = provider.token("--silent").end().await.expect(0).json();
    assert_eq!(cached["source"], "cache");
    let hash = sha256(cached["access_token"].as_str().unwrap());
    assert_eq!(written["result"]["access_token_sha256"], hash);
    let accounts = provider.auth("accounts --output json").end().await.expect(0).json();
    assert_eq!(accounts.as_array().unwrap().len(), 1, "{accounts}");
    for name in ["username", "home_account_id"] {
        assert_eq!(accounts[0][name], written["accounts"][0][name], "{accounts}");
    }
    assert_eq!(provider.requests().len(), asked);

    let another = json!({"credential_type": "AccessToken", "secret": "s", "client_id": "another", "realm": "contoso",
        "home_account_id": "somebody", "environment": "localhost", "target": "x", "cached_at": "1795382593",
        "expires_on": "4102444800", "token_type": "Bearer"});
    let foreign = json!({"AccessToken": {"somebody-localhost-accesstoken-another-contoso-x": another},
        "AppMetadata": {"another": {"family_id": ""}}, "Novelty": {"n": [1, 2.50, "é"]}});
    cache::expire_file(&provider.cache_file());
    cache::change_file(&provider.cache_file(), |document| {
        for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
            for entry in document[section].as_object_mut().unwrap().values_mut() {
                entry["novelty"] = json!({"kept": true});
            }
        }
        for (section, entries) in foreign.as_object().unwrap() {
            for (key, entry) in entries.as_object().unwrap() {
                document[section][key] = entry.clone();
            }
        }
    });
    let before = cache::read_file(&provider.cache_file());
    let refreshed = provider.token("--silent").end().await.expect(0).json();
    assert_eq!((&refreshed["source"], provider.grants("refresh_token")), (&json!("identity_provider"), 1));
    assert_nothing_is_lost(&before, &cache::read_file(&provider.cache_file()), &foreign);
    let found = provider.msal_python("silent").await;
    assert_eq!(found["token_requests"], 0, "{found}");
    let hash = sha256(refreshed["access_token"].as_str().unwrap());
    assert_eq!(found["result"]["access_token_sha256"], hash);
    // The refresh token that auth wrote serves MSAL Python, too.
    cache::expire_file(&provider.cache_file());
    let found = provider.msal_python("silent").await;
    assert_eq!((&found["token_requests"], provider.grants("refresh_token")), (&json!(1), 2), "{found}");
    assert_eq!(found["result"]["token_source"], "identity_provider", "{found}");
    provider.stop().await;
}

fn assert_nothing_is_lost(before: &Value, after: &Value, foreign: &Value) {
    for (section, entries) in foreign.as_object().unwrap() {
        for (key, entry) in entries.as_object().unwrap() {
            assert_eq!(&after[section][key], entry, "{section}");
        }
    }
    for (section, entries) in before.as_object().unwrap() {
        let (old, new) = (entries.as_object().unwrap(), after[section].as_object().unwrap());
        assert_eq!(new.len(), old.len(), "as many entries in {section}");
        for (key, entry) in old {
            // The rotated refresh token stands under the key of the unified schema, wherever the old one stood.
            let renamed = (section == "RefreshToken").then(|| new.values().next()).flatten();
            let now = new.get(key).or(renamed).unwrap_or_else(|| panic!("{section}/{key} is gone"));
            // The new token has no time of that kind, and the old one's is not its.
            let lost = |field: &&String| *field != "extended_expires_on" && now.get(field.as_str()).is_none();
            let lost = entry.as_object().and_then(|fields| fields.keys().find(lost));
            assert_eq!(lost, None, "a field of {section}/{key} is gone");
        }
    }
}

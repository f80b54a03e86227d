//! One cache file shared by the program `auth` and the MSALs of other languages, in both directions, at the certified
//! provider.

use auth::Authority;
use auth_tests::cache;
use auth_tests::canary::sha256;
use auth_tests::loss::Refreshed;
use serde_json::{Value, json};

use crate::msal::{Arguments, Msal, Said};
use crate::provider::Provider;

impl Provider {
    /// An MSAL over the cache file of this provider.
    async fn msal(&self, msal: Msal, command: &str) -> Said {
        let made = self.certificates.as_ref().unwrap();
        let arguments = Arguments {
            home: &self.home,
            cache: &self.cache_file(),
            authority: ("--oidc-authority", self.issuer()),
            client_id: self.client_id(),
            scope: self.scope(),
            root: &made.authority,
        };
        let certificate = made.server.to_str().unwrap();
        let more: &[&str] = if command == "sign-in" { &["--cert", certificate] } else { &[] };
        msal.run(command, &arguments, more).await
    }

    /// Returns the token that `auth` finds in the cache, without any request.
    async fn cached(&self) -> Value {
        let asked = self.requests().len();
        let token = self.token("--silent").end().await.expect(0).json();
        assert_eq!((&token["source"], self.requests().len()), (&json!("cache"), asked));
        token
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// `auth` writes; the MSAL reads, refreshes and writes; `auth` reads.
async fn auth_writes_first(msal: Msal) {
    let provider = Provider::over_https().await;
    let token = provider.token("").end().await.expect(0).json();
    let found = provider.msal(msal, "silent").await;
    found.found(text(&token, "access_token"));
    found.names(&token["account"]);
    assert_eq!(provider.grants("refresh_token"), 0);

    cache::expire_file(&provider.cache_file());
    let refreshed = provider.msal(msal, "silent").await;
    assert_eq!(provider.grants("refresh_token"), 1);
    assert_eq!(sha256(text(&provider.cached().await, "access_token")), refreshed.refreshed());
    provider.stop().await;
}

/// The MSAL signs in; `auth` reads, refreshes and writes, and keeps foreign entries. Returns the new token.
async fn auth_reads_first(msal: Msal, provider: &Provider) -> Value {
    let written = provider.msal(msal, "sign-in").await;
    assert!(written.0["result"]["error"].is_null(), "{written:?}");
    let cached = provider.cached().await;
    assert_eq!(written.0["result"]["access_token_sha256"], sha256(text(&cached, "access_token")));
    let accounts = provider.auth("accounts --output json").end().await.expect(0).json();
    assert_eq!(accounts.as_array().unwrap().len(), 1, "{accounts}");
    written.names(&accounts[0]);

    plant_foreign_things(provider);
    let before = cache::read_file(&provider.cache_file());
    let refreshed = provider.token("--silent").end().await.expect(0).json();
    assert_eq!((&refreshed["source"], provider.grants("refresh_token")), (&json!("identity_provider"), 1));
    let (authority, now) = (Authority::oidc(provider.issuer()).unwrap(), cache::now());
    let account = text(&accounts[0], "home_account_id");
    let rewrite = Refreshed { authority: &authority, client_id: provider.client_id(), account, now };
    assert_eq!(rewrite.losses(&before, &cache::read_file(&provider.cache_file())), [""; 0]);
    refreshed
}

#[tokio::test]
async fn msal_python_uses_and_refreshes_what_auth_cached() {
    auth_writes_first(Msal::Python).await;
}

#[tokio::test]
async fn auth_uses_and_refreshes_what_msal_python_cached() {
    let provider = Provider::over_https().await;
    let refreshed = auth_reads_first(Msal::Python, &provider).await;
    provider.msal(Msal::Python, "silent").await.found(text(&refreshed, "access_token"));
    // MSAL Python can use the refresh token that auth wrote, too.
    cache::expire_file(&provider.cache_file());
    provider.msal(Msal::Python, "silent").await.refreshed();
    assert_eq!(provider.grants("refresh_token"), 2);
    provider.stop().await;
}

// MSAL Node keys entries with a port, MSAL Python without. So `auth` only reads here what MSAL Node wrote; at providers
// without a port it also writes for it: see `sharing.rs`.
#[tokio::test]
async fn auth_uses_and_refreshes_what_msal_node_cached() {
    let provider = Provider::over_https().await;
    auth_reads_first(Msal::Node, &provider).await;
    provider.stop().await;
}

/// Expires the access token, and adds entries and members that no library knows.
fn plant_foreign_things(provider: &Provider) {
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
}

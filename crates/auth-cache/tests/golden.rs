//! Caches that other MSAL libraries wrote: their entries are found, and a rewrite loses none.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

use std::sync::Arc;

use auth_cache::{LockBudget, Lookup, MemoryStorage, Observer, Query, RemovalScope, Storage, TokenCache, TokenUpdate};
use auth_core::{
    AccountId, Application, Authority, ClientId, CorrelationId, Exchange as _, RefreshRedemption, RequestContext,
    Scopes, Secret, Timestamp,
};
use serde_json::{Value, json};

/// A cache of another library, and what it contains.
struct Golden {
    name: &'static str,
    content: &'static str,
    authority: Authority,
    client_id: ClientId,
    account: AccountId,
    username: &'static str,
    scope: &'static str,
    /// A time at which the access token is far from expiry.
    valid_at: Timestamp,
}

fn entra(name: &'static str, content: &'static str) -> Golden {
    let tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    Golden {
        name,
        content,
        authority: Authority::tenant(tenant).unwrap(),
        client_id: ClientId::new("00001111-aaaa-2222-bbbb-3333cccc4444").unwrap(),
        account: AccountId::new(format!("aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb.{tenant}")),
        username: "alice@contoso.com",
        scope: "https://graph.microsoft.com/User.Read",
        valid_at: Timestamp::from_unix_seconds(1_795_375_300),
    }
}

fn oidc(name: &'static str, content: &'static str, issuer: &str, username: &'static str) -> Golden {
    Golden {
        authority: Authority::oidc(issuer).unwrap(),
        client_id: ClientId::new("native-public").unwrap(),
        account: AccountId::new("alice"),
        username,
        scope: "https://orders.example/read",
        valid_at: Timestamp::from_unix_seconds(1_795_375_500),
        ..entra(name, content)
    }
}

fn all() -> [Golden; 5] {
    const NAME: &str = "alice@contoso.example";
    [
        entra("MSAL Python", include_str!("../../../tests/fixtures/msal-python/a_single_user.json")),
        entra("MSAL Node", include_str!("../../../tests/fixtures/msal-node/a_single_user.json")),
        entra("MSAL Go", include_str!("../../../tests/fixtures/msal-go/a_single_user.json")),
        oidc(
            "MSAL Python, OIDC",
            include_str!("../../../tests/fixtures/real-op/msal-python.json"),
            "https://localhost:43677/contoso",
            NAME,
        ),
        oidc(
            "MSAL Node, OIDC",
            include_str!("../../../tests/fixtures/real-op/msal-node.json"),
            "https://localhost:36247/contoso",
            NAME,
        ),
    ]
}

impl Golden {
    fn value(&self) -> Value {
        serde_json::from_str(self.content).unwrap()
    }

    /// The secret of the only entry of a section.
    fn secret(&self, section: &str) -> String {
        let entries = self.value()[section].clone();
        let secrets: Vec<_> = entries.as_object().unwrap().values().map(|entry| entry["secret"].clone()).collect();
        assert_eq!(secrets.len(), 1, "{}", self.name);
        secrets[0].as_str().unwrap().to_owned()
    }

    async fn open(&self) -> (MemoryStorage, TokenCache) {
        let storage = MemoryStorage::new();
        let content = self.content.as_bytes().to_vec().into();
        storage.replace(content, storage.version().unwrap(), None, &Observer::default()).await.unwrap();
        (storage.clone(), TokenCache::new(storage))
    }

    async fn look(&self, cache: &TokenCache, scope: &str, bypass: bool) -> Lookup {
        let scopes = Scopes::parse(scope).unwrap();
        let mut query = Query::new(&self.authority, &self.client_id, &self.account, &scopes);
        query.bypass = bypass;
        cache.lookup(&query, self.valid_at).await.unwrap()
    }
}

async fn stored(storage: &MemoryStorage) -> Value {
    serde_json::from_slice(&storage.read(&Observer::default()).await.unwrap().content).unwrap()
}

#[tokio::test]
async fn the_access_token_is_handed_out() {
    for golden in all() {
        let (_, cache) = golden.open().await;
        for scope in [golden.scope.to_owned(), golden.scope.to_uppercase(), format!("openid {} profile", golden.scope)]
        {
            let Lookup::Usable(token) = golden.look(&cache, &scope, false).await else {
                panic!("{}: {scope}", golden.name)
            };
            assert_eq!(token.access_token().expose(), golden.secret("AccessToken"), "{}", golden.name);
            assert_eq!(token.id_token().unwrap().expose(), golden.secret("IdToken"), "{}", golden.name);
            assert_eq!(token.account().unwrap().username, golden.username, "{}", golden.name);
            assert!(token.scopes().contains(golden.scope), "{}", golden.name);
        }
    }
}

#[tokio::test]
async fn the_refresh_token_is_tried_for_everything_else() {
    for golden in all() {
        let (_, cache) = golden.open().await;
        for (scope, bypass) in [("other.scope", false), (golden.scope, true)] {
            let Lookup::MustRefresh(refresh, None) = golden.look(&cache, scope, bypass).await else {
                panic!("{}", golden.name)
            };
            let found: Vec<_> = refresh.candidates.iter().map(|candidate| candidate.refresh_token.expose()).collect();
            assert_eq!(found, [golden.secret("RefreshToken")], "{}", golden.name);
            let stored: Vec<_> = refresh.id_tokens.iter().map(|token| token.secret().expose()).collect();
            assert_eq!(stored, [golden.secret("IdToken")], "{}", golden.name);
        }
    }
}

#[tokio::test]
async fn the_account_is_listed() {
    for golden in all() {
        let (_, cache) = golden.open().await;
        let accounts = cache.accounts(&golden.authority, &golden.client_id).await.unwrap();
        assert_eq!(accounts.len(), 1, "{}", golden.name);
        assert_eq!((&accounts[0].home_account_id, accounts[0].username.as_str()), (&golden.account, golden.username));
    }
}

// The two providers differ only in their port, which MSAL Python does not record.
#[tokio::test]
async fn tokens_of_another_issuer_on_the_same_host_are_not_found() {
    let [.., python, node] = all();
    for (there, asked) in [(&python, &node), (&node, &python)] {
        let (_, cache) = there.open().await;
        assert!(matches!(asked.look(&cache, asked.scope, false).await, Lookup::Nothing), "{}", there.name);
        assert!(cache.accounts(&asked.authority, &asked.client_id).await.unwrap().is_empty(), "{}", there.name);
    }
}

#[tokio::test]
async fn a_change_to_another_client_loses_nothing() {
    for golden in all() {
        let (storage, cache) = golden.open().await;
        cache
            .leave_family(
                &golden.authority,
                &ClientId::new("another-client").unwrap(),
                &AccountId::new("u.t"),
                &mut LockBudget::default(),
            )
            .await
            .unwrap();
        let mut after = stored(&storage).await;
        let key = format!("appmetadata-{}-another-client", golden.authority.environment());
        let ours = after["AppMetadata"].as_object_mut().unwrap().remove(&key);
        assert_eq!(ours.unwrap()["client_id"], "another-client");
        assert_eq!(after, golden.value(), "{}", golden.name);
    }
}

#[tokio::test]
async fn another_token_of_the_same_account_loses_nothing() {
    for golden in all() {
        let (storage, cache) = golden.open().await;
        let metadata = Authority::tenant("common").unwrap().metadata().unwrap();
        let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").unwrap();
        let context = RequestContext::new(Application::new(golden.client_id.clone()), id);
        let scopes = Scopes::parse("other.scope").unwrap();
        let rt = Secret::new("rt".to_owned());
        let answer = json!({"token_type": "Bearer", "access_token": "new-at", "expires_in": 3600}).to_string();
        let answer = http::Response::builder().header("content-type", "application/json").body(answer.into()).unwrap();
        let refresh = RefreshRedemption::new(context, metadata, rt, scopes, golden.valid_at);
        let tokens = refresh.complete(answer, golden.valid_at).unwrap();
        let account = cache.accounts(&golden.authority, &golden.client_id).await.unwrap().remove(0);
        let Lookup::MustRefresh(refresh, None) = golden.look(&cache, "other.scope", false).await else {
            panic!("{}", golden.name)
        };
        let (authority, client_id) = (Arc::new(golden.authority.clone()), golden.client_id.clone());
        let update = TokenUpdate::from_refresh(authority, client_id, account, Arc::new(tokens), refresh.basis);
        assert!(cache.store(update).await.unwrap(), "{}", golden.name);

        let (before, mut after) = (golden.value(), stored(&storage).await);
        let tokens = after["AccessToken"].as_object_mut().unwrap();
        let ours = tokens.iter().find(|(_, entry)| entry["secret"] == "new-at").unwrap().0.clone();
        tokens.remove(&ours);
        for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
            assert_eq!(after[section], before[section], "{}: {section}", golden.name);
        }
        assert!(matches!(golden.look(&cache, golden.scope, false).await, Lookup::Usable(_)), "{}", golden.name);
    }
}

#[tokio::test]
async fn removing_the_account_removes_all_its_entries() {
    for golden in all() {
        let (storage, cache) = golden.open().await;
        let account = cache.accounts(&golden.authority, &golden.client_id).await.unwrap().remove(0);
        assert!(
            cache
                .remove_account(&golden.authority, &golden.client_id, &account, RemovalScope::default())
                .await
                .unwrap()
        );
        let after = stored(&storage).await;
        for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
            assert_eq!(after[section], json!({}), "{}: {section}", golden.name);
        }
        assert_eq!(after["AppMetadata"], golden.value()["AppMetadata"], "{}", golden.name);
    }
}

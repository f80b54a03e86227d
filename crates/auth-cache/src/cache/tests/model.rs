//! P-03: whatever happens to a cache, it agrees with a plain list that is searched from start to end.

mod hostile;
mod list;

use std::collections::BTreeSet;

use auth_core::Tokens;
use list::{List, Owner};
use proptest::prelude::*;

use super::*;
use crate::assertion::Assertion;
use crate::lookup::CachedToken;
use crate::testing::GUEST;

pub(super) const USERS: [&str; 3] = ["ada", "Bob", "cy-bob"];
pub(super) const CLIENTS: [&str; 3] = ["a", "b", "a-b"];
pub(super) const REALMS: [&str; 2] = [T, GUEST];
pub(super) const ASSERTIONS: [&str; 2] = ["token one", "token two"];
const WANTED: [&str; 4] = ["x", "y", "x y", "z"];

/// What the identity provider was asked, and what it answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) client: usize,
    pub(super) realm: usize,
    /// A bit for each of `x`, `y` and `z`.
    scopes: u8,
    pub(super) lifetime: u64,
    pub(super) family: bool,
}

impl Answer {
    pub(super) fn scopes(self) -> BTreeSet<&'static str> {
        let all = ["x", "y", "z"].into_iter().enumerate();
        all.filter(|(bit, _)| self.scopes & (1 << bit) != 0).map(|(_, scope)| scope).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    SignIn(usize, Answer),
    Refresh(usize, Answer, bool),
    App(Answer),
    Assertion(usize, Answer),
    Remove(usize, usize, RemovalScope),
    LeaveFamily(usize),
    Wait(u64),
    SaveAndLoad,
    KeepCopy,
    MergeCopy,
}

fn step() -> impl Strategy<Value = Step> {
    let answer = || {
        let lifetime = prop_oneof![1 => Just(0_u64), 1 => Just(250), 4 => Just(900), 4 => Just(3600)];
        (0..CLIENTS.len(), 0..REALMS.len(), 1..8_u8, lifetime, any::<bool>())
            .prop_map(|(client, realm, scopes, lifetime, family)| Answer { client, realm, scopes, lifetime, family })
    };
    let user = || 0..USERS.len();
    let scope =
        proptest::sample::select(vec![RemovalScope::ThisClient, RemovalScope::Family, RemovalScope::AllClients]);
    prop_oneof![
        5 => (user(), answer()).prop_map(|(user, answer)| Step::SignIn(user, answer)),
        4 => (user(), answer(), any::<bool>()).prop_map(|(user, answer, rotates)| Step::Refresh(user, answer, rotates)),
        2 => answer().prop_map(Step::App),
        2 => (0..ASSERTIONS.len(), answer()).prop_map(|(assertion, answer)| Step::Assertion(assertion, answer)),
        3 => (user(), 0..CLIENTS.len(), scope).prop_map(|(user, client, scope)| Step::Remove(user, client, scope)),
        1 => (0..CLIENTS.len()).prop_map(Step::LeaveFamily),
        3 => (0..1200_u64).prop_map(Step::Wait),
        2 => Just(Step::SaveAndLoad),
        1 => Just(Step::KeepCopy),
        1 => Just(Step::MergeCopy),
    ]
}

pub(super) fn user_id(user: usize) -> AccountId {
    AccountId::new(format!("{}.{T}", USERS[user]))
}

fn client_of(client: usize) -> ClientId {
    ClientId::new(CLIENTS[client]).unwrap()
}

/// A cache, or two over one store that are used in turn, and the list.
struct World {
    caches: Vec<TokenCache>,
    storage: Option<MemoryStorage>,
    list: List,
    copy: Option<(Vec<u8>, List)>,
    now: Timestamp,
    steps: usize,
}

impl World {
    fn new(storage: Option<MemoryStorage>) -> Self {
        let caches = match &storage {
            Some(storage) => vec![TokenCache::new(storage.clone()), TokenCache::new(storage.clone())],
            None => vec![TokenCache::in_memory()],
        };
        Self { caches, storage, list: List::default(), copy: None, now: NOW, steps: 0 }
    }

    fn cache(&self) -> &TokenCache {
        &self.caches[self.steps % self.caches.len()]
    }

    /// The tokens of an answer; the access token contains the number of the step.
    fn tokens(&self, answer: Answer, more: &[(&'static str, Value)]) -> (Arc<Authority>, Tokens) {
        let authority = entra(REALMS[answer.realm]);
        let scope = answer.scopes().into_iter().collect::<Vec<_>>().join(" ");
        let mut members = vec![
            ("access_token", json!(format!("at{}", self.steps))),
            ("scope", json!(scope)),
            ("expires_in", json!(answer.lifetime)),
        ];
        members.extend(answer.family.then(|| ("foci", json!("1"))));
        members.extend(more.iter().cloned());
        let tokens = tokens(&authority, &scope, &members, self.now);
        (Arc::new(authority), tokens)
    }

    fn update(&self, user: usize, answer: Answer, rotates: bool) -> TokenUpdate {
        let mut more = sign_in(&entra(REALMS[answer.realm]), REALMS[answer.realm], USERS[user]);
        more.retain(|(name, _)| *name != "refresh_token");
        more.extend(rotates.then(|| ("refresh_token", json!(format!("rt{}", self.steps)))));
        let (authority, tokens) = self.tokens(answer, &more);
        let account = account_of(&tokens, &authority);
        TokenUpdate::from_sign_in(authority, client_of(answer.client), account, Arc::new(tokens))
    }

    fn app_update(&self, answer: Answer) -> AppTokenUpdate {
        let (authority, tokens) = self.tokens(answer, &[]);
        AppTokenUpdate::new(authority, client_of(answer.client), Arc::new(tokens))
    }

    async fn take(&mut self, step: Step) {
        self.steps += 1;
        let (cache, now, number) = (self.cache(), self.now, self.steps);
        match step {
            Step::SignIn(user, answer) => {
                assert_eq!(cache.store(self.update(user, answer, true)).await, Ok(true));
                self.list.sign_in(user, answer, now, number);
            }
            Step::Refresh(user, answer, rotates) => {
                drop(cache.whole().current().await.unwrap());
                let update = update_by(cache, true, self.update(user, answer, rotates));
                let stored = cache.store(update).await;
                assert_eq!(stored, Ok(self.list.refresh(user, answer, now, number, rotates)));
            }
            Step::App(answer) => {
                cache.store_app(self.app_update(answer)).await.unwrap();
                self.list.put_access_token(Owner::App(answer.client, answer.realm), answer, now, number);
            }
            Step::Assertion(assertion, answer) => {
                let app = self.app_update(answer);
                let update = AssertionTokenUpdate::new(Assertion::from_token(ASSERTIONS[assertion]), None, app);
                cache.store_assertion(update).await.unwrap();
                self.list.put_access_token(Owner::Assertion(assertion), answer, now, number);
            }
            Step::Remove(user, client, scope) => {
                let account = Account::new(user_id(user), "login.windows.net", "");
                let removed = cache.remove_account(&entra("common"), &client_of(client), &account, scope).await;
                assert_eq!(removed, Ok(self.list.remove(user, client, scope)));
            }
            Step::LeaveFamily(client) => {
                cache
                    .leave_family(
                        &entra("common"),
                        &client_of(client),
                        &AccountId::new("u.t"),
                        &mut LockBudget::default(),
                    )
                    .await
                    .unwrap();
                self.list.families.insert(client, false);
            }
            Step::Wait(seconds) => self.now = now.saturating_add(core::time::Duration::from_secs(seconds)),
            Step::SaveAndLoad => self.caches = self.loaded(&cache.to_json()),
            Step::KeepCopy => self.copy = Some((cache.to_json().to_vec(), self.list.clone())),
            Step::MergeCopy => {
                // Over a store it would wait for the next change.
                if let (None, Some((text, list))) = (&self.storage, &self.copy) {
                    cache.merge_json(text).unwrap();
                    self.list.merge(&list.clone());
                }
            }
        }
    }

    fn loaded(&self, text: &[u8]) -> Vec<TokenCache> {
        if self.storage.is_some() {
            return Self::new(self.storage.clone()).caches;
        }
        let cache = TokenCache::in_memory();
        cache.merge_json(text).unwrap();
        vec![cache]
    }

    async fn check(&mut self) {
        for cache in &self.caches {
            for client in 0..CLIENTS.len() {
                self.check_accounts(cache, client).await;
                for realm in 0..REALMS.len() {
                    for wanted in WANTED {
                        self.check_lookups(cache, client, realm, wanted).await;
                    }
                }
            }
        }
        // The last writer knows everything.
        let written: Value = match &self.storage {
            Some(storage) if self.steps == 0 || Storage::version(storage) == Ok(crate::storage::Version::NONE) => {
                return;
            }
            Some(storage) => stored(storage).await,
            None => serde_json::from_slice(&self.cache().to_json()).unwrap(),
        };
        let secrets = |section: &str| {
            let entries = written.get(section).and_then(Value::as_object).into_iter().flatten();
            entries.map(|(_, entry)| entry["secret"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let sorted = |mut texts: Vec<String>| {
            texts.sort();
            texts
        };
        let access_tokens = secrets("AccessToken");
        self.list.forget_swept(self.now, &access_tokens);
        assert_eq!(sorted(access_tokens), sorted(self.list.access_token_secrets()));
        assert_eq!(sorted(secrets("RefreshToken")), sorted(self.list.refresh_token_secrets()));
        assert_eq!(secrets("IdToken").len(), self.list.id_tokens.len());
        let count = |section: &str| written.get(section).and_then(Value::as_object).map_or(0, |entries| entries.len());
        assert_eq!((count("Account"), count("AppMetadata")), (self.list.accounts.len(), self.list.families.len()));
    }

    async fn check_accounts(&self, cache: &TokenCache, client: usize) {
        let found = cache.accounts(&entra("common"), &client_of(client)).await.unwrap();
        let found: Vec<_> = found
            .into_iter()
            .map(|account| {
                let realms = account.tenant_profiles.iter().map(|profile| profile.tenant_id.clone()).collect();
                (account.home_account_id.as_str().to_owned(), account.can_refresh, account.last_sign_in, realms)
            })
            .collect();
        assert_eq!(found, self.list.listed(client));
    }

    async fn check_lookups(&self, cache: &TokenCache, client: usize, realm: usize, wanted: &str) {
        let (authority, client_id, wanted_scopes) = (entra(REALMS[realm]), client_of(client), scopes(wanted));
        for user in 0..USERS.len() {
            let account = user_id(user);
            let query = Query::new(&authority, &client_id, &account, &wanted_scopes);
            let found = match cache.lookup(&query, self.now).await.unwrap() {
                Lookup::Usable(token) => (Some(token), Vec::new()),
                Lookup::MustRefresh(refresh, token) => (token, refresh.candidates),
                Lookup::Nothing => (None, Vec::new()),
                Lookup::UsableButRefresh(..) => panic!("no answer had a refresh_in"),
            };
            let expected = self.list.best(&Owner::User(user), client, realm, wanted, self.now);
            self.check_token(found.0.as_ref(), expected);
            if found.0.is_none_or(|token| self.is_ending(&token)) {
                let candidates: Vec<_> = found.1.iter().map(|found| found.refresh_token.expose().to_owned()).collect();
                assert_eq!(candidates, self.list.candidates(user, client));
            }
        }
        let app = AppQuery::new(&authority, &client_id, &wanted_scopes);
        let found = cache.lookup_app(&app, self.now).await.unwrap();
        self.check_grant(found, self.list.best(&Owner::App(client, realm), client, realm, wanted, self.now));
        for (number, token) in ASSERTIONS.iter().enumerate() {
            let assertion = Assertion::from_token(token);
            let found = cache.lookup_assertion(&AssertionQuery::new(&assertion, app.clone()), self.now).await.unwrap();
            self.check_grant(found, self.list.best(&Owner::Assertion(number), client, realm, wanted, self.now));
        }
    }

    fn check_grant(&self, found: GrantLookup, expected: Option<&list::AccessToken>) {
        let (found, is_ending) = match found {
            GrantLookup::Usable(token) => (Some(token), false),
            GrantLookup::MustRequest(_, token) => (token, true),
            GrantLookup::UsableButRefresh(_) => panic!("no answer had a refresh_in"),
        };
        self.check_token(found.as_ref(), expected);
        if let Some(token) = found {
            assert_eq!(is_ending, self.is_ending(&token));
        }
    }

    /// Whether the token should be refreshed first; not while it is new.
    fn is_ending(&self, token: &CachedToken) -> bool {
        let left = self.now.duration_until(token.expires_on()).as_secs();
        left <= 300 && token.cached_at().duration_until(self.now).as_secs() >= 30
    }

    /// Of two that expire together and have as many scopes, either will do.
    fn check_token(&self, found: Option<&CachedToken>, expected: Option<&list::AccessToken>) {
        let of_found = found.map(|token| (token.expires_on(), token.scopes().len(), token.cached_at()));
        let of_expected = expected.map(|token| (token.expires_on, token.scopes.len(), token.cached_at));
        assert_eq!(of_found.map(|(end, number, _)| (end, number)), of_expected.map(|(end, number, _)| (end, number)));
        if let Some(token) = found {
            let secret = token.access_token().expose();
            assert!(self.list.access_token_secrets().iter().any(|known| known == secret), "{secret}");
            assert!(token.expires_on() > self.now, "P-12");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn a_cache_agrees_with_a_plain_list(steps in proptest::collection::vec(step(), 1..40), is_stored in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(is_stored.then(MemoryStorage::new));
            for step in steps {
                world.take(step).await;
                world.check().await;
            }
        });
    }
}

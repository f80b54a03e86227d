//! truncated files, and files with a flipped bit.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use auth::{Account, AccountId, Authority, CacheEvent, Scopes, Secret, TokenCache};
use auth_cache::{Lookup, Query};
use auth_core::{ClientId, Timestamp};
use auth_tests::fixtures::{self, Fixture};
use auth_tests::numbered::Writer;
use auth_tests::plan::{count, report};
use serde_json::Value;

use crate::scene::{Scene, cache};

/// Returns a small cache of one user, written by another library.
fn golden() -> Fixture {
    fixtures::all().into_iter().find(|fixture| fixture.name == "msal-python/a_single_user").unwrap()
}

/// Returns what the cache offers to the application of the fixture: the access token, or the refresh tokens to redeem.
async fn secrets(cache: &TokenCache, fixture: &Fixture) -> Vec<Secret> {
    let (step, person) = (&fixture.meta.steps[0], &fixture.meta.accounts[0]);
    let authority: Authority = step.app.authority();
    let client_id = ClientId::new(&step.app.client_id).unwrap();
    let scopes = Scopes::new(&step.scopes).unwrap();
    let account = Account::new(
        AccountId::new(person.home_account_id.as_str()),
        &person.environment_any_of[0],
        person.username.as_deref().unwrap_or_default(),
    );
    let query = Query::new(&authority, &client_id, &account.home_account_id, &scopes);
    let now = Timestamp::from_unix_seconds(fixture.meta.made_at);
    match cache.lookup(&query, now).await.unwrap() {
        Lookup::Usable(token) => vec![token.access_token().clone()],
        Lookup::UsableButRefresh(token, refresh) => {
            let redeemed = refresh.candidates.into_iter().map(|candidate| candidate.refresh_token);
            redeemed.chain([token.access_token().clone()]).collect()
        }
        Lookup::MustRefresh(refresh, _) => {
            refresh.candidates.into_iter().map(|candidate| candidate.refresh_token).collect()
        }
        Lookup::Nothing => Vec::new(),
    }
}

/// Writes a damaged file, then does a lookup and a store. Returns whether the file was quarantined, and what was found.
async fn survives(scene: &Scene, content: &[u8], fixture: &Fixture, context: &str) -> (bool, Vec<Secret>) {
    let aside = scene.folder().join("cache.json.corrupt");
    drop(fs::remove_file(&aside));
    fs::write(&scene.file, content).unwrap();
    // Old enough that no one can still be writing it.
    let written = SystemTime::now() - Duration::from_secs(5);
    File::options().write(true).open(&scene.file).unwrap().set_modified(written).unwrap();
    let (cache, events) = cache(&scene.file);
    let found = secrets(&cache, fixture).await;
    cache.store(Writer::new("w").update(0)).await.unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(scene.stored(context), 1, "{context}: a later store works");
    let is_quarantined = events.lock().unwrap().iter().any(|event| matches!(event, CacheEvent::Quarantined { .. }));
    assert_eq!(
        fs::read(&aside).ok().as_deref(),
        is_quarantined.then_some(content),
        "{context}: quarantined byte for byte, or not at all"
    );
    (is_quarantined, found)
}

#[tokio::test]
async fn a_truncated_file_is_moved_aside() {
    let (scene, fixture) = (Scene::new(), golden());
    let mut quarantined = 0;
    let step = usize::try_from(count(7, 1)).unwrap();
    let whole = fixture.content.len();
    let lengths: Vec<_> = (0..whole).step_by(step).chain(whole.saturating_sub(8)..=whole).collect();
    for &length in &lengths {
        let context = format!("R-08, truncated to {length}");
        let (is_aside, found) = survives(&scene, &fixture.content[..length], &fixture, &context).await;
        let is_json = matches!(serde_json::from_slice(&fixture.content[..length]), Ok(Value::Object(_)));
        // An empty file is a new one.
        assert_eq!(is_aside, !is_json && length > 0, "{context}");
        assert_eq!(!found.is_empty(), is_json, "{context}: answered if it is intact");
        quarantined += usize::from(is_aside);
    }
    report(
        "R-08",
        &format!(
            "truncated to {} lengths of {whole} bytes: {quarantined} moved aside, a store works after each",
            lengths.len()
        ),
    );
}

#[tokio::test]
async fn a_flipped_bit_gives_no_one_another_users_token() {
    let (scene, fixture) = (Scene::new(), golden());
    let text = String::from_utf8(fixture.content.clone()).unwrap();
    let (mut damaged, mut quarantined, mut answered) = (0_u64, 0_u64, 0_u64);
    for at in (0..text.len()).step_by(usize::try_from(count(5, 1)).unwrap()) {
        for bit in 0..8 {
            let context = format!("R-09, byte {at}, bit {bit}");
            let mut content = fixture.content.clone();
            content[at] ^= 1 << bit;
            let cache = TokenCache::in_memory();
            damaged += 1;
            if cache.merge_json(&content).is_err() {
                quarantined += 1;
                // Only a sample goes through a file, which is slower.
                if quarantined % 100 == 1 {
                    assert!(survives(&scene, &content, &fixture, &context).await.0, "{context}");
                }
                continue;
            }
            let found = secrets(&cache, &fixture).await;
            answered += u64::from(!found.is_empty());
            assert_from_matching_entries(&cache.to_json(), &found, &context);
        }
    }
    assert!(answered > 100 && quarantined > 100, "{answered} answered, {quarantined} moved aside");
    report(
        "R-09",
        &format!(
            "{damaged} bits flipped: {quarantined} moved aside, {answered} answered, each from an entry that matches"
        ),
    );
}

/// Asserts that each secret belongs to an entry that, as written back, is that of the account and the client.
fn assert_from_matching_entries(written: &[u8], found: &[Secret], context: &str) {
    let document: Value =
        serde_json::from_slice(written).unwrap_or_else(|error| panic!("{context}: what we write: {error}"));
    let fixture = golden();
    let (app, person) = (&fixture.meta.steps[0].app, &fixture.meta.accounts[0]);
    let same = |value: &Value, text: &str| value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(text));
    for secret in found {
        let holds = ["AccessToken", "RefreshToken"].iter().any(|name| {
            let entries = document[name].as_object().into_iter().flat_map(|entries| entries.values());
            entries.filter(|entry| entry["secret"] == *secret.expose()).any(|entry| {
                same(&entry["home_account_id"], &person.home_account_id)
                    && same(&entry["client_id"], &app.client_id)
                    && person.environment_any_of.iter().any(|name| same(&entry["environment"], name))
            })
        });
        assert!(holds, "{context}: another user's token");
    }
}

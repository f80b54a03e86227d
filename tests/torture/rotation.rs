//! R-21…R-24: several processes that need a refresh token which may be redeemed only once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use auth::{
    Authority, Body, PublicClient, ReqwestTransport, Scopes, TokenCache, TokenSource, Transport, TransportError,
};
use auth_emulator::{CredentialKind, Emulator, GrantType, Rotation};
use auth_tests::actor::{Actor, words};
use auth_tests::browsers::RobotBrowser;
use auth_tests::cache;
use auth_tests::plan::{count, report};
use bytes::Bytes;
use http::{Method, Request, Response};
use rustix::process::Signal;
use serde_json::Value;

use crate::scene::Scene;

const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
const PROCESSES: usize = 8;

/// A provider that revokes all refresh tokens of a sign-in when one is redeemed twice, and the cache file of a user who
/// has signed in there.
pub(crate) struct SignedIn {
    pub(crate) emulator: Emulator,
    pub(crate) scene: Scene,
}

impl SignedIn {
    pub(crate) async fn start() -> Self {
        Self::at(Scene::new()).await
    }

    async fn at(scene: Scene) -> Self {
        let emulator = Emulator::builder().rotation(Rotation::RevokeFamilyOnReuse).start().await.unwrap();
        let signed_in = Self { emulator, scene };
        signed_in.sign_in().await;
        signed_in
    }

    async fn sign_in(&self) {
        let client = self.client(ReqwestTransport::new());
        let result = client.acquire_token_interactive(&Scopes::parse("User.Read").unwrap()).send().await.unwrap();
        assert!(result.persisted());
    }

    /// Creates a client in this process.
    fn client(&self, transport: impl Transport) -> PublicClient {
        let builder = PublicClient::builder(CLIENT)
            .authority(Authority::parse(&self.emulator.authority()).unwrap())
            .cache(Arc::new(TokenCache::from_shared(self.scene.storage())))
            .transport(transport)
            .browser(RobotBrowser::user("ada@contoso.example"));
        builder.build().unwrap()
    }

    pub(crate) fn file(&self) -> &PathBuf {
        &self.scene.file
    }

    pub(crate) fn expire(&self) {
        cache::expire_file(&self.scene.file);
    }

    /// Returns the refresh token in the file.
    fn refresh_token(&self) -> String {
        let mut secrets = cache::secrets(&cache::read_file(&self.scene.file), "RefreshToken");
        assert_eq!(secrets.len(), 1);
        secrets.remove(0)
    }

    fn refreshes(&self) -> u64 {
        self.emulator.ledger().token_requests(GrantType::RefreshToken)
    }

    /// Starts a program.
    async fn program(&self) -> Actor {
        let authority = self.emulator.authority();
        Actor::ready(words(&self.scene.argument(), "w").into_iter().chain([authority.as_ref()])).await
    }

    async fn programs(&self, count: usize) -> Vec<Actor> {
        let mut programs = Vec::new();
        for _ in 0..count {
            programs.push(self.program().await);
        }
        programs
    }

    /// Waits until a refresh token has been redeemed `count` times.
    async fn redeemed(&self, refresh_token: &str, count: u64) {
        let begun = Instant::now();
        while self.emulator.ledger().redemption_of(refresh_token).is_none_or(|seen| seen.successes < count) {
            assert!(begun.elapsed() < Duration::from_secs(30), "no one redeems it");
            tokio::task::yield_now().await;
        }
    }
}

async fn silent(program: &mut Actor) -> Value {
    serde_json::from_str(&program.ask("silent").await).unwrap()
}

//
#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_redeem_a_refresh_token_once() {
    redeem("a plain file", SignedIn::start().await, count(20, 1_000)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_with_an_encrypted_file_redeem_a_refresh_token_once() {
    redeem("an encrypted file", SignedIn::at(Scene::encrypted()).await, count(5, 200)).await;
}

async fn redeem(what: &str, signed_in: SignedIn, rounds: u64) {
    for round in 1..=rounds {
        let context = format!("R-21, {what}, round {round}");
        signed_in.expire();
        let mut programs = signed_in.programs(PROCESSES).await;
        for program in &mut programs {
            program.tell("silent").await;
        }
        let mut answers = Vec::new();
        for mut program in programs {
            answers.push(serde_json::from_str::<Value>(&program.hear().await.unwrap()).unwrap());
        }
        assert_eq!(signed_in.refreshes(), round, "{context}: one redemption per round");
        assert!(answers.iter().all(|answer| answer["token"] == answers[0]["token"]), "{context}: {answers:?}");
        assert!(answers.iter().all(|answer| answer["persisted"] == true), "{context}: {answers:?}");
        let asked = answers.iter().filter(|answer| answer["source"] == "IdentityProvider").count();
        assert_eq!(asked, 1, "{context}: {answers:?}");
    }
    let redeemed = signed_in.emulator.ledger().redemptions(CredentialKind::RefreshToken);
    assert!(redeemed.iter().all(|seen| (seen.attempts, seen.successes) == (1, 1)), "R-22: {redeemed:?}");
    let context = format!(
        "{what}, {rounds} rounds of {PROCESSES} processes: 1 redemption each, {PROCESSES} equal tokens, never revoked"
    );
    report("R-21, R-22", &context);
}

/// Starts a program that has redeemed but cannot store the result, because another one holds the document's lock.
/// Returns both.
async fn blocked_redeemer(signed_in: &SignedIn) -> (Actor, Actor) {
    let mut holder = Actor::at(signed_in.file()).await;
    holder.must("hold", "held").await;
    let mut redeemer = signed_in.program().await;
    redeemer.tell("silent").await;
    signed_in.redeemed(&signed_in.refresh_token(), 1).await;
    (redeemer, holder)
}

// the new tokens are lost, but no one waits for them.
#[tokio::test(flavor = "multi_thread")]
async fn if_a_redeemer_dies_before_it_has_stored_the_others_must_sign_in() {
    let signed_in = SignedIn::start().await;
    signed_in.expire();
    let before = signed_in.refresh_token();
    let (redeemer, mut holder) = blocked_redeemer(&signed_in).await;
    assert_eq!(redeemer.kill().await, Vec::<String>::new());
    holder.must("release", "released").await;

    let begun = Instant::now();
    let mut programs = signed_in.programs(3).await;
    for program in &mut programs {
        program.tell("silent").await;
    }
    for mut program in programs {
        let answer: Value = serde_json::from_str(&program.hear().await.unwrap()).unwrap();
        assert_eq!(answer["error"], "ui_required", "R-23: {answer}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "R-23: no one waits for the dead process: {:?}",
        begun.elapsed()
    );
    assert_eq!(signed_in.refresh_token(), before, "R-23: the refresh token is not deleted");
    // A sign-in fixes it.
    signed_in.sign_in().await;
    signed_in.expire();
    assert_eq!(silent(&mut signed_in.program().await).await["source"], "IdentityProvider", "R-23");
    report("R-23", "a redeemer killed between answer and store: the others must sign in, and learn so at once");
}

// once the budget for locks is used up, availability comes first.
#[tokio::test(flavor = "multi_thread")]
async fn others_wait_ten_seconds_for_a_stopped_redeemer() {
    let signed_in = SignedIn::start().await;
    signed_in.expire();
    let (mut redeemer, mut holder) = blocked_redeemer(&signed_in).await;
    redeemer.signal(Signal::STOP);
    holder.must("release", "released").await;
    let mut other = signed_in.program().await;
    let begun = Instant::now();
    let answer = silent(&mut other).await;
    let waited = begun.elapsed();
    assert_eq!(answer["error"], "ui_required", "R-23: the old refresh token is no longer valid: {answer}");
    assert!((Duration::from_secs(9)..Duration::from_secs(15)).contains(&waited), "R-23: {waited:?}");
    assert_eq!(other.ask("events").await, "LockTimedOut", "R-23: reported");
    redeemer.signal(Signal::CONT);
    let late: Value = serde_json::from_str(&redeemer.hear().await.unwrap()).unwrap();
    assert_eq!((&late["source"], &late["persisted"]), (&"IdentityProvider".into(), &true.into()), "R-23: {late}");
    assert_eq!(silent(&mut other).await["token"], late["token"], "R-23: tokens that were stored late are used");
    report(
        "R-23",
        &format!("a redeemer stopped before it has stored: the others continue after {} ms", waited.as_millis()),
    );
}

/// Simulates a library without our lock that redeems each token just before we do, for the first `times` redemptions.
/// It writes the result to the file in place.
struct Overtaken {
    inner: ReqwestTransport,
    file: PathBuf,
    times: AtomicU64,
    /// Whether it also stores a valid access token.
    stores_valid: bool,
}

impl Overtaken {
    fn write(&self, answer: &Response<Bytes>) {
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        let secret = |entry: &mut Value, name: &str| entry["secret"] = answer[name].clone();
        cache::change_file(&self.file, |document| {
            for entry in document["RefreshToken"].as_object_mut().unwrap().values_mut() {
                secret(entry, "refresh_token");
            }
            for entry in document["AccessToken"].as_object_mut().unwrap().values_mut() {
                secret(entry, "access_token");
            }
            if self.stores_valid {
                cache::set_time(document, "expires_on", cache::now() + 3_600);
            }
        });
    }
}

impl Transport for Overtaken {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        let is_left = |times: u64| times.checked_sub(1);
        if request.method() == Method::POST
            && self.times.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_left).is_ok()
        {
            self.write(&self.inner.send(request.clone()).await?);
        }
        self.inner.send(request).await
    }
}

//
#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_a_newer_token_that_another_program_stored_is_used() {
    for (times, stores_valid, source) in [
        (1, false, Ok(TokenSource::IdentityProvider)),
        (1, true, Ok(TokenSource::Cache)),
        // Gives up after the second refusal.
        (2, false, Err(())),
    ] {
        let context = format!("R-24, overtaken {times} times, valid {stores_valid}");
        let signed_in = SignedIn::start().await;
        // Must not revoke all tokens, which would end the sign-in.
        signed_in.emulator.set_rotation(Rotation::Rotate);
        signed_in.expire();
        let (inner, file) = (ReqwestTransport::new(), signed_in.file().clone());
        let client = signed_in.client(Overtaken { inner, file, times: times.into(), stores_valid });
        let answer = client.acquire_token_silent(&Scopes::parse("User.Read").unwrap(), None).send().await;
        assert_eq!(answer.as_ref().map(|result| result.source()).map_err(drop), source, "{context}: {answer:?}");
        // The stored one is the newest, which has not been redeemed.
        let newest = signed_in.refresh_token();
        assert_eq!(signed_in.emulator.ledger().redemption_of(&newest), None, "{context}");
    }
    report("R-24", "refused while the file has a newer refresh token: that one is redeemed, and never deleted");
}

/// Records when an answer arrives.
struct Noting {
    inner: ReqwestTransport,
    answered: Arc<std::sync::Mutex<Option<Instant>>>,
}

impl Transport for Noting {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        let answer = self.inner.send(request).await;
        *self.answered.lock().unwrap() = Some(Instant::now());
        answer
    }
}

// the time during which a crash would lose the new tokens.
#[tokio::test(flavor = "multi_thread")]
async fn the_window_between_the_answer_and_the_store_is_measured() {
    let signed_in = SignedIn::start().await;
    let answered = Arc::default();
    let client = signed_in.client(Noting { inner: ReqwestTransport::new(), answered: Arc::clone(&answered) });
    let mut windows = Vec::new();
    for _ in 0..count(20, 200) {
        signed_in.expire();
        let result = client.acquire_token_silent(&Scopes::parse("User.Read").unwrap(), None).send().await.unwrap();
        assert!(result.persisted() && result.source() == TokenSource::IdentityProvider);
        windows.push(answered.lock().unwrap().take().expect("the provider was asked").elapsed());
    }
    windows.sort();
    let (median, longest) = (windows[windows.len() / 2].as_micros(), windows.last().unwrap().as_micros());
    report("R-23", &format!("from answer to store: {median} µs in the median, at most {longest} µs"));
}

//! The facade: its log, events, pages, files, and everything with `Debug` or `Display`.

use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth::{
    AuthError, AuthResult, Authority, FileStorage, PublicClient, PublicClientBuilder, ReqwestTransport, Scopes,
};
use auth_emulator::{Emulator, Endpoint, Fault, Robot};
use auth_tests::browsers::RobotBrowser;
use auth_tests::cache;
use auth_tests::canary::{assert_absent, challenge};
use auth_tests::transports::Recording;

use crate::listener::Listener;

const ADA: &str = "ada@contoso.example";
/// Takes the place of tokens in broken responses.
const PLANTED: &str = "canary-5f1d0c0e7b9a4e3d8c2b6a1f";

struct Watched {
    emulator: Emulator,
    transport: Recording<ReqwestTransport>,
    storage: FileStorage,
    browser: RobotBrowser,
    client: PublicClient,
    shown: String,
    /// The client's events.
    events: Arc<Mutex<String>>,
}

impl Watched {
    async fn start(folder: &Path) -> Self {
        let emulator = Emulator::builder().device_interval(Duration::from_secs(1)).start().await.unwrap();
        let transport = Recording::over(ReqwestTransport::new());
        let storage = FileStorage::at(folder.join("tokens.json")).unwrap();
        let browser = RobotBrowser::user(ADA);
        let events = Arc::default();
        let builder = builder(&emulator, &transport, &storage, &events).browser(browser.clone());
        let shown = format!("{builder:?} {builder:#?}");
        Self { emulator, transport, storage, browser, client: builder.build().unwrap(), shown, events }
    }

    /// Has a refresh fail while the token is still valid, in a new client, so that no earlier failure prevents it.
    async fn fail_refresh(&mut self, fault: Fault) {
        cache::change(&self.storage, |document| cache::set_time(document, "expires_on", cache::now() + 200)).await;
        self.client = builder(&self.emulator, &self.transport, &self.storage, &self.events)
            .browser(self.browser.clone())
            .build()
            .unwrap();
        self.next(fault);
        self.silent(false).await;
        self.emulator.faults().clear();
    }

    fn show(&mut self, what: &impl Debug) {
        write!(self.shown, "{what:?}\n{what:#?}\n").unwrap();
    }

    fn show_outcome(&mut self, outcome: Result<AuthResult, AuthError>) {
        self.show(&outcome);
        match outcome {
            Ok(result) => {
                for part in [
                    format!("{:?}", result.access_token()),
                    format!("{:?}", result.id_token()),
                    format!("{:?}", result.account()),
                    format!("{} {:?}", result.scopes(), result.persistence_error()),
                ] {
                    self.shown.push_str(&part);
                }
            }
            Err(error) => {
                let mut cause: Option<&dyn std::error::Error> = Some(&error);
                while let Some(error) = cause {
                    write!(self.shown, "{error}\n{error:#}\n{error:?}\n").unwrap();
                    cause = error.source();
                }
            }
        }
    }

    async fn silent(&mut self, force: bool) {
        let scopes = Scopes::parse("User.Read").unwrap();
        let client = self.client.clone();
        let request = client.acquire_token_silent(&scopes, None).force_refresh(force);
        self.show(&request);
        let outcome = request.send().await;
        self.show_outcome(outcome);
    }

    async fn interactive(&mut self) {
        let scopes = Scopes::parse("User.Read").unwrap();
        let request = self.client.acquire_token_interactive(&scopes);
        self.show(&request);
        let outcome = request.send().await;
        self.show_outcome(outcome);
    }

    /// Signs in on another device. Returns the code that the user entered, if there was one.
    async fn device_code(&mut self, robot: Robot) -> Option<String> {
        let scopes = Scopes::parse("User.Read").unwrap();
        let request = self.client.acquire_token_by_device_code(&scopes);
        self.show(&request);
        match request.start().await {
            Ok(pending) => {
                let code = pending.code().clone();
                self.show(&(&pending, &code));
                robot.enter_code(&code.verification_uri.to_string(), &code.user_code).await.unwrap();
                let outcome = pending.wait().await;
                self.show_outcome(outcome);
                Some(code.user_code)
            }
            Err(error) => {
                self.show_outcome(Err(error));
                None
            }
        }
    }

    fn next(&self, fault: impl Into<Fault>) {
        self.emulator.faults().push_times(Endpoint::Token, 2, fault.into());
    }
}

fn builder(
    emulator: &Emulator,
    transport: &Recording<ReqwestTransport>,
    storage: &FileStorage,
    events: &Arc<Mutex<String>>,
) -> PublicClientBuilder {
    let events = Arc::clone(events);
    PublicClient::builder("c0ffee00-0000-4000-8000-000000000001")
        .authority(Authority::parse(&emulator.authority()).unwrap())
        .transport(transport.clone())
        .storage(storage.clone())
        .on_event(move |event| write!(events.lock().unwrap(), "{event:?}\n{event:#?}\n").unwrap())
}

/// Responses that contain a token although something is wrong with them.
fn broken_responses() -> Vec<Fault> {
    let json = |body: String| Fault::status(200).content_type("application/json").body(body).into();
    vec![
        json(format!("{{\"access_token\":\"{PLANTED}\",\"token_type\":\"mac\",\"expires_in\":1}}")),
        json(format!("{{\"access_token\":\"{PLANTED}\"")),
        json(format!("{{\"access_token\":\"{PLANTED}\",\"access_token\":\"{PLANTED}\"}}")),
        json(format!("{{\"access_token\":\"{PLANTED} {PLANTED}\",\"token_type\":\"Bearer\"}}")),
        json(format!(
            "{{\"access_token\":\"{PLANTED}\",\"token_type\":\"Bearer\",\"expires_in\":60,\"id_token\":\"{PLANTED}\"}}"
        )),
        json(format!(
            "{{\"access_token\":\"{PLANTED}\",\"token_type\":\"Bearer\",\"expires_in\":60,\"client_info\":\"{PLANTED}\"}}"
        )),
        Fault::html(format!("<p>{PLANTED}</p>")).into(),
        Fault::status(500).body(PLANTED).into(),
        Fault::status(400).content_type("application/json").body(format!("{{\"refresh_token\":\"{PLANTED}\"}}")).into(),
        Fault::redirect(format!("https://elsewhere.example/{PLANTED}?code={PLANTED}")).into(),
    ]
}

#[tokio::test]
async fn s111_no_secret_in_logs_debug_output_errors_pages_or_other_files() {
    let listener = Listener::to_this_process();
    let folder = tempfile::tempdir().unwrap();
    let mut watched = Watched::start(folder.path()).await;
    watched.silent(false).await;
    watched.interactive().await;
    watched.silent(false).await;
    watched.silent(true).await;
    cache::expire(&watched.storage).await;
    watched.silent(false).await;
    watched.next(Fault::oauth("invalid_grant").suberror("basic_action"));
    watched.silent(true).await;
    watched.emulator.faults().clear();
    watched.next(Fault::LoseAnswer);
    watched.silent(true).await;
    watched.emulator.faults().clear();
    // The refresh token was lost with the response, so the user signs in again.
    watched.interactive().await;
    for fault in broken_responses() {
        watched.next(fault.clone());
        watched.silent(true).await;
        watched.emulator.faults().clear();
        watched.next(fault);
        watched.interactive().await;
        watched.emulator.faults().clear();
    }
    for fault in broken_responses() {
        watched.fail_refresh(fault).await;
    }
    let refusal = Fault::oauth("invalid_grant").description(PLANTED);
    watched.fail_refresh(refusal.into()).await;
    let events = watched.events.lock().unwrap().clone();
    assert!(events.contains("RefreshFailed") && events.contains("InteractionHint"), "{events}");
    let (client, account) = (watched.client.clone(), watched.client.accounts().await.unwrap().remove(0));
    watched.show(&client);
    watched.show(&account);
    watched.show(&watched.storage.clone());
    client.remove_account(&account).await.unwrap();
    client.close().await;

    let mut secrets = watched.transport.secrets();
    for name in ["access_token", "refresh_token", "id_token", "code", "code_verifier"] {
        assert!(secrets.iter().any(|(known, _)| known == name), "no {name} went over the wire");
    }
    let log = listener.text();
    assert!(log.len() > 100, "something was logged");
    let pages = watched.browser.pages().join("\n");
    assert!(pages.contains("Return to the application"));
    let urls = watched.browser.urls().join("\n");
    secrets.push(("planted token".to_owned(), PLANTED.to_owned()));
    assert_absent("an event", &events, &secrets);
    for (place, text) in [("a page", &pages), ("an address", &urls)] {
        assert_absent(place, text, &secrets);
    }
    // Only the browser gets the URL of the sign-in page (S-110).
    for url in watched.browser.urls() {
        for (name, value) in form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes()) {
            if matches!(&*name, "state" | "nonce") {
                secrets.push((name.into_owned(), value.into_owned()));
            }
        }
    }
    assert_absent("the log", &log, &secrets);
    assert_absent("Debug or Display", &watched.shown, &secrets);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert_absent(&path.display().to_string(), &text, &secrets);
    }
    watched.emulator.shutdown().await;
}

/// Responses that contain a device code although something is wrong with them.
fn broken_codes() -> Vec<Fault> {
    let with = |device_code: &str, rest: &str| {
        let body = format!("{{\"device_code\":\"{device_code}\",\"expires_in\":900{rest}}}");
        Fault::status(200).content_type("application/json").body(body).into()
    };
    let (user_code, uri) = (",\"user_code\":\"A\"", ",\"verification_uri\":\"http://127.0.0.1/\"");
    vec![
        with(PLANTED, ""),
        with(PLANTED, user_code),
        with(PLANTED, &format!("{user_code},\"verification_uri\":\"http://elsewhere.example/{PLANTED}\"")),
        with(PLANTED, &format!("{user_code}{uri},\"interval\":\"{PLANTED}\"")),
        with(&format!("{PLANTED} {PLANTED}"), &format!("{user_code}{uri}")),
        with(PLANTED, &format!(",\"error\":\"invalid_request\",\"error_description\":\"{PLANTED}")),
        Fault::status(400).content_type("text/plain").body(PLANTED).into(),
    ]
}

#[tokio::test]
async fn s111_no_secret_of_a_sign_in_on_another_device_leaks() {
    let listener = Listener::to_this_process();
    let folder = tempfile::tempdir().unwrap();
    let mut watched = Watched::start(folder.path()).await;
    let mut user_codes = Vec::new();
    for robot in [Robot::new(), Robot::new().decline_consent()] {
        user_codes.extend(watched.device_code(robot).await);
    }
    assert_eq!(user_codes.len(), 2);
    for fault in broken_codes() {
        watched.emulator.faults().push(Endpoint::DeviceAuthorization, fault);
        assert_eq!(watched.device_code(Robot::new()).await, None);
    }
    // Broken responses to polling.
    for fault in broken_responses() {
        watched.emulator.faults().push(Endpoint::Token, fault);
        user_codes.extend(watched.device_code(Robot::new()).await);
    }
    let mut secrets = watched.transport.secrets();
    assert!(secrets.iter().filter(|(name, _)| name == "device_code").count() > user_codes.len());
    assert!(secrets.iter().any(|(name, _)| name == "access_token"));
    secrets.push(("planted code".to_owned(), PLANTED.to_owned()));
    let (log, events) = (listener.text(), watched.events.lock().unwrap().clone());
    for (place, text) in [("the log", &log), ("Debug or Display", &watched.shown), ("an event", &events)] {
        assert_absent(place, text, &secrets);
        assert!(!user_codes.iter().any(|code| text.contains(code)), "{place} contains a user code");
    }
}

#[tokio::test]
async fn s111_no_secret_leaks_when_another_user_or_no_one_signs_in() {
    let listener = Listener::to_this_process();
    let folder = tempfile::tempdir().unwrap();
    let mut watched = Watched::start(folder.path()).await;
    watched.interactive().await;
    let ada = watched.client.accounts().await.unwrap().remove(0);
    let scopes = Scopes::parse("User.Read").unwrap();
    for robot in [Robot::new().user("grace@contoso.example"), Robot::new().cancel(), Robot::new().user("nobody")] {
        let client = PublicClient::builder("c0ffee00-0000-4000-8000-000000000001")
            .authority(Authority::parse(&watched.emulator.authority()).unwrap())
            .transport(watched.transport.clone())
            .storage(watched.storage.clone())
            .browser(RobotBrowser::of(robot))
            .build()
            .unwrap();
        let outcome = client.acquire_token_interactive(&scopes).account(&ada).send().await;
        assert!(outcome.is_err());
        watched.show_outcome(outcome);
    }
    let secrets = watched.transport.secrets();
    assert!(secrets.iter().filter(|(name, _)| name == "code").count() == 2);
    let verifier = &secrets.iter().find(|(name, _)| name == "code_verifier").unwrap().1;
    assert!(watched.browser.urls()[0].contains(&challenge(verifier)), "the verifier is known");
    assert_absent("the log", &listener.text(), &secrets);
    assert_absent("Debug or Display", &watched.shown, &secrets);
}

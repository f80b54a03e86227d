//! Several calls that need the user at the same time show one sign-in page.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use auth::{
    AuthError, AuthResult, Browser, BrowserError, Claims, DeviceCode, FileStorage, MemoryStorage, Storage, TokenSource,
};
use auth_emulator::{Emulator, Endpoint, Robot};
use auth_tests::browsers::Nobody;
use auth_tests::device::Waiting;
use auth_tests::program::PATIENCE;
use http::Uri;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::cli::Cli;
use crate::fixture::{ADA, CLIENT, client, scopes};

/// Hands each page to the test, which plays the user.
struct Handed(UnboundedSender<String>);

impl Browser for Handed {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.0.send(url.to_string()).map_err(|error| BrowserError::Other(error.to_string()))
    }
}

fn browser() -> (Handed, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    (Handed(sender), receiver)
}

async fn user_signs_in(page: &str) {
    Robot::new().user(ADA).visit(page).await.unwrap();
}

type Call<'a> = Pin<&'a mut dyn Future<Output = Result<AuthResult, AuthError>>>;

/// Polls a call as far as it gets on its own.
async fn is_waiting(call: &mut Call<'_>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await
}

/// Two programs over one store; the first shows its page.
async fn two_programs(storage: impl Storage + Clone) {
    let emulator = Emulator::start().await.unwrap();
    let (wanted, (first, mut firsts), (second, mut seconds)) = (scopes(), browser(), browser());
    let (first, second) = (client(&emulator, storage.clone(), first), client(&emulator, storage.clone(), second));
    let (mut one, mut two) = (pin!(first.acquire_token(&wanted).send()), pin!(second.acquire_token(&wanted).send()));
    let page = tokio::select! {
        page = firsts.recv() => page.unwrap(),
        answer = &mut one => panic!("{answer:?}"),
    };
    assert!(is_waiting(&mut (two.as_mut() as Call<'_>)).await);
    let (answers, ()) = tokio::join!(async { tokio::join!(one, two) }, user_signs_in(&page));
    let sources = (answers.0.unwrap().source(), answers.1.unwrap().source());
    assert_eq!(sources, (TokenSource::IdentityProvider, TokenSource::Cache));
    assert!(seconds.try_recv().is_err() && firsts.try_recv().is_err(), "no second page");
}

#[tokio::test]
async fn the_second_program_waits_for_the_first_and_finds_its_token() {
    two_programs(MemoryStorage::new()).await;
    let folder = tempfile::tempdir().unwrap();
    two_programs(FileStorage::at(folder.path().join("tokens.json")).unwrap()).await;
}

#[tokio::test]
async fn the_second_call_of_one_client_waits_for_the_first_without_a_store() {
    let emulator = Emulator::start().await.unwrap();
    let (handed, mut pages) = browser();
    let authority = auth::Authority::parse(&emulator.authority()).unwrap();
    let app = auth::PublicClient::builder(CLIENT).authority(authority).browser(handed).build().unwrap();
    let wanted = scopes();
    let (mut one, mut two) = (pin!(app.acquire_token(&wanted).send()), pin!(app.acquire_token(&wanted).send()));
    let page = tokio::select! {
        page = pages.recv() => page.unwrap(),
        answer = &mut one => panic!("{answer:?}"),
    };
    assert!(is_waiting(&mut (two.as_mut() as Call<'_>)).await);
    let (answers, ()) = tokio::join!(async { tokio::join!(one, two) }, user_signs_in(&page));
    assert_eq!((answers.0.is_ok(), answers.1.unwrap().source()), (true, TokenSource::Cache));
    assert!(pages.try_recv().is_err(), "no second page");
}

/// A call shows its own page if the sign-in that it waited for came to nothing, or if it wants more than a token.
#[tokio::test]
async fn a_call_that_finds_nothing_shows_its_own_page() {
    let emulator = Emulator::start().await.unwrap();
    let (storage, wanted) = (MemoryStorage::new(), scopes());
    let claims = || Claims::parse(r#"{"id_token":{"auth_time":{"essential":true}}}"#).unwrap();
    for (gives_up, asks_for_claims) in [(true, false), (false, true)] {
        let ((first, mut firsts), (second, mut seconds)) = (browser(), browser());
        let (first, second) = (client(&emulator, storage.clone(), first), client(&emulator, storage.clone(), second));
        let mut one = Box::pin(first.acquire_token(&wanted).send());
        let page = tokio::select! {
            page = firsts.recv() => page.unwrap(),
            answer = &mut one => panic!("{answer:?}"),
        };
        let two = second.acquire_token(&wanted);
        let two = if asks_for_claims { two.claims(claims()) } else { two };
        let mut two = pin!(two.send());
        assert!(is_waiting(&mut (two.as_mut() as Call<'_>)).await);
        if gives_up {
            drop(one);
        } else {
            let (answer, ()) = tokio::join!(one, user_signs_in(&page));
            answer.unwrap();
        }
        let show = async { user_signs_in(&seconds.recv().await.unwrap()).await };
        let (answer, ()) = tokio::join!(two, show);
        assert_eq!(answer.unwrap().source(), TokenSource::IdentityProvider);
        second.remove_account(&second.accounts().await.unwrap()[0]).await.unwrap();
    }
}

/// A sign-in on another device and one in a browser wait for each other, whichever is first.
#[tokio::test]
async fn a_browser_and_another_device_share_one_sign_in() {
    let emulator = Emulator::start().await.unwrap();
    for browser_first in [true, false] {
        let (storage, wanted, (handed, mut pages)) = (MemoryStorage::new(), scopes(), browser());
        let (desktop, terminal) = (client(&emulator, storage.clone(), handed), client(&emulator, storage, Nobody));
        let Err(AuthError::UiRequired(ui)) = terminal.acquire_token_silent(&wanted, None).send().await else {
            panic!()
        };
        let (codes, mut shown) = unbounded_channel();
        let show =
            move |code: &DeviceCode| codes.send((code.verification_uri.to_string(), code.user_code.clone())).unwrap();
        let on_desktop: Call<'_> = pin!(desktop.acquire_token(&wanted).send());
        let on_device: Call<'_> = pin!(terminal.acquire_token_by_device_code(&wanted).satisfying(&ui).send(show));
        let (mut one, mut two) = if browser_first { (on_desktop, on_device) } else { (on_device, on_desktop) };
        let user = async {
            tokio::select! {
                page = pages.recv() => user_signs_in(&page.unwrap()).await,
                code = shown.recv() => {
                    let (address, code) = code.unwrap();
                    Robot::new().user(ADA).enter_code(&address, &code).await.map(drop).unwrap();
                }
            }
        };
        assert!(is_waiting(&mut one).await && is_waiting(&mut two).await);
        let (one, two, ()) = tokio::join!(one, two, user);
        let sources = (one.unwrap().source(), two.unwrap().source());
        assert_eq!(sources, (TokenSource::IdentityProvider, TokenSource::Cache), "browser first: {browser_first}");
    }
}

/// A call that does not follow a silent one shows its page at once.
#[tokio::test]
async fn a_plain_interactive_call_does_not_wait() {
    let emulator = Emulator::start().await.unwrap();
    let (storage, wanted, (handed, mut pages)) = (MemoryStorage::new(), scopes(), browser());
    let app = client(&emulator, storage, handed);
    let (mut one, mut two) =
        (pin!(app.acquire_token(&wanted).send()), pin!(app.acquire_token_interactive(&wanted).send()));
    let pages = async { (pages.recv().await.unwrap(), pages.recv().await.unwrap()) };
    let pages = tokio::select! {
        pages = pages => pages,
        answer = &mut one => panic!("{answer:?}"),
        answer = &mut two => panic!("{answer:?}"),
    };
    let users = async { tokio::join!(user_signs_in(&pages.0), user_signs_in(&pages.1)) };
    let (one, two, _) = tokio::join!(one, two, users);
    assert!(one.is_ok() && two.is_ok());
}

/// Returns the next line that contains `text`.
async fn line_with(lines: &mut Lines<BufReader<ChildStderr>>, text: &str) -> String {
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        if line.contains(text) {
            return line.trim().to_owned();
        }
    }
}

async fn token(child: Child) -> Value {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn two_programs_show_one_code() {
    let cli = Cli::of(Emulator::builder().device_interval(Duration::from_secs(1))).await;
    let run = || cli.auth("token --scope User.Read --device-code --output json").env("BROWSER", "/bin/false");
    let first = Waiting::start(run()).await;
    let mut second = run().start();
    let mut said = BufReader::new(second.stderr.take().unwrap()).lines();
    line_with(&mut said, "another program is signing the user in").await;
    Robot::new().user(ADA).enter_code(&first.address, &first.user_code).await.unwrap();
    assert_eq!(first.end().await.expect(0).json()["source"], "identity_provider");
    assert_eq!(token(second).await["source"], "cache");
    assert_eq!(cli.emulator.ledger().count(Endpoint::DeviceAuthorization), 1);
}

#[tokio::test]
async fn two_programs_open_one_browser() {
    let cli = Cli::start().await;
    let start = || {
        let mut child = cli.auth("token --scope User.Read --output json").env("BROWSER", "/bin/true").start();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        (child, lines)
    };
    let (first, mut said) = start();
    let page = line_with(&mut said, "http").await;
    let (second, mut said) = start();
    line_with(&mut said, "another program is signing the user in").await;
    user_signs_in(&page).await;
    assert_eq!(token(first).await["source"], "identity_provider");
    assert_eq!(token(second).await["source"], "cache");
    assert_eq!(cli.asked().0, 1);
}

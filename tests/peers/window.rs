//! Sign-ins at the emulator with a real browser in which other things happen at the same time.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth::{
    AuthError, AuthResult, Authority, Browser, BrowserError, Cancelled, InteractiveRequest, PublicClient, Scopes,
    TokenSource,
};
use auth_emulator::{Emulator, Endpoint, Fault};
use auth_tests::peer::{installed, script};
use auth_tests::program::{Home, PATIENCE};
use http::Uri;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";

/// Chromium with one profile, see `window.mjs`.
struct Window {
    input: AsyncMutex<ChildStdin>,
    waiting: Waiting,
    child: Child,
    _home: Home,
}

/// The waiters, by the id of the answer they wait for.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

impl Window {
    async fn open() -> Self {
        let home = Home::default();
        let mut command = Command::new("node");
        command.arg(script("window.mjs")).env_clear().env("HOME", home.path());
        for name in ["PATH", "AUTH_TEST_NODE_MODULES", "AUTH_TEST_CHROMIUM"] {
            command.env(name, installed(name));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        assert_eq!(ready.as_deref(), Some(r#"{"ready":true}"#));
        let waiting = Waiting::default();
        let answered = Arc::clone(&waiting);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let answer: Value = serde_json::from_str(&line).unwrap();
                let asked = answered.lock().unwrap().remove(&answer["id"].as_u64().unwrap());
                drop(asked.unwrap().send(answer));
            }
        });
        Self { input: AsyncMutex::new(child.stdin.take().unwrap()), waiting, child, _home: home }
    }

    /// Makes a tab do this, and waits for the outcome.
    async fn tab(&self, does: &str, url: &str) -> Value {
        let (sender, answer) = oneshot::channel();
        let id = rand::random::<u32>().into();
        self.waiting.lock().unwrap().insert(id, sender);
        let line = format!("{}\n", json!({"id": id, "does": does, "url": url}));
        self.input.lock().await.write_all(line.as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time").expect("Chromium lives");
        assert!(answer.get("error").is_none(), "{does}: {answer}");
        answer
    }

    async fn close(mut self) {
        drop(self.input);
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        assert!(ended.expect("it ends when its input is closed").unwrap().success());
    }
}

/// Hands each page to the test, which plays the user.
struct Handed(UnboundedSender<String>);

impl Browser for Handed {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.0.send(url.to_string()).map_err(|error| BrowserError::Other(error.to_string()))
    }
}

#[derive(Clone, Copy, Debug)]
enum Answers {
    ByFormPost,
    ByQuery,
}

/// An application at an emulator, and the pages that it shows.
struct App {
    client: PublicClient,
    pages: UnboundedReceiver<String>,
}

impl App {
    fn new(emulator: &Emulator, answers: Answers) -> Self {
        let (sender, pages) = unbounded_channel();
        let authority = match answers {
            Answers::ByFormPost => emulator.authority(),
            Answers::ByQuery => {
                let issuer = format!("{}/v2.0", emulator.authority());
                let endpoint = |name: &str| format!("{}/oauth2/v2.0/{name}", emulator.authority());
                let document = json!({
                    "issuer": issuer,
                    "authorization_endpoint": endpoint("authorize"),
                    "token_endpoint": endpoint("token"),
                    "response_modes_supported": ["query"],
                });
                let document = Fault::status(200).content_type("application/json").body(document.to_string());
                emulator.faults().push(Endpoint::Discovery, document);
                issuer
            }
        };
        let authority = match answers {
            Answers::ByFormPost => Authority::parse(&authority),
            Answers::ByQuery => Authority::oidc(&authority),
        };
        let client = PublicClient::builder(CLIENT).authority(authority.unwrap()).browser(Handed(sender));
        Self { client: client.build().unwrap(), pages }
    }

    fn sign_in(&self) -> InteractiveRequest {
        self.client.acquire_token_interactive(&Scopes::parse("User.Read").unwrap())
    }

    /// A whole sign-in; `user` runs once the page is requested.
    async fn with<T>(&mut self, user: impl AsyncFnOnce(String) -> T) -> (Result<AuthResult, AuthError>, T) {
        let (call, pages) = (self.sign_in().send(), &mut self.pages);
        tokio::join!(call, async { user(pages.recv().await.unwrap()).await })
    }

    /// The user signs in and sees the page of the application.
    async fn succeeds(&mut self, window: &Window) {
        let (result, page) = self.with(async |url| window.tab("accept", &url).await).await;
        check(&result.unwrap(), &page);
    }
}

fn check(result: &AuthResult, page: &Value) {
    assert_eq!(result.source(), TokenSource::IdentityProvider);
    assert!(page["text"].as_str().unwrap().contains("Return to the application"), "{page}");
    assert!(!page["url"].as_str().unwrap().contains("code="), "no code stays in the address bar");
}

/// The port on which the response is awaited.
fn port(url: &str) -> u16 {
    let (_, rest) = url.split_once("redirect_uri=http%3A%2F%2Flocalhost%3A").unwrap();
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

async fn start() -> (Emulator, Window) {
    tokio::join!(async { Emulator::start().await.unwrap() }, Window::open())
}

#[tokio::test]
async fn sign_in_works_by_form_post_and_by_query() {
    let (emulator, window) = start().await;
    for answers in [Answers::ByFormPost, Answers::ByQuery] {
        App::new(&emulator, answers).succeeds(&window).await;
        let asked = emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
        let mode = if matches!(answers, Answers::ByQuery) { "query" } else { "form_post" };
        assert_eq!(asked.parameter("response_mode"), Some(mode));
    }
    window.close().await;
}

#[tokio::test]
async fn a_user_who_cancels_sees_why_and_can_sign_in_again() {
    let (emulator, window) = start().await;
    for answers in [Answers::ByFormPost, Answers::ByQuery] {
        let mut app = App::new(&emulator, answers);
        let (result, page) = app.with(async |url| window.tab("cancel", &url).await).await;
        assert!(matches!(&result, Err(AuthError::Server(error)) if error.error == "access_denied"), "{result:?}");
        assert!(page["text"].as_str().unwrap().contains("The sign-in was not completed"), "{page}");
        assert!(!page["url"].as_str().unwrap().contains("error="), "{page}");
        app.succeeds(&window).await;
    }
    window.close().await;
}

/// The call does not notice that a tab was closed: it times out, or is dropped. The next call is not affected.
#[tokio::test]
async fn after_a_tab_was_closed_the_next_sign_in_works() {
    let (emulator, window) = start().await;
    let mut app = App::new(&emulator, Answers::ByFormPost);
    let limit = Duration::from_secs(3);
    let (call, pages) = (app.sign_in().timeout(limit).send(), &mut app.pages);
    let (result, _) = tokio::join!(call, async { window.tab("close", &pages.recv().await.unwrap()).await });
    assert!(matches!(result, Err(AuthError::Cancelled(Cancelled::TimedOut(after))) if after == limit), "{result:?}");
    app.succeeds(&window).await;

    let (call, pages) = (app.sign_in().send(), &mut app.pages);
    tokio::select! {
        result = call => panic!("{result:?}"),
        _ = async { window.tab("close", &pages.recv().await.unwrap()).await } => {}
    }
    app.succeeds(&window).await;
    window.close().await;
}

/// The address is opened by hand, and with it all that a browser requests besides the page.
#[tokio::test]
async fn an_unrelated_tab_is_refused_and_the_sign_in_works() {
    let (emulator, window) = start().await;
    for (answers, status) in [(Answers::ByFormPost, 405), (Answers::ByQuery, 400)] {
        let mut app = App::new(&emulator, answers);
        let (result, page) = app
            .with(async |url| {
                let ours = format!("http://localhost:{}", port(&url));
                for (path, status) in [("/", status), ("/favicon.ico", 404), ("/x", 404)] {
                    let seen = window.tab("look", &format!("{ours}{path}")).await;
                    assert_eq!(seen["status"], status, "{seen}");
                    assert!(seen["text"].as_str().unwrap().contains("Not part of this sign-in"), "{seen}");
                }
                let other_name = window.tab("look", &format!("http://127.0.0.1:{}/", port(&url))).await;
                assert_eq!(other_name["status"], 421, "{other_name}");
                assert!(!other_name["text"].as_str().unwrap().contains("sign-in"), "it learns nothing: {other_name}");
                window.tab("accept", &url).await
            })
            .await;
        check(&result.unwrap(), &page);
    }
    window.close().await;
}

#[tokio::test]
async fn two_sign_ins_at_once_work_in_one_profile() {
    let (emulator, window) = start().await;
    let (mut one, mut two) = (App::new(&emulator, Answers::ByFormPost), App::new(&emulator, Answers::ByFormPost));
    tokio::join!(one.succeeds(&window), two.succeeds(&window));
    let (mut one, mut two) = (App::new(&emulator, Answers::ByQuery), App::new(&emulator, Answers::ByFormPost));
    tokio::join!(two.succeeds(&window), one.succeeds(&window));
    window.close().await;
}

/// Serves `hostile.html` at an origin of its own until the test ends.
async fn hostile_site() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let page = std::fs::read_to_string(script("hostile.html")).unwrap();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
        let answer = format!("{head}Content-Length: {}\r\n\r\n{page}", page.len());
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                drop(stream.write_all(answer.as_bytes()).await);
            }
        }
    });
    url
}

/// The requests that the listener refused, as this thread logs them.
#[derive(Clone, Default)]
struct Refused(Arc<Mutex<Vec<u8>>>);

impl Refused {
    fn count(&self, status: &str) -> usize {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let refused = log.lines().filter(|line| line.contains("a request to the loopback port was refused"));
        refused.filter(|line| line.contains(status)).count()
    }
}

impl Write for Refused {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_page_that_floods_the_port_does_not_disturb_the_sign_in() {
    let (emulator, window) = start().await;
    let site = hostile_site().await;
    for answers in [Answers::ByFormPost, Answers::ByQuery] {
        let refused = Refused::default();
        let writer = refused.clone();
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
        let _log = tracing::subscriber::set_default(log.with_writer(move || writer.clone()).finish());
        let mut app = App::new(&emulator, answers);
        let (result, (page, before)) = app
            .with(async |url| {
                let attack = format!("{site}#http://localhost:{}/", port(&url));
                window.tab("attack", &attack).await;
                let before = refused.count("");
                let page = window.tab("accept", &url).await;
                window.tab("stop", &attack).await;
                (page, before)
            })
            .await;
        check(&result.unwrap(), &page);
        let all = refused.count("");
        assert!(before > 10 && all > before + 10, "{answers:?}: {before} were refused before it, {all} in all");
        for status in ["403", "404", "405"] {
            assert!(refused.count(status) > 0, "{answers:?}: {status}");
        }
    }
    window.close().await;
}

//! Sign-ins that are dropped after every number of polls: no listening socket, connection, task or file is left.
//!
//! It is a program of its own because it looks at all sockets of its process.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod sockets;

use std::future::poll_fn;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use auth::{
    AuthError, AuthResult, Authority, AuthorizationResponse, Browser, BrowserError, DeviceCode, FileStorage,
    PublicClient, RedirectUri, ReqwestTransport, ResponseMode, Scopes,
};
use auth_emulator::{Emulator, Robot, RobotError, Visit};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{StatusCode, Uri};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{JoinHandle, yield_now};

use sockets::Sockets;

const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
/// For what ends by itself once the call is dropped. It takes milliseconds; the limit is for a busy machine.
const SOON: Duration = Duration::from_secs(1);
/// For the peer to notice.
const PATIENCE: Duration = Duration::from_secs(10);

/// The identity provider and its user, on a runtime of their own, so that the runtime of the client runs nothing else.
struct World {
    runtime: Runtime,
    emulator: Emulator,
    /// The issuer of another provider, which requires pushed authorization requests.
    pushed_to: String,
    folder: TempDir,
    visits: Visits,
}

type Visits = Arc<Mutex<Vec<JoinHandle<Result<Visit, RobotError>>>>>;

/// Sends the robot to the page. `open` returns at once, or stays until the robot is done.
struct Window {
    world: Handle,
    stays: bool,
    visits: Visits,
}

impl Browser for Window {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let url = url.to_string();
        let (done, is_done) = tokio::sync::oneshot::channel::<()>();
        let visit = async move {
            let visit = Robot::new().visit(&url).await;
            drop(done);
            visit
        };
        self.visits.lock().unwrap().push(self.world.spawn(visit));
        if self.stays {
            assert!(is_done.await.is_err(), "nothing is ever sent");
        }
        Ok(())
    }
}

impl World {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let emulator = Emulator::builder().device_interval(Duration::from_secs(1));
        let emulator = runtime.block_on(emulator.start()).unwrap();
        let pushed_to = runtime.block_on(takes_pushed_requests());
        Self { runtime, emulator, pushed_to, folder: tempfile::tempdir().unwrap(), visits: Arc::default() }
    }

    /// A client that keeps no connection open.
    fn client(&self, stays: bool) -> PublicClient {
        self.client_of(Authority::parse(&self.emulator.authority()).unwrap(), stays)
    }

    fn client_of(&self, authority: Authority, stays: bool) -> PublicClient {
        let (world, visits) = (self.runtime.handle().clone(), Arc::clone(&self.visits));
        PublicClient::builder(CLIENT)
            .authority(authority)
            .transport(ReqwestTransport::with(|| reqwest::Client::builder().pool_max_idle_per_host(0)))
            .storage(FileStorage::at(self.folder.path().join("tokens.json")).unwrap())
            .browser(Window { world, stays, visits })
            .build()
            .unwrap()
    }

    fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Drops the call after one poll, then after two, and so on until it completes. Returns at how many of these
    /// moments a socket was listening.
    fn at_every_poll(
        &self,
        name: &str,
        stays: bool,
        call: impl AsyncFn(PublicClient) -> Result<AuthResult, AuthError>,
    ) -> usize {
        let before = Sockets::of_this_process();
        let (mut longest, mut listened) = ((Duration::ZERO, Duration::ZERO), 0);
        for polls in 1.. {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let ended = runtime.block_on(async {
                let app = self.client(stays);
                let listening = || Sockets::of_this_process().listening.len() > before.listening.len();
                let ended = polled(call(app.clone()), polls, || listened += usize::from(listening())).await;
                let what = format!("{name}, after {polls} polls");
                let now = Sockets::of_this_process();
                assert_eq!(now.listening, before.listening, "{what}: a socket still listens");
                let tasks = until(SOON, || Handle::current().metrics().num_alive_tasks() == 0, &what).await;
                // A write that has begun is completed by a thread of the runtime.
                let files = until(SOON, || self.files().iter().all(|name| name == "tokens.json"), &what).await;
                longest = (longest.0.max(tasks), longest.1.max(files));
                // The robot finds the port closed.
                let visits: Vec<_> = self.visits.lock().unwrap().drain(..).collect();
                for visit in visits {
                    drop(visit.await.unwrap());
                }
                until(PATIENCE, || Sockets::of_this_process().connected == before.connected, &what).await;
                drop(app);
                ended
            });
            if let Some(result) = ended {
                assert!(result.unwrap().persisted(), "{name}");
                assert_eq!(self.files(), ["tokens.json"]);
                assert!(polls > 5, "{name}: too few polls");
                let (last, (tasks, files)) = (polls - 1, longest);
                let what = format!("{name}: dropped after 1 to {last} polls, {listened} while it listened");
                let mut stderr = std::io::stderr();
                writeln!(stderr, "{what}; tasks ended within {tasks:?}, files within {files:?}").unwrap();
                return listened;
            }
        }
        unreachable!("every call completes")
    }
}

/// An identity provider that accepts only pushed authorization requests (RFC 9126).
async fn takes_pushed_requests() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let endpoint = |name: &str| format!("{issuer}/{name}");
    let configuration = json!({
        "issuer": issuer,
        "authorization_endpoint": endpoint("authorize"),
        "token_endpoint": endpoint("token"),
        "pushed_authorization_request_endpoint": endpoint("par"),
        "require_pushed_authorization_requests": true,
    });
    let name = Json(json!({"request_uri": "urn:1", "expires_in": 60}));
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(async || Json(configuration)))
        .route("/par", post(async || (StatusCode::CREATED, name)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    issuer
}

/// Polls a call this many times, calls `look`, and drops the call.
async fn polled<C: Future>(call: C, polls: usize, mut look: impl FnMut()) -> Option<C::Output> {
    let (mut call, mut left) = (Box::pin(call), polls);
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left <= 1 => {
            look();
            Poll::Ready(None)
        }
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Yields until the condition holds. Returns how long that took.
async fn until(limit: Duration, holds: impl Fn() -> bool, what: &str) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < limit, "{what}: something is left");
        yield_now().await;
    }
    begun.elapsed()
}

fn scopes() -> Scopes {
    Scopes::parse("User.Read").unwrap()
}

#[test]
fn a_call_that_is_dropped_leaves_nothing() {
    let world = World::new();
    let interactive = async |app: PublicClient| app.acquire_token_interactive(&scopes()).send().await;
    assert!(world.at_every_poll("interactive, the opener ends", false, interactive) > 0);
    assert!(world.at_every_poll("interactive, the opener stays", true, interactive) > 0);
    let silent_first = async |app: PublicClient| {
        for account in app.accounts().await? {
            app.remove_account(&account).await?;
        }
        app.acquire_token(&scopes()).send().await
    };
    assert!(world.at_every_poll("silent, then interactive", false, silent_first) > 0);
    // As in a web application: once at a provider with pushed requests, and then from the page to the tokens.
    let by_code = async |app: PublicClient| {
        let begin = async |app: PublicClient| {
            let redirect_uri = RedirectUri::parse("http://localhost:1/signed-in").unwrap();
            let request = app.authorization_url(&scopes()).redirect_uri(redirect_uri);
            request.response_mode(ResponseMode::Query).send().await
        };
        let pushed = begin(world.client_of(Authority::oidc(&world.pushed_to).unwrap(), false)).await?;
        assert!(pushed.url().query().unwrap().contains("request_uri=urn%3A1"));
        let pending = begin(app.clone()).await?;
        let page = pending.url().to_string();
        let visit = world.runtime.spawn(async move { Robot::new().authorize(&page).await });
        let address = visit.await.unwrap().unwrap().url().to_owned();
        let response = AuthorizationResponse::parse(address.split_once('?').unwrap().1.as_bytes())?;
        app.acquire_token_by_authorization_code(pending, response).send().await
    };
    assert_eq!(world.at_every_poll("a sign-in of a web application", false, by_code), 0);
    let by_device_code = async |app: PublicClient| {
        let call = app.acquire_token_by_device_code(&scopes());
        let enter = |code: &DeviceCode| {
            let (address, user_code) = (code.verification_uri.to_string(), code.user_code.clone());
            let visit = async move { Robot::new().enter_code(&address, &user_code).await };
            world.visits.lock().unwrap().push(world.runtime.spawn(visit));
        };
        call.send(enter).await
    };
    assert_eq!(world.at_every_poll("device code", false, by_device_code), 0);
}

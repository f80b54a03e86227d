//! The example web application, end to end: the robot signs in, and the visitor keeps the cookie.

#[path = "../../crates/auth/examples/web/site.rs"]
mod site;

use auth::{Authority, MemoryStorage, PublicClient, RedirectUri};
use auth_emulator::{CredentialKind, Emulator, Endpoint, GrantType, Redirect, Robot};
use auth_tests::cache;
use site::Site;
use tokio::net::TcpListener;

use crate::fixture::{ADA, CLIENT, GRACE, scopes};

/// The web application and its provider.
struct Scene {
    emulator: Emulator,
    storage: MemoryStorage,
    address: String,
}

/// The browser of one visitor, as the application sees it.
#[derive(Clone, Default)]
struct Visitor {
    cookie: Option<String>,
}

/// A response of the application.
#[derive(Debug)]
struct Page {
    status: u16,
    location: Option<String>,
    set_cookie: Option<String>,
    text: String,
}

impl Scene {
    async fn start() -> Self {
        let (emulator, storage) = (Emulator::start().await.unwrap(), MemoryStorage::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let authority = Authority::parse(&emulator.authority()).unwrap();
        let app = PublicClient::builder(CLIENT).authority(authority).storage(storage.clone()).build().unwrap();
        let redirect_uri = RedirectUri::parse(&format!("{address}/signed-in")).unwrap();
        let site = Site { app, scopes: scopes(), redirect_uri };
        tokio::spawn(async move { axum::serve(listener, site.router()).await });
        Self { emulator, storage, address }
    }

    async fn visit(&self, visitor: &mut Visitor, method: &'static str, path: &str) -> Page {
        visitor.send(method, format!("{}{path}", self.address)).await
    }

    /// The user signs in at the provider; the response is yet to be delivered.
    async fn at_provider(&self, visitor: &mut Visitor, robot: Robot) -> Redirect {
        let page = self.visit(visitor, "GET", "/sign-in").await;
        assert_eq!(page.status, 303, "{page:?}");
        robot.authorize(&page.location.unwrap()).await.unwrap()
    }

    async fn sign_in(&self, visitor: &mut Visitor, name: &str) -> Page {
        let redirect = self.at_provider(visitor, Robot::new().user(name)).await;
        visitor.send("GET", redirect.url().to_owned()).await
    }
}

impl Visitor {
    /// Sends one request, and keeps the cookie as browsers do.
    async fn send(&mut self, method: &'static str, url: String) -> Page {
        let cookie = self.cookie.clone();
        let page = tokio::task::spawn_blocking(move || {
            let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
            let agent: ureq::Agent = config.max_redirects_will_error(false).build().into();
            let request = http::Request::builder().method(method).uri(url);
            let request = cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie));
            let mut response = agent.run(request.body(()).unwrap()).unwrap();
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (location, set_cookie) = (header("location"), header("set-cookie"));
            let text = response.body_mut().read_to_string().unwrap();
            Page { status: response.status().as_u16(), location, set_cookie, text }
        });
        let page = page.await.unwrap();
        if let Some(set) = &page.set_cookie {
            let pair = set.split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        page
    }
}

#[tokio::test]
async fn a_visitor_signs_in_is_known_on_each_request_and_signs_out() {
    let scene = Scene::start().await;
    let mut ada = Visitor::default();
    assert!(scene.visit(&mut ada, "GET", "/").await.text.contains("Nobody is signed in."));

    let redirect = scene.at_provider(&mut ada, Robot::new().user(ADA)).await;
    assert!(redirect.form().is_none(), "a form would come without the cookie");
    let (before, arrived) = (ada.cookie.clone(), ada.send("GET", redirect.url().to_owned()).await);
    assert_eq!((arrived.status, arrived.location.as_deref()), (303, Some("/")), "the code leaves the address bar");
    assert_ne!(ada.cookie, before, "the session has a new name");
    let flags = arrived.set_cookie.unwrap();
    assert!(flags.contains("HttpOnly") && flags.contains("SameSite=Lax") && flags.contains("Path=/"), "{flags}");

    let hello = scene.visit(&mut ada, "GET", "/").await;
    assert!(hello.text.contains(ADA) && hello.text.contains("from Cache"), "{hello:?}");
    assert_eq!(scene.emulator.ledger().token_requests(GrantType::AuthorizationCode), 1);
    cache::expire(&scene.storage).await;
    assert!(scene.visit(&mut ada, "GET", "/").await.text.contains("from IdentityProvider"));
    assert!(scene.visit(&mut ada, "GET", "/").await.text.contains("from Cache"));
    assert_eq!(scene.emulator.ledger().token_requests(GrantType::RefreshToken), 1);

    let kept = ada.clone();
    assert_eq!(scene.visit(&mut ada, "POST", "/sign-out").await.status, 303);
    assert_eq!(ada.cookie, None);
    for mut visitor in [ada, kept] {
        assert!(scene.visit(&mut visitor, "GET", "/").await.text.contains("Nobody is signed in."));
    }
    assert!(cache::secrets(&cache::read(&scene.storage).await, "RefreshToken").is_empty());
}

#[tokio::test]
async fn visitors_are_kept_apart() {
    let scene = Scene::start().await;
    let (mut ada, mut grace) = (Visitor::default(), Visitor::default());
    scene.sign_in(&mut ada, ADA).await;
    scene.sign_in(&mut grace, GRACE).await;
    for (visitor, own, other) in [(&mut ada, ADA, GRACE), (&mut grace, GRACE, ADA)] {
        let page = scene.visit(visitor, "GET", "/").await.text;
        assert!(page.contains(own) && !page.contains(other), "{page}");
    }
    // Signing out one visitor keeps the other signed in.
    scene.visit(&mut ada, "POST", "/sign-out").await;
    assert!(scene.visit(&mut grace, "GET", "/").await.text.contains(GRACE));
}

// S-03, S-04: only the response to the visitor's own sign-in is accepted, once.
#[tokio::test]
async fn a_foreign_or_repeated_response_sends_no_code() {
    let scene = Scene::start().await;
    let (mut ada, mut mallory, mut nobody) = (Visitor::default(), Visitor::default(), Visitor::default());
    let foreign = scene.at_provider(&mut mallory, Robot::new().user(GRACE)).await;
    let own = scene.at_provider(&mut ada, Robot::new().user(ADA)).await;
    // Login CSRF: Mallory makes Ada's browser deliver the response to Mallory's own sign-in.
    for visitor in [&mut ada, &mut nobody] {
        let page = visitor.send("GET", foreign.url().to_owned()).await;
        assert!(page.status == 403 || page.status == 400, "{page:?}");
        assert!(page.text.contains("Not signed in"), "{page:?}");
    }
    // That ended Ada's sign-in; the next one works once, however often the page is loaded.
    assert_eq!(ada.send("GET", own.url().to_owned()).await.status, 400);
    let own = scene.at_provider(&mut ada, Robot::new().user(ADA)).await;
    let (mut one, mut two) = (ada.clone(), ada.clone());
    let (one, two) = tokio::join!(one.send("GET", own.url().to_owned()), two.send("GET", own.url().to_owned()));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400]);
    let ledger = scene.emulator.ledger();
    assert_eq!(ledger.count(Endpoint::Token), 1);
    let redemptions = ledger.redemptions(CredentialKind::Code);
    assert!(redemptions.iter().all(|code| code.successes == 1 && code.attempts == 1), "{redemptions:?}");
    // An error is shown, escaped.
    let refusal = scene.at_provider(&mut mallory, Robot::new().cancel()).await;
    let page = mallory.send("GET", refusal.url().to_owned()).await;
    assert!(page.status == 403 && page.text.contains("access_denied"), "{page:?}");
}

//! Browsers: unavailable ones, the origins that may post the response, and how long the user is waited for.

use std::net::TcpListener;
use std::pin::pin;
use std::time::Duration;

use auth::{
    AuthError, Authority, Browser, BrowserError, Cancelled, Headless, InMemoryTransport, MemoryStorage, PublicClient,
    RedirectUri, SignInError,
};
use http::Uri;
use tokio::time::Instant;

use crate::provider::{ISSUER, Provider, scopes};

fn oidc() -> Authority {
    Authority::oidc(ISSUER).unwrap()
}

/// A browser without a display.
struct Blind;

impl Browser for Blind {
    fn check(&self) -> Result<(), BrowserError> {
        Err(BrowserError::Headless(Headless::NoDisplay))
    }

    async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
        panic!("the browser is unavailable")
    }
}

// The error comes before any request, wait or bind.
#[tokio::test]
async fn an_unavailable_browser_is_an_error_before_any_request() {
    let provider = Provider::of("ada");
    let app = provider.client(&oidc(), |builder| builder.browser(Blind));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://127.0.0.1:{}", taken.local_addr().unwrap().port());
    let request = app.acquire_token_interactive(&scopes()).redirect_uri(RedirectUri::parse(&uri).unwrap());
    let refused = request.send().await.unwrap_err();
    let AuthError::Browser(error) = &refused else { panic!("{refused:?}") };
    assert!(matches!(&**error, SignInError::Browser(BrowserError::Headless(Headless::NoDisplay))), "{error:?}");
    assert!(provider.asked("").is_empty());
}

#[cfg(not(feature = "system-browser"))]
#[tokio::test]
async fn without_a_browser_no_request_is_made() {
    let silence = InMemoryTransport::new(|_| panic!("no request is expected"));
    let app = PublicClient::builder("c").authority(oidc()).transport(silence).build().unwrap();
    let refused = app.acquire_token_interactive(&scopes()).send().await.unwrap_err();
    let expected = "config: there is no browser; enable the feature `system-browser`, or set one with `.browser(..)`";
    assert_eq!(crate::provider::kind(&refused), expected);
}

// S-18
#[tokio::test]
async fn another_web_origin_may_post_the_response_if_the_application_names_it() {
    for (named, accepted) in
        [(None, false), (Some("https://other.example"), false), (Some("https://pages.example:8443"), true)]
    {
        let provider = Provider::of("ada");
        let app = provider.client(&oidc(), |builder| match named {
            Some(origin) => builder.sign_in_origin(origin),
            None => builder,
        });
        provider.posts_from("https://pages.example:8443");
        let outcome = app.acquire_token_interactive(&scopes()).send().await;
        assert_eq!(outcome.is_ok(), accepted, "{named:?}: {outcome:?}");
    }
}

#[test]
fn an_origin_must_be_written_as_browsers_send_it() {
    for (origin, accepted) in [
        ("https://pages.example", true),
        ("https://pages.example:8443", true),
        ("http://[::1]:8080", true),
        ("https://pages.example/", false),
        ("https://pages.example/sign-in", false),
        ("https://pages.example?x", false),
        ("https://Pages.example", false),
        ("https://pages.example:443", false),
        ("https://ada@pages.example", false),
        ("ftp://pages.example", false),
        ("pages.example", false),
        ("null", false),
        ("", false),
    ] {
        let silence = InMemoryTransport::new(|_| Ok(http::Response::default()));
        let client = PublicClient::builder("c").authority(oidc()).transport(silence);
        assert_eq!(client.sign_in_origin(origin).build().is_ok(), accepted, "{origin}");
    }
}

/// A browser whose user never responds.
struct Unanswered;

impl Browser for Unanswered {
    async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
        Ok(())
    }
}

// A call of this program is followed by one of another, and neither waits longer than the timeout.
#[tokio::test(start_paused = true)]
async fn waiting_for_another_sign_in_ends_with_the_timeout() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (provider, storage, wanted) = (Provider::of("ada"), MemoryStorage::new(), scopes());
    let client = || {
        let authority = Authority::tenant("common").unwrap();
        provider.client(&authority, |builder| builder.storage(storage.clone()).browser(Unanswered))
    };
    let (here, elsewhere) = (client(), client());
    let begun = Instant::now();
    let limit = Duration::from_secs(100);
    let mut first = pin!(elsewhere.acquire_token(&wanted).timeout(HOUR).send());
    let mut second = pin!(here.acquire_token(&wanted).timeout(HOUR).send());
    let ended = tokio::select! {
        biased;
        other = &mut first => panic!("{other:?}"),
        other = &mut second => panic!("{other:?}"),
        ended = here.acquire_token(&wanted).timeout(limit).send() => ended,
    };
    assert!(matches!(ended, Err(AuthError::Cancelled(Cancelled::TimedOut(time))) if time == limit), "{ended:?}");
    assert_eq!(begun.elapsed(), limit * 2, "once for the turn, once for the user");
}

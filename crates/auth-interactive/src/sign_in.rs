//! Runs the browser and the receiver concurrently.

use auth_core::AuthorizationResponse;
use http::Uri;

use crate::browser::{DynBrowser, check_url};
use crate::error::SignInError;
use crate::expectation::Expectation;
use crate::paste::{Paste, pasted};
use crate::receiver::LoopbackReceiver;

/// Shows `url` in `browser` and waits for the response at `receiver`.
///
/// If [`Browser::open`](crate::Browser::open) is still pending when the response arrives, it is dropped; if it returns
/// early, the wait continues; if it fails, the sign-in fails at once, because the user has no page to finish. A URL
/// that the user [pasted](crate::Browser::pasted) counts like a request to the receiver. Dropping the future closes the
/// port.
///
/// # Errors
/// [`SignInError::Browser`] if the page cannot be shown, [`SignInError::Loopback`] if no response is received.
///
/// ```no_run
/// use auth_core::PendingAuthorization;
/// use auth_interactive::{DynBrowser, Expectation, LoopbackReceiver, SignInError, sign_in};
///
/// # async fn example(browser: &dyn DynBrowser, receiver: LoopbackReceiver, pending: &PendingAuthorization)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let response = sign_in(browser, receiver, pending.url(), Expectation::new(pending)?).await?;
/// # Ok(()) }
/// ```
pub async fn sign_in(
    browser: &dyn DynBrowser,
    receiver: LoopbackReceiver,
    url: &Uri,
    expectation: Expectation,
) -> Result<AuthorizationResponse, SignInError> {
    check_url(url)?;
    let pasted = pasted(browser, Paste::of(&expectation));
    let response = receiver.receive(expectation);
    tokio::pin!(response, pasted);
    tokio::select! {
        // A response that has arrived takes precedence over how the opener ended; pasted text comes last.
        biased;
        response = &mut response => return Ok(response?),
        opened = browser.open(url) => opened?,
        response = &mut pasted => return Ok(response),
    }
    tokio::select! {
        biased;
        response = response => Ok(response?),
        response = pasted => Ok(response),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::{Arc, Mutex};
    use std::task::Poll;

    use auth_core::{RedirectUri, ResponseMode, Secret};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::runtime::Handle;
    use tokio::task::yield_now;

    use super::*;
    use crate::browser::Browser;
    use crate::error::{BrowserError, Headless, PasteError};
    use crate::testing::{pending, state_of};

    /// An opener that sends `request`, if any, and then returns `end` or stays pending.
    struct Opener {
        request: Option<String>,
        port: u16,
        end: fn() -> Option<Result<(), BrowserError>>,
    }

    impl Browser for Opener {
        async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
            if let Some(request) = &self.request {
                let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut page = String::new();
                stream.read_to_string(&mut page).await.unwrap();
                assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
            }
            match (self.end)() {
                Some(end) => end,
                None => std::future::pending().await,
            }
        }
    }

    async fn run(
        answers: bool,
        end: fn() -> Option<Result<(), BrowserError>>,
    ) -> Result<AuthorizationResponse, SignInError> {
        run_with(bound(), answers, end).await
    }

    fn bound() -> LoopbackReceiver {
        LoopbackReceiver::bind(&RedirectUri::parse("http://localhost").unwrap()).unwrap()
    }

    async fn run_with(
        receiver: LoopbackReceiver,
        answers: bool,
        end: fn() -> Option<Result<(), BrowserError>>,
    ) -> Result<AuthorizationResponse, SignInError> {
        let port = receiver.redirect_uri().port().unwrap();
        let pending = pending(receiver.redirect_uri(), ResponseMode::FormPost);
        let body = format!("code=abc&state={}", state_of(&pending));
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let opener = Opener { request: answers.then_some(request), port, end };
        sign_in(&opener, receiver, pending.url(), Expectation::new(&pending).unwrap()).await
    }

    #[tokio::test]
    async fn an_opener_that_waits_for_its_page_does_not_deadlock() {
        assert!(run(true, || None).await.is_ok());
        assert!(run(true, || Some(Ok(()))).await.is_ok());
    }

    /// Drops the future after one poll, then after two, and so on until it completes (S-29).
    #[tokio::test]
    async fn s29_a_dropped_sign_in_leaves_no_socket_and_no_task() {
        for polls in 1.. {
            let receiver = bound();
            let port = receiver.redirect_uri().port().unwrap();
            let ended = {
                let (mut call, mut left) = (pin!(run_with(receiver, true, || None)), polls);
                poll_fn(|context| match call.as_mut().poll(context) {
                    Poll::Pending if left > 1 => {
                        left -= 1;
                        Poll::Pending
                    }
                    polled => Poll::Ready(polled),
                })
                .await
            };
            for address in ["127.0.0.1", "::1"] {
                assert!(std::net::TcpStream::connect((address, port)).is_err(), "after {polls} polls");
            }
            // Dropping the receiver aborts its tasks; they end when the runtime next polls them.
            for _ in 0..10 {
                yield_now().await;
            }
            assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "after {polls} polls");
            if let Poll::Ready(response) = ended {
                assert!(response.is_ok() && polls > 3);
                return;
            }
        }
    }

    #[tokio::test]
    async fn an_opener_that_fails_ends_the_wait() {
        let outcome = run(false, || Some(Err(BrowserError::Headless(Headless::Ssh)))).await;
        assert!(matches!(outcome, Err(SignInError::Browser(BrowserError::Headless(Headless::Ssh)))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_opener_that_returns_early_does_not_end_the_wait() {
        let outcome = run(false, || Some(Ok(()))).await;
        assert!(matches!(outcome, Err(SignInError::Loopback(crate::LoopbackError::TimedOut(_)))));
    }

    /// Pastes one text after another, and records why each was refused.
    struct Pasting {
        texts: Mutex<Vec<String>>,
        refusals: Mutex<Vec<PasteError>>,
    }

    impl Browser for Pasting {
        async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
            Ok(())
        }

        async fn pasted(&self, refused: Option<PasteError>) -> Secret {
            self.refusals.lock().unwrap().extend(refused);
            let text = self.texts.lock().unwrap().pop();
            match text {
                Some(text) => Secret::new(text),
                None => std::future::pending().await,
            }
        }
    }

    async fn paste(
        mode: ResponseMode,
        texts: &[&str],
    ) -> (Result<AuthorizationResponse, SignInError>, Vec<PasteError>) {
        let receiver = LoopbackReceiver::bind(&RedirectUri::parse("http://localhost").unwrap()).unwrap();
        let pending = pending(receiver.redirect_uri(), mode);
        let place = format!("{}/?state={}&", receiver.redirect_uri(), state_of(&pending));
        let texts = texts.iter().rev().map(|text| text.replace('@', &place)).collect();
        let browser = Arc::new(Pasting { texts: Mutex::new(texts), refusals: Mutex::default() });
        // Behind a pointer, as an application stores it.
        let stored: Arc<dyn DynBrowser> = browser.clone();
        let outcome = sign_in(&stored, receiver, pending.url(), Expectation::new(&pending).unwrap()).await;
        let refusals = browser.refusals.lock().unwrap().clone();
        (outcome, refusals)
    }

    #[tokio::test(start_paused = true)]
    async fn a_pasted_url_ends_the_wait_if_it_carries_the_response() {
        let (outcome, refusals) = paste(ResponseMode::Query, &["", "@code=a&code=b", "@code=abc"]).await;
        assert!(outcome.is_ok());
        assert_eq!(refusals, [PasteError::Address, PasteError::Response]);
        let (outcome, refusals) = paste(ResponseMode::Query, &["@error=access_denied"]).await;
        assert_eq!(outcome.unwrap().error(), Some("access_denied"));
        assert_eq!(refusals, []);
        // With form_post nothing is asked for, and text that is no URL is refused: both waits time out.
        for (mode, texts) in [(ResponseMode::FormPost, ["@code=abc"]), (ResponseMode::Query, ["nothing"])] {
            let (outcome, _) = paste(mode, &texts).await;
            assert!(matches!(outcome, Err(SignInError::Loopback(crate::LoopbackError::TimedOut(_)))));
        }
    }

    #[tokio::test]
    async fn a_url_that_must_not_be_opened_is_an_error() {
        let receiver = bound();
        let pending = pending(receiver.redirect_uri(), ResponseMode::FormPost);
        let opener = Opener { request: None, port: 0, end: || None };
        let url = "ftp://idp.example/".parse().unwrap();
        let outcome = sign_in(&opener, receiver, &url, Expectation::new(&pending).unwrap()).await;
        assert!(matches!(outcome, Err(SignInError::Browser(BrowserError::Url(_)))));
    }
}

//! The browser and the receiver, side by side.

use auth_core::AuthorizationResponse;
use http::Uri;

use crate::browser::{DynBrowser, check_url};
use crate::error::SignInError;
use crate::expectation::Expectation;
use crate::paste::{Paste, pasted};
use crate::receiver::LoopbackReceiver;

/// Shows `url` in `browser` and waits for the response at `receiver`.
///
/// An opener that is still busy when the response arrives is dropped; one that returns early changes nothing; one that
/// fails ends the wait, since the user would otherwise look at nothing until the time is up. An address that the user
/// [pasted](crate::Browser::pasted) is as good as one that the receiver is asked for. Dropping the future closes the port.
///
/// # Errors
/// [`SignInError::Browser`] when the page cannot be shown, [`SignInError::Loopback`] when no response came.
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
        // A response that is already there counts more than how the opener ended, and it is asked for one by hand last.
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

    /// What an opener does, and then how it ends.
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
        run_at(bound(), answers, end).await
    }

    fn bound() -> LoopbackReceiver {
        LoopbackReceiver::bind(&RedirectUri::parse("http://localhost").unwrap()).unwrap()
    }

    async fn run_at(
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
    async fn an_opener_that_stays_until_the_page_is_answered_deadlocks_nothing() {
        assert!(run(true, || None).await.is_ok());
        assert!(run(true, || Some(Ok(()))).await.is_ok());
    }

    /// S-29: dropped after one poll, after two and so on, until it comes to its end.
    #[tokio::test]
    async fn a_sign_in_that_is_given_up_leaves_no_socket_and_no_task() {
        for polls in 1.. {
            let receiver = bound();
            let port = receiver.redirect_uri().port().unwrap();
            let ended = {
                let (mut call, mut left) = (pin!(run_at(receiver, true, || None)), polls);
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
            // Dropping the receiver has asked its tasks to end; they do at the next turn of the runtime.
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
    async fn an_opener_that_returns_early_changes_nothing() {
        let outcome = run(false, || Some(Ok(()))).await;
        assert!(matches!(outcome, Err(SignInError::Loopback(crate::LoopbackError::TimedOut(_)))));
    }

    /// Pastes one text after the other, and keeps what was said of them.
    struct Pasting {
        texts: Mutex<Vec<String>>,
        told: Mutex<Vec<PasteError>>,
    }

    impl Browser for Pasting {
        async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
            Ok(())
        }

        async fn pasted(&self, refused: Option<PasteError>) -> Secret {
            self.told.lock().unwrap().extend(refused);
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
        let browser = Arc::new(Pasting { texts: Mutex::new(texts), told: Mutex::default() });
        // Through the pointer, as an application stores it.
        let stored: Arc<dyn DynBrowser> = browser.clone();
        let outcome = sign_in(&stored, receiver, pending.url(), Expectation::new(&pending).unwrap()).await;
        let told = browser.told.lock().unwrap().clone();
        (outcome, told)
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_pasted_ends_the_wait_when_it_is_the_answer() {
        let (outcome, told) = paste(ResponseMode::Query, &["", "@code=a&code=b", "@code=abc"]).await;
        assert!(outcome.is_ok());
        assert_eq!(told, [PasteError::Address, PasteError::Response]);
        let (outcome, told) = paste(ResponseMode::Query, &["@error=access_denied"]).await;
        assert_eq!(outcome.unwrap().error(), Some("access_denied"));
        assert_eq!(told, []);
        // Nobody is asked where the answer does not come in an address, and the time ends.
        for (mode, texts) in [(ResponseMode::FormPost, ["@code=abc"]), (ResponseMode::Query, ["nothing"])] {
            let (outcome, _) = paste(mode, &texts).await;
            assert!(matches!(outcome, Err(SignInError::Loopback(crate::LoopbackError::TimedOut(_)))));
        }
    }

    #[tokio::test]
    async fn a_url_that_no_browser_may_get_is_an_error() {
        let receiver = bound();
        let pending = pending(receiver.redirect_uri(), ResponseMode::FormPost);
        let opener = Opener { request: None, port: 0, end: || None };
        let url = "ftp://idp.example/".parse().unwrap();
        let outcome = sign_in(&opener, receiver, &url, Expectation::new(&pending).unwrap()).await;
        assert!(matches!(outcome, Err(SignInError::Browser(BrowserError::Url(_)))));
    }
}

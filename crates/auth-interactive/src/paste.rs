//! A response that the user pastes: the URL at which the browser ended up when it could not reach the loopback port, as
//! after a sign-in over SSH. It is judged like a request to the port.

use std::future::pending;

use auth_core::{AuthorizationResponse, RedirectUri, ResponseMode, Secret, State};

use crate::browser::DynBrowser;
use crate::error::PasteError;
use crate::expectation::Expectation;

/// The longest URL, in bytes; that of a request line (S-22).
const MAX: usize = 64 * 1024;

/// What a pasted URL must match.
pub(crate) struct Paste {
    state: State,
    redirect_uri: RedirectUri,
}

impl Paste {
    /// Returns `None` unless the response comes in the URL: it is accepted only in the mode that was requested (S-08).
    pub(crate) fn of(expectation: &Expectation) -> Option<Self> {
        match expectation.rules.mode {
            ResponseMode::FormPost => None,
            ResponseMode::Query => {
                Some(Self { state: expectation.state.clone(), redirect_uri: expectation.redirect_uri.clone() })
            }
        }
    }

    /// Returns the response in `text`, which the user pasted (S-03, S-09).
    pub(crate) fn judge(&self, text: &str) -> Result<AuthorizationResponse, PasteError> {
        let text = text.trim();
        if text.len() > MAX {
            return Err(PasteError::Address);
        }
        let (place, query) = text.split_once('?').ok_or(PasteError::Address)?;
        let (own, _) = self.redirect_uri.as_str().split_once('?').unwrap_or((self.redirect_uri.as_str(), ""));
        if bare(place) != bare(own) {
            return Err(PasteError::Address);
        }
        // Browsers carry over the fragment of the previous page.
        let (query, _) = query.split_once('#').unwrap_or((query, ""));
        let response = AuthorizationResponse::parse(query.as_bytes()).map_err(|_| PasteError::Response)?;
        if response.has_state(&self.state) { Ok(response) } else { Err(PasteError::State) }
    }
}

/// A URL without what browsers add or omit: `http://`, and the slash after the host.
fn bare(place: &str) -> &str {
    let place = place.strip_prefix("http://").unwrap_or(place);
    match place.strip_suffix('/') {
        Some(host) if !host.contains('/') => host,
        _ => place,
    }
}

/// Returns the first pasted response that is accepted; without a [`Paste`] it stays pending.
pub(crate) async fn pasted(browser: &dyn DynBrowser, paste: Option<Paste>) -> AuthorizationResponse {
    let Some(paste) = paste else { return pending().await };
    let mut refused = None;
    loop {
        let text: Secret = browser.pasted(refused).await;
        match paste.judge(text.expose()) {
            Ok(response) => return response,
            Err(error) => refused = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{pending, state_of};

    fn paste(redirect_uri: &str) -> (Paste, String) {
        let pending = pending(&RedirectUri::parse(redirect_uri).unwrap(), ResponseMode::Query);
        (Paste::of(&Expectation::new(&pending).unwrap()).unwrap(), state_of(&pending))
    }

    #[test]
    fn a_pasted_url_is_judged_like_a_request() {
        let (judge, state) = paste("http://localhost:8400");
        let good = format!("code=abc&state={state}");
        for (text, verdict) in [
            (format!("http://localhost:8400/?{good}"), "ok"),
            (format!("  localhost:8400/?{good}#\r"), "ok"),
            (format!("http://localhost:8400?{good}&session_state=x"), "ok"),
            (format!("http://localhost:8400/?error=access_denied&state={state}"), "ok"),
            (format!("http://localhost:8401/?{good}"), "address"),
            (format!("http://127.0.0.1:8400/?{good}"), "address"),
            (format!("http://localhost:8400/done?{good}"), "address"),
            (format!("https://localhost:8400/?{good}"), "address"),
            (format!("http://localhost:8400.evil.example/?{good}"), "address"),
            (format!("http://localhost:8400/#?{good}"), "address"),
            (format!("http://localhost:8400/?{good}{}", "x".repeat(MAX)), "address"),
            (good.clone(), "address"),
            (String::new(), "address"),
            (format!("http://localhost:8400/?{good}&code=def"), "response"),
            (format!("http://localhost:8400/?{good}&state={state}"), "response"),
            (format!("http://localhost:8400/?{good}&iss=a&iss=b"), "response"),
            (format!("http://localhost:8400/?{good}x"), "state"),
            ("http://localhost:8400/?code=abc".to_owned(), "state"),
            ("http://localhost:8400/?".to_owned(), "state"),
        ] {
            let judged = match judge.judge(&text) {
                Ok(_) => "ok",
                Err(PasteError::Address) => "address",
                Err(PasteError::Response) => "response",
                Err(PasteError::State) => "state",
            };
            assert_eq!(judged, verdict, "{text:.80}");
        }
    }

    #[test]
    fn the_path_of_the_redirect_uri_must_match_and_its_query_may_be_there() {
        let (judge, state) = paste("http://127.0.0.1:8400/done/?a=b");
        assert!(judge.judge(&format!("http://127.0.0.1:8400/done/?a=b&code=abc&state={state}")).is_ok());
        assert!(judge.judge(&format!("http://127.0.0.1:8400/done?a=b&code=abc&state={state}")).is_err());
    }

    #[test]
    fn s08_no_url_is_accepted_where_a_form_post_was_requested() {
        let pending = pending(&RedirectUri::parse("http://localhost:8400").unwrap(), ResponseMode::FormPost);
        assert!(Paste::of(&Expectation::new(&pending).unwrap()).is_none());
    }

    proptest! {
        #[test]
        fn text_without_the_state_is_refused(text in prop_oneof![any::<String>(), "http://localhost:8400/\\?[ -~]*"]) {
            prop_assert!(paste("http://localhost:8400").0.judge(&text).is_err());
        }
    }
}

//! The wait of a sign-in, which all its connections share.

use std::sync::Arc;

use auth_core::{AuthorizationResponse, ResponseMode, State};

use super::arrival::Arrival;
use super::reply::{Refusal, Reply};
use super::rules::Rules;
use crate::pages::{Document, Ending, Pages};

/// Judges what arrives until it is the response (S-03, S-20, S-24, S-27).
#[derive(Debug)]
pub(crate) struct Wait {
    state: State,
    mode: ResponseMode,
    /// The bare path, to which the browser is redirected after a query response.
    landing: String,
    pages: Pages,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Waiting,
    /// A query response was accepted; the browser is on its way to the bare path, which shows this page.
    Landing(Arc<Document>),
    Closed,
}

/// What an arrival means for the wait.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Nothing: the wait continues.
    Stray,
    /// The awaited response. If the wait [is landing](Wait::is_landing), the bare path is yet to be visited.
    Response(Box<AuthorizationResponse>),
    /// The bare path was visited after the response: the conversation is complete.
    Landed,
}

impl Wait {
    pub(crate) fn new(state: State, rules: &Rules) -> Self {
        let (landing, pages) = (rules.landing.clone(), rules.pages.clone());
        Self { state, mode: rules.mode, landing, pages, phase: Phase::Waiting }
    }

    /// Whether a response was accepted and the browser is on its way to the bare path.
    pub(crate) fn is_landing(&self) -> bool {
        matches!(self.phase, Phase::Landing(_))
    }

    /// Returns the reply to an arrival, and what it means.
    pub(crate) fn judge(&mut self, arrival: Arrival) -> (Reply, Verdict) {
        match arrival {
            Arrival::Response(response) if response.has_state(&self.state) => self.take(response),
            Arrival::Response(_) => (Reply::refusal(Refusal::BadRequest), Verdict::Stray),
            Arrival::Visit => match self.phase.clone() {
                Phase::Landing(page) => {
                    self.phase = Phase::Closed;
                    (Reply::page(&page), Verdict::Landed)
                }
                Phase::Waiting | Phase::Closed => (Reply::refusal(Refusal::BadRequest), Verdict::Stray),
            },
        }
    }

    fn take(&mut self, response: Box<AuthorizationResponse>) -> (Reply, Verdict) {
        if !matches!(self.phase, Phase::Waiting) {
            return (Reply::refusal(Refusal::Conflict), Verdict::Stray);
        }
        let (reply, phase) = match (self.pages.ending(response.error().is_some()), self.mode) {
            (Ending::Redirect(to), _) => (Reply::see_other(to), Phase::Closed),
            (Ending::Page(page), ResponseMode::FormPost) => (Reply::page(page), Phase::Closed),
            (Ending::Page(page), ResponseMode::Query) => {
                (Reply::see_other(&self.landing), Phase::Landing(Arc::clone(page)))
            }
        };
        self.phase = phase;
        (reply, Verdict::Response(response))
    }
}

#[cfg(test)]
mod tests {
    use auth_core::RedirectUri;

    use super::*;
    use crate::expectation::Expectation;
    use crate::testing::{pending, state_of};

    #[test]
    fn s26_the_redirect_follows_the_check_of_the_state_and_repeats_nothing_of_the_request() {
        let to = |text: &str| text.parse().unwrap();
        let pages = Pages::default().success_redirect(&to("https://app.example/in")).unwrap();
        let pages = pages.error_redirect(&to("https://app.example/out?a=b")).unwrap();
        for mode in [ResponseMode::FormPost, ResponseMode::Query] {
            for (parameters, location) in [
                ("code=abc", "\r\nLocation: https://app.example/in\r\n"),
                ("error=access_denied", "\r\nLocation: https://app.example/out?a=b\r\n"),
            ] {
                let pending = pending(&RedirectUri::parse("http://localhost:8400").unwrap(), mode);
                let expectation = Expectation::new(&pending).unwrap().with_pages(pages.clone());
                let mut wait = Wait::new(expectation.state, &expectation.rules);
                let mut judge = |state: &str| {
                    let parameters = format!("{parameters}&state={state}").into_bytes();
                    wait.judge(Arrival::response(&parameters).unwrap())
                };
                let (reply, verdict) = judge("wrong");
                assert!(matches!(verdict, Verdict::Stray));
                assert!(reply == Reply::refusal(Refusal::BadRequest));
                let (reply, verdict) = judge(&state_of(&pending));
                assert!(matches!(verdict, Verdict::Response(_)));
                let reply = String::from_utf8(reply.as_bytes().to_vec()).unwrap();
                assert!(reply.starts_with("HTTP/1.1 303 ") && reply.contains(location), "{reply}");
                assert!(!wait.is_landing(), "the bare path is not used");
                assert!(matches!(wait.judge(Arrival::Visit).1, Verdict::Stray));
            }
        }
    }
}

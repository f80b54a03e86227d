//! The one wait that all connections of a sign-in share.

use auth_core::{AuthorizationResponse, ResponseMode, State};

use super::arrival::Arrival;
use super::reply::{Refusal, Reply};
use super::rules::Rules;
use crate::pages::Page;

/// Judges what arrives until the response is there (S-03, S-20, S-24, S-27).
pub(crate) struct Wait {
    state: State,
    mode: ResponseMode,
    /// Where a query response is sent on to.
    landing: String,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    Waiting,
    /// A query response was taken; the browser is on its way to the bare path, to be shown this.
    Landing(Page),
    Closed,
}

/// What an arrival means for the wait.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Nothing: the wait goes on.
    Stray,
    /// The response that was waited for. With a query response the bare path is still to be visited.
    Response(Box<AuthorizationResponse>),
    /// The bare path was visited after the response: the conversation is complete.
    Landed,
}

impl Wait {
    pub(crate) fn new(state: State, rules: &Rules) -> Self {
        Self { state, mode: rules.mode, landing: rules.landing.clone(), phase: Phase::Waiting }
    }

    /// The reply to an arrival, and what it means.
    pub(crate) fn judge(&mut self, arrival: Arrival) -> (Reply, Verdict) {
        match arrival {
            Arrival::Parameters(parameters) => {
                let response = AuthorizationResponse::parse(&parameters).ok();
                match response.filter(|response| response.has_state(&self.state)) {
                    Some(response) => self.take(response),
                    None => (Reply::refusal(Refusal::BadRequest), Verdict::Stray),
                }
            }
            Arrival::Visit => match self.phase {
                Phase::Landing(page) => {
                    self.phase = Phase::Closed;
                    (Reply::page(page), Verdict::Landed)
                }
                Phase::Waiting | Phase::Closed => (Reply::refusal(Refusal::BadRequest), Verdict::Stray),
            },
        }
    }

    fn take(&mut self, response: AuthorizationResponse) -> (Reply, Verdict) {
        if !matches!(self.phase, Phase::Waiting) {
            return (Reply::refusal(Refusal::Conflict), Verdict::Stray);
        }
        let page = if response.error().is_some() { Page::Failed } else { Page::Return };
        let reply = match self.mode {
            ResponseMode::FormPost => {
                self.phase = Phase::Closed;
                Reply::page(page)
            }
            ResponseMode::Query => {
                self.phase = Phase::Landing(page);
                Reply::see_other(&self.landing)
            }
        };
        (reply, Verdict::Response(Box::new(response)))
    }
}

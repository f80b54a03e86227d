//! Silent redemption: which refresh token is tried next, and what each answer means for the cache.
//!
//! ```text
//!            ┌────────────────────────────────────────────────┐
//!            ▼                                                │ client_mismatch, invalid_grant
//!   next candidate ──Send──▶ answer ──tokens──▶ Done(Ok)      │ and a further candidate
//!            │                 │ └────────────────────────────┘ (of no family that refuses this client)
//!            │ none            │ anything else
//!            ▼                 ▼
//!      Done(Err: first refusal, or no_tokens_found)
//! ```

use std::collections::VecDeque;

use crate::account_id::AccountId;
use crate::authority::metadata::ProviderMetadata;
use crate::claims::Claims;
use crate::client::RequestContext;
use crate::error::{Error, ProtocolError, UiReason, UiRequired};
use crate::exchange::{Exchange as _, RefreshRedemption, Replay};
use crate::flow::{Flow, Input, Step};
use crate::id_token::IdToken;
use crate::scopes::Scopes;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::tokens::Tokens;

/// A refresh token that the cache found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefreshCandidate {
    /// The token.
    pub refresh_token: Secret,
    /// Whether it belongs to a family of clients rather than to this one.
    pub family: bool,
}

impl RefreshCandidate {
    /// A refresh token of this client, or of its family.
    #[must_use]
    pub fn new(refresh_token: Secret, family: bool) -> Self {
        Self { refresh_token, family }
    }
}

/// What silent redemption is to ask for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedemptionRequest {
    /// Who asks.
    pub context: RequestContext,
    /// Where.
    pub metadata: ProviderMetadata,
    /// For which account.
    pub account: AccountId,
    /// For which scopes.
    pub scopes: Scopes,
    /// Which claims the tokens must satisfy.
    pub claims: Option<Claims>,
    /// The stored id_tokens of the same client, with which a new one must agree; see
    /// [`RefreshRedemption::expecting`].
    pub id_tokens: Vec<IdToken>,
}

impl RedemptionRequest {
    /// A request for `scopes` of `account`.
    #[must_use]
    pub fn new(context: RequestContext, metadata: ProviderMetadata, account: AccountId, scopes: Scopes) -> Self {
        Self { context, metadata, account, scopes, claims: None, id_tokens: Vec::new() }
    }
}

/// How silent redemption ended. An ordinary refusal is an outcome, not a failure of the flow: its effects on the cache
/// count all the same.
#[derive(Debug)]
#[non_exhaustive]
pub struct SilentOutcome {
    /// The tokens, or why there are none.
    pub result: Result<Tokens, Error>,
    /// Whether the server said that this client is not in the family (S-85).
    pub not_in_family: bool,
}

/// Tries refresh tokens in order until one is redeemed or nothing more can be tried.
#[derive(Debug)]
pub struct SilentRedemption {
    request: RedemptionRequest,
    candidates: VecDeque<RefreshCandidate>,
    asking: Option<RefreshRedemption>,
    refusal: Option<Error>,
    outcome: Option<Result<Tokens, Error>>,
    not_in_family: bool,
    over: bool,
}

impl SilentRedemption {
    /// Tries `candidates` in the given order; a token that stands twice is tried once.
    #[must_use]
    pub fn new(request: RedemptionRequest, candidates: impl IntoIterator<Item = RefreshCandidate>) -> Self {
        let mut distinct = VecDeque::<RefreshCandidate>::new();
        for candidate in candidates {
            if !distinct.iter().any(|known| known.refresh_token.ct_eq(candidate.refresh_token.expose())) {
                distinct.push_back(candidate);
            }
        }
        Self {
            request,
            candidates: distinct,
            asking: None,
            refusal: None,
            outcome: None,
            not_in_family: false,
            over: false,
        }
    }

    fn finish(&mut self, result: Result<Tokens, Error>) -> Step<SilentOutcome> {
        self.over = true;
        Step::Done(SilentOutcome { result, not_in_family: self.not_in_family })
    }

    fn redemption(&self, candidate: &RefreshCandidate, now: Timestamp) -> RefreshRedemption {
        let request = self.request.clone();
        RefreshRedemption::new(request.context, request.metadata, candidate.refresh_token.clone(), request.scopes, now)
            .with_claims(request.claims)
            .expecting(request.account, request.id_tokens)
    }

    /// Decides what a refusal means for the tokens that have not been tried yet.
    fn refused(&mut self, error: Error) {
        let is_familys = self.candidates.pop_front().is_some_and(|candidate| candidate.family);
        let next = match &error {
            Error::Server(server) if server.has_suberror("client_mismatch") => {
                if is_familys {
                    self.not_in_family = true;
                    // The family refuses the client, whichever token it sends; MSAL Python caches one per client.
                    self.candidates.retain(|candidate| !candidate.family);
                }
                true
            }
            Error::UiRequired(ui) => ui.code() == "invalid_grant",
            Error::Server(_) | Error::Throttled(_) | Error::Transport(_) | Error::Config(_) | Error::Protocol(_) => {
                false
            }
        };
        if !next {
            self.outcome = Some(Err(error));
            return;
        }
        // The first refusal of the user's own session says most; a family that refuses this client says nothing of it.
        let replace = matches!(self.refusal, None | Some(Error::Server(_)));
        if replace {
            self.refusal = Some(error);
        }
    }
}

impl Flow for SilentRedemption {
    type Output = SilentOutcome;

    fn step(&mut self, now: Timestamp) -> Result<Step<SilentOutcome>, Error> {
        if self.over {
            return Err(ProtocolError::OutOfOrder.into());
        }
        if let Some(outcome) = self.outcome.take() {
            return Ok(self.finish(outcome));
        }
        if self.asking.is_none() {
            self.asking = self.candidates.front().map(|candidate| self.redemption(candidate, now));
        }
        match &self.asking {
            Some(redemption) => Ok(Step::Send { request: redemption.request(), replay: Replay::Once }),
            None => {
                let none = || UiRequired::local(UiReason::NoTokensFound, self.request.context.correlation_id).into();
                let error = match self.refusal.take() {
                    Some(error @ Error::UiRequired(_)) => error,
                    // Only the family refused this client: for the user that is as if there were no token.
                    Some(_) | None => none(),
                };
                Ok(self.finish(Err(error)))
            }
        }
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error> {
        let Some(redemption) = self.asking.take() else {
            return Err(ProtocolError::OutOfOrder.into());
        };
        match input {
            Input::Failed(error) => self.outcome = Some(Err(error.into())),
            Input::Response(response) => match redemption.complete(response, now) {
                Ok(tokens) => self.outcome = Some(Ok(tokens)),
                Err(error) => self.refused(error),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

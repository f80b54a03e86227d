//! Silent redemption: the order in which refresh tokens are tried, and what each answer means for the cache.
//!
//! ```text
//!            ┌────────────────────────────────────────────────┐
//!            ▼                                                │ client_mismatch, invalid_grant:
//!   next candidate ──Send──▶ answer ──tokens──▶ Done(Ok)      │ try the next candidate (none of
//!            │                 │ └────────────────────────────┘ a family that refuses this client)
//!            │ none left       │ anything else
//!            ▼                 ▼
//!      Done(Err: first refusal, or no_tokens_found)
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use crate::error::{Error, ProtocolError, UiReason, UiRequired};
use crate::exchange::{Exchange as _, RedemptionRequest, RefreshRedemption, Replay};
use crate::flow::{Flow, Input, Step};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::tokens::Tokens;

/// A refresh token found in the cache.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefreshCandidate {
    /// The token.
    pub refresh_token: Secret,
    /// Whether it belongs to a family of clients rather than to this client.
    pub family: bool,
}

impl RefreshCandidate {
    /// Creates a candidate from a refresh token of this client or its family.
    #[must_use]
    pub fn new(refresh_token: Secret, family: bool) -> Self {
        Self { refresh_token, family }
    }
}

/// The result of a [`SilentRedemption`]. An ordinary refusal is a result, not a failure of the flow, because it too may
/// affect the cache.
#[derive(Debug)]
#[non_exhaustive]
pub struct SilentOutcome {
    /// The tokens, or the reason why there are none.
    pub result: Result<Tokens, Error>,
    /// Whether the server said that this client is not in the family (S-85).
    pub not_in_family: bool,
}

/// Tries refresh tokens in order until one is redeemed or no other can be tried.
///
/// ```
/// use auth_core::{
///     AccountId, Application, Authority, ClientId, CorrelationId, Flow, RedemptionRequest, RefreshCandidate,
///     RequestContext, Scopes, Secret, SilentRedemption, Step, Timestamp,
/// };
///
/// let id = CorrelationId::generate(&mut rand::rngs::SysRng)?;
/// let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), id);
/// let metadata = Authority::tenant("common")?.metadata().unwrap();
/// let request = RedemptionRequest::new(context, metadata, AccountId::new("u.t"), Scopes::parse("User.Read")?);
/// let candidate = RefreshCandidate::new(Secret::new("1.AX4A".to_owned()), false);
///
/// let mut redemption = SilentRedemption::new(request, [candidate]);
/// let Step::Send { request, .. } = redemption.step(Timestamp::from_unix_seconds(1_700_000_000))? else { panic!() };
/// assert_eq!(request.uri().path(), "/common/oauth2/v2.0/token");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SilentRedemption {
    request: Arc<RedemptionRequest>,
    candidates: VecDeque<RefreshCandidate>,
    current: Option<RefreshRedemption>,
    refusal: Option<Error>,
    outcome: Option<Result<Tokens, Error>>,
    not_in_family: bool,
    over: bool,
}

impl SilentRedemption {
    /// Creates a redemption that tries `candidates` in this order, and each token only once.
    #[must_use]
    pub fn new(request: RedemptionRequest, candidates: impl IntoIterator<Item = RefreshCandidate>) -> Self {
        let mut distinct = VecDeque::<RefreshCandidate>::new();
        for candidate in candidates {
            if !distinct.iter().any(|known| known.refresh_token.ct_eq(candidate.refresh_token.expose())) {
                distinct.push_back(candidate);
            }
        }
        Self {
            request: Arc::new(request),
            candidates: distinct,
            current: None,
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

    /// Decides what a refusal means for the tokens that have not been tried yet.
    fn refused(&mut self, error: Error) {
        let is_family = self.candidates.pop_front().is_some_and(|candidate| candidate.family);
        let next = match &error {
            Error::Server(server) if server.has_suberror("client_mismatch") => {
                if is_family {
                    self.not_in_family = true;
                    // The family refuses this client with any token; MSAL Python caches one per client.
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
        // Report the first refusal of the user's session; that of a family says nothing about the session.
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
        if self.current.is_none() {
            let redemption = |candidate: &RefreshCandidate| {
                RefreshRedemption::of(Arc::clone(&self.request), candidate.refresh_token.clone(), now)
            };
            self.current = self.candidates.front().map(redemption);
        }
        match &self.current {
            Some(redemption) => Ok(Step::Send { request: redemption.request(), replay: Replay::Once }),
            None => {
                let none = || UiRequired::local(UiReason::NoTokensFound, self.request.context.correlation_id).into();
                let error = match self.refusal.take() {
                    Some(error @ Error::UiRequired(_)) => error,
                    // Only the family refused this client: to the user, that is like having no token.
                    Some(_) | None => none(),
                };
                Ok(self.finish(Err(error)))
            }
        }
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error> {
        let Some(redemption) = self.current.take() else {
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

//! Waits for a user who signs in on another device: when to poll the provider, and what its answers mean (RFC 8628
//! §3.5, S-69).
//!
//! ```text
//!   request a code ──code──▶ DeviceSignIn
//!
//!   ┌─▶ Wait until the next time ──▶ Send ──tokens──▶ Done
//!   │         │ the code has expired   │
//!   │         ▼                        ├── authorization_pending: after the interval ──┐
//!   │   Err(code_expired)              ├── slow_down: 5 s longer from now on ──────────┤
//!   │                                  ├── no answer, server busy: twice the interval ─┤
//!   │                                  └── anything else: Err                          │
//!   └──────────────────────────────────────────────────────────────────────────────────┘
//! ```

use core::fmt;
use core::time::Duration;

use crate::error::{Error, ProtocolError, ServerError, UiReason, UiRequired};
use crate::exchange::{DeviceAuthorization, DeviceCode, DevicePoll, Exchange as _, MAX_INTERVAL};
use crate::flow::{Flow, Input, Step};
use crate::time::Timestamp;
use crate::tokens::Tokens;

/// What each `slow_down` adds to the interval.
const SLOWER: Duration = Duration::from_secs(5);

/// Polls the provider until the user has signed in on another device (RFC 8628 §3.4).
///
/// ```
/// use auth_core::{
///     Application, Authority, ClientId, CorrelationId, DeviceAuthorization, DeviceSignIn, Exchange, Flow,
///     RequestContext, Scopes, Step, Timestamp,
/// };
///
/// let context = RequestContext::new(
///     Application::new(ClientId::new("my-client-id")?),
///     CorrelationId::generate(&mut rand::rngs::SysRng)?,
/// );
/// let metadata = Authority::tenant("organizations")?.metadata().unwrap();
/// let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let begin = || DeviceAuthorization::new(context.clone(), metadata.clone(), Scopes::parse("User.Read")?);
/// // The answer of the device authorization endpoint:
/// let response = http::Response::builder().header("content-type", "application/json").body(br#"{
///     "device_code": "GmRhmhcxhwAzkoEqiMEg", "user_code": "WDJB-MJHT", "expires_in": 900, "interval": 5,
///     "verification_uri": "https://microsoft.com/devicelogin"
/// }"#.as_slice().into()).unwrap();
/// let code = begin()?.complete(response, now)?;
/// println!("Open {} and enter {}", code.verification_uri, code.user_code);
///
/// let mut waiting = DeviceSignIn::new(begin()?, &code, now);
/// let Step::Wait { until } = waiting.step(now)? else { panic!() };
/// assert_eq!(until, now.saturating_add(code.interval));
/// # Ok::<(), auth_core::Error>(())
/// ```
pub struct DeviceSignIn {
    request: DeviceAuthorization,
    code: DeviceCode,
    expiry: Deadline,
    interval: Duration,
    next: Deadline,
    poll: Option<DevicePoll>,
    outcome: Option<Result<Tokens, Error>>,
    over: bool,
}

impl DeviceSignIn {
    /// Waits for the user to enter `code`, which the provider issued for `request` at the time `now`.
    #[must_use]
    pub fn new(request: DeviceAuthorization, code: &DeviceCode, now: Timestamp) -> Self {
        let (code, interval) = (code.clone(), code.interval);
        let expiry = Deadline::after(now.duration_until(code.expires_on), now);
        let next = Deadline::after(interval, now);
        Self { request, code, expiry, interval, next, poll: None, outcome: None, over: false }
    }

    fn refused(&mut self, error: ServerError, now: Timestamp) {
        match error.error.as_str() {
            "authorization_pending" => self.next = Deadline::after(self.interval, now),
            "slow_down" => {
                self.interval = self.interval.saturating_add(SLOWER);
                self.next = Deadline::after(self.interval, now);
            }
            "expired_token" | "code_expired" | "bad_verification_code" => {
                self.outcome = Some(Err(self.expired(Some(error)).into()));
            }
            _ if error.is_transient() => self.back_off(None, now),
            _ => self.outcome = Some(Err(error.into())),
        }
    }

    /// Polls less often while the provider does not answer.
    fn back_off(&mut self, named: Option<Duration>, now: Timestamp) {
        self.interval = self.interval.saturating_mul(2).min(self.interval.max(MAX_INTERVAL));
        self.next = Deadline::after(named.unwrap_or_default().max(self.interval), now);
    }

    fn expired(&self, server: Option<ServerError>) -> UiRequired {
        let mut ui = UiRequired::local(UiReason::CodeExpired, self.request.context().correlation_id());
        ui.server = server.map(Box::new);
        ui
    }
}

/// A future point in time. Setting the clock back does not postpone it beyond its initial distance (R-33).
struct Deadline {
    at: Timestamp,
    within: Duration,
}

impl Deadline {
    fn after(within: Duration, now: Timestamp) -> Self {
        Self { at: now.saturating_add(within), within }
    }

    /// The deadline by a clock that says `now`.
    fn seen_at(&mut self, now: Timestamp) -> Timestamp {
        self.at = self.at.min(now.saturating_add(self.within));
        self.at
    }
}

impl Flow for DeviceSignIn {
    type Output = Tokens;

    fn step(&mut self, now: Timestamp) -> Result<Step<Tokens>, Error> {
        if self.over {
            return Err(ProtocolError::OutOfOrder.into());
        }
        if let Some(outcome) = self.outcome.take() {
            self.over = true;
            return outcome.map(Step::Done);
        }
        if let Some(poll) = &self.poll {
            return Ok(Step::Send { request: poll.request(), replay: DevicePoll::REPLAY });
        }
        let (expiry, next) = (self.expiry.seen_at(now), self.next.seen_at(now));
        if now >= expiry {
            self.over = true;
            return Err(self.expired(None).into());
        }
        if now < next {
            return Ok(Step::Wait { until: next.min(expiry) });
        }
        let poll = self.request.poll(&self.code.device_code, now);
        let request = poll.request();
        self.poll = Some(poll);
        Ok(Step::Send { request, replay: DevicePoll::REPLAY })
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error> {
        let Some(poll) = self.poll.take() else {
            return Err(ProtocolError::OutOfOrder.into());
        };
        match input.complete(poll, now) {
            Ok(Ok(tokens)) => self.outcome = Some(Ok(tokens)),
            Ok(Err(error)) => self.refused(error, now),
            Err(Error::Throttled(throttled)) => self.back_off(throttled.retry_after, now),
            Err(error) if error.is_transient() => self.back_off(None, now),
            Err(error) => self.outcome = Some(Err(error)),
        }
        Ok(())
    }
}

impl fmt::Debug for DeviceSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceSignIn").field("code", &self.code).field("next", &self.next.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

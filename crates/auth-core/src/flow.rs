//! Flows: conversations of several steps, driven by the caller.

use core::fmt;

use bytes::Bytes;

use crate::body::Body;
use crate::error::{Error, ProtocolError, TransportError};
use crate::exchange::{Exchange, Replay};
use crate::time::Timestamp;

/// A conversation as data.
///
/// The full contract for drivers: call [`step`](Self::step), do what it says, and pass the result to
/// [`handle`](Self::handle); repeat until [`Step::Done`], which is returned once. `step` returns the same step until
/// `handle` has been called or the time of a [`Step::Wait`] has come. A wrong input is an error, never a panic. The
/// crate `auth-http` has the loop that does this over a network.
///
/// ```
/// use auth_core::{
///     Application, Authority, ClientId, CorrelationId, Flow, Input, JwkSetRequest, OneStep, RequestContext, Step,
///     Timestamp,
/// };
///
/// let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let id = CorrelationId::generate(&mut rand::rngs::SysRng)?;
/// let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), id);
/// let mut flow = OneStep::new(JwkSetRequest::new(context, &Authority::tenant("common")?.metadata().unwrap())?);
///
/// let Step::Send { request, .. } = flow.step(now)? else { panic!() };
/// assert_eq!(request.uri().path(), "/common/discovery/v2.0/keys");
/// let response = http::Response::builder().header("content-type", "application/json");
/// flow.handle(now, Input::Response(response.body(br#"{"keys":[]}"#.as_slice().into()).unwrap()))?;
/// let Step::Done(_keys) = flow.step(now)? else { panic!() };
/// # Ok::<(), auth_core::Error>(())
/// ```
pub trait Flow {
    /// The result of the conversation.
    type Output;

    /// Returns what to do next.
    ///
    /// # Errors
    /// The reason why the conversation failed, which ends it.
    fn step(&mut self, now: Timestamp) -> Result<Step<Self::Output>, Error>;

    /// Accepts the result of the last step.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfOrder`] if no input was requested. Other failures are returned by the next
    /// [`step`](Self::step).
    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error>;
}

/// What the driver must do next.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must do each of them")]
#[expect(clippy::large_enum_variant, reason = "there is one step at a time, on the driver's stack")]
pub enum Step<T> {
    /// Send the request, then [`handle`](Flow::handle) the response or the failure.
    Send {
        /// The request.
        request: http::Request<Body>,
        /// Whether it may be sent again.
        replay: Replay,
    },
    /// Do nothing before this time, then call [`step`](Flow::step) again, without calling [`handle`](Flow::handle).
    Wait {
        /// When to continue.
        until: Timestamp,
    },
    /// The conversation is over; this is its result.
    Done(T),
}

/// The result of a step.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a flow must take each of them")]
pub enum Input {
    /// The response to the request.
    Response(http::Response<Bytes>),
    /// The request got no response.
    Failed(TransportError),
}

impl Input {
    /// Completes `exchange` with this result of its request.
    pub(crate) fn complete<E: Exchange>(self, exchange: E, now: Timestamp) -> Result<E::Output, Error> {
        match self {
            Self::Response(response) => exchange.complete(response, now),
            Self::Failed(error) => Err(error.into()),
        }
    }
}

/// An exchange as a flow of one step.
pub struct OneStep<E: Exchange> {
    state: State<E>,
}

enum State<E: Exchange> {
    Unanswered(E),
    Answered(Result<E::Output, Error>),
    Over,
}

impl<E: Exchange> OneStep<E> {
    /// Creates the flow that performs `exchange`.
    pub fn new(exchange: E) -> Self {
        Self { state: State::Unanswered(exchange) }
    }
}

impl<E: Exchange> fmt::Debug for OneStep<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Unanswered(_) => "OneStep(unanswered)",
            State::Answered(_) => "OneStep(answered)",
            State::Over => "OneStep(over)",
        })
    }
}

impl<E: Exchange> Flow for OneStep<E> {
    type Output = E::Output;

    fn step(&mut self, _now: Timestamp) -> Result<Step<E::Output>, Error> {
        if let State::Unanswered(exchange) = &self.state {
            return Ok(Step::Send { request: exchange.request(), replay: E::REPLAY });
        }
        match core::mem::replace(&mut self.state, State::Over) {
            State::Answered(answer) => answer.map(Step::Done),
            State::Unanswered(_) | State::Over => Err(ProtocolError::OutOfOrder.into()),
        }
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Unanswered(exchange) => {
                self.state = State::Answered(input.complete(exchange, now));
                Ok(())
            }
            answered @ (State::Answered(_) | State::Over) => {
                self.state = answered;
                Err(ProtocolError::OutOfOrder.into())
            }
        }
    }
}

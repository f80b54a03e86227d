//! Conversations of several steps, driven from outside.

use core::fmt;

use bytes::Bytes;

use crate::body::Body;
use crate::error::{Error, ProtocolError, TransportError};
use crate::exchange::{Exchange, Replay};
use crate::time::Timestamp;

/// A conversation as data.
///
/// The contract of driving it, in full: call [`step`](Self::step) and do what it says; give what came of it to
/// [`handle`](Self::handle); repeat until [`Step::Done`], which comes once. `step` says the same again until `handle`
/// was called, or the time that it names has come. A wrong input is an error, never a panic. Crate `auth-http` has the one loop that does this over a network.
pub trait Flow {
    /// What the conversation is for.
    type Output;

    /// What to do next.
    ///
    /// # Errors
    /// How the conversation failed; it is over then.
    fn step(&mut self, now: Timestamp) -> Result<Step<Self::Output>, Error>;

    /// Takes what came of the last step.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfOrder`] when nothing was asked for. What the other side did wrong is told by the next
    /// [`step`](Self::step).
    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error>;
}

/// What a driver has to do.
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
    /// Nothing is to be done before this time; then ask for the next [`step`](Flow::step) again. Nothing is given to
    /// [`handle`](Flow::handle).
    Wait {
        /// Until when.
        until: Timestamp,
    },
    /// The conversation is over, and this came of it.
    Done(T),
}

/// What came of a step.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a flow must take each of them")]
pub enum Input {
    /// The response to the request.
    Response(http::Response<Bytes>),
    /// The request got no response.
    Failed(TransportError),
}

impl Input {
    /// What came of the request of `exchange`.
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
    Asking(E),
    Answered(Result<E::Output, Error>),
    Over,
}

impl<E: Exchange> OneStep<E> {
    /// The flow that performs `exchange`.
    pub fn new(exchange: E) -> Self {
        Self { state: State::Asking(exchange) }
    }
}

impl<E: Exchange> fmt::Debug for OneStep<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Asking(_) => "OneStep(asking)",
            State::Answered(_) => "OneStep(answered)",
            State::Over => "OneStep(over)",
        })
    }
}

impl<E: Exchange> Flow for OneStep<E> {
    type Output = E::Output;

    fn step(&mut self, _now: Timestamp) -> Result<Step<E::Output>, Error> {
        if let State::Asking(exchange) = &self.state {
            return Ok(Step::Send { request: exchange.request(), replay: E::REPLAY });
        }
        match core::mem::replace(&mut self.state, State::Over) {
            State::Answered(answer) => answer.map(Step::Done),
            State::Asking(_) | State::Over => Err(ProtocolError::OutOfOrder.into()),
        }
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Result<(), Error> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Asking(exchange) => {
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

//! Which requests to the loopback port are accepted, and how each is answered (S-16…S-27).
//!
//! Nothing here has a socket or a clock. A [`Conversation`] is fed the bytes of one connection until it knows what they
//! say; the [`Wait`], one per sign-in, judges what arrived and gives the reply:
//!
//! ```text
//!             feed(bytes)                          judge(arrival)
//!  Head ──────────────────▶ Deliver(Arrival) ─────────────────────▶ reply, Stray | Response | Landed
//!   │  ▲ Continue(Head)          ▲
//!   │  └──┘                      │            Wait:  Waiting ──Response──▶ Landing (query) ──Landed──▶ Closed
//!   ├──────▶ Body ───────────────┘                              └────────▶ Closed  (form_post)
//!   └──────▶ Refuse(Refusal)
//! ```
//!
//! A connection carries one request: bytes after it are ignored, and every reply closes the connection. The verdict
//! never depends on how the bytes were split.

mod arrival;
mod body;
mod head;
mod reply;
mod rules;
mod scan;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use arrival::Arrival;
pub(crate) use reply::{Refusal, Reply};
pub(crate) use rules::Rules;
pub(crate) use wait::{Verdict, Wait};

use std::sync::Arc;

use body::Body;
use head::Head;
use rules::Admission;
use scan::{HeadScan, Scanned};

/// What to do next with a connection.
pub(crate) enum Step {
    /// Read more: of the head within 5 s of the connection, of the body within 10 s of the head (S-23).
    Continue(Part),
    /// Answer with a fixed refusal and close; the wait continues.
    Refuse(Refusal),
    /// Let the [`Wait`] judge.
    Deliver(Arrival),
}

/// The part of a request that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Head,
    Body,
}

/// One connection.
pub(crate) struct Conversation {
    rules: Arc<Rules>,
    phase: Phase,
}

enum Phase {
    Head(HeadScan),
    Body(Body),
    Over,
}

impl Conversation {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        let scan = HeadScan::new(rules.request_line_limit());
        Self { rules, phase: Phase::Head(scan) }
    }

    /// Whether no byte has arrived. Such a connection is closed without a reply, since browsers open spare ones.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(&self.phase, Phase::Head(scan) if scan.is_empty())
    }

    /// Takes the next bytes. After a [`Step`] other than [`Step::Continue`], all further bytes are ignored.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Step {
        let heard = match &mut self.phase {
            Phase::Head(scan) => match scan.feed(bytes) {
                Scanned::More => return Step::Continue(Part::Head),
                Scanned::Wrong(refusal) => Err(refusal),
                Scanned::Head { head, rest } => match self.admit(&head) {
                    Ok(Admission::Body(body)) => {
                        self.phase = Phase::Body(body);
                        return self.feed(rest);
                    }
                    Ok(Admission::Arrived(arrival)) => Ok(arrival),
                    Err(refusal) => Err(refusal),
                },
            },
            Phase::Body(body) => match body.feed(bytes) {
                Ok(None) => return Step::Continue(Part::Body),
                Ok(Some(parameters)) => Arrival::response(&parameters),
                Err(refusal) => Err(refusal),
            },
            Phase::Over => Err(Refusal::BadRequest),
        };
        self.phase = Phase::Over;
        heard.map_or_else(Step::Refuse, Step::Deliver)
    }

    fn admit(&self, head: &[u8]) -> Result<Admission, Refusal> {
        let mut fields = head::fields();
        let head = Head::parse(head, &mut fields)?;
        self.rules.admit(&head)
    }
}

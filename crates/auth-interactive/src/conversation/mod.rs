//! What a browser, or anybody else on this machine, may say to the loopback port, and what we answer (S-16…S-27).
//!
//! Nothing here has a socket or a clock. One [`Conversation`] is fed the bytes of one connection until it says what it
//! heard; the one [`Wait`] of a sign-in judges what arrived and gives the reply:
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
//! A connection carries one request: bytes after it are ignored, and every reply closes. The verdict never depends on
//! how the bytes were split.

mod arrival;
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

use zeroize::Zeroizing;

use head::Head;
use rules::Admission;
use scan::{HeadScan, Scanned};

/// What to do next with a connection.
pub(crate) enum Step {
    /// Read more: of the head within 5 s of the connection, of the body within 10 s of the head (S-23).
    Continue(Part),
    /// Answer with a fixed refusal and close; the wait goes on.
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
    Body { bytes: Zeroizing<Vec<u8>>, length: usize },
    Over,
}

impl Conversation {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        let scan = HeadScan::new(rules.request_line_limit());
        Self { rules, phase: Phase::Head(scan) }
    }

    /// Whether not one byte has arrived: such a connection is closed without a reply, since browsers open spare ones.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(&self.phase, Phase::Head(scan) if scan.is_empty())
    }

    /// Takes the next bytes. After a [`Step`] other than [`Step::Continue`], all further bytes are ignored.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Step {
        let (step, rest) = match &mut self.phase {
            Phase::Head(scan) => match scan.feed(bytes) {
                Scanned::More => return Step::Continue(Part::Head),
                Scanned::Wrong(refusal) => (Step::Refuse(refusal), None),
                Scanned::Head { head, rest } => match self.admit(&head) {
                    Ok(Admission::Arrived(arrival)) => (Step::Deliver(arrival), None),
                    Ok(Admission::Body(length)) => (Step::Continue(Part::Body), Some((length, rest))),
                    Err(refusal) => (Step::Refuse(refusal), None),
                },
            },
            Phase::Body { bytes: body, length } => {
                let missing = length.saturating_sub(body.len());
                body.extend(bytes.iter().take(missing));
                if body.len() < *length {
                    return Step::Continue(Part::Body);
                }
                (Step::Deliver(Arrival::Parameters(std::mem::take(body))), None)
            }
            Phase::Over => return Step::Refuse(Refusal::BadRequest),
        };
        match rest {
            Some((length, rest)) => {
                // The announced length is within the limit by now, so this is all that the body will ever take.
                self.phase = Phase::Body { bytes: Zeroizing::new(Vec::with_capacity(length)), length };
                self.feed(rest)
            }
            None => {
                self.phase = Phase::Over;
                step
            }
        }
    }

    fn admit(&self, head: &[u8]) -> Result<Admission, Refusal> {
        let mut fields = head::fields();
        let head = Head::parse(head, &mut fields)?;
        self.rules.admit(&head)
    }
}

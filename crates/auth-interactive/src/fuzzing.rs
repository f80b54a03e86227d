//! A wait without sockets, for the tests and the fuzz targets of this repository.

use std::sync::Arc;

use auth_core::State;

use crate::conversation::{Conversation, Reply, Rules, Step, Verdict, Wait};
use crate::expectation::Expectation;

/// The one wait of a sign-in, and whoever connects to it.
#[derive(Debug)]
pub struct Peer {
    pub(crate) rules: Arc<Rules>,
    state: State,
    wait: Wait,
}

impl Peer {
    /// Waits for this.
    #[must_use]
    pub fn expecting(expectation: Expectation) -> Self {
        Self::of(Arc::new(expectation.rules), expectation.state)
    }

    /// The same wait from its beginning.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::of(Arc::clone(&self.rules), self.state.clone())
    }

    fn of(rules: Arc<Rules>, state: State) -> Self {
        Self { wait: Wait::new(state.clone(), &rules), rules, state }
    }

    /// What a connection comes to on which these bytes arrive: the reply, and whether it ends the wait. Nothing while
    /// more is awaited.
    pub fn connect<'b>(&mut self, pieces: impl IntoIterator<Item = &'b [u8]>) -> Option<(String, bool)> {
        let mut conversation = Conversation::new(Arc::clone(&self.rules));
        for piece in pieces {
            let (reply, verdict) = match conversation.feed(piece) {
                Step::Continue(_) => continue,
                Step::Refuse(refusal) => (Reply::refusal(refusal), Verdict::Stray),
                Step::Deliver(arrival) => self.wait.judge(arrival),
            };
            let reply = String::from_utf8_lossy(reply.as_bytes()).into_owned();
            return Some((reply, matches!(verdict, Verdict::Response(_))));
        }
        None
    }
}

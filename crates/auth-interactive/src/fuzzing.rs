//! The loopback conversation without sockets, for the tests and the fuzz targets of this repository.

use std::sync::Arc;

use auth_core::State;

use crate::conversation::{Conversation, Reply, Rules, Step, Verdict, Wait};
use crate::expectation::Expectation;

/// The wait of one sign-in, and the peers that connect to it.
#[derive(Debug)]
pub struct Peer {
    pub(crate) rules: Arc<Rules>,
    state: State,
    wait: Wait,
}

impl Peer {
    /// Starts a wait for `expectation`.
    #[must_use]
    pub fn expecting(expectation: Expectation) -> Self {
        Self::of(Arc::new(expectation.rules), expectation.state)
    }

    /// Returns the same wait from its beginning.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::of(Arc::clone(&self.rules), self.state.clone())
    }

    fn of(rules: Arc<Rules>, state: State) -> Self {
        Self { wait: Wait::new(state.clone(), &rules), rules, state }
    }

    /// Feeds the bytes of one connection, piece by piece. Returns the reply and whether it ends the wait, or `None`
    /// while more bytes are awaited.
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

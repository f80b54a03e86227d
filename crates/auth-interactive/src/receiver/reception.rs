//! Serves all connections of one wait concurrently.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use std::{io, mem};

use auth_core::AuthorizationResponse;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, Id, JoinSet, yield_now};
use tokio::time::{sleep, timeout};

use super::connection::{Activity, Heard, hear, say};
use crate::conversation::{Reply, Rules, Verdict, Wait};
use crate::error::LoopbackError;
use crate::expectation::Expectation;

/// The limit on concurrent connections (S-23).
const MAX_CONNECTIONS: usize = 32;
/// The limit on connections before the response (S-23).
pub(super) const MAX_STRAYS: u32 = 10_000;
/// The time limit for the browser to follow to the bare path (S-27).
const LANDING: Duration = Duration::from_secs(2);
/// The time limit for writing the last page and closing its connection: more than both may take by themselves (S-28).
const CLOSING: Duration = Duration::from_secs(4);
/// The pause after a failed accept, as when the system has run out of file descriptors.
const BREATH: Duration = Duration::from_millis(20);

/// A wait with its sockets. Every task is in the set, so dropping this aborts them all.
pub(super) struct Reception {
    listeners: Vec<TcpListener>,
    tasks: JoinSet<Done>,
    open: Vec<Open>,
    activity: Activity,
    rules: Arc<Rules>,
    wait: Wait,
    seen: u32,
    /// Connections whose task panicked (S-30).
    pub(super) panics: u32,
    ending: Ending,
}

/// The stages in which the wait ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    NotYet,
    /// This task is redirecting the browser to the bare path, or the browser is on its way there.
    Landing(Id),
    /// This task is writing the last page.
    Closing(Id),
    Done,
}

/// A connection that a task serves.
struct Open {
    abort: AbortHandle,
    activity: Activity,
}

/// The outcome of a task.
pub(super) enum Done {
    Heard(TcpStream, Heard),
    Said,
}

impl Reception {
    pub(super) fn start(
        listeners: Vec<std::net::TcpListener>,
        expectation: Expectation,
    ) -> Result<Self, LoopbackError> {
        let listeners = listeners.into_iter().map(TcpListener::from_std).collect::<Result<_, _>>();
        let rules = expectation.rules;
        Ok(Self {
            listeners: listeners.map_err(LoopbackError::Listen)?,
            tasks: JoinSet::new(),
            open: Vec::new(),
            activity: Activity::default(),
            wait: Wait::new(expectation.state, &rules),
            rules: Arc::new(rules),
            seen: 0,
            panics: 0,
            ending: Ending::NotYet,
        })
    }

    /// Serves connections until the response arrives.
    pub(super) async fn response(&mut self) -> Result<AuthorizationResponse, LoopbackError> {
        loop {
            if self.seen > MAX_STRAYS {
                return Err(LoopbackError::Flooded);
            }
            if let Some(response) = self.turn().await {
                return Ok(response);
            }
        }
    }

    /// Keeps serving until the user has the page, for a few seconds at most. Failures are ignored: the response has
    /// arrived.
    pub(super) async fn finish(&mut self) {
        let landed = timeout(LANDING, async {
            while matches!(self.ending, Ending::Landing(_)) {
                self.turn().await;
            }
        });
        if landed.await.is_err() {
            return;
        }
        let _ = timeout(CLOSING, async {
            while self.ending != Ending::Done {
                self.turn().await;
            }
        })
        .await;
    }

    /// Handles one event: a new connection, or the end of a task.
    async fn turn(&mut self) -> Option<AuthorizationResponse> {
        let first = usize::try_from(self.seen).unwrap_or_default();
        tokio::select! {
            accepted = accept(&self.listeners, first) => {
                self.welcome(accepted).await;
                None
            }
            Some(ended) = self.tasks.join_next_with_id() => match ended {
                Ok((id, Done::Heard(stream, heard))) => {
                    self.forget(id);
                    self.answer(stream, heard)
                }
                Ok((id, Done::Said)) => {
                    self.forget(id);
                    None
                }
                // Aborted for a newer one, or a panic, which is confined to its connection (S-30).
                Err(error) => {
                    if error.is_panic() {
                        self.panics = self.panics.saturating_add(1);
                        tracing::error!(count = self.panics, "the task of a connection to the loopback port panicked");
                    }
                    self.forget(error.id());
                    None
                }
            },
        }
    }

    async fn welcome(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        self.seen = self.seen.saturating_add(1);
        let (mut stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(kind = ?error.kind(), "the loopback listener could not accept a connection");
                return sleep(BREATH).await;
            }
        };
        // S-15: the sockets are bound to loopback, but a misconfigured network stack is not trusted.
        if !peer.ip().is_loopback() {
            return;
        }
        // The reply is a single write and must not be delayed.
        let _ = stream.set_nodelay(true);
        while !self.make_room() {
            yield_now().await;
        }
        let (rules, activity) = (Arc::clone(&self.rules), self.activity.another());
        let seen_by_task = activity.clone();
        self.spawn(activity, async move {
            let heard = hear(&mut stream, rules, &seen_by_task).await;
            Done::Heard(stream, heard)
        });
    }

    fn answer(&mut self, stream: TcpStream, heard: Heard) -> Option<AuthorizationResponse> {
        let (reply, verdict) = match heard {
            Heard::Gone => return None,
            Heard::Refused(refusal) => {
                tracing::debug!(status = refusal.status(), "a request to the loopback port was refused");
                (Reply::refusal(refusal), Verdict::Stray)
            }
            Heard::Arrived(arrival) => self.wait.judge(arrival),
        };
        self.make_room();
        let activity = self.activity.another();
        activity.mark();
        let id = self.spawn(activity, async move {
            say(stream, reply).await;
            Done::Said
        });
        match verdict {
            Verdict::Stray => None,
            Verdict::Response(response) => {
                if self.wait.is_landing() {
                    self.ending = Ending::Landing(id);
                } else {
                    self.close(id);
                }
                Some(*response)
            }
            Verdict::Landed => {
                self.close(id);
                None
            }
        }
    }

    /// Stops listening; requests in flight still get their reply (S-24).
    fn close(&mut self, last: Id) {
        drop(mem::take(&mut self.listeners));
        self.ending = Ending::Closing(last);
    }

    /// Makes room for one more connection: at the limit, the one that has been idle longest is aborted (S-23). One that
    /// is not being read yet is not idle, because its request may have arrived. If there are only such, there is no
    /// room.
    fn make_room(&mut self) -> bool {
        if self.open.len() < MAX_CONNECTIONS {
            return true;
        }
        let last = match self.ending {
            Ending::Landing(id) | Ending::Closing(id) => Some(id),
            Ending::NotYet | Ending::Done => None,
        };
        let idle = self.open.iter().enumerate().filter(|(_, open)| Some(open.abort.id()) != last);
        let idle = idle.filter_map(|(index, open)| Some((open.activity.last()?, index)));
        let Some((_, index)) = idle.min() else { return false };
        self.open.swap_remove(index).abort.abort();
        true
    }

    /// Spawns a task for a connection.
    pub(super) fn spawn(&mut self, activity: Activity, task: impl Future<Output = Done> + Send + 'static) -> Id {
        let abort = self.tasks.spawn(task);
        let id = abort.id();
        self.open.push(Open { abort, activity });
        id
    }

    fn forget(&mut self, id: Id) {
        self.open.retain(|open| open.abort.id() != id);
        if self.ending == Ending::Closing(id) {
            self.ending = Ending::Done;
        }
    }
}

/// Accepts the next connection of any listener. `first` is polled first, so that no listener is starved.
async fn accept(listeners: &[TcpListener], first: usize) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        let turned =
            listeners.iter().cycle().skip(first.checked_rem(listeners.len()).unwrap_or_default()).take(listeners.len());
        for listener in turned {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

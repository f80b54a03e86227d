//! One connection: reads a request, writes the reply, and closes gracefully.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::conversation::{Arrival, Conversation, Part, Refusal, Reply, Rules, Step};

/// The time limit for the head, from the accept (S-23).
const HEAD: Duration = Duration::from_secs(5);
/// The time limit for the body, from the end of the head (S-23).
const BODY: Duration = Duration::from_secs(10);
/// The time limit for the peer to take our reply.
const WRITE: Duration = Duration::from_secs(2);
/// The time limit for the peer to close the connection after our reply (S-28).
const DRAIN: Duration = Duration::from_secs(1);

/// What was read from a connection.
pub(super) enum Heard {
    /// Nothing to reply to: the peer left, or stayed silent.
    Gone,
    Refused(Refusal),
    Arrived(Arrival),
}

/// When a connection was last active, on a logical clock that all connections of a wait share.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity {
    clock: Arc<AtomicU64>,
    last: Arc<AtomicU64>,
}

impl Activity {
    /// Returns the activity of a new connection, which is not being read yet.
    pub(super) fn another(&self) -> Self {
        Self { clock: Arc::clone(&self.clock), last: Arc::default() }
    }

    /// Higher is more recent; `None` until the connection is being read.
    pub(super) fn last(&self) -> Option<u64> {
        let last = self.last.load(Ordering::Relaxed);
        (last > 0).then_some(last)
    }

    pub(super) fn mark(&self) {
        let before = self.clock.fetch_add(1, Ordering::Relaxed);
        self.last.store(before.saturating_add(1), Ordering::Relaxed);
    }
}

/// Reads one request.
pub(super) async fn hear(stream: &mut (impl AsyncRead + Unpin), rules: Arc<Rules>, activity: &Activity) -> Heard {
    let mut conversation = Conversation::new(rules);
    let mut buffer = Zeroizing::new([0_u8; 8 * 1024]);
    let mut reading = Part::Head;
    let mut deadline = after(HEAD);
    // Lets the runtime notice bytes that have already arrived.
    yield_now().await;
    activity.mark();
    loop {
        let count = match timeout_at(deadline, stream.read(buffer.as_mut_slice())).await {
            Ok(Ok(count)) if count > 0 => count,
            Ok(Ok(_) | Err(_)) => return Heard::Gone,
            Err(_) if conversation.is_silent() => return Heard::Gone,
            Err(_) => return Heard::Refused(Refusal::Timeout),
        };
        activity.mark();
        match conversation.feed(buffer.get(..count).unwrap_or_default()) {
            Step::Continue(part) if part == reading => {}
            Step::Continue(part) => {
                reading = part;
                deadline = after(BODY);
            }
            Step::Refuse(refusal) => return Heard::Refused(refusal),
            Step::Deliver(arrival) => return Heard::Arrived(arrival),
        }
    }
}

/// Writes the reply and waits until the peer has closed its side: closing a socket with unread bytes resets the
/// connection, and the browser would show that error instead of the page (S-28).
pub(super) async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, reply: Reply) {
    let written = timeout(WRITE, async {
        stream.write_all(reply.as_bytes()).await?;
        stream.shutdown().await
    });
    if !matches!(written.await, Ok(Ok(()))) {
        return;
    }
    let mut rest = [0_u8; 8 * 1024];
    let drained = timeout(DRAIN, async { while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {} });
    // Whether the peer closes in time makes no difference.
    let _ = drained.await;
}

fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or(now)
}

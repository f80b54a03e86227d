//! One connection: bytes in until the conversation has heard enough, a reply out, a graceful end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::conversation::{Arrival, Conversation, Part, Refusal, Reply, Rules, Step};

/// To finish the head, from the accept on (S-23).
const HEAD: Duration = Duration::from_secs(5);
/// To finish the body, from the end of the head on (S-23).
const BODY: Duration = Duration::from_secs(10);
/// To take our reply.
const WRITE: Duration = Duration::from_secs(2);
/// To end the connection after our reply (S-28).
const DRAIN: Duration = Duration::from_secs(1);

/// What a connection had to say.
pub(super) enum Heard {
    /// Nothing that could be answered.
    Gone,
    Refused(Refusal),
    Arrived(Arrival),
}

/// When a connection last said something, on a clock that all connections of a wait share.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity {
    clock: Arc<AtomicU64>,
    last: Arc<AtomicU64>,
}

impl Activity {
    /// A new connection on the same clock, which nobody listens to yet.
    pub(super) fn another(&self) -> Self {
        Self { clock: Arc::clone(&self.clock), last: Arc::default() }
    }

    /// The higher, the more recent; nothing until somebody listens.
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
    // The runtime learns of what has arrived while nobody runs.
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

/// Writes the reply and waits until the peer has ended its side too: a socket that is closed with unread bytes resets
/// the connection, and the browser would show that instead of the page (S-28).
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
    // Whether the peer ends in time makes no difference to what comes next.
    let _ = drained.await;
}

fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or(now)
}

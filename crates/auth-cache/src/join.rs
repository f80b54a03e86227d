//! Awaiting several futures.

use core::future::poll_fn;
use core::task::Poll;

/// Awaits all futures and returns their outputs in order. All are polled each time, so it is meant for a few.
pub(crate) async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut all = Poll::Ready(());
        for (future, done) in waiting.iter_mut().filter(|(_, done)| done.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *done = Some(output),
                Poll::Pending => all = Poll::Pending,
            }
        }
        all
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

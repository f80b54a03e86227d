//! Single-flight: one answer for all concurrent callers with the same request.

use std::collections::{HashMap, hash_map};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ahash::RandomState;
use auth_core::ConfigError;
use tokio::runtime::Handle;
use tokio::sync::SetOnce;

const OUTSIDE_OF_A_RUNTIME: ConfigError =
    ConfigError::Missing { part: "tokio runtime", remedy: "call this inside of one" };

/// The work under way, each piece shared by any number of callers.
///
/// Work runs as a task of its own, so a caller that gives up or panics does not end it, and no lock is held while waiting.
/// Finished work is forgotten, including failures: a later caller starts afresh.
pub(crate) struct Flights<K, T> {
    under_way: UnderWay<K, T>,
}

type UnderWay<K, T> = Arc<Mutex<Entries<K, T>>>;

/// The result of a flight; `None` if its task ended without one.
type Answer<T> = Arc<SetOnce<Option<T>>>;

/// A caller's claim to the result of a flight.
pub(crate) struct Seat<T> {
    answer: Answer<T>,
    /// Whether this caller's request started the flight.
    pub(crate) first: bool,
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<K, T> Flights<K, T>
where
    K: Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Joins the flight of `key` if one is under way, or starts one with `work` on the caller's runtime.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] outside a tokio runtime.
    pub(crate) fn join<W>(&self, key: K, work: impl FnOnce() -> W) -> Result<Seat<T>, ConfigError>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let key = Arc::new(key);
        let (landing, answer, runtime) = {
            let mut under_way = locked(&self.under_way);
            let free = match under_way.entry(Arc::clone(&key)) {
                hash_map::Entry::Occupied(answer) => {
                    return Ok(Seat { answer: Arc::clone(answer.get()), first: false });
                }
                hash_map::Entry::Vacant(free) => free,
            };
            let runtime = Handle::try_current().map_err(|_| OUTSIDE_OF_A_RUNTIME)?;
            let answer = Answer::default();
            free.insert(Arc::clone(&answer));
            let slot = Slot { under_way: Arc::clone(&self.under_way), key };
            (Landing { slot: Some(slot), answer: Arc::clone(&answer) }, answer, runtime)
        };
        // After the lock is released: a runtime that is shutting down drops the task at once, which takes the lock.
        // Boxed, so that the runtime moves a pointer and not the whole future.
        let work = Box::pin(work());
        runtime.spawn(async move { landing.land(work.await) });
        Ok(Seat { answer, first: true })
    }

    /// How many flights are under way.
    pub(crate) fn len(&self) -> usize {
        locked(&self.under_way).len()
    }

    /// Waits for all flights that are under way now.
    pub(crate) async fn all_landed(&self) {
        let answers: Vec<_> = locked(&self.under_way).values().cloned().collect();
        for answer in answers {
            Seat { answer, first: false }.answer().await;
        }
    }
}

impl<T: Clone> Seat<T> {
    /// The result; `None` if the task ended without one because it panicked or its runtime shut down.
    pub(crate) async fn answer(self) -> Option<T> {
        self.answer.wait().await.clone()
    }
}

/// Ends a flight exactly once, however its task ends.
struct Landing<K: Eq + Hash, T> {
    slot: Option<Slot<K, T>>,
    answer: Answer<T>,
}

impl<K: Eq + Hash, T> Landing<K, T> {
    fn land(mut self, answer: T) {
        self.end(Some(answer));
    }

    fn end(&mut self, answer: Option<T>) {
        if let Some(slot) = self.slot.take() {
            // The slot is freed first, so that a caller who comes after the answer starts afresh.
            drop(slot);
            // Only this sets it, and only once.
            drop(self.answer.set(answer));
        }
    }
}

impl<K: Eq + Hash, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// A flight's entry among those under way; removed on drop.
struct Slot<K: Eq + Hash, T> {
    under_way: UnderWay<K, T>,
    key: Arc<K>,
}

impl<K: Eq + Hash, T> Drop for Slot<K, T> {
    fn drop(&mut self) {
        locked(&self.under_way).remove(&self.key);
    }
}

type Entries<K, T> = HashMap<Arc<K>, Answer<T>, RandomState>;

fn locked<K, T>(under_way: &Mutex<Entries<K, T>>) -> MutexGuard<'_, Entries<K, T>> {
    // Each change is a single insertion or removal, so a poisoned map is still consistent.
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    type Numbers = Flights<&'static str, u32>;

    #[tokio::test]
    async fn callers_during_a_flight_share_its_answer_and_the_next_starts_afresh() {
        let flights = Numbers::default();
        let (go, gate) = oneshot::channel::<()>();
        let first = flights.join("a", || async move {
            gate.await.unwrap();
            1
        });
        let first = first.unwrap();
        let more: Vec<_> = (0..9).map(|_| flights.join("a", || async { 2 }).unwrap()).collect();
        let other = flights.join("b", || async { 3 }).unwrap();
        assert_eq!((first.first, more.iter().any(|seat| seat.first), other.first), (true, false, true));
        assert_eq!(other.answer().await, Some(3), "another key does not wait");
        assert_eq!(flights.len(), 1);
        drop(first);
        go.send(()).unwrap();
        for seat in more {
            assert_eq!(seat.answer().await, Some(1));
        }
        assert_eq!(flights.len(), 0, "nothing is remembered");
        assert_eq!(flights.join("a", || async { 4 }).unwrap().answer().await, Some(4));
    }

    #[tokio::test]
    async fn work_that_panics_leaves_no_caller_waiting() {
        let flights = Numbers::default();
        let seats = ["a", "a"].map(|key| flights.join(key, || async { panic!("on purpose") }).unwrap());
        for seat in seats {
            assert_eq!(seat.answer().await, None);
        }
        assert_eq!((flights.len(), flights.join("a", || async { 1 }).unwrap().answer().await), (0, Some(1)));
    }

    #[test]
    fn a_runtime_that_shuts_down_leaves_no_caller_waiting() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let flights = Numbers::default();
        let first = runtime();
        let seat = first.block_on(async { flights.join("a", std::future::pending).unwrap() });
        drop(first);
        assert_eq!((runtime().block_on(seat.answer()), flights.len()), (None, 0));
        assert!(flights.join("a", || async { 1 }).is_err(), "there is no runtime here");
        assert_eq!(flights.len(), 0);
    }
}

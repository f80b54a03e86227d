//! The connection to a server, and how callers fail without one.

use core::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, RedisError};
use tokio::time::timeout;

use super::address::Address;
use super::failure::Failure;
use super::scripts::Call;
use crate::storage::backoff::Backoff;

/// How long to leave a server alone that did not answer, at first and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One connection for all callers, opened when needed. A server that does not answer costs a caller the deadline; it is
/// then left alone for a while, each time for twice as long, and callers fail at once.
pub(super) struct Link {
    address: Address,
    deadline: Duration,
    /// Held while connecting.
    connecting: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that the failure of an old one does not close a new one.
    generation: u64,
    /// Why the server is being left alone.
    down: Backoff<&'static str>,
}

impl Link {
    pub(super) fn new(address: Address, deadline: Duration) -> Self {
        let state = State { connection: None, generation: 0, down: Backoff::new(PAUSE, LONGEST_PAUSE) };
        Self { address, deadline, connecting: tokio::sync::Mutex::default(), state: state.into() }
    }

    /// Runs a command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        self.within_deadline(async |connection| command.query_async(connection).await).await
    }

    /// Runs a script.
    pub(super) async fn script<T: FromRedisValue>(&self, call: Call) -> Result<T, Failure> {
        self.within_deadline(async |connection| call.invoke(connection).await).await
    }

    /// Runs a script even while the server is being left alone.
    pub(super) async fn insist<T: FromRedisValue>(&self, call: Call) -> Result<T, Failure> {
        self.ask(async |connection| call.invoke(connection).await).await
    }

    async fn within_deadline<T>(
        &self,
        ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        self.state().down.check().map_err(Failure::Unreachable)?;
        self.ask(ask).await
    }

    async fn ask<T>(
        &self,
        ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Failure::Unreachable("no tokio runtime is running"));
        }
        let mut used = None;
        let answer = timeout(self.deadline, async {
            let (generation, mut connection) = self.connection().await?;
            used = Some(generation);
            ask(&mut connection).await.map_err(|error| Failure::from(&error))
        });
        let answer = answer.await.unwrap_or(Err(Failure::Unreachable("the server did not answer in time")));
        match &answer {
            Err(Failure::Unreachable(reason)) => self.failed(used, reason),
            Ok(_) | Err(Failure::Answered(_) | Failure::Unexpected(_)) => self.state().down.succeeded(),
        }
        answer
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), Failure> {
        let _connecting = self.connecting.lock().await;
        {
            let state = self.state();
            if let Some(connection) = &state.connection {
                return Ok((state.generation, connection.clone()));
            }
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.deadline))
            .set_response_timeout(Some(self.deadline));
        let connect = async { self.address.client()?.get_multiplexed_async_connection_with_config(&config).await };
        let connection = connect.await.map_err(|error| match Failure::from(&error) {
            // A server that refuses the connection is as unreachable as one that is down.
            Failure::Answered(_) | Failure::Unexpected(_) => Failure::Unreachable("the server refused the connection"),
            unreachable => unreachable,
        })?;
        let mut state = self.state();
        state.generation = state.generation.wrapping_add(1);
        state.connection = Some(connection.clone());
        Ok((state.generation, connection))
    }

    /// Closes the connection, and leaves the server alone for a while.
    fn failed(&self, used: Option<u64>, reason: &'static str) {
        let mut state = self.state();
        if used.is_none_or(|used| used == state.generation) {
            state.connection = None;
        }
        state.down.failed(reason);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Its fields are replaced as a whole, so poison does not matter.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` in the background, if there is a runtime.
pub(super) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        drop(runtime.spawn(work));
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::storage::redis::scripts;

    // The holder of a lock renews it even while other callers leave the server alone.
    #[tokio::test]
    async fn insisting_asks_a_server_that_is_being_left_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::parse(&format!("redis://{}", listener.local_addr().unwrap())).unwrap();
        let link = Link::new(address, Duration::from_secs(10));
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        // A server that hangs up.
        std::thread::spawn(move || {
            for _hung_up in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        let renewal = || scripts::renew("key", "token", 1);
        for _ in 0..2 {
            assert!(matches!(link.script::<bool>(renewal()).await, Err(Failure::Unreachable(_))));
            assert_eq!(asked.load(Ordering::SeqCst), 1, "left alone after the first failure");
        }
        assert!(matches!(link.insist::<bool>(renewal()).await, Err(Failure::Unreachable(_))));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}

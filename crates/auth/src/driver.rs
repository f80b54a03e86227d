//! The network and the clock.

use core::fmt;
use core::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use auth_core::{AuthorizationRequest, Error, Exchange, Flow, OneStep, PendingAuthorization, Timestamp};
use auth_http::{Clock, DynTransport, drive};
use rand::rngs::SysRng;

use crate::timing::Timing;

/// Performs the exchanges and flows of a client.
pub(crate) struct Driver {
    transport: Arc<dyn DynTransport>,
    clock: Arc<dyn Clock>,
}

impl Driver {
    pub(crate) fn new(transport: Arc<dyn DynTransport>, clock: Arc<dyn Clock>) -> Self {
        Self { transport, clock }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.clock.uptime()
    }

    pub(crate) async fn drive<F: Flow>(&self, flow: &mut F, timing: &mut Timing) -> Result<F::Output, Error> {
        timing.http(pin!(drive(flow, &*self.transport, &*self.clock))).await
    }

    pub(crate) async fn perform<E: Exchange>(&self, exchange: E, timing: &mut Timing) -> Result<E::Output, Error> {
        self.drive(&mut OneStep::new(exchange), timing).await
    }

    /// Begins a sign-in. The request is pushed if the provider has an endpoint for that, even if it does not require
    /// it: parameters in a URL can be read, changed and truncated on the way (RFC 9126).
    pub(crate) async fn begin(
        &self,
        request: AuthorizationRequest,
        timing: &mut Timing,
    ) -> Result<PendingAuthorization, Error> {
        match request.metadata.takes_pushed_requests() {
            true => self.perform(request.push(&mut SysRng, self.now())?, timing).await,
            false => Ok(request.begin(&mut SysRng, self.now())?),
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Driver")
    }
}

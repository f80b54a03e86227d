//! HTTP for `auth-core`: sending requests, and the loop that drives a flow.
//!
//! [`drive`] runs a [`Flow`](auth_core::Flow) over a [`Transport`]. The feature `reqwest` (on by default) provides
//! `ReqwestTransport`. [`InMemoryTransport`] answers from a function, for tests. Adapting another HTTP client takes
//! about thirty lines.
#![forbid(unsafe_code)]

mod clock;
mod clock_skew;
mod drive;
mod in_memory;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod retry;
mod transport;

pub use clock::{Clock, SystemClock};
pub use clock_skew::ClockSkewWatch;
pub use drive::drive;
pub use in_memory::InMemoryTransport;
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, Timeouts};
pub use transport::{BoxFuture, DynTransport, Transport};

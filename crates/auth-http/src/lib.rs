//! HTTP for `auth-core`: sending a request, and the one loop that drives a conversation.
//!
//! [`drive`] runs a [`Flow`](auth_core::Flow) over a [`Transport`]. The feature `reqwest` (on by default) has
//! `ReqwestTransport`. [`InMemoryTransport`] answers from a function, for tests. Any other HTTP client becomes a
//! [`Transport`] in about thirty lines.
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

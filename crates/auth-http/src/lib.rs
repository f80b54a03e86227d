//! HTTP for `auth-core`: what sends a request, and the one loop that drives a conversation.
//!
//! [`drive`] takes a [`Flow`](auth_core::Flow) over a [`Transport`]. Feature `reqwest` (on by default) has
//! `ReqwestTransport`; [`InMemoryTransport`] answers from a function, for tests; anything else that sends HTTP is a
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

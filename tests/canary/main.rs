//! No secret leaks: sign-ins, refreshes, refusals and sign-outs run through the facade and through the program, while
//! everything that others could read is collected and searched for every secret that went over the wire.
//!
//! A test binary of its own, because it listens to all logs of its process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod facade;
mod listener;
mod program;
#[cfg(feature = "peers")]
mod redis;
mod web;

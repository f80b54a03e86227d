//! Sign-ins through the facade with every kind of provider: the requests made, and the outcome of each response. Only
//! the loopback listener is real.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod browser;
mod clouds;
mod provider;
mod pushed;
mod user_flows;
mod wishes;

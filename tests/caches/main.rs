//! The caches of other libraries in `tests/fixtures`: every query, through the library and through the program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod accounts;
mod answer;
mod choices;
mod grants;
mod known_differences;
mod library;
mod program;
mod refresh;

//! The cache with a real keyring: gnome-keyring, in a session that each test has for itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod items;
mod program;
mod scene;
mod stores;

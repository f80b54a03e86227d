//! The cache with a real keyring: gnome-keyring, in a separate session for each test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests report failures by panicking"
)]

mod items;
mod program;
mod scene;
mod stores;

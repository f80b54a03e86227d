//! Shared parts of the end-to-end tests: the program under test, other programs as peers, transports, stores.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    reason = "this crate is only for tests, which report failures by panicking"
)]

pub mod actor;
pub mod authority;
pub mod browsers;
pub mod cache;
pub mod canary;
pub mod certificates;
pub mod device;
pub mod fixture_home;
pub mod fixtures;
pub mod jwt;
pub mod keyring;
pub mod loss;
pub mod numbered;
pub mod peer;
pub mod plan;
pub mod program;
pub mod redis;
pub mod terminal;
pub mod transports;

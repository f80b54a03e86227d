//! End to end against the emulator, over real sockets: the facade with every transport and store, and the program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod claims;
mod cli;
mod cli_browser;
mod cli_by_hand;
mod cli_cache;
mod cli_cache_commands;
mod cli_device_code;
mod cli_errors;
mod cli_flags;
mod cli_output;
mod device_code;
mod faults;
mod fixture;
mod mix_up;
mod oidc;
mod one_browser;
mod pages;
mod refusals;
mod sharing;
mod story;
mod tenants;
mod web;

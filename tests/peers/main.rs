//! The program `auth` with third-party software: a certified OpenID provider, Chromium, MSAL Python and MSAL Node.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod both_ways;
mod device_code;
mod msal;
mod pages;
mod provider;
mod pushed;
mod sharing;
mod sign_in;
mod web;
mod window;

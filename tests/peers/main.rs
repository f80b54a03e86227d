//! The program `auth` with software that nobody here wrote: a certified OpenID provider, Chromium, and MSAL Python.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod msal_python;
mod provider;
mod sign_in;

//! The bare program: the same work with nothing around it. Requests are not modelled, errors are not distinguished, and
//! nothing is kept that the work does not need; what remains is the least that a machine needs.

pub mod app;
pub mod authorization;
pub mod document;
pub mod flight;
pub mod people;
pub mod redemption;
pub mod writer;

use std::time::{SystemTime, UNIX_EPOCH};

/// The seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

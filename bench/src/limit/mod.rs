//! The bare program: the same work and nothing else. It does not model requests or distinguish errors, and keeps only
//! what the work needs, so its figures are the lower limit for the machine.

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

//! The silent path with a provider in memory: which calls share a request, and when no request is made.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

mod broker;
mod deferred;
mod dropped;
mod events;
mod forced;
mod herd;
mod hint;
mod hit;
mod lockless;
mod names;
mod outage;
mod overtaken;
mod partly_granted;
mod provider;
mod scene;
mod tenants;
mod throttling;
mod whom;

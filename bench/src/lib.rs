//! Benchmarks: generated caches, and the same work done by our crates and by a bare program.
//!
//! `cargo xtask bench` runs them. Only figures of the same run can be compared, because machines differ and are noisy.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    reason = "this crate only measures, and a panic is its error message"
)]

pub mod child;
pub mod generate;
pub mod instructions;
pub mod limit;
pub mod measure;
pub mod order;
pub mod ours;
pub mod plan;
pub mod row;
pub mod table;
pub mod workload;

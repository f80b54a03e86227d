//! The workloads. Each first checks that the answer is right, then measures.

pub mod app;
pub mod authorize;
pub mod flood;
pub mod herd;
pub mod hit;
pub mod redeem;
pub mod redeem_http;
pub mod redis;
pub mod start;
pub mod threads;
pub mod writers;

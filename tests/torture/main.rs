//! The cache file under torture: writers are killed and stopped, disks are full, system calls fail, files are damaged, other
//! libraries write too. Each process is a real one, `actor`, of the real library. And sign-ins where a family of addresses is
//! missing, or somebody holds the port.
//!
//! Counts are small, so that all of it fits into `cargo xtask test`; `cargo xtask torture` takes the full ones.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

mod damaged;
mod faults;
mod file_systems;
mod full_disk;
mod kills;
mod locks;
mod migration;
mod mixed;
mod namespace;
mod networks;
mod places;
mod rotation;
mod scene;
mod strace;
mod syscalls;

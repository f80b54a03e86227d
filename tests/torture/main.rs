//! The cache file under torture: writers are killed and stopped, disks are full, system calls fail, files are damaged,
//! and other libraries write, too. Each writer is a separate process, `actor`, that uses the real library. Also
//! sign-ins without an address family, or with a port in use.
//!
//! Counts are small, to fit into `cargo xtask test`; `cargo xtask torture` uses the full ones.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests report failures by panicking"
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
mod paths;
mod rotation;
mod scene;
mod strace;
mod syscalls;

//! The shell: sockets, the clock and the lock around the state.

mod app;
mod authorize;
mod device;
mod discovery;
mod guard;
mod listener;
mod reply;
mod router;
mod token;

pub(crate) use app::App;
pub(crate) use listener::{Cutter, LoopbackListener};
pub(crate) use router::router;

//! The emulator's state, in memory only. Everything here is plain data: time and randomness are passed in, and no lock
//! is taken.

mod code;
mod consent;
mod device;
mod refresh;
mod sign_in;
mod state;
mod transaction;

pub(crate) use code::CodeRecord;
pub(crate) use device::{Decision, DeviceCode, DeviceRequest, NoTokens};
pub(crate) use refresh::Dead;
pub(crate) use sign_in::SignIn;
pub(crate) use state::State;
pub(crate) use transaction::{Stage, Transaction};

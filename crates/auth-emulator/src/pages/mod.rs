//! The pages. Each is a single document that loads no other resources; only one has a script.

mod device;
mod form_post;
mod index;
mod layout;
mod problem;
mod sign_in;

pub(crate) use device::{device_done, enter_code};
pub(crate) use form_post::form_post;
pub(crate) use index::index;
pub(crate) use layout::{FormTarget, policy};
pub(crate) use problem::problem;
pub(crate) use sign_in::{Consent, SignIn, consent, sign_in};

//! Properties that must hold for every input, one per file. The fuzz targets look for inputs that break them;
//! `tests/corpus` replays the known inputs.

pub(crate) mod aead_file;
pub(crate) mod authorization_response;
pub(crate) mod cache_document;
pub(crate) mod claims_challenge;
pub(crate) mod client_info;
pub(crate) mod id_token;
pub(crate) mod lockfile_content;
pub(crate) mod loopback_request;
pub(crate) mod redis_value;
pub(crate) mod token_response;

#[path = "../sign_in.rs"]
mod sign_in;

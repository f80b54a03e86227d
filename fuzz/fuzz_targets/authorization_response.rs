#![no_main]

#[path = "../properties/authorization_response.rs"]
mod authorization_response;
#[path = "../sign_in.rs"]
mod sign_in;

libfuzzer_sys::fuzz_target!(|input: &[u8]| authorization_response::holds(input));

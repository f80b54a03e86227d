#![no_main]

#[path = "../properties/loopback_request.rs"]
mod loopback_request;
#[path = "../sign_in.rs"]
mod sign_in;

libfuzzer_sys::fuzz_target!(|input: &[u8]| loopback_request::holds(input));

#![no_main]

#[path = "../properties/token_response.rs"]
mod token_response;

libfuzzer_sys::fuzz_target!(|input: &[u8]| token_response::holds(input));

#![no_main]

#[path = "../properties/claims_challenge.rs"]
mod claims_challenge;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claims_challenge::holds(input));

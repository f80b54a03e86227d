#![no_main]

#[path = "../properties/id_token.rs"]
mod id_token;

libfuzzer_sys::fuzz_target!(|input: &[u8]| id_token::holds(input));

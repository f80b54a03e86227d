#![no_main]

#[path = "../properties/client_info.rs"]
mod client_info;

libfuzzer_sys::fuzz_target!(|input: &[u8]| client_info::holds(input));

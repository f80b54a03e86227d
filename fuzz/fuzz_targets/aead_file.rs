#![no_main]

#[path = "../properties/aead_file.rs"]
mod aead_file;

libfuzzer_sys::fuzz_target!(|input: &[u8]| aead_file::holds(input));

#![no_main]

#[path = "../properties/lockfile_content.rs"]
mod lockfile_content;

libfuzzer_sys::fuzz_target!(|input: &[u8]| lockfile_content::holds(input));

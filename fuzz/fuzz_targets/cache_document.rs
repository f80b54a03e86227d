#![no_main]

#[path = "../properties/cache_document.rs"]
mod cache_document;

libfuzzer_sys::fuzz_target!(|input: &[u8]| cache_document::holds(input));

#![no_main]

#[path = "../properties/redis_value.rs"]
mod redis_value;

libfuzzer_sys::fuzz_target!(|input: &[u8]| redis_value::holds(input));

//! Replays every known input of the fuzz targets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the message"
)]

#[path = "../../fuzz/properties/mod.rs"]
mod properties;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use properties::{
    aead_file, authorization_response, cache_document, claims_challenge, client_info, id_token, lockfile_content,
    loopback_request, redis_value, token_response,
};

type Property = fn(&[u8]);

const TARGETS: [(&str, Property); 10] = [
    ("aead_file", aead_file::holds),
    ("authorization_response", authorization_response::holds),
    ("cache_document", cache_document::holds),
    ("claims_challenge", claims_challenge::holds),
    ("client_info", client_info::holds),
    ("id_token", id_token::holds),
    ("lockfile_content", lockfile_content::holds),
    ("loopback_request", loopback_request::holds),
    ("redis_value", redis_value::holds),
    ("token_response", token_response::holds),
];

/// The names of the files in a folder of `fuzz`.
fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_properties_hold_for_every_known_input() {
    for (target, holds) in TARGETS {
        let inputs = names(&format!("corpus/{target}"));
        assert!(inputs.len() >= 10, "{target} has {} inputs", inputs.len());
        for name in inputs {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target).join(&name);
            let input = fs::read(path).unwrap();
            let kept = catch_unwind(AssertUnwindSafe(|| holds(&input)));
            assert!(kept.is_ok(), "{target}: {name} breaks the property; see the panic above");
        }
    }
}

// A target that is missing in one place would never run.
#[test]
fn every_target_has_a_property_and_a_corpus() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    let of_files = |folder| -> BTreeSet<String> {
        names(folder).iter().map(|name| name.trim_end_matches(".rs").to_owned()).filter(|name| name != "mod").collect()
    };
    assert_eq!(of_files("fuzz_targets"), targets);
    assert_eq!(of_files("properties"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/Cargo.toml")).unwrap();
    for target in &targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target} is not in the manifest");
    }
}

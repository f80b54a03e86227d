//! The generated documents have the same bytes on every machine, so that figures from different days are comparable.

use auth_bench::generate::{Contents, Signature, Users};
use sha2::{Digest as _, Sha256};

fn users(count: u64, expired: bool, slim: bool) -> Contents {
    let expired = if expired { 0..count } else { 0..0 };
    Contents::Users(Users { expired, slim, signature: Signature::Text, ..Users::first(count) })
}

#[test]
fn the_bytes_are_always_the_same() {
    let digests = [
        (users(1, false, false), "84648801ec4168d444bbfe757329c7cf6f1addb9e40e10a95aabc9d3e8b3890e"),
        (users(3, false, false), "c2973319992bbbeed1e6a3fabde1db6f2cebcdc351d25f13efb506e4192f0cb7"),
        (users(100, false, false), "137cc151d7257b67b7a65bb03273910d1b304d9bd23e47e4788b71c4735d48dc"),
        (users(100, true, false), "d49ac05969559e226a0e89daf4d4effb8c73e5a966a11aeb5addc69f120617b9"),
        (users(100, false, true), "b44787273e66652086b5014e9954eb59f9d598a1402199c8730ab08f65e26a7d"),
        (Contents::App { tenants: 3, scopes: 4 }, "1a4374d3c9b35d75025bbb295cde8267eeed575835435edbd2936d86f20aaf3e"),
        (
            Contents::Token { user: 0, signature: Signature::Text },
            "e305ec00de4cc53cfb3906d87f4c0eca56515d8529db43a649c790bed483eea1",
        ),
    ];
    for (contents, expected) in digests {
        let digest: String = Sha256::digest(contents.to_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, expected, "{contents:?}");
    }
}

#[test]
fn users_can_be_generated_in_parts() {
    let part = Contents::Users(Users { numbers: 2..3, ..Users::first(0) }).to_bytes();
    let part: serde_json::Value = serde_json::from_slice(&part).unwrap();
    let whole: serde_json::Value = serde_json::from_slice(&Contents::users(3).to_bytes()).unwrap();
    for section in ["Account", "IdToken", "AccessToken", "RefreshToken"] {
        let (key, entry) = part[section].as_object().unwrap().iter().next().unwrap();
        assert_eq!(&whole[section][key], entry);
    }
}

//! `client_info`: it has both IDs, not empty and as in the JSON, or it names no one or is refused (S-67).

use auth_core::ClientInfo;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Takes `input` as the parameter, and as the JSON in it.
pub(crate) fn holds(input: &[u8]) {
    if let Ok(text) = str::from_utf8(input) {
        check(text);
    }
    check(&URL_SAFE_NO_PAD.encode(input));
}

fn check(text: &str) {
    let Ok(Some(info)) = ClientInfo::parse(text) else { return };
    let json = URL_SAFE_NO_PAD.decode(text).expect("base64url");
    assert_eq!(URL_SAFE_NO_PAD.encode(&json), text, "the only encoding");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["uid"], info.uid.as_str());
    assert_eq!(json["utid"], info.utid.as_str());
    assert!(!info.uid.is_empty() && !info.utid.is_empty());
    assert_eq!(info.raw, text);
    assert_eq!(format!("{info:?}"), "ClientInfo([pii])");
}

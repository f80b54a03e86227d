//! The URL of an authorization request with PKCE.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

/// Returns the URL, and the verifier to keep.
#[must_use]
pub fn url(endpoint: &str, client_id: &str, redirect_uri: &str, scopes: &str) -> (String, String) {
    let random = || URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>());
    let (state, nonce, verifier) = (random(), random(), random());
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let mut url = String::with_capacity(1024);
    url.push_str(endpoint);
    url.push('?');
    let start = url.len();
    let url = Serializer::for_suffix(url, start)
        .append_pair("client_id", client_id)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("response_mode", "form_post")
        .append_pair("scope", scopes)
        .append_pair("state", &state)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("client_info", "1")
        .finish();
    (url, verifier)
}

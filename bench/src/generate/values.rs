//! The texts in generated documents; each depends only on a tag and a number.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shake::digest::{ExtendableOutput as _, Update as _};
use shake::{Shake128, XofReader as _};

/// The client that all generated tokens belong to.
pub const CLIENT: &str = "3f4c7a52-9a0e-4b0c-8d43-0f1e2d3c4b5a";
/// The tenant of all generated users.
pub const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
/// The environment of all generated entries.
pub const ENVIRONMENT: &str = "login.microsoftonline.com";
/// The scopes that each generated token of a user grants, in their order.
pub const SCOPES: &str = "Calendars.Read Contacts.Read Files.Read Mail.Read User.Read";

/// 1 January 2026.
pub(super) const CACHED_AT: &str = "1767225600";
/// 1 January 2035.
pub(super) const EXPIRES_ON: &str = "2051222400";
/// One hour after [`CACHED_AT`].
pub(super) const EXPIRED_ON: &str = "1767229200";

/// How an ID token ends. Neither form is a real signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// With random text. Unless it encodes a whole number of bytes, its last character has surplus bits, which a strict
    /// base64url decoder rejects (RFC 4648 §3.5).
    Text,
    /// With the encoding of whole bytes, like real ones. Differs from [`Text`](Self::Text) at most in its last
    /// character.
    Bytes,
}

/// The home account ID of user `number`.
#[must_use]
pub fn home_account_id(number: u64) -> String {
    format!("{}.{TENANT}", object_id(number))
}

/// The username of user `number`.
#[must_use]
pub fn username(number: u64) -> String {
    format!("user{number}@contoso.com")
}

/// The access token of user `number`.
#[must_use]
pub fn access_token(number: u64, slim: bool) -> String {
    text("at", number, if slim { 100 } else { 1500 })
}

/// The refresh token of user `number`.
#[must_use]
pub fn refresh_token(number: u64, slim: bool) -> String {
    text("rt", number, if slim { 100 } else { 1100 })
}

/// The access token that the token endpoint returns for user `number`.
#[must_use]
pub fn new_access_token(number: u64) -> String {
    text("new", number, 1500)
}

/// The access token for scope `scope` in tenant `tenant` of the application itself.
#[must_use]
pub fn app_token(tenant: u64, scope: u64) -> String {
    text(&format!("app{tenant}."), scope, 1500)
}

/// The ID of tenant `number`, as in app tokens.
#[must_use]
pub fn tenant_id(number: u64) -> String {
    guid("tenant", number)
}

/// Scope `number` of an application.
#[must_use]
pub fn app_scope(number: u64) -> String {
    format!("https://resource{number}.contoso.com/.default")
}

/// The ID of user `number` in its home tenant.
pub(super) fn object_id(number: u64) -> String {
    guid("uid", number)
}

/// Base64url text of exactly `characters` characters.
pub(super) fn text(tag: &str, number: u64, characters: usize) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(bytes(tag, number, characters * 3 / 4 + 3));
    text.truncate(characters);
    text
}

pub(super) fn base64url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn guid(tag: &str, number: u64) -> String {
    let hex: String = bytes(tag, number, 16).iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The first `length` bytes of SHAKE-128 over the tag with the number.
fn bytes(tag: &str, number: u64, length: usize) -> Vec<u8> {
    let mut hash = Shake128::default();
    hash.update(tag.as_bytes());
    hash.update(number.to_string().as_bytes());
    let mut bytes = vec![0; length];
    hash.finalize_xof().read(&mut bytes);
    bytes
}

//! Token responses on the wire (RFC 6749 §5.1, S-61…S-68).

use core::time::Duration;

use serde_json::Value;

use crate::client_info::ClientInfo;
use crate::error::ProtocolError;
use crate::json::{Member, Members};
use crate::scopes::Scopes;
use crate::secret::Secret;

const MESSAGE: &str = "token response";
const MAX_TOKEN: usize = 64 * 1024;
/// The longest lifetime, in seconds (S-61).
const MAX_LIFETIME: u64 = 10 * 365 * 24 * 60 * 60;

/// A token response, checked member by member.
#[derive(Debug)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    pub(crate) scope: Option<Scopes>,
    pub(crate) client_info: Option<ClientInfo>,
    pub(crate) expires_in: Duration,
    pub(crate) ext_expires_in: Option<Duration>,
    pub(crate) refresh_in: Option<Duration>,
    pub(crate) family_id: Option<String>,
}

impl TokenResponse {
    pub(crate) fn from_members(members: &Members<'_>) -> Result<Self, ProtocolError> {
        let token_type = text(members, "token_type")?.ok_or_else(|| missing("token_type"))?;
        if !token_type.eq_ignore_ascii_case("Bearer") {
            return Err(ProtocolError::TokenType);
        }
        let expires_in = seconds(members, "expires_in")?.unwrap_or_default();
        // Refreshing after expiry makes no sense.
        let refresh_in = seconds(members, "refresh_in")?.filter(|refresh_in| *refresh_in < expires_in);
        let scope = match text(members, "scope")? {
            Some(scope) if !scope.is_empty() => Some(Scopes::parse(scope).map_err(|_| invalid("scope"))?),
            Some(_) | None => None,
        };
        let client_info = match text(members, "client_info")? {
            Some(raw) => ClientInfo::parse(raw)?,
            None => None,
        };
        Ok(Self {
            access_token: token(members, "access_token")?.ok_or_else(|| missing("access_token"))?,
            refresh_token: token(members, "refresh_token")?,
            id_token: token(members, "id_token")?,
            scope,
            client_info,
            expires_in,
            ext_expires_in: seconds(members, "ext_expires_in")?,
            refresh_in,
            family_id: text(members, "foci")?.filter(|family| !family.is_empty()).map(str::to_owned),
        })
    }
}

fn missing(name: &'static str) -> ProtocolError {
    ProtocolError::Missing { message: MESSAGE, name }
}

fn invalid(name: &'static str) -> ProtocolError {
    ProtocolError::Invalid { message: MESSAGE, name }
}

fn text<'a>(members: &'a Members<'_>, name: &'static str) -> Result<Option<&'a str>, ProtocolError> {
    match members.get(name) {
        None | Some(Member::Other(Value::Null)) => Ok(None),
        Some(Member::Text(text)) => Ok(Some(text)),
        Some(Member::Other(_)) => Err(invalid(name)),
    }
}

/// Reads a token.
fn token(members: &Members<'_>, name: &'static str) -> Result<Option<Secret>, ProtocolError> {
    match text(members, name)? {
        None => Ok(None),
        Some(token) if is_token(token) => Ok(Some(Secret::new(token.to_owned()))),
        Some(_) => Err(invalid(name)),
    }
}

/// Whether `text` can be a token or a code: 1 byte to 64 KiB of visible ASCII, which cannot split a header (S-63).
pub(crate) fn is_token(text: &str) -> bool {
    // Without an early exit, the loop is vectorized.
    let graphic = || text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic());
    (1..=MAX_TOKEN).contains(&text.len()) && graphic()
}

fn seconds(members: &Members<'_>, name: &'static str) -> Result<Option<Duration>, ProtocolError> {
    seconds_in(members, name).map_err(|NotSeconds| invalid(name))
}

/// The value is not a number of seconds.
pub(crate) struct NotSeconds;

/// Reads a JSON integer, or a decimal string of at most ten digits (S-61).
pub(crate) fn seconds_in(members: &Members<'_>, name: &str) -> Result<Option<Duration>, NotSeconds> {
    let seconds = match members.get(name) {
        None => return Ok(None),
        Some(Member::Other(Value::Number(number))) => number.as_u64().filter(|seconds| *seconds < 10_000_000_000),
        Some(Member::Text(text)) if (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().ok()
        }
        Some(Member::Text(_) | Member::Other(_)) => None,
    };
    let seconds = seconds.ok_or(NotSeconds)?;
    Ok(Some(Duration::from_secs(seconds.min(MAX_LIFETIME))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(change: (&str, Value)) -> Result<TokenResponse, ProtocolError> {
        let mut response = json!({"token_type": "Bearer", "access_token": "at", "expires_in": 3600});
        response[change.0] = change.1;
        TokenResponse::from_members(&crate::json::parse_members(response.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn each_member_is_checked() {
        for (name, value, accepted) in [
            ("token_type", json!("bearer"), true),
            ("token_type", json!("pop"), false),
            ("token_type", json!(null), false),
            ("access_token", json!(""), false),
            ("access_token", json!("a b"), false),
            ("access_token", json!("a\nb"), false),
            ("access_token", json!("é"), false),
            ("access_token", json!("x".repeat(64 * 1024)), true),
            ("access_token", json!("x".repeat(64 * 1024 + 1)), false),
            ("access_token", json!(1), false),
            ("refresh_token", json!(null), true),
            ("refresh_token", json!("r t"), false),
            ("expires_in", json!("3600"), true),
            ("expires_in", json!(0), true),
            ("expires_in", json!(-1), false),
            ("expires_in", json!("-1"), false),
            ("expires_in", json!("+1"), false),
            ("expires_in", json!(1.5), false),
            ("expires_in", json!("1e3"), false),
            ("expires_in", json!(true), false),
            ("expires_in", json!(null), false),
            ("expires_in", json!([]), false),
            ("expires_in", json!("12345678901"), false),
            ("expires_in", json!(12_345_678_901_u64), false),
            ("expires_in", json!(""), false),
            ("refresh_in", json!(1800), true),
            ("refresh_in", json!(3600), true),
            ("refresh_in", json!(-1), false),
            ("scope", json!("a b"), true),
            ("scope", json!(""), true),
            ("scope", json!("a\u{1}b"), false),
            ("scope", json!(["a"]), false),
            ("client_info", json!("e30"), true),
            ("client_info", json!("W10"), false),
            ("client_info", json!("e30="), false),
            ("client_info", json!({}), false),
            ("foci", json!("1"), true),
            ("foci", json!(1), false),
            ("anything", json!({"deep": [1]}), true),
        ] {
            assert_eq!(read((name, value.clone())).is_ok(), accepted, "{name}: {value:.40}");
        }
    }

    #[test]
    fn lifetimes_are_capped() {
        let response = read(("expires_in", json!(9_999_999_999_u64))).unwrap();
        assert_eq!(response.expires_in, Duration::from_secs(MAX_LIFETIME));
    }
}

//! Entra's `client_info`: who the account is at home.

use core::fmt;

use crate::base64url;
use crate::json;

/// The decoded `client_info` of a token response.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The account's id in its home tenant.
    pub uid: String,
    /// The home tenant.
    pub utid: String,
    /// The text as it came, for the shared cache.
    pub raw: String,
}

impl ClientInfo {
    /// Decodes the base64url JSON. `None` when it is not that, or when one of the two ids is missing or empty: such an
    /// answer identifies nobody.
    ///
    /// ```
    /// use auth_core::ClientInfo;
    ///
    /// let info = ClientInfo::parse("eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ").unwrap();
    /// assert_eq!((info.uid.as_str(), info.utid.as_str()), ("u", "t"));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let json = base64url::decode(text)?;
        let members = json::parse_members(&json)?;
        let member = |name: &str| members.text(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Some(Self { uid: member("uid")?, utid: member("utid")?, raw: text.to_owned() })
    }
}

impl fmt::Debug for ClientInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientInfo([pii])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_identity_is_none() {
        for (json, accepted) in [
            (r#"{"uid":"u","utid":"t"}"#, true),
            (r#"{"uid":"u","utid":"t","more":1}"#, true),
            (r#"{"uid":"u"}"#, false),
            (r#"{"uid":"u","utid":""}"#, false),
            (r#"{"uid":1,"utid":"t"}"#, false),
            (r#"[]"#, false),
            ("", false),
        ] {
            assert_eq!(ClientInfo::parse(&base64url::encode(json.as_bytes())).is_some(), accepted, "{json}");
        }
        assert!(ClientInfo::parse("eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ==").is_none());
    }
}

//! Entra's `client_info`: the account's identity in its home tenant.

use core::fmt;

use crate::base64url;
use crate::error::ProtocolError;
use crate::json;

const INVALID: ProtocolError = ProtocolError::Invalid { message: "token response", name: "client_info" };

/// The decoded `client_info` of a token response.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The account's id in its home tenant.
    pub uid: String,
    /// The home tenant.
    pub utid: String,
    /// The text as received, for the shared cache.
    pub raw: String,
}

impl ClientInfo {
    /// Decodes the text. Returns `None` if one of the two ids is missing or empty; the subject of the ID token then
    /// identifies the account.
    ///
    /// # Errors
    /// [`ProtocolError::Invalid`] if the text is not a JSON object in base64url (S-67).
    ///
    /// ```
    /// use auth_core::ClientInfo;
    ///
    /// let info = ClientInfo::parse("eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ")?.unwrap();
    /// assert_eq!((info.uid.as_str(), info.utid.as_str()), ("u", "t"));
    /// assert!(ClientInfo::parse("e30")?.is_none(), "an empty object identifies no account");
    /// # Ok::<(), auth_core::ProtocolError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Option<Self>, ProtocolError> {
        let json = base64url::decode(text).ok_or(INVALID)?;
        let members = json::parse_members(&json).ok_or(INVALID)?;
        let member = |name: &str| members.text(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let ids = member("uid").zip(member("utid"));
        Ok(ids.map(|(uid, utid)| Self { uid, utid, raw: text.to_owned() }))
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
    fn both_ids_are_required() {
        for (json, expected) in [
            (r#"{"uid":"u","utid":"t"}"#, Ok(true)),
            (r#"{"uid":"u","utid":"t","more":1}"#, Ok(true)),
            (r#"{"uid":"u"}"#, Ok(false)),
            (r#"{"utid":"t"}"#, Ok(false)),
            (r#"{"uid":"u","utid":""}"#, Ok(false)),
            (r#"{"uid":1,"utid":"t"}"#, Ok(false)),
            ("{}", Ok(false)),
            (r#"[]"#, Err(INVALID)),
            ("", Err(INVALID)),
        ] {
            let found = ClientInfo::parse(&base64url::encode(json.as_bytes()));
            assert_eq!(found.map(|info| info.is_some()), expected, "{json}");
        }
        assert_eq!(ClientInfo::parse("eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ=="), Err(INVALID));
    }
}

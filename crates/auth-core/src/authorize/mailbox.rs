//! The header by which Entra routes a request to the account's region (`x-anchormailbox`, MSAL's CCS hint).

use http::HeaderValue;

use crate::authority::tenant::is_guid;
use crate::client_info::ClientInfo;

/// Names the account of the authorization response, or else the login hint. It only affects routing. The account came
/// through the browser, so only GUIDs are passed on.
pub(super) fn header(client_info: Option<&str>, login_hint: Option<&str>) -> Option<HeaderValue> {
    let account = client_info
        .and_then(|text| ClientInfo::parse(text).ok()?)
        .filter(|info| is_guid(&info.uid) && is_guid(&info.utid));
    let mailbox = match (account, login_hint) {
        (Some(info), _) => format!("oid:{}@{}", info.uid, info.utid),
        (None, Some(hint)) if !hint.is_empty() => format!("upn:{hint}"),
        (None, _) => return None,
    };
    // Not every server accepts other characters in a header.
    let mut value = HeaderValue::from_str(&mailbox).ok().filter(|_| mailbox.is_ascii())?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::client_info;

    const UID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    const UTID: &str = "bbbbbbbb-0000-cccc-1111-dddd2222eeee";

    #[test]
    fn the_account_is_preferred_to_the_login_hint() {
        let account = format!("oid:{UID}@{UTID}");
        for (info, hint, expected) in [
            (Some(client_info(UID, UTID)), Some("ada@contoso.example"), Some(account.as_str())),
            (Some(client_info(UID, UTID)), None, Some(&account)),
            (Some(client_info("u\r\nx: y", UTID)), Some("ada@contoso.example"), Some("upn:ada@contoso.example")),
            (Some(client_info(UID, "contoso.example")), None, None),
            (Some("nonsense".to_owned()), Some("ada"), Some("upn:ada")),
            (None, Some("ada\r\nx: y"), None),
            (None, Some("adé"), None),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let header = header(info.as_deref(), hint);
            assert_eq!(header.as_ref().map(|value| value.to_str().unwrap()), expected, "{info:?} {hint:?}");
            assert!(header.is_none_or(|value| value.is_sensitive()));
        }
    }
}

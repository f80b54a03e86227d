//! The canonical keys of entries, as MSAL for .NET writes them, all in lower case.
//!
//! Keys only keep entries apart on disk; entries are always found by their members (S-78).

use super::Section;

/// A key with the section it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    section: Section,
    text: String,
}

impl Key {
    pub(crate) fn access_token(
        account: &str,
        environment: &str,
        client_id: &str,
        realm: &str,
        target: &str,
    ) -> Self {
        Self::new(
            Section::AccessToken,
            &[account, environment, "accesstoken", client_id, realm, target],
        )
    }

    /// `owner` is the family, else the client.
    pub(crate) fn refresh_token(account: &str, environment: &str, owner: &str) -> Self {
        Self::new(Section::RefreshToken, &[account, environment, "refreshtoken", owner, "", ""])
    }

    pub(crate) fn id_token(account: &str, environment: &str, client_id: &str, realm: &str) -> Self {
        Self::new(Section::IdToken, &[account, environment, "idtoken", client_id, realm, ""])
    }

    pub(crate) fn account(account: &str, environment: &str, realm: &str) -> Self {
        Self::new(Section::Account, &[account, environment, realm])
    }

    pub(crate) fn app_metadata(environment: &str, client_id: &str) -> Self {
        Self::new(Section::AppMetadata, &["appmetadata", environment, client_id])
    }

    fn new(section: Section, parts: &[&str]) -> Self {
        Self { section, text: parts.join("-").to_lowercase() }
    }

    pub(crate) const fn section(&self) -> Section {
        self.section
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_as_the_other_libraries_write_them() {
        for (key, text) in [
            (
                Key::access_token("U.T", "login.windows.net", "CID", "T", "User.Read openid"),
                "u.t-login.windows.net-accesstoken-cid-t-user.read openid",
            ),
            (
                Key::refresh_token("u.t", "login.windows.net", "1"),
                "u.t-login.windows.net-refreshtoken-1--",
            ),
            (
                Key::id_token("u.t", "login.windows.net", "cid", "t"),
                "u.t-login.windows.net-idtoken-cid-t-",
            ),
            (Key::account("u.t", "login.windows.net", "T"), "u.t-login.windows.net-t"),
            (Key::app_metadata("login.windows.net", "CID"), "appmetadata-login.windows.net-cid"),
        ] {
            assert_eq!(key.into_text(), text);
        }
    }
}

//! The canonical keys of entries, as MSAL for .NET writes them, all in lower case.
//!
//! Keys only keep entries apart on disk; entries are always found by their members (S-78).

use super::{Members, Section};

/// A key with the section it is for, and the members that it was joined from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    section: Section,
    text: String,
    members: Vec<(&'static str, String)>,
}

impl Key {
    pub(crate) fn access_token(account: &str, environment: &str, client_id: &str, realm: &str, target: &str) -> Self {
        Self::new(Section::AccessToken, &[account, environment, "accesstoken", client_id, realm, target])
            .of(&[("client_id", client_id), ("realm", realm), ("target", target)])
            .of(&[("home_account_id", account), ("environment", environment)])
    }

    /// Of a client's own refresh token.
    pub(crate) fn refresh_token(account: &str, environment: &str, client_id: &str) -> Self {
        Self::new(Section::RefreshToken, &[account, environment, "refreshtoken", client_id, "", ""]).of(&[
            ("home_account_id", account),
            ("environment", environment),
            ("client_id", client_id),
        ])
    }

    /// Of the refresh token of a family of clients.
    pub(crate) fn family_refresh_token(account: &str, environment: &str, family: &str) -> Self {
        Self::new(Section::RefreshToken, &[account, environment, "refreshtoken", family, "", ""]).of(&[
            ("home_account_id", account),
            ("environment", environment),
            ("family_id", family),
        ])
    }

    pub(crate) fn id_token(account: &str, environment: &str, client_id: &str, realm: &str) -> Self {
        Self::new(Section::IdToken, &[account, environment, "idtoken", client_id, realm, ""])
            .of(&[("home_account_id", account), ("environment", environment)])
            .of(&[("client_id", client_id), ("realm", realm)])
    }

    pub(crate) fn account(account: &str, environment: &str, realm: &str) -> Self {
        Self::new(Section::Account, &[account, environment, realm]).of(&[
            ("home_account_id", account),
            ("environment", environment),
            ("realm", realm),
        ])
    }

    pub(crate) fn app_metadata(environment: &str, client_id: &str) -> Self {
        Self::new(Section::AppMetadata, &["appmetadata", environment, client_id])
            .of(&[("environment", environment), ("client_id", client_id)])
    }

    fn new(section: Section, parts: &[&str]) -> Self {
        Self { section, text: parts.join("-").to_lowercase(), members: Vec::new() }
    }

    fn of(mut self, members: &[(&'static str, &str)]) -> Self {
        self.members.extend(members.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self
    }

    /// Whether an entry under this key is of other members that only join to the same text (S-79). What an entry does
    /// not say is not held against it.
    pub(crate) fn is_taken_by(&self, entry: &Members) -> bool {
        self.members.iter().any(|(name, own)| {
            let other = entry.lenient(name);
            !other.is_empty() && !other.eq_ignore_ascii_case(own)
        })
    }

    pub(crate) const fn section(&self) -> Section {
        self.section
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
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
            (Key::refresh_token("u.t", "login.windows.net", "CID"), "u.t-login.windows.net-refreshtoken-cid--"),
            (Key::family_refresh_token("u.t", "login.windows.net", "1"), "u.t-login.windows.net-refreshtoken-1--"),
            (Key::id_token("u.t", "login.windows.net", "cid", "t"), "u.t-login.windows.net-idtoken-cid-t-"),
            (Key::account("u.t", "login.windows.net", "T"), "u.t-login.windows.net-t"),
            (Key::app_metadata("login.windows.net", "CID"), "appmetadata-login.windows.net-cid"),
        ] {
            assert_eq!(key.text(), text);
        }
    }
}

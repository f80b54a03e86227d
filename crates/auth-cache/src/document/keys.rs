//! The canonical keys of entries, as MSAL for .NET writes them, all in lower case.
//!
//! Keys only keep entries apart on disk. Entries are always found by their members (S-78).

use super::Section;
use crate::extension::Extension;
use crate::members::Members;
use crate::token_kind::TokenKind;

/// What the key of an access token is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccessTokenId<'a> {
    pub(crate) account: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) realm: &'a str,
    pub(crate) target: &'a str,
    pub(crate) kind: TokenKind<'a>,
    /// Empty unless the token was acquired on behalf of a user.
    pub(crate) assertion: &'a str,
}

/// The kind of entry that a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    AccessToken,
    RefreshToken,
    FamilyRefreshToken,
    IdToken,
    Account,
    AppMetadata,
}

/// A key and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    kind: KeyKind,
    text: String,
}

impl Key {
    pub(crate) fn access_token(id: &AccessTokenId<'_>) -> Self {
        let AccessTokenId { account, environment, client_id, realm, target, kind, assertion } = *id;
        let extension = kind.extension.filter(|extension| !extension.is_empty());
        let bearer = kind.token_type.eq_ignore_ascii_case(TokenKind::BEARER);
        let credential_type = match extension {
            Some(_) => "atext",
            None if bearer => "accesstoken",
            None => "accesstoken_with_authscheme",
        };
        let hash = extension.map(Extension::hash);
        let mut parts = vec![account, environment, credential_type, client_id, realm, target];
        parts.extend((!bearer).then_some(kind.token_type));
        parts.extend(hash.as_deref());
        // Without it, tokens for different assertions would overwrite one another.
        if !assertion.is_empty() {
            parts.extend(["obo", assertion]);
        }
        Self::new(KeyKind::AccessToken, &parts)
    }

    /// The key of a client's own refresh token.
    pub(crate) fn refresh_token(account: &str, environment: &str, client_id: &str) -> Self {
        Self::new(KeyKind::RefreshToken, &[account, environment, "refreshtoken", client_id, "", ""])
    }

    /// The key of the refresh token of a family of clients.
    pub(crate) fn family_refresh_token(account: &str, environment: &str, family: &str) -> Self {
        Self::new(KeyKind::FamilyRefreshToken, &[account, environment, "refreshtoken", family, "", ""])
    }

    pub(crate) fn id_token(account: &str, environment: &str, client_id: &str, realm: &str) -> Self {
        Self::new(KeyKind::IdToken, &[account, environment, "idtoken", client_id, realm, ""])
    }

    pub(crate) fn account(account: &str, environment: &str, realm: &str) -> Self {
        Self::new(KeyKind::Account, &[account, environment, realm])
    }

    pub(crate) fn app_metadata(environment: &str, client_id: &str) -> Self {
        Self::new(KeyKind::AppMetadata, &["appmetadata", environment, client_id])
    }

    fn new(kind: KeyKind, parts: &[&str]) -> Self {
        let mut text = parts.join("-");
        if text.is_ascii() {
            text.make_ascii_lowercase();
        } else {
            text = text.to_lowercase();
        }
        Self { kind, text }
    }

    pub(crate) const fn kind(&self) -> KeyKind {
        self.kind
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

impl KeyKind {
    pub(crate) const fn section(self) -> Section {
        match self {
            Self::AccessToken => Section::AccessToken,
            Self::RefreshToken | Self::FamilyRefreshToken => Section::RefreshToken,
            Self::IdToken => Section::IdToken,
            Self::Account => Section::Account,
            Self::AppMetadata => Section::AppMetadata,
        }
    }

    /// The members that the key is made of.
    const fn members(self) -> &'static [&'static str] {
        match self {
            Self::AccessToken => {
                &["home_account_id", "environment", "client_id", "realm", "target", "user_assertion_hash"]
            }
            Self::RefreshToken => &["home_account_id", "environment", "client_id"],
            Self::FamilyRefreshToken => &["home_account_id", "environment", "family_id"],
            Self::IdToken => &["home_account_id", "environment", "client_id", "realm"],
            Self::Account => &["home_account_id", "environment", "realm"],
            Self::AppMetadata => &["environment", "client_id"],
        }
    }

    /// Whether an entry under a key of ours has other members that happen to join to the same text (S-79). Members that
    /// the entry lacks do not count.
    pub(crate) fn is_taken_by(self, entry: &str, ours: &str) -> bool {
        let Some((entry, ours)) = Members::parse(entry).zip(Members::parse(ours)) else { return false };
        self.members().iter().any(|name| {
            let other = entry.lenient(name);
            !other.is_empty() && !other.eq_ignore_ascii_case(&ours.lenient(name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access_token(account: &str, target: &str, kind: TokenKind<'_>) -> Key {
        let (environment, client_id, realm) = ("login.windows.net", "CID", "T");
        Key::access_token(&AccessTokenId { account, environment, client_id, realm, target, kind, assertion: "" })
    }

    #[test]
    fn keys_match_those_of_other_libraries() {
        let extension = Extension::new([("key1", "value1"), ("key2", "value2")]);
        let hash = "latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike";
        for (key, text) in [
            (
                access_token("U.T", "User.Read openid", TokenKind::PLAIN),
                "u.t-login.windows.net-accesstoken-cid-t-user.read openid",
            ),
            (
                access_token("u.t", "x", TokenKind::bound("pop", "key")),
                "u.t-login.windows.net-accesstoken_with_authscheme-cid-t-x-pop",
            ),
            (
                access_token("", "r1/scope1 r1/scope2", TokenKind::PLAIN.with_extension(&extension)),
                &format!("-login.windows.net-atext-cid-t-r1/scope1 r1/scope2-{hash}"),
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

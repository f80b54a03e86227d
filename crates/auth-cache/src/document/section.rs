//! The sections of the document.

/// A section of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Section {
    AccessToken,
    RefreshToken,
    IdToken,
    Account,
    AppMetadata,
}

impl Section {
    pub(crate) const ALL: [Self; 5] =
        [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Account, Self::AppMetadata];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "AccessToken",
            Self::RefreshToken => "RefreshToken",
            Self::IdToken => "IdToken",
            Self::Account => "Account",
            Self::AppMetadata => "AppMetadata",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }

    /// Whether its entries are tokens.
    pub(crate) const fn is_secret(self) -> bool {
        matches!(self, Self::AccessToken | Self::RefreshToken | Self::IdToken)
    }

    /// Whether an entry is unusable if this member is an object, a list or a boolean.
    pub(crate) fn needs(self, member: &str) -> bool {
        let own: &[&str] = match self {
            Self::AccessToken => &["client_id", "realm", "target", "secret", "credential_type", "token_type"],
            Self::RefreshToken => &["client_id", "secret", "family_id"],
            Self::IdToken => &["client_id", "secret", "realm"],
            Self::Account => &["realm", "username", "local_account_id"],
            Self::AppMetadata => &["client_id", "family_id"],
        };
        member == "environment" || own.contains(&member)
    }

    /// The members that we know. All others belong to other programs and survive when an entry is replaced.
    pub(crate) const fn members(self) -> &'static [&'static str] {
        match self {
            Self::AccessToken => &[
                "home_account_id",
                "environment",
                "credential_type",
                "client_id",
                "secret",
                "realm",
                "target",
                "cached_at",
                "expires_on",
                "extended_expires_on",
                "ext_expires_on",
                "refresh_on",
                "token_type",
                "client_info",
                "requestedClaims",
                "requestedClaimsHash",
                "persisted_cache_parameters",
                "kid",
                "key_id",
                "keyid",
                "ext",
                "ext_cache_key",
                "additionalCacheKeyComponents",
                "additionalCacheKeyComponentsHash",
                "user_assertion_hash",
                "userAssertionHash",
            ],
            Self::RefreshToken => &[
                "home_account_id",
                "environment",
                "credential_type",
                "client_id",
                "secret",
                "family_id",
                "target",
                "realm",
                "last_modification_time",
                "client_info",
                "user_assertion_hash",
                "userAssertionHash",
            ],
            Self::IdToken => {
                &["home_account_id", "environment", "credential_type", "client_id", "secret", "realm", "client_info"]
            }
            Self::Account => &[
                "home_account_id",
                "environment",
                "realm",
                "local_account_id",
                "username",
                "authority_type",
                "name",
                "client_info",
                "account_source",
                "last_modification_time",
                "tenant_domains",
            ],
            Self::AppMetadata => &["client_id", "environment", "family_id"],
        }
    }
}

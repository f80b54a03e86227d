//! The names of Entra tenants in authorities.

use core::fmt;
use core::str::FromStr;

use crate::authority::raw::is_segment;
use crate::error::ConfigError;

/// The tenant of personal Microsoft accounts.
const MSA: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The Entra directory that users sign in to.
///
/// ```
/// use auth_core::Tenant;
///
/// assert_eq!("common".parse::<Tenant>()?, Tenant::Common);
/// assert!(matches!("contoso.onmicrosoft.com".parse()?, Tenant::Domain(_)));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tenant {
    /// Work, school and personal accounts.
    Common,
    /// Work and school accounts from any directory.
    Organizations,
    /// Personal accounts.
    Consumers,
    /// One directory by its id, a GUID in lower case.
    Id(String),
    /// One directory by a domain name, in lower case.
    Domain(String),
}

impl Tenant {
    /// Returns the text used in URLs and in the `realm` of cache entries.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Common => "common",
            Self::Organizations => "organizations",
            Self::Consumers => "consumers",
            Self::Id(text) | Self::Domain(text) => text,
        }
    }

    /// Returns the directory's id, if the name alone determines it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Consumers => Some(MSA),
            Self::Common | Self::Organizations | Self::Domain(_) => None,
        }
    }

    /// Returns whether the account determines the directory.
    #[must_use]
    pub fn is_multi_tenant(&self) -> bool {
        matches!(self, Self::Common | Self::Organizations)
    }
}

impl FromStr for Tenant {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if !is_segment(text) {
            return Err(ConfigError::Tenant);
        }
        let text = text.to_ascii_lowercase();
        Ok(match text.as_str() {
            "common" => Self::Common,
            "organizations" => Self::Organizations,
            "consumers" => Self::Consumers,
            _ if is_guid(&text) => Self::Id(text),
            _ if text.contains('.') => Self::Domain(text),
            _ => return Err(ConfigError::Tenant),
        })
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `text` is a GUID in its usual form with hyphens.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_are_parsed_by_name() {
        let id = "AAAABBBB-0000-cccc-1111-dddd2222eeee";
        for (text, expected) in [
            ("Common", Some(Tenant::Common)),
            ("organizations", Some(Tenant::Organizations)),
            ("consumers", Some(Tenant::Consumers)),
            (id, Some(Tenant::Id(id.to_ascii_lowercase()))),
            ("Contoso.com", Some(Tenant::Domain("contoso.com".to_owned()))),
            ("contoso", None),
            ("..", None),
            (".", None),
            ("a/b", None),
            ("contoso.com?x", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Tenant>().ok(), expected, "{text}");
        }
        assert_eq!(Tenant::Consumers.id(), Some(MSA));
    }
}

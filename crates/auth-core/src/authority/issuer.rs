//! Which issuer the metadata and the id_tokens of an authority must name (S-40, S-72).

use http::Uri;

use crate::authority::tenant::{Tenant, is_guid};

/// The issuer that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// Exactly this text.
    Exact { issuer: String, loopback: bool },
    /// `{origin}/{tenant id}/v2.0`, the origin being any name of the same cloud.
    Entra { origins: Vec<String>, tenant: Tenant, loopback: bool },
}

impl Issuer {
    /// Whether an id_token with this `iss` and `tid` comes from here.
    pub(crate) fn accepts(&self, iss: &str, tid: Option<&str>) -> bool {
        match self {
            Self::Exact { issuer, .. } => issuer == iss,
            Self::Entra { tenant, .. } => {
                let named = self.tenant_of(iss);
                named.is_some()
                    && named == tid
                    && tenant.id().is_none_or(|id| named.is_some_and(|named| named.eq_ignore_ascii_case(id)))
            }
        }
    }

    /// The tenant id in an issuer of this authority's form.
    pub(crate) fn tenant_of<'a>(&self, iss: &'a str) -> Option<&'a str> {
        match self {
            Self::Exact { .. } => None,
            Self::Entra { origins, .. } => origins
                .iter()
                .find_map(|origin| iss.strip_prefix(origin.as_str())?.strip_prefix('/')?.strip_suffix("/v2.0"))
                .filter(|tenant| is_guid(tenant)),
        }
    }

    /// Whether the metadata document may name this issuer (the Entra template included).
    pub(crate) fn accepts_metadata(&self, issuer: &str) -> bool {
        match self {
            Self::Exact { issuer: expected, .. } => expected == issuer,
            Self::Entra { origins, tenant, .. } => match self.tenant_of(issuer) {
                Some(named) => tenant.id().is_none_or(|id| named.eq_ignore_ascii_case(id)),
                None => {
                    tenant.is_multi_tenant()
                        && origins.iter().any(|origin| issuer.strip_prefix(origin.as_str()) == Some("/{tenantid}/v2.0"))
                }
            },
        }
    }

    /// Whether a response's `iss` parameter is this issuer (RFC 9207).
    pub(crate) fn accepts_parameter(&self, iss: &str) -> bool {
        match self {
            Self::Exact { issuer, .. } => issuer == iss,
            Self::Entra { .. } => self.accepts(iss, self.tenant_of(iss)),
        }
    }

    /// Where the sign-in pages of a cloud stand (S-18).
    pub(crate) fn sign_in_origins(&self) -> Vec<String> {
        match self {
            Self::Exact { .. } => Vec::new(),
            Self::Entra { origins, loopback: true, .. } => origins.clone(),
            // Personal accounts post their response from a host of their own.
            Self::Entra { origins, .. } => {
                origins.iter().cloned().chain(["https://login.live.com".to_owned()]).collect()
            }
        }
    }

    /// Whether an endpoint may belong to this issuer: Entra's stand under the names of the cloud, those of other
    /// providers wherever they like (S-42).
    pub(crate) fn owns(&self, endpoint: &Uri) -> bool {
        let Self::Entra { origins, .. } = self else { return true };
        let (Some(scheme), Some(authority)) = (endpoint.scheme_str(), endpoint.authority()) else {
            return false;
        };
        let own = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
        origins.contains(&own)
    }

    /// Whether it is an address of this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Exact { loopback, .. } | Self::Entra { loopback, .. } => *loopback,
        }
    }

    /// The expected text, for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Exact { issuer, .. } => issuer.clone(),
            Self::Entra { origins, tenant, .. } => {
                let origin = origins.first().map(String::as_str).unwrap_or_default();
                format!("{origin}/{}/v2.0", tenant.id().unwrap_or("{tenantid}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T1: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    const T2: &str = "bbbbbbbb-0000-cccc-1111-dddd2222eeee";

    #[test]
    fn entra_issuers() {
        let entra = |tenant: &str| Issuer::Entra {
            origins: vec!["https://login.example".to_owned(), "https://alias.example".to_owned()],
            tenant: tenant.parse().unwrap(),
            loopback: false,
        };
        let good = format!("https://alias.example/{T1}/v2.0");
        for (tenant, iss, tid, accepted) in [
            (T1, good.as_str(), Some(T1), true),
            ("common", &good, Some(T1), true),
            ("contoso.example", &good, Some(T1), true),
            (T2, &good, Some(T1), false),
            (T1, &good, Some(T2), false),
            (T1, &good, None, false),
            (T1, &format!("https://evil.example/{T1}/v2.0"), Some(T1), false),
            (T1, &format!("https://login.example.evil/{T1}/v2.0"), Some(T1), false),
            (T1, &format!("https://login.example/{T1}/v2.0/"), Some(T1), false),
            ("common", "https://login.example/common/v2.0", Some("common"), false),
            ("consumers", &good, Some(T1), false),
        ] {
            assert_eq!(entra(tenant).accepts(iss, tid), accepted, "{tenant} {iss} {tid:?}");
        }
        assert!(entra("common").accepts_metadata("https://login.example/{tenantid}/v2.0"));
        assert!(!entra(T1).accepts_metadata("https://login.example/{tenantid}/v2.0"));
        assert!(entra("contoso.example").accepts_metadata(&good));
        assert!(!entra(T2).accepts_metadata(&good));
    }
}

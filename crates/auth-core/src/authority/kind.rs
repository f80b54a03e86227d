//! The kinds of authorities, and how the kind follows from the text.
//!
//! The host takes precedence over the path, as in the other MSALs: a host of External ID or B2C has that kind whatever
//! its path. Suffixes include their dot, so `evilciamlogin.com` is not a host of External ID.

use crate::authority::cloud;
use crate::authority::names::Names;
use crate::authority::raw::{self, RawAuthority, Site};
use crate::authority::tenant::Tenant;
use crate::error::ConfigError;

pub(crate) const CIAM_SUFFIX: &str = ".ciamlogin.com";
/// The B2C domains of all clouds (MSAL Python's `WELL_KNOWN_B2C_HOSTS`).
const B2C_SUFFIXES: [&str; 4] = [".b2clogin.com", ".b2clogin.cn", ".b2clogin.us", ".b2clogin.de"];
const INITIAL_DOMAIN: &str = ".onmicrosoft.com";

/// The kind of an authority, with everything but its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Entra, or an Entra-like identity provider on this machine.
    Entra { names: Names, tenant: Tenant },
    /// Azure AD B2C. The policy determines the sign-in pages, so it is part of the authority.
    B2c { tfp: bool, tenant: Tenant, policy: String },
    /// Entra External ID for customers (CIAM).
    ExternalId { tenant: Tenant },
    /// Active Directory Federation Services; it has no tenants.
    Adfs,
    /// The token service of Microsoft's own datacentres.
    Dsts { tenant: Tenant },
    /// Any other provider, identified by its issuer.
    Oidc { issuer: String, realm: String },
}

impl Kind {
    /// The kind that `raw` names.
    pub(crate) fn of(raw: &RawAuthority) -> Result<Self, ConfigError> {
        let site = &raw.site;
        if site.port.is_some() && !site.is_loopback() && is_microsofts(&site.host) {
            return Err(ConfigError::Authority("Microsoft's hosts use port 443 only"));
        }
        let segments: Vec<_> = raw.segments.iter().map(String::as_str).collect();
        if site.host.ends_with(CIAM_SUFFIX) {
            return external_id(site, &segments);
        }
        let first = segments.first().map(|first| first.to_ascii_lowercase()).unwrap_or_default();
        if is_b2c_host(&site.host) || first == "tfp" {
            return b2c(&segments, first == "tfp");
        }
        let names = Names::of(site);
        // ADFS and dSTS are never on a host of an Entra cloud.
        let elsewhere = !matches!(names, Names::Cloud(_));
        match (first.as_str(), segments.as_slice()) {
            ("adfs", [_]) if elsewhere => Ok(Self::Adfs),
            ("dstsv2", [_, tenant]) if elsewhere => Ok(Self::Dsts { tenant: tenant.parse()? }),
            ("adfs", _) if elsewhere => Err(ConfigError::Authority("an ADFS authority must have the path /adfs")),
            ("dstsv2", _) if elsewhere => {
                Err(ConfigError::Authority("a dSTS authority must have the path /dstsv2/TENANT"))
            }
            (_, []) => Ok(Self::Entra { names, tenant: Tenant::Common }),
            (_, [tenant]) => Ok(Self::Entra { names, tenant: tenant.parse()? }),
            _ => Err(ConfigError::Authority("an Entra authority must have one path segment, its tenant")),
        }
    }

    /// The path, with a leading slash.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Entra { tenant, .. } | Self::ExternalId { tenant } => format!("/{tenant}"),
            Self::B2c { tfp: true, tenant, policy } => format!("/tfp/{tenant}/{policy}"),
            Self::B2c { tfp: false, tenant, policy } => format!("/{tenant}/{policy}"),
            Self::Adfs => "/adfs".to_owned(),
            Self::Dsts { tenant } => format!("/dstsv2/{tenant}"),
            Self::Oidc { .. } => String::new(),
        }
    }

    pub(crate) fn tenant(&self) -> Option<&Tenant> {
        match self {
            Self::Entra { tenant, .. }
            | Self::B2c { tenant, .. }
            | Self::ExternalId { tenant }
            | Self::Dsts { tenant } => Some(tenant),
            Self::Adfs | Self::Oidc { .. } => None,
        }
    }

    /// Whether to send `client_info=1`, to learn the account's home id. ADFS does not support it. An OpenID Connect
    /// provider ignores it (RFC 6749 §3.1), unless it is Entra under a custom domain, which then returns the id under
    /// which other libraries store the account.
    pub(crate) fn asks_client_info(&self) -> bool {
        match self {
            Self::Adfs => false,
            Self::Entra { .. } | Self::B2c { .. } | Self::ExternalId { .. } | Self::Dsts { .. } | Self::Oidc { .. } => {
                true
            }
        }
    }

    /// Whether requests are routed by account (`x-anchormailbox`), as Entra does, but not B2C.
    pub(crate) fn routes_by_mailbox(&self) -> bool {
        match self {
            Self::Entra { .. } | Self::ExternalId { .. } => true,
            Self::B2c { .. } | Self::Adfs | Self::Dsts { .. } | Self::Oidc { .. } => false,
        }
    }

    /// Whether other issuers may share the host, because only the path or the caller determined the kind.
    pub(crate) fn shares_host(&self, site: &Site) -> bool {
        match self {
            Self::Entra { names, .. } => {
                matches!(names, Names::Loopback | Names::Known | Names::Unknown) || site.port.is_some()
            }
            Self::ExternalId { .. } => false,
            Self::B2c { .. } => !is_b2c_host(&site.host),
            Self::Adfs | Self::Dsts { .. } | Self::Oidc { .. } => true,
        }
    }
}

fn is_b2c_host(host: &str) -> bool {
    B2C_SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
}

/// Whether the name alone shows that the host is Microsoft's.
fn is_microsofts(host: &str) -> bool {
    host.ends_with(CIAM_SUFFIX) || is_b2c_host(host) || cloud::of_host(host).is_some()
}

/// The tenant whose own host is `host`, as its initial domain.
fn own_tenant(host: &str) -> Option<String> {
    let label = host.strip_suffix(CIAM_SUFFIX)?;
    (!label.contains('.')).then(|| format!("{label}{INITIAL_DOMAIN}"))
}

/// Whether `host` is `tenant`'s own host, where `tenant` is an initial domain.
pub(crate) fn is_own_tenant(host: &str, tenant: &Tenant) -> bool {
    let label = host.strip_suffix(CIAM_SUFFIX).filter(|label| !label.contains('.'));
    label.is_some() && label == tenant.as_str().strip_suffix(INITIAL_DOMAIN)
}

/// The own host of a tenant given by its initial domain; the inverse of [`own_tenant`].
pub(crate) fn own_host(tenant: &Tenant) -> Option<String> {
    let label = tenant.as_str().strip_suffix(INITIAL_DOMAIN)?;
    (!label.contains('.')).then(|| format!("{label}{CIAM_SUFFIX}"))
}

fn external_id(site: &Site, segments: &[&str]) -> Result<Kind, ConfigError> {
    let tenant = match segments {
        [] => {
            own_tenant(&site.host).ok_or(ConfigError::Authority("its host does not name a tenant, so its path must"))?
        }
        [tenant] => (*tenant).to_owned(),
        _ => return Err(ConfigError::Authority("an External ID authority must have one path segment, its tenant")),
    };
    Ok(Kind::ExternalId { tenant: one_tenant(&tenant)? })
}

fn b2c(segments: &[&str], tfp: bool) -> Result<Kind, ConfigError> {
    let (tenant, policy) = match segments {
        [_, tenant, policy] if tfp => (tenant, policy),
        [tenant, policy] if !tfp => (tenant, policy),
        _ => {
            return Err(ConfigError::Authority(
                "a B2C authority must have the path /tfp/TENANT/POLICY or, at b2clogin.com, .cn, .us or .de, /TENANT/POLICY",
            ));
        }
    };
    Ok(Kind::B2c { tfp, tenant: one_tenant(tenant)?, policy: user_flow(policy)? })
}

/// The canonical name of a user flow or custom policy (S-38).
pub(crate) fn user_flow(name: &str) -> Result<String, ConfigError> {
    if !raw::is_segment(name) {
        return Err(ConfigError::Authority(
            "a user flow must be 1 to 128 letters, digits, dots, hyphens or underscores, starting with a letter or digit",
        ));
    }
    Ok(name.to_ascii_lowercase())
}

/// Parses the tenant of a kind that has no `common`.
fn one_tenant(text: &str) -> Result<Tenant, ConfigError> {
    match text.parse()? {
        tenant @ (Tenant::Id(_) | Tenant::Domain(_)) => Ok(tenant),
        Tenant::Common | Tenant::Organizations | Tenant::Consumers => {
            Err(ConfigError::Authority("its tenant must be a GUID or a domain name"))
        }
    }
}

//! Authorities: who signs people in, and the names under which that is known.
//!
//! What kind an authority is, is told in `kind`; every rule that differs between the kinds is one `match` in the file of
//! its concern: `names` (environment), `endpoints`, `realm`, `issuer`.

pub(crate) mod cloud;
mod endpoints;
pub(crate) mod issuer;
mod kind;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod options;
pub(crate) mod raw;
mod realm;
pub(crate) mod tenant;

use core::fmt;
use std::sync::Arc;

use http::Uri;

use crate::account_id::AccountId;
use crate::error::ConfigError;
use issuer::Issuer;
use kind::Kind;
use metadata::ProviderMetadata;
use names::{InstanceMetadata, Names};
use options::AuthorityOptions;
use raw::{RawAuthority, Site};
use tenant::Tenant;

/// An identity provider, and where it has tenants or policies, one of them.
///
/// The text is checked before it is parsed: what passes is a host of the Entra clouds, of B2C or of External ID, a path
/// of B2C, ADFS or dSTS, a host that Entra's instance discovery will be asked about, an OpenID Connect issuer, or an
/// address of this machine for local development.
///
/// ```
/// use auth_core::Authority;
///
/// let authority = Authority::parse("https://login.microsoftonline.us/contoso.example")?;
/// assert_eq!(authority.environment(), "login.microsoftonline.us");
/// assert!(Authority::parse("https://login.microsoftonline.com@evil.example/t").is_err());
///
/// let customers = Authority::parse("https://contoso.ciamlogin.com")?;
/// assert_eq!(customers.to_string(), "https://contoso.ciamlogin.com/contoso.onmicrosoft.com");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Authority {
    site: Site,
    kind: Kind,
    /// Made of the two above; kept, as every lookup compares with it.
    issuer: Arc<Issuer>,
    /// The endpoints, where they need no discovery; made of the same.
    metadata: Option<ProviderMetadata>,
}

/// Equal are authorities of the same site and kind: all else is made of these.
impl PartialEq for Authority {
    fn eq(&self, other: &Self) -> bool {
        (&self.site, &self.kind) == (&other.site, &other.kind)
    }
}

impl Eq for Authority {}

impl Authority {
    fn of(site: Site, kind: Kind) -> Self {
        let issuer = Arc::new(Issuer::of(&site, &kind));
        Self { metadata: endpoints::compiled_in(&site, &kind, &issuer), issuer, site, kind }
    }

    /// The given tenant of Entra's public cloud: a GUID, a domain name, `common`, `organizations` or `consumers`.
    ///
    /// # Errors
    /// [`ConfigError::Tenant`] when the name cannot be a tenant's.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let authority = Authority::tenant("contoso.onmicrosoft.com")?;
    /// assert_eq!(authority.environment(), "login.windows.net");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn tenant(tenant: &str) -> Result<Self, ConfigError> {
        let site = Site { scheme: "https", host: endpoints::PUBLIC_CLOUD.to_owned(), port: None };
        let kind = Kind::Entra { names: Names::of(&site), tenant: tenant.parse()? };
        Ok(Self::of(site, kind))
    }

    /// An authority of one of the kinds that Microsoft's libraries know, told apart by host, then by path:
    ///
    /// - External ID: `https://{name}.ciamlogin.com`, with the tenant as path or without;
    /// - B2C: `https://{name}.b2clogin.com/{tenant}/{policy}`, the same at `b2clogin.cn`, `.us` and `.de`, and `https://{any host}/tfp/{tenant}/{policy}`;
    /// - ADFS: `https://{host}/adfs`. It is not validated by WebFinger, as MSAL.NET does: there the very host that is in
    ///   question would answer for itself, which TLS and the issuer of its id_tokens prove already;
    /// - dSTS: `https://{host}/dstsv2/{tenant}`;
    /// - else Entra: `https://{host}/{tenant}`; the tenant is `common` when there is none.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] when the text breaks the rules of S-36 and S-37 or its path does not fit its kind,
    /// [`ConfigError::Tenant`] when the tenant in it is none.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let policy = Authority::parse("https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_SignIn")?;
    /// let metadata = policy.metadata().unwrap();
    /// assert_eq!(metadata.token_endpoint().path(), "/contoso.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/token");
    /// assert!(Authority::parse("https://contoso.b2clogin.com").is_err());
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::options().parse(text)
    }

    /// An OpenID Connect provider by its issuer, exactly as the provider spells it.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] when the text breaks the rules of S-36 and S-37.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let authority = Authority::oidc("https://idp.example/realms/staff")?;
    /// assert_eq!(authority.environment(), "idp.example");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn oidc(issuer: &str) -> Result<Self, ConfigError> {
        Self::options().oidc(issuer)
    }

    /// To read authorities on hosts that [`parse`](Self::parse) and [`oidc`](Self::oidc) refuse.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// assert!(Authority::oidc("https://idp.example:8443/realms/staff").is_err());
    /// let authority = Authority::options().allow_ports().oidc("https://idp.example:8443/realms/staff")?;
    /// assert_eq!(authority.environment(), "idp.example");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn options() -> AuthorityOptions {
        AuthorityOptions::default()
    }

    /// The tenant; `None` where there are none: ADFS and OpenID Connect issuers.
    #[must_use]
    pub fn tenant_name(&self) -> Option<&Tenant> {
        self.kind.tenant()
    }

    /// The same authority for another tenant. Only an Entra authority is the same for every tenant; another one stays as
    /// it is.
    #[must_use]
    pub fn with_tenant(&self, tenant: Tenant) -> Self {
        match &self.kind {
            Kind::Entra { names, .. } => Self::of(self.site.clone(), Kind::Entra { names: names.clone(), tenant }),
            Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                self.clone()
            }
        }
    }

    /// The same tenant of B2C with another user flow (or custom policy), such as the one that edits a profile or resets a
    /// password. Accounts are kept apart by the user flow that they signed in with.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] when the authority is none of B2C, or the name cannot stand in a path.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let sign_in = Authority::parse("https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_SignIn")?;
    /// let edit = sign_in.with_user_flow("B2C_1_Edit")?;
    /// assert_eq!(edit.to_string(), "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_edit");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn with_user_flow(&self, name: &str) -> Result<Self, ConfigError> {
        let Kind::B2c { tfp, tenant, .. } = &self.kind else {
            return Err(ConfigError::Authority("only B2C has user flows"));
        };
        let policy = kind::user_flow(name)?;
        Ok(Self::of(self.site.clone(), Kind::B2c { tfp: *tfp, tenant: tenant.clone(), policy }))
    }

    /// The same tenant name in the cloud of Entra that has `host`, in lower case, among its names; `None` where that is
    /// not compiled in, and for other kinds.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let authority = Authority::tenant("organizations")?;
    /// let government = authority.in_cloud("login.usgovcloudapi.net").unwrap();
    /// assert_eq!(government.to_string(), "https://login.microsoftonline.us/organizations");
    /// assert!(authority.in_cloud("evil.example").is_none());
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn in_cloud(&self, host: &str) -> Option<Self> {
        let Kind::Entra { names, tenant } = &self.kind else { return None };
        let cloud = cloud::of_host(host)?;
        if *names == Names::Cloud(cloud) {
            return Some(self.clone());
        }
        let site = Site { scheme: "https", host: cloud.network().to_owned(), port: None };
        Some(Self::of(site, Kind::Entra { names: Names::Cloud(cloud), tenant: tenant.clone() }))
    }

    /// The same tenant name in every cloud of Entra, this one first; only itself for other kinds.
    #[must_use]
    pub fn in_every_cloud(&self) -> Vec<Self> {
        let others = cloud::CLOUDS.iter().filter_map(|cloud| self.in_cloud(cloud.network()));
        core::iter::once(self.clone()).chain(others.filter(|other| other != self)).collect()
    }

    /// The same authority, knowing its other names. What is compiled in stays as it is (S-39).
    #[must_use]
    pub fn with_instance(&self, instance: InstanceMetadata) -> Self {
        self.with_names(Names::Discovered(Arc::new(instance)))
    }

    fn with_names(&self, names: Names) -> Self {
        match &self.kind {
            Kind::Entra { names: Names::Unknown, tenant } => {
                Self::of(self.site.clone(), Kind::Entra { names, tenant: tenant.clone() })
            }
            Kind::Entra { .. }
            | Kind::B2c { .. }
            | Kind::ExternalId { .. }
            | Kind::Adfs
            | Kind::Dsts { .. }
            | Kind::Oidc { .. } => self.clone(),
        }
    }

    /// The same authority, for whose host the caller vouches: it is used without instance discovery. What is compiled in
    /// stays as it is, so that the other names of a cloud are found all the same; so do the other kinds, which need no
    /// instance discovery. MSAL Node's `knownAuthorities`, and `instance_discovery=False` of MSAL Python.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let private_cloud = Authority::parse("https://login.private.example/contoso.example")?;
    /// assert!(private_cloud.metadata().is_none());
    /// let endpoint = private_cloud.as_known().metadata().unwrap().token_endpoint().to_string();
    /// assert_eq!(endpoint, "https://login.private.example/contoso.example/oauth2/v2.0/token");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn as_known(&self) -> Self {
        self.with_names(Names::Known)
    }

    /// The same authority, [known](Self::known) if its host is among `hosts`.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] when one of `hosts` is not the DNS name of a host and nothing else.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let private_cloud = Authority::parse("https://login.private.example/contoso.example")?;
    /// let known = private_cloud.known_among(["login.private.example"])?;
    /// assert!(!known.needs_instance_discovery());
    /// assert!(private_cloud.known_among(["https://login.private.example"]).is_err());
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn known_among<S: AsRef<str>>(&self, hosts: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        let mut named = false;
        for host in hosts {
            let host = host.as_ref().to_ascii_lowercase();
            if host != self.site.host && !raw::is_dns_name(&host) {
                return Err(ConfigError::Authority("a known authority is given by its host, a DNS name"));
            }
            named |= host == self.site.host;
        }
        Ok(if named { self.as_known() } else { self.clone() })
    }

    /// Whether this is Entra under a host that instance discovery must confirm before anything is sent to it.
    #[must_use]
    pub fn needs_instance_discovery(&self) -> bool {
        matches!(&self.kind, Kind::Entra { names: Names::Unknown, .. })
    }

    /// Whether the tenant is known by a domain name only, so that a discovery of its id may find more in a cache.
    #[must_use]
    pub fn wants_tenant_id(&self) -> bool {
        realm::wants_tenant_id(&self.kind)
    }

    /// The `environment` under which tokens of this authority are written to the shared cache: at Entra the preferred
    /// name of the cloud, else the host without its port.
    #[must_use]
    pub fn environment(&self) -> &str {
        match &self.kind {
            Kind::Entra { names, .. } => names.environment(&self.site),
            Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                &self.site.host
            }
        }
    }

    /// Whether a cache entry with this `environment` may belong to this authority. A name is not proof where
    /// [`issuer_decides`](Self::issuer_decides).
    #[must_use]
    pub fn is_environment(&self, environment: &str) -> bool {
        match &self.kind {
            Kind::Entra { names, .. } => names.is_environment(&self.site, environment),
            Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                self.site.is_environment(environment)
            }
        }
    }

    /// Whether the environment alone does not tell whose entry it is, as several issuers share a host: then only entries
    /// count whose id_token was [issued](Self::is_issuer) by this authority.
    #[must_use]
    pub fn issuer_decides(&self) -> bool {
        self.kind.shares_host(&self.site)
    }

    /// Whether an id_token with this `iss` was issued by this authority, at Entra for any tenant.
    #[must_use]
    pub fn is_issuer(&self, iss: &str) -> bool {
        self.issuer.issued(iss)
    }

    /// The `realm` under which entries are written whose id_token has this `tid`.
    #[must_use]
    pub fn realm<'a>(&'a self, tid: Option<&'a str>) -> &'a str {
        realm::written(&self.kind, tid)
    }

    /// Whether an entry of `account` with this `realm`, whichever library wrote it, is of the authority's tenant
    /// (S-82). `tenant_id` is the id of a tenant that the authority names by its domain, where a discovery has told it.
    ///
    /// ```
    /// # use auth_core::{AccountId, Authority};
    /// let adfs = Authority::parse("https://adfs.contoso.example/adfs")?;
    /// let ada = AccountId::new("ada");
    /// assert!(adfs.is_realm("adfs", &ada, None) && adfs.is_realm("", &ada, None));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_realm(&self, realm: &str, account: &AccountId, tenant_id: Option<&str>) -> bool {
        realm::matches(&self.site, &self.kind, realm, account, tenant_id)
    }

    /// Whether two realms are one under two names, as libraries differ in what they write.
    #[must_use]
    pub fn is_same_realm(&self, one: &str, other: &str) -> bool {
        realm::same(&self.kind, one, other)
    }

    /// Whether the realm tells no two entries apart, as there are no tenants or only one.
    #[must_use]
    pub fn has_single_realm(&self) -> bool {
        realm::is_single(&self.kind)
    }

    /// Whether libraries file entries under any realm, so that the one that is there should stay for whoever chose it
    /// (OpenID Connect).
    #[must_use]
    pub fn has_free_realm(&self) -> bool {
        realm::is_free(&self.kind)
    }

    /// Whether whoever signed in here is the user of `account`. At B2C the id ends with the user flow, in which the two may
    /// differ.
    ///
    /// ```
    /// # use auth_core::{AccountId, Authority};
    /// let edit = Authority::parse("https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_Edit")?;
    /// let (account, signed_in) = (AccountId::new("u-b2c_1_signin.t"), AccountId::new("u-b2c_1_edit.t"));
    /// assert!(edit.is_same_user(&account, &signed_in));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_same_user(&self, account: &AccountId, signed_in: &AccountId) -> bool {
        let policy = match &self.kind {
            Kind::B2c { policy, .. } => policy,
            Kind::Entra { .. } | Kind::ExternalId { .. } => return account == signed_in,
            // Subjects that differ in case only are two users (OpenID Connect Core §2).
            Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => return account.as_str() == signed_in.as_str(),
        };
        let of_user = |user: &str, tenant: &str| {
            let rest = account.folded().strip_prefix(&user.to_ascii_lowercase());
            let flow = rest.and_then(|rest| rest.strip_prefix('-')?.strip_suffix(&tenant.to_ascii_lowercase()));
            // The name of a user flow has no dot at its end.
            flow.and_then(|flow| flow.strip_suffix('.')).is_some_and(raw::is_segment)
        };
        account == signed_in || signed_in.without_user_flow(policy).is_some_and(|(user, tenant)| of_user(user, tenant))
    }

    /// The `authority_type` of an account in the shared cache: `ADFS`, else `MSSTS`. MSAL Python overlooks accounts
    /// with any other.
    #[must_use]
    pub fn authority_type(&self) -> &'static str {
        match &self.kind {
            Kind::Adfs => "ADFS",
            Kind::Entra { .. } | Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                "MSSTS"
            }
        }
    }

    /// The endpoints, where they need no discovery.
    #[must_use]
    pub fn metadata(&self) -> Option<ProviderMetadata> {
        self.metadata.clone()
    }

    pub(crate) fn configuration_url(&self) -> Option<Uri> {
        endpoints::configuration_url(&self.site, &self.kind)
    }

    pub(crate) fn instance_discovery_url(&self) -> Option<Uri> {
        endpoints::instance_discovery_url(&self.site, &self.kind)
    }

    pub(crate) fn asks_client_info(&self) -> bool {
        self.kind.asks_client_info()
    }

    /// The host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.site.host
    }

    pub(crate) fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(&self.issuer)
    }
}

impl AuthorityOptions {
    /// As [`Authority::parse`].
    ///
    /// # Errors
    /// Those of [`Authority::parse`].
    pub fn parse(self, text: &str) -> Result<Authority, ConfigError> {
        let raw = RawAuthority::parse(text, self)?;
        let kind = Kind::of(&raw)?;
        Ok(Authority::of(raw.site, kind))
    }

    /// As [`Authority::oidc`].
    ///
    /// # Errors
    /// Those of [`Authority::oidc`].
    pub fn oidc(self, issuer: &str) -> Result<Authority, ConfigError> {
        let raw = RawAuthority::parse(issuer, self)?;
        let realm = raw.segments.first().cloned().unwrap_or_default();
        Ok(Authority::of(raw.site, Kind::Oidc { issuer: issuer.to_owned(), realm }))
    }
}

/// Canonical: host, tenant and policy in lower case, no slash at the end. An issuer stays as the user wrote it.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Oidc { issuer, .. } => f.write_str(issuer),
            Kind::Entra { .. } | Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } => {
                write!(f, "{}{}", self.site.origin(), self.kind.path())
            }
        }
    }
}

#[cfg(test)]
mod tests;

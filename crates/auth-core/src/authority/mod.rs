//! Authorities: identity providers, and the names they are known by.
//!
//! `kind` determines what kind of authority a text names. Each rule that differs between kinds is one `match` in the
//! file for its concern: `names` (environment), `endpoints`, `realm`, `issuer`.

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

/// An identity provider, with a tenant or policy if it has them.
///
/// Accepted are hosts of the Entra clouds, of B2C and of External ID; the paths of B2C, ADFS and dSTS; hosts that
/// Entra's instance discovery will be asked about; OpenID Connect issuers; and, for local development, addresses of
/// this machine. The text is checked as written, before it is parsed.
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
    /// Derived from the two above; kept because every lookup compares against it.
    issuer: Arc<Issuer>,
    /// The endpoints, unless discovery must find them; derived likewise.
    metadata: Option<ProviderMetadata>,
}

/// Compares site and kind only: the rest is derived from them.
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

    /// Returns the authority for a tenant of Entra's public cloud: a GUID, a domain name, `common`, `organizations` or
    /// `consumers`.
    ///
    /// # Errors
    /// [`ConfigError::Tenant`] if `tenant` is none of these.
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

    /// Parses an authority of one of the kinds that Microsoft's libraries know. The host determines the kind, then the
    /// path:
    ///
    /// - External ID: `https://{name}.ciamlogin.com`, optionally with the tenant as its path;
    /// - B2C: `https://{name}.b2clogin.com/{tenant}/{policy}` (likewise `b2clogin.cn`, `.us` and `.de`), and
    ///   `https://{any host}/tfp/{tenant}/{policy}`;
    /// - ADFS: `https://{host}/adfs`. Unlike MSAL.NET, this library does not validate it by WebFinger: the host in
    ///   question would vouch for itself, which TLS and the issuer of its ID tokens already prove;
    /// - dSTS: `https://{host}/dstsv2/{tenant}`;
    /// - otherwise Entra: `https://{host}/{tenant}`; the tenant defaults to `common`.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] if the text is longer than 512 bytes, contains one of `@ \ # ? %` or anything but
    /// visible ASCII, does not start with `https://` (S-36), has a port, or if its host is not a DNS name (S-37), a
    /// path segment is malformed (S-38), or the path does not fit the kind. An address of this machine needs a port,
    /// and may use `http://`. [`ConfigError::Tenant`] if the tenant is invalid.
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

    /// Returns the authority of an OpenID Connect provider, given its issuer exactly as the provider spells it.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] if the text breaks the rules for the text of [`parse`](Self::parse) (S-36, S-37,
    /// S-38).
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

    /// Returns options for authorities that [`parse`](Self::parse) and [`oidc`](Self::oidc) refuse by default.
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

    /// Returns the tenant; `None` for ADFS and OpenID Connect issuers, which have none.
    #[must_use]
    pub fn tenant_name(&self) -> Option<&Tenant> {
        self.kind.tenant()
    }

    /// Returns this authority with another tenant if it is Entra; other kinds are returned unchanged.
    #[must_use]
    pub fn with_tenant(&self, tenant: Tenant) -> Self {
        match &self.kind {
            Kind::Entra { names, .. } => Self::of(self.site.clone(), Kind::Entra { names: names.clone(), tenant }),
            Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                self.clone()
            }
        }
    }

    /// Returns this B2C tenant with another user flow (or custom policy), such as one that edits a profile or resets a
    /// password. Accounts of different user flows are kept apart.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] if the authority is not B2C, or if `name` is not 1 to 128 letters, digits, dots,
    /// hyphens and underscores, starting with a letter or digit (S-38).
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

    /// Returns the same tenant name in the Entra cloud that has `host` (in lower case) among its names; `None` if no
    /// cloud known at compile time has, and for other kinds.
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

    /// Returns the same tenant name in every Entra cloud, this one first; for other kinds, only this authority.
    #[must_use]
    pub fn in_every_cloud(&self) -> Vec<Self> {
        let others = cloud::CLOUDS.iter().filter_map(|cloud| self.in_cloud(cloud.network()));
        core::iter::once(self.clone()).chain(others.filter(|other| other != self)).collect()
    }

    /// Returns this authority with its other names. Names known at compile time are not replaced (S-39).
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

    /// Returns this authority, trusted by the caller: it is used without instance discovery. Hosts known at compile
    /// time keep the other names of their cloud, and other kinds, which need no instance discovery, are returned
    /// unchanged. (MSAL Node's `knownAuthorities`, MSAL Python's `instance_discovery=False`.)
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

    /// Returns this authority, [as known](Self::as_known) if its host is among `hosts`.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] if one of `hosts` is neither a plain DNS name nor the host of this authority.
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
                return Err(ConfigError::Authority(
                    "a known authority must be a host name, such as login.contoso.example",
                ));
            }
            named |= host == self.site.host;
        }
        Ok(if named { self.as_known() } else { self.clone() })
    }

    /// Returns whether this is an Entra host that instance discovery must confirm before anything is sent to it.
    #[must_use]
    pub fn needs_instance_discovery(&self) -> bool {
        matches!(&self.kind, Kind::Entra { names: Names::Unknown, .. })
    }

    /// Returns whether only a domain name of the tenant is known, so that discovering its id may find more in a cache.
    #[must_use]
    pub fn wants_tenant_id(&self) -> bool {
        realm::wants_tenant_id(&self.kind)
    }

    /// Returns the `environment` under which tokens of this authority are written to the shared cache: for Entra the
    /// preferred name of the cloud, otherwise the host without its port.
    #[must_use]
    pub fn environment(&self) -> &str {
        match &self.kind {
            Kind::Entra { names, .. } => names.environment(&self.site),
            Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                &self.site.host
            }
        }
    }

    /// Returns whether a cache entry with this `environment` may belong to this authority. If
    /// [`issuer_decides`](Self::issuer_decides), the name alone proves nothing.
    #[must_use]
    pub fn is_environment(&self, environment: &str) -> bool {
        match &self.kind {
            Kind::Entra { names, .. } => names.is_environment(&self.site, environment),
            Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                self.site.is_environment(environment)
            }
        }
    }

    /// Returns whether several issuers may share this host, so that only entries count whose ID token was
    /// [issued](Self::is_issuer) by this authority.
    #[must_use]
    pub fn issuer_decides(&self) -> bool {
        self.kind.shares_host(&self.site)
    }

    /// Returns whether an ID token with this `iss` was issued by this authority; for Entra, in any tenant.
    #[must_use]
    pub fn is_issuer(&self, iss: &str) -> bool {
        self.issuer.issued(iss)
    }

    /// Returns the `realm` to write for entries whose ID token has this `tid`.
    #[must_use]
    pub fn realm<'a>(&'a self, tid: Option<&'a str>) -> &'a str {
        realm::written(&self.kind, tid)
    }

    /// Returns whether an entry of `account` with this `realm`, whichever library wrote it, belongs to the authority's
    /// tenant (S-82). If the authority names its tenant by domain, `tenant_id` is the id that discovery returned for
    /// it.
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

    /// Returns whether two realms are names of the same one, because libraries differ in what they write.
    #[must_use]
    pub fn is_same_realm(&self, one: &str, other: &str) -> bool {
        realm::same(&self.kind, one, other)
    }

    /// Returns whether there is at most one tenant, so that the realm does not distinguish entries.
    #[must_use]
    pub fn has_single_realm(&self) -> bool {
        realm::is_single(&self.kind)
    }

    /// Returns whether libraries write entries under arbitrary realms (OpenID Connect), so that an existing realm
    /// should be kept.
    #[must_use]
    pub fn has_free_realm(&self) -> bool {
        realm::is_free(&self.kind)
    }

    /// Returns whether `signed_in`, obtained from this authority, is the user of `account`. B2C ids end with the user
    /// flow, which may differ between the two.
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
            // Subjects are case-sensitive (OpenID Connect Core §2).
            Kind::Adfs | Kind::Dsts { .. } | Kind::Oidc { .. } => return account.as_str() == signed_in.as_str(),
        };
        let of_user = |user: &str, tenant: &str| {
            let rest = account.folded().strip_prefix(&user.to_ascii_lowercase());
            let flow = rest.and_then(|rest| rest.strip_prefix('-')?.strip_suffix(&tenant.to_ascii_lowercase()));
            // The name of a user flow does not end with a dot.
            flow.and_then(|flow| flow.strip_suffix('.')).is_some_and(raw::is_segment)
        };
        account == signed_in || signed_in.without_user_flow(policy).is_some_and(|(user, tenant)| of_user(user, tenant))
    }

    /// Returns the `authority_type` of an account in the shared cache: `ADFS` or `MSSTS`. MSAL Python ignores accounts
    /// with any other value.
    #[must_use]
    pub fn authority_type(&self) -> &'static str {
        match &self.kind {
            Kind::Adfs => "ADFS",
            Kind::Entra { .. } | Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Dsts { .. } | Kind::Oidc { .. } => {
                "MSSTS"
            }
        }
    }

    /// Returns the endpoints; `None` if they must be discovered.
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

    /// Returns the host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.site.host
    }

    pub(crate) fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(&self.issuer)
    }
}

impl AuthorityOptions {
    /// Like [`Authority::parse`], with these options.
    ///
    /// # Errors
    /// Those of [`Authority::parse`].
    pub fn parse(self, text: &str) -> Result<Authority, ConfigError> {
        let raw = RawAuthority::parse(text, self)?;
        let kind = Kind::of(&raw)?;
        Ok(Authority::of(raw.site, kind))
    }

    /// Like [`Authority::oidc`], with these options.
    ///
    /// # Errors
    /// Those of [`Authority::oidc`].
    pub fn oidc(self, issuer: &str) -> Result<Authority, ConfigError> {
        let raw = RawAuthority::parse(issuer, self)?;
        let realm = raw.segments.first().cloned().unwrap_or_default();
        Ok(Authority::of(raw.site, Kind::Oidc { issuer: issuer.to_owned(), realm }))
    }
}

/// Canonical form: host, tenant and policy in lower case, no trailing slash. An issuer is shown as given.
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

//! The issuer that an authority's metadata and ID tokens must name (S-40, S-72).
//!
//! | kind | accepted (`{tid}` is a GUID) |
//! |---|---|
//! | Entra | `https://{any name of the cloud}/{tid}/v2.0` |
//! | B2C | `{origin}/{tid}/v2.0` or `{origin}/tfp/{tid}/{policy}/v2.0`, with or without a trailing slash |
//! | External ID | `https://{tid}.ciamlogin.com/{tid}/v2.0`, also on the tenant's own host and the authority's |
//! | ADFS | `{origin}/adfs`; its access tokens have another issuer, `…/services/trust` |
//! | dSTS | `{origin}/dstsv2/{tid}`, also with `/v2.0`, with or without a trailing slash |
//! | OpenID Connect | the issuer, exactly |
//!
//! A setting of the B2C policy chooses between its two forms; B2C itself writes the trailing slash.
//!
//! A `tid` claim must match the issuer. Entra and External ID always send it; B2C and dSTS may omit it. If the
//! configured tenant is a GUID, the issuer must name it; a domain name may be any tenant's and is not compared.

use http::Uri;

use crate::authority::kind::{CIAM_SUFFIX, Kind, own_host};
use crate::authority::raw::Site;
use crate::authority::tenant::{Tenant, is_guid};

const GUID: usize = 36;

/// The expected issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    /// Messages show the first form.
    forms: Vec<Form>,
    tenant: Option<Tenant>,
    /// Whether ID tokens must have a `tid`.
    needs_tid: bool,
    /// Whether cache entries of every tenant count, whichever is configured.
    any_tenant: bool,
    /// The origins that endpoints may have; any if empty.
    origins: Vec<String>,
    /// Origins of sign-in pages other than the authorization endpoint's (S-18).
    sign_in_origins: Vec<String>,
    reach: Reach,
}

/// The addresses that an issuer's endpoints may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses.
    Public,
    /// Also this host on a local network: the issuer's own.
    Local(String),
    /// Any address, because the issuer is on this machine.
    Loopback,
}

impl Reach {
    fn of(site: &Site) -> Self {
        if site.is_loopback() {
            Self::Loopback
        } else if site.is_local() {
            Self::Local(site.host.clone())
        } else {
            Self::Public
        }
    }
}

/// One way to write an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Exact(String),
    /// The tenant id between two texts.
    Tenant {
        before: String,
        after: String,
    },
    /// `https://{tid}.ciamlogin.com/{tid}/v2.0`
    TenantHost,
}

impl Form {
    fn tenant<'a>(&self, iss: &'a str) -> Option<&'a str> {
        match self {
            Self::Exact(_) => None,
            Self::Tenant { before, after } => {
                let (tid, rest) = iss.strip_prefix(before.as_str())?.split_at_checked(GUID)?;
                (is_guid(tid) && rest == after).then_some(tid)
            }
            Self::TenantHost => {
                let (host, rest) = iss.strip_prefix("https://")?.split_at_checked(GUID)?;
                let (tid, rest) = rest.strip_prefix(CIAM_SUFFIX)?.strip_prefix('/')?.split_at_checked(GUID)?;
                (is_guid(tid) && host == tid && rest == "/v2.0").then_some(tid)
            }
        }
    }
}

impl Issuer {
    /// The issuer expected of an authority.
    pub(crate) fn of(site: &Site, kind: &Kind) -> Self {
        let origin = site.origin();
        let tenant = |before: String, after: &str| Form::Tenant { before, after: after.to_owned() };
        let own = |forms| Self {
            forms,
            tenant: kind.tenant().cloned(),
            needs_tid: false,
            any_tenant: false,
            origins: vec![origin.clone()],
            sign_in_origins: Vec::new(),
            reach: Reach::of(site),
        };
        match kind {
            Kind::Entra { names, .. } => {
                let origins = names.origins(site);
                // Responses for personal accounts are posted from this host.
                let personal = (!site.is_loopback()).then(|| "https://login.live.com".to_owned());
                let forms = origins.iter().map(|origin| tenant(format!("{origin}/"), "/v2.0")).collect();
                let sign_in_origins = origins.iter().cloned().chain(personal).collect();
                Self { needs_tid: true, any_tenant: true, sign_in_origins, origins, ..own(forms) }
            }
            Kind::B2c { policy, .. } => own(vec![
                tenant(format!("{origin}/"), "/v2.0/"),
                tenant(format!("{origin}/"), "/v2.0"),
                tenant(format!("{origin}/tfp/"), &format!("/{policy}/v2.0/")),
                tenant(format!("{origin}/tfp/"), &format!("/{policy}/v2.0")),
            ]),
            Kind::ExternalId { tenant: named } => {
                let host = own_host(named).map(|host| format!("https://{host}/"));
                let at_hosts = host.into_iter().chain([format!("{origin}/")]).map(|before| tenant(before, "/v2.0"));
                Self { needs_tid: true, ..own([Form::TenantHost].into_iter().chain(at_hosts).collect()) }
            }
            Kind::Adfs => own(vec![Form::Exact(format!("{origin}/adfs"))]),
            Kind::Dsts { .. } => {
                let after = ["/v2.0", "/v2.0/", "", "/"];
                own(after.iter().map(|after| tenant(format!("{origin}/dstsv2/"), after)).collect())
            }
            Kind::Oidc { issuer, .. } => Self::exact(issuer.clone(), Reach::of(site)),
        }
    }

    /// Exactly this text; endpoints may have any origin.
    pub(crate) fn exact(issuer: String, reach: Reach) -> Self {
        Self {
            forms: vec![Form::Exact(issuer)],
            tenant: None,
            needs_tid: false,
            any_tenant: false,
            origins: Vec::new(),
            sign_in_origins: Vec::new(),
            reach,
        }
    }

    /// Whether an ID token with this `iss` and `tid` comes from this issuer.
    pub(crate) fn accepts(&self, iss: &str, tid: Option<&str>) -> bool {
        match self.tenant_of(iss) {
            Some(named) => self.is_tenant(named) && tid.map_or(!self.needs_tid, |tid| tid == named),
            None => self.is_exact(iss),
        }
    }

    /// Whether a cached ID token was issued here; for a multi-tenant provider, in any tenant.
    pub(crate) fn issued(&self, iss: &str) -> bool {
        match self.tenant_of(iss) {
            Some(named) => self.any_tenant || self.is_tenant(named),
            None => self.is_exact(iss),
        }
    }

    /// The tenant id in `iss`, if `iss` has a form of this authority.
    pub(crate) fn tenant_of<'a>(&self, iss: &'a str) -> Option<&'a str> {
        self.forms.iter().find_map(|form| form.tenant(iss))
    }

    /// Whether two issuers name the same tenant; always true unless the configured tenant is a domain name.
    pub(crate) fn is_same_tenant(&self, one: &str, other: &str) -> bool {
        !matches!(self.tenant, Some(Tenant::Domain(_))) || self.tenant_of(one) == self.tenant_of(other)
    }

    fn is_exact(&self, iss: &str) -> bool {
        self.forms.iter().any(|form| matches!(form, Form::Exact(issuer) if issuer == iss))
    }

    fn is_tenant(&self, named: &str) -> bool {
        let id = self.tenant.as_ref().and_then(Tenant::id);
        id.is_none_or(|id| named.eq_ignore_ascii_case(id))
    }

    /// Whether the metadata document may name this issuer, including the template of a multi-tenant provider.
    pub(crate) fn accepts_metadata(&self, issuer: &str) -> bool {
        let template = |form: &Form| match form {
            Form::Tenant { before, after } => {
                issuer.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()))
                    == Some("{tenantid}")
            }
            Form::Exact(_) | Form::TenantHost => false,
        };
        self.accepts_parameter(issuer)
            || (self.tenant.as_ref().is_some_and(Tenant::is_multi_tenant) && self.forms.iter().any(template))
    }

    /// Whether a response may have this `iss` parameter (RFC 9207).
    pub(crate) fn accepts_parameter(&self, iss: &str) -> bool {
        self.accepts(iss, self.tenant_of(iss))
    }

    /// The origins of a cloud's sign-in pages (S-18).
    pub(crate) fn sign_in_origins(&self) -> Vec<String> {
        self.sign_in_origins.clone()
    }

    /// Whether an endpoint may belong to this issuer. Microsoft's services use their own hosts; other providers may use
    /// any (S-42).
    pub(crate) fn owns(&self, endpoint: &Uri) -> bool {
        if self.origins.is_empty() {
            return true;
        }
        let (Some(scheme), Some(authority)) = (endpoint.scheme_str(), endpoint.authority()) else {
            return false;
        };
        self.origins.contains(&format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()))
    }

    /// The addresses that its endpoints may have.
    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The expected text, for messages and saved sign-ins.
    pub(crate) fn describe(&self) -> String {
        self.descriptions().next().unwrap_or_default()
    }

    /// Whether `text` may come from [`describe`](Self::describe), whichever name was first at the time.
    pub(crate) fn is_described(&self, text: &str) -> bool {
        self.descriptions().any(|description| description == text)
    }

    fn descriptions(&self) -> impl Iterator<Item = String> {
        let tid = self.tenant.as_ref().and_then(Tenant::id).unwrap_or("{tenantid}");
        self.forms.iter().map(move |form| match form {
            Form::Exact(issuer) => issuer.clone(),
            Form::Tenant { before, after } => format!("{before}{tid}{after}"),
            Form::TenantHost => format!("https://{tid}{CIAM_SUFFIX}/{tid}/v2.0"),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Authority;

    const T1: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    const T2: &str = "bbbbbbbb-0000-cccc-1111-dddd2222eeee";
    const B2C: &str = "https://contoso.b2clogin.com/contoso.example/B2C_1_SignIn";
    const TFP: &str = "https://login.contoso.example/tfp/contoso.example/B2C_1_SignIn";
    const CIAM: &str = "https://contoso.ciamlogin.com";
    const ADFS: &str = "https://adfs.contoso.example/adfs";

    /// `1` and `2` in braces stand for the two tenants.
    fn filled(text: &str) -> String {
        text.replace("{1}", T1).replace("{2}", T2)
    }

    #[test]
    fn id_tokens_are_accepted_from_the_issuer_of_their_tenant() {
        for (authority, iss, tid, accepted) in [
            ("https://login.windows.net/{1}", "https://login.microsoftonline.com/{1}/v2.0", Some(T1), true),
            ("https://login.windows.net/common", "https://sts.windows.net/{1}/v2.0", Some(T1), true),
            ("https://login.windows.net/contoso.example", "https://login.windows.net/{1}/v2.0", Some(T1), true),
            ("https://login.windows.net/{2}", "https://login.windows.net/{1}/v2.0", Some(T1), false),
            ("https://login.windows.net/{1}", "https://login.windows.net/{1}/v2.0", Some(T2), false),
            ("https://login.windows.net/{1}", "https://login.windows.net/{1}/v2.0", None, false),
            ("https://login.windows.net/{1}", "https://evil.example/{1}/v2.0", Some(T1), false),
            ("https://login.windows.net/{1}", "https://login.windows.net.evil.example/{1}/v2.0", Some(T1), false),
            ("https://login.windows.net/{1}", "https://login.windows.net/{1}/v2.0/", Some(T1), false),
            ("https://login.windows.net/{1}", "https://login.microsoftonline.us/{1}/v2.0", Some(T1), false),
            ("https://login.windows.net/common", "https://login.windows.net/common/v2.0", Some("common"), false),
            ("https://login.windows.net/consumers", "https://login.windows.net/{1}/v2.0", Some(T1), false),
            (B2C, "https://contoso.b2clogin.com/{1}/v2.0/", None, true),
            (B2C, "https://contoso.b2clogin.com/{1}/v2.0", None, true),
            (B2C, "https://contoso.b2clogin.com/{1}/v2.0/", Some(T1), true),
            (B2C, "https://contoso.b2clogin.com/{1}/v2.0/", Some(T2), false),
            (B2C, "https://contoso.b2clogin.com/tfp/{1}/b2c_1_signin/v2.0/", None, true),
            (B2C, "https://contoso.b2clogin.com/tfp/{1}/b2c_1_signin/v2.0", None, true),
            (B2C, "https://contoso.b2clogin.com/tfp/{1}/b2c_1_edit/v2.0/", None, false),
            (B2C, "https://contoso.b2clogin.com/tfp/{1}/v2.0/", None, false),
            (B2C, "https://contoso.b2clogin.com/contoso.example/v2.0/", None, false),
            (B2C, "https://contoso.b2clogin.com/{1}/{1}/v2.0/", None, false),
            (B2C, "https://evil.b2clogin.com/{1}/v2.0/", None, false),
            (B2C, "https://contoso.b2clogin.com.evil.example/{1}/v2.0/", None, false),
            (B2C, "https://evilb2clogin.com/{1}/v2.0/", None, false),
            (B2C, "http://contoso.b2clogin.com/{1}/v2.0/", None, false),
            ("https://contoso.b2clogin.com/{1}/b2c_1", "https://contoso.b2clogin.com/{1}/v2.0/", None, true),
            ("https://contoso.b2clogin.com/{1}/b2c_1", "https://contoso.b2clogin.com/{2}/v2.0/", None, false),
            (TFP, "https://login.contoso.example/tfp/{1}/b2c_1_signin/v2.0/", None, true),
            (TFP, "https://login.contoso.example/{1}/v2.0/", None, true),
            (TFP, "https://contoso.b2clogin.com/{1}/v2.0/", None, false),
            (CIAM, "https://{1}.ciamlogin.com/{1}/v2.0", Some(T1), true),
            (CIAM, "https://contoso.ciamlogin.com/{1}/v2.0", Some(T1), true),
            (CIAM, "https://{1}.ciamlogin.com/{1}/v2.0", Some(T2), false),
            (CIAM, "https://{1}.ciamlogin.com/{1}/v2.0", None, false),
            (CIAM, "https://{2}.ciamlogin.com/{1}/v2.0", Some(T1), false),
            (CIAM, "https://{1}.ciamlogin.com/{1}/v2.0/", Some(T1), false),
            (CIAM, "https://{1}.ciamlogin.com.evil.example/{1}/v2.0", Some(T1), false),
            (CIAM, "https://{1}.evilciamlogin.com/{1}/v2.0", Some(T1), false),
            (CIAM, "https://evil.ciamlogin.com/{1}/v2.0", Some(T1), false),
            ("https://contoso.ciamlogin.com/{2}", "https://{1}.ciamlogin.com/{1}/v2.0", Some(T1), false),
            (
                "https://other.ciamlogin.com/contoso.onmicrosoft.com",
                "https://contoso.ciamlogin.com/{1}/v2.0",
                Some(T1),
                true,
            ),
            (ADFS, "https://adfs.contoso.example/adfs", None, true),
            (ADFS, "https://adfs.contoso.example/adfs/", None, false),
            (ADFS, "http://adfs.contoso.example/adfs/services/trust", None, false),
            (ADFS, "https://adfs.contoso.example.evil.example/adfs", None, false),
            ("https://dsts.example/dstsv2/{1}", "https://dsts.example/dstsv2/{1}", None, true),
            ("https://dsts.example/dstsv2/{1}", "https://dsts.example/dstsv2/{1}/v2.0/", Some(T1), true),
            ("https://dsts.example/dstsv2/{1}", "https://dsts.example/dstsv2/{2}", None, false),
            ("https://dsts.example/dstsv2/{1}", "https://dsts.example/{1}/v2.0", Some(T1), false),
        ] {
            let (authority, iss) = (filled(authority), filled(iss));
            let issuer = Authority::parse(&authority).unwrap().issuer();
            assert_eq!(issuer.accepts(&iss, tid), accepted, "{authority} {iss} {tid:?}");
            if accepted {
                assert!(
                    issuer.accepts_metadata(&iss) && issuer.accepts_parameter(&iss) && issuer.issued(&iss),
                    "{iss}"
                );
            }
        }
    }

    #[test]
    fn a_template_is_accepted_only_for_multi_tenant_authorities() {
        for (authority, found, accepted) in [
            ("https://login.windows.net/common", "https://login.windows.net/{tenantid}/v2.0", true),
            ("https://login.windows.net/{1}", "https://login.windows.net/{tenantid}/v2.0", false),
            ("https://login.windows.net/contoso.example", "https://login.windows.net/{tenantid}/v2.0", false),
            ("https://login.windows.net/{2}", "https://login.windows.net/{1}/v2.0", false),
            (B2C, "https://contoso.b2clogin.com/{tenantid}/v2.0/", false),
            (CIAM, "https://{tenantid}.ciamlogin.com/{tenantid}/v2.0", false),
        ] {
            let (authority, found) = (filled(authority), filled(found));
            let issuer = Authority::parse(&authority).unwrap().issuer();
            assert_eq!(issuer.accepts_metadata(&found), accepted, "{authority} {found}");
        }
    }

    // S-42: metadata of Microsoft's services cannot send secrets elsewhere.
    #[test]
    fn endpoints_must_be_on_the_host_of_the_authority() {
        for (authority, endpoint, owned) in [
            (B2C, "https://contoso.b2clogin.com/contoso.example/b2c_1_signin/oauth2/v2.0/token", true),
            (B2C, "https://other.b2clogin.com/contoso.example/b2c_1_signin/oauth2/v2.0/token", false),
            (CIAM, "https://contoso.ciamlogin.com/{1}/oauth2/v2.0/token", true),
            (CIAM, "https://contoso.ciamlogin.com.evil.example/{1}/oauth2/v2.0/token", false),
            (ADFS, "https://adfs.contoso.example/adfs/oauth2/token/", true),
            (ADFS, "https://evil.example/adfs/oauth2/token/", false),
        ] {
            let issuer = Authority::parse(authority).unwrap().issuer();
            assert_eq!(issuer.owns(&filled(endpoint).parse().unwrap()), owned, "{authority} {endpoint}");
        }
    }
}

//! What is known of the authorities of a client, remembered once it was asked (S-41, S-44).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use auth_core::{
    Authority, AuthorityResolution, ConfigError, Error, Flow as _, ProviderMetadata, RequestContext, ResolvedAuthority,
    Step, Tenant, Tokens,
};
use rand::rngs::SysRng;
use tokio::sync::Mutex as AsyncMutex;

use crate::driver::Driver;
use crate::timing::Timing;

/// How many authorities beside the client's own are remembered; beyond that the one is forgotten that was not asked for
/// longest.
const OTHERS: usize = 255;
/// After a failure nobody is asked for so long what a call can do without (S-41).
const REST: Duration = Duration::from_secs(30);

/// The authority of a client, and the same for the other tenants, user flows and clouds that requests named.
#[derive(Debug)]
pub(crate) struct Directory {
    own: Arc<KnownAuthority>,
    /// Whoever was asked for last comes last.
    others: Mutex<Vec<Arc<KnownAuthority>>>,
}

/// An authority and what is known of it.
#[derive(Debug)]
pub(crate) struct KnownAuthority {
    /// The authority as a text, where it is not the client's own.
    pub(crate) other: Option<Arc<str>>,
    /// Read in place on every call: what all calls share must not be written by any, not even a count of references.
    known: ArcSwap<ResolvedAuthority>,
    /// One resolution at a time.
    asking: AsyncMutex<()>,
    /// How the last one failed, if it did.
    failed: ArcSwapOption<Failure>,
}

#[derive(Debug)]
struct Failure {
    error: Error,
    /// By the clock that nobody sets.
    at: Duration,
}

impl Directory {
    pub(crate) fn new(authority: Authority) -> Self {
        Self { own: Arc::new(KnownAuthority::new(None, authority)), others: Mutex::default() }
    }

    /// The client's own authority.
    pub(crate) fn own(&self) -> &Arc<KnownAuthority> {
        &self.own
    }

    /// The client's authority for the tenant or the user flow of this name, where a request names one.
    ///
    /// # Errors
    /// [`ConfigError::Tenant`] when the name cannot be a tenant's, [`ConfigError::Authority`] when the authority is not the
    /// same for every tenant, or has no user flows.
    pub(crate) fn at(&self, tenant: Option<&str>, user_flow: Option<&str>) -> Result<Arc<KnownAuthority>, ConfigError> {
        let own = || self.own.authority();
        let authority = match (tenant, user_flow) {
            (None, None) => return Ok(Arc::clone(&self.own)),
            (None, Some(name)) => own().with_user_flow(name)?,
            (Some(tenant), None) => {
                let tenant: Tenant = tenant.parse()?;
                let authority = own().with_tenant(tenant.clone());
                if authority.tenant_name() != Some(&tenant) {
                    return Err(ConfigError::Authority("a request can name another tenant of Entra only"));
                }
                authority
            }
            (Some(_), Some(_)) => {
                return Err(ConfigError::Authority("a request can name a tenant or a user flow, not both"));
            }
        };
        Ok(self.of(authority))
    }

    /// What is known of this authority.
    pub(crate) fn of(&self, authority: Authority) -> Arc<KnownAuthority> {
        let text: Arc<str> = authority.to_string().into();
        if *text == *self.own.authority().to_string() {
            return Arc::clone(&self.own);
        }
        // Each change is whole: a poisoned list is a good one.
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let known = others.iter().position(|place| place.other.as_ref() == Some(&text));
        let place = match known {
            Some(index) => others.remove(index),
            None => Arc::new(KnownAuthority::new(Some(text), authority)),
        };
        if others.len() == OTHERS {
            others.remove(0);
        }
        others.push(Arc::clone(&place));
        place
    }

    /// `place`, or the same in the cloud that a cache entry with this `environment` is of, where that is another one.
    pub(crate) fn in_cloud_of(&self, place: Arc<KnownAuthority>, environment: &str) -> Arc<KnownAuthority> {
        let authority = place.authority();
        match authority.in_cloud(environment) {
            Some(other) if !authority.is_environment(environment) => self.of(other),
            Some(_) | None => place,
        }
    }
}

impl KnownAuthority {
    fn new(other: Option<Arc<str>>, authority: Authority) -> Self {
        let known = ArcSwap::from_pointee(ResolvedAuthority::new(authority));
        Self { other, known, asking: AsyncMutex::default(), failed: ArcSwapOption::empty() }
    }

    /// The authority with the names that are known of it by now.
    pub(crate) fn authority(&self) -> Arc<Authority> {
        Arc::clone(self.known().authority())
    }

    /// What is known by now.
    pub(crate) fn known(&self) -> Guard<Arc<ResolvedAuthority>> {
        self.known.load()
    }

    /// The endpoints.
    pub(crate) async fn endpoints(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
    ) -> Result<ProviderMetadata, Error> {
        let known = self.known().endpoints(driver.now());
        match known {
            Some(endpoints) => Ok(endpoints),
            None => {
                let resolution = |known| AuthorityResolution::new(context.clone(), known, &mut SysRng);
                // Behind a box, as it is seldom needed and large.
                Box::pin(self.resolve(driver, timing, resolution)).await
            }
        }
    }

    /// Makes sure that the names of the authority's host are known, which for some only instance discovery can tell
    /// (S-39). Returns whether they were not known before.
    pub(crate) async fn confirm(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
    ) -> Result<bool, Error> {
        let is_news = self.authority().needs_instance_discovery();
        if is_news {
            self.endpoints(driver, context, timing).await?;
        }
        Ok(is_news)
    }

    /// Asks for what a cache finds more with: the names of the authority's host, and `with_tenant_id` which tenant its
    /// domain name means. Returns whether somebody was asked. The call can do without an answer, so after a failure nobody
    /// is asked for a while.
    pub(crate) async fn look_around(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
        with_tenant_id: bool,
    ) -> bool {
        let lacks_something = {
            let known = self.known();
            known.authority().needs_instance_discovery() || (with_tenant_id && known.lacks_tenant_id())
        };
        if !lacks_something || self.is_resting(driver.uptime()) {
            return false;
        }
        let resolution = |known| {
            let resolution = AuthorityResolution::new(context.clone(), known, &mut SysRng)?;
            Ok(if with_tenant_id { resolution.with_tenant_id() } else { resolution })
        };
        if let Err(error) = Box::pin(self.resolve(driver, timing, resolution)).await {
            tracing::debug!(target: "auth", %error, "the cache answers from what is known of the authority");
        }
        true
    }

    /// Takes in which tenant a domain name means, where tokens of this authority tell it.
    pub(crate) fn note_tenant(&self, tokens: &Tokens) {
        if self.known().with_tenant_of(tokens).is_some() {
            self.known.rcu(|known| known.with_tenant_of(tokens).map_or_else(|| Arc::clone(known), Arc::new));
        }
    }

    /// Whoever waited for another's resolution finds what it brought, or fails as it did, and asks nobody.
    async fn resolve(
        &self,
        driver: &Driver,
        timing: &mut Timing,
        resolution: impl FnOnce(ResolvedAuthority) -> Result<AuthorityResolution, ConfigError>,
    ) -> Result<ProviderMetadata, Error> {
        let before = self.failed.load_full();
        let _asking = self.asking.lock().await;
        let mut flow = resolution(self.known().as_ref().clone())?;
        if let Step::Done(outcome) = flow.step(driver.now())? {
            return outcome.endpoints;
        }
        if let Some(failure) = self.failed.load_full().filter(|failure| !is_same(failure, before.as_ref())) {
            return Err(failure.error.clone());
        }
        let answer = match driver.drive(&mut flow, timing).await {
            Ok(outcome) => {
                self.known.store(Arc::new(outcome.known));
                outcome.endpoints
            }
            Err(error) => Err(error),
        };
        let failure = |error: &Error| Arc::new(Failure { error: error.clone(), at: driver.uptime() });
        self.failed.store(answer.as_ref().err().map(failure));
        answer
    }

    /// Whether a question failed so recently that it is asked again only by those who need the answer.
    fn is_resting(&self, uptime: Duration) -> bool {
        let failed = self.failed.load();
        let passed = failed.as_ref().and_then(|failure| uptime.checked_sub(failure.at));
        passed.is_some_and(|passed| passed < REST)
    }
}

fn is_same(failure: &Arc<Failure>, other: Option<&Arc<Failure>>) -> bool {
    other.is_some_and(|other| Arc::ptr_eq(failure, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    // S-44: remembered is what is asked for, and not too much of it.
    #[test]
    fn tenants_that_requests_name() {
        let directory = Directory::new(Authority::tenant("contoso.example").unwrap());
        let at = |number: usize| directory.at(Some(&format!("t{number}.example")), None).unwrap();
        for same in [None, Some("contoso.example"), Some("CONTOSO.example")] {
            assert!(Arc::ptr_eq(&directory.at(same, None).unwrap(), directory.own()), "{same:?}");
        }
        let (first, second) = (at(0), at(1));
        assert_eq!(first.authority().to_string(), "https://login.microsoftonline.com/t0.example");
        for number in 2..OTHERS {
            at(number);
        }
        assert!(Arc::ptr_eq(&first, &at(0)), "asked for again");
        at(OTHERS);
        assert_eq!(directory.others.lock().unwrap().len(), OTHERS);
        assert!(
            Arc::ptr_eq(&first, &at(0)) && !Arc::ptr_eq(&second, &at(1)),
            "the one that rested longest is forgotten"
        );
        assert_eq!(directory.at(Some("no tenant"), None).err(), Some(ConfigError::Tenant));
        let b2c = Directory::new(Authority::parse("https://contoso.b2clogin.com/contoso.example/b2c_1").unwrap());
        for (tenant, user_flow) in [(Some("other.example"), None), (Some("contoso.example"), Some("b2c_1"))] {
            assert!(matches!(b2c.at(tenant, user_flow), Err(ConfigError::Authority(_))), "{tenant:?} {user_flow:?}");
        }
        assert!(Arc::ptr_eq(&b2c.at(None, Some("B2C_1")).unwrap(), b2c.own()));
        let edit = b2c.at(None, Some("b2c_1_edit")).unwrap();
        assert_eq!(edit.other.as_deref(), Some("https://contoso.b2clogin.com/contoso.example/b2c_1_edit"));
        assert!(Arc::ptr_eq(&b2c.at(None, Some("B2C_1_EDIT")).unwrap(), &edit));
        assert!(matches!(directory.at(None, Some("b2c_1")), Err(ConfigError::Authority(_))));
    }

    #[test]
    fn the_cloud_of_an_account() {
        let directory = Directory::new(Authority::tenant("organizations").unwrap());
        for (environment, expected) in [
            ("login.windows.net", "https://login.microsoftonline.com/organizations"),
            ("login.microsoftonline.us", "https://login.microsoftonline.us/organizations"),
            ("evil.example", "https://login.microsoftonline.com/organizations"),
            ("", "https://login.microsoftonline.com/organizations"),
        ] {
            let place = directory.in_cloud_of(Arc::clone(directory.own()), environment);
            assert_eq!(place.authority().to_string(), expected, "{environment}");
        }
    }
}

//! The authorities of a client, and what has been learned about each (S-41, S-44).

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

/// How many authorities are remembered besides the client's own; beyond that the least recently used is forgotten.
const CAPACITY: usize = 255;
/// How long after a failure optional requests are not sent (S-41).
const RETRY_PAUSE: Duration = Duration::from_secs(30);

/// The authority of a client, and its variants for other tenants, user flows and clouds that requests named.
#[derive(Debug)]
pub(crate) struct Authorities {
    own: Arc<KnownAuthority>,
    /// Most recently used last.
    others: Mutex<Vec<Arc<KnownAuthority>>>,
}

/// An authority and what has been learned about it.
#[derive(Debug)]
pub(crate) struct KnownAuthority {
    /// The authority as text, unless it is the client's own.
    pub(crate) other: Option<Arc<str>>,
    /// Read in place by every call: cache hits must not write to shared memory, not even a reference count.
    resolved: ArcSwap<ResolvedAuthority>,
    /// One resolution at a time.
    asking: AsyncMutex<()>,
    /// How the last resolution failed, if it did.
    failed: ArcSwapOption<Failure>,
}

#[derive(Debug)]
struct Failure {
    error: Error,
    /// In uptime, which cannot be set.
    at: Duration,
}

impl Authorities {
    pub(crate) fn new(authority: Authority) -> Self {
        Self { own: Arc::new(KnownAuthority::new(None, authority)), others: Mutex::default() }
    }

    /// The client's own authority.
    pub(crate) fn own(&self) -> &Arc<KnownAuthority> {
        &self.own
    }

    /// Returns the client's authority, or its variant for the tenant or user flow that a request names.
    ///
    /// # Errors
    /// [`ConfigError::Tenant`] if the tenant name is invalid, [`ConfigError::Authority`] if the authority does not
    /// support other tenants or user flows, or if a request names both.
    pub(crate) fn at(&self, tenant: Option<&str>, user_flow: Option<&str>) -> Result<Arc<KnownAuthority>, ConfigError> {
        let own = || self.own.authority();
        let authority = match (tenant, user_flow) {
            (None, None) => return Ok(Arc::clone(&self.own)),
            (None, Some(name)) => own().with_user_flow(name)?,
            (Some(tenant), None) => {
                let tenant: Tenant = tenant.parse()?;
                let authority = own().with_tenant(tenant.clone());
                if authority.tenant_name() != Some(&tenant) {
                    return Err(ConfigError::Authority("a request can name a tenant only with an Entra authority"));
                }
                authority
            }
            (Some(_), Some(_)) => {
                return Err(ConfigError::Authority("a request can name a tenant or a user flow, not both"));
            }
        };
        Ok(self.of(authority))
    }

    /// Returns the entry for this authority, creating it if necessary.
    pub(crate) fn of(&self, authority: Authority) -> Arc<KnownAuthority> {
        let text: Arc<str> = authority.to_string().into();
        if *text == *self.own.authority().to_string() {
            return Arc::clone(&self.own);
        }
        // A panic cannot leave the list half changed, so ignore poisoning.
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let index = others.iter().position(|known| known.other.as_ref() == Some(&text));
        let known = match index {
            Some(index) => others.remove(index),
            None => Arc::new(KnownAuthority::new(Some(text), authority)),
        };
        if others.len() == CAPACITY {
            others.remove(0);
        }
        others.push(Arc::clone(&known));
        known
    }

    /// Returns `known`, or its variant in the cloud of this cache `environment` if that is another one.
    pub(crate) fn in_cloud_of(&self, known: Arc<KnownAuthority>, environment: &str) -> Arc<KnownAuthority> {
        let authority = known.authority();
        match authority.in_cloud(environment) {
            Some(other) if !authority.is_environment(environment) => self.of(other),
            Some(_) | None => known,
        }
    }
}

impl KnownAuthority {
    fn new(other: Option<Arc<str>>, authority: Authority) -> Self {
        let resolved = ArcSwap::from_pointee(ResolvedAuthority::new(authority));
        Self { other, resolved, asking: AsyncMutex::default(), failed: ArcSwapOption::empty() }
    }

    /// Returns the authority, with the host names learned so far.
    pub(crate) fn authority(&self) -> Arc<Authority> {
        Arc::clone(self.resolved().authority())
    }

    /// Returns what has been learned so far.
    pub(crate) fn resolved(&self) -> Guard<Arc<ResolvedAuthority>> {
        self.resolved.load()
    }

    /// Returns the endpoints, fetching the metadata if necessary.
    pub(crate) async fn endpoints(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
    ) -> Result<ProviderMetadata, Error> {
        let endpoints = self.resolved().endpoints(driver.now());
        match endpoints {
            Some(endpoints) => Ok(endpoints),
            None => {
                let resolution = |resolved| AuthorityResolution::new(context.clone(), resolved, &mut SysRng);
                // Boxed because it is large and rarely needed.
                Box::pin(self.resolve(driver, timing, resolution)).await
            }
        }
    }

    /// Ensures that the names of the authority's host are known, which requires instance discovery for some hosts.
    /// Returns whether they were unknown before (S-39).
    pub(crate) async fn confirm(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
    ) -> Result<bool, Error> {
        let names_are_new = self.authority().needs_instance_discovery();
        if names_are_new {
            self.endpoints(driver, context, timing).await?;
        }
        Ok(names_are_new)
    }

    /// Tries to learn what allows a lookup to find more: the names of the authority's host and, if `with_tenant_id`,
    /// the ID of the tenant that its domain name stands for. Returns whether it made a request. The caller can do
    /// without, so after a failure no request is made for a while.
    pub(crate) async fn try_resolve(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
        with_tenant_id: bool,
    ) -> bool {
        let is_incomplete = {
            let resolved = self.resolved();
            resolved.authority().needs_instance_discovery() || (with_tenant_id && resolved.lacks_tenant_id())
        };
        if !is_incomplete || self.failed_recently(driver.uptime()) {
            return false;
        }
        let resolution = |resolved| {
            let resolution = AuthorityResolution::new(context.clone(), resolved, &mut SysRng)?;
            Ok(if with_tenant_id { resolution.with_tenant_id() } else { resolution })
        };
        if let Err(error) = Box::pin(self.resolve(driver, timing, resolution)).await {
            tracing::debug!(target: "auth", %error, "looking up the cache with the known names of the authority only");
        }
        true
    }

    /// Remembers which tenant the authority's domain name stands for, if the tokens tell.
    pub(crate) fn note_tenant(&self, tokens: &Tokens) {
        if self.resolved().with_tenant_of(tokens).is_some() {
            self.resolved
                .rcu(|resolved| resolved.with_tenant_of(tokens).map_or_else(|| Arc::clone(resolved), Arc::new));
        }
    }

    /// Runs a resolution. A caller that had to wait for another one uses its result, or fails with its error, without a
    /// request.
    async fn resolve(
        &self,
        driver: &Driver,
        timing: &mut Timing,
        resolution: impl FnOnce(ResolvedAuthority) -> Result<AuthorityResolution, ConfigError>,
    ) -> Result<ProviderMetadata, Error> {
        let before = self.failed.load_full();
        let _asking = self.asking.lock().await;
        let mut flow = resolution(self.resolved().as_ref().clone())?;
        if let Step::Done(outcome) = flow.step(driver.now())? {
            return outcome.endpoints;
        }
        if let Some(failure) = self.failed.load_full().filter(|failure| !is_same(failure, before.as_ref())) {
            return Err(failure.error.clone());
        }
        let answer = match driver.drive(&mut flow, timing).await {
            Ok(outcome) => {
                self.resolved.store(Arc::new(outcome.known));
                outcome.endpoints
            }
            Err(error) => Err(error),
        };
        let failure = |error: &Error| Arc::new(Failure { error: error.clone(), at: driver.uptime() });
        self.failed.store(answer.as_ref().err().map(failure));
        answer
    }

    /// Whether a resolution failed so recently that only calls that need it try again.
    fn failed_recently(&self, uptime: Duration) -> bool {
        let failed = self.failed.load();
        let passed = failed.as_ref().and_then(|failure| uptime.checked_sub(failure.at));
        passed.is_some_and(|passed| passed < RETRY_PAUSE)
    }
}

fn is_same(failure: &Arc<Failure>, other: Option<&Arc<Failure>>) -> bool {
    other.is_some_and(|other| Arc::ptr_eq(failure, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    // S-44: what requests name is remembered, up to a limit.
    #[test]
    fn authorities_named_by_requests_are_remembered_up_to_a_limit() {
        let authorities = Authorities::new(Authority::tenant("contoso.example").unwrap());
        let at = |number: usize| authorities.at(Some(&format!("t{number}.example")), None).unwrap();
        for same in [None, Some("contoso.example"), Some("CONTOSO.example")] {
            assert!(Arc::ptr_eq(&authorities.at(same, None).unwrap(), authorities.own()), "{same:?}");
        }
        let (first, second) = (at(0), at(1));
        assert_eq!(first.authority().to_string(), "https://login.microsoftonline.com/t0.example");
        for number in 2..CAPACITY {
            at(number);
        }
        assert!(Arc::ptr_eq(&first, &at(0)), "requested again");
        at(CAPACITY);
        assert_eq!(authorities.others.lock().unwrap().len(), CAPACITY);
        assert!(Arc::ptr_eq(&first, &at(0)) && !Arc::ptr_eq(&second, &at(1)), "the least recently used is forgotten");
        assert_eq!(authorities.at(Some("no tenant"), None).err(), Some(ConfigError::Tenant));
        let b2c = Authorities::new(Authority::parse("https://contoso.b2clogin.com/contoso.example/b2c_1").unwrap());
        for (tenant, user_flow) in [(Some("other.example"), None), (Some("contoso.example"), Some("b2c_1"))] {
            assert!(matches!(b2c.at(tenant, user_flow), Err(ConfigError::Authority(_))), "{tenant:?} {user_flow:?}");
        }
        assert!(Arc::ptr_eq(&b2c.at(None, Some("B2C_1")).unwrap(), b2c.own()));
        let edit = b2c.at(None, Some("b2c_1_edit")).unwrap();
        assert_eq!(edit.other.as_deref(), Some("https://contoso.b2clogin.com/contoso.example/b2c_1_edit"));
        assert!(Arc::ptr_eq(&b2c.at(None, Some("B2C_1_EDIT")).unwrap(), &edit));
        assert!(matches!(authorities.at(None, Some("b2c_1")), Err(ConfigError::Authority(_))));
    }

    #[test]
    fn the_authority_follows_the_cloud_of_the_account() {
        let authorities = Authorities::new(Authority::tenant("organizations").unwrap());
        for (environment, expected) in [
            ("login.windows.net", "https://login.microsoftonline.com/organizations"),
            ("login.microsoftonline.us", "https://login.microsoftonline.us/organizations"),
            ("evil.example", "https://login.microsoftonline.com/organizations"),
            ("", "https://login.microsoftonline.com/organizations"),
        ] {
            let known = authorities.in_cloud_of(Arc::clone(authorities.own()), environment);
            assert_eq!(known.authority().to_string(), expected, "{environment}");
        }
    }
}

//! What is known of the authorities of a client, remembered once it was asked (S-41, S-44).

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use auth_core::{
    Authority, AuthorityResolution, ConfigError, Error, ProviderMetadata, RequestContext, ResolvedAuthority, Tenant,
};
use rand::rngs::SysRng;
use tokio::sync::Mutex as AsyncMutex;

use crate::driver::Driver;
use crate::timing::Timing;

/// How many authorities beside the client's own are remembered; beyond that the one is forgotten that was not asked for
/// longest.
const OTHERS: usize = 255;

/// The authority of a client, and the same for the other tenants, user flows and clouds that requests named.
#[derive(Debug)]
pub(crate) struct Directory {
    own: Arc<Place>,
    /// Whoever was asked for last comes last.
    others: Mutex<Vec<Arc<Place>>>,
}

/// An authority and what is known of it.
#[derive(Debug)]
pub(crate) struct Place {
    /// The authority as a text, where it is not the client's own.
    pub(crate) other: Option<Arc<str>>,
    /// Read in place on every call: what all calls share must not be written by any, not even a count of references.
    known: ArcSwap<ResolvedAuthority>,
    /// One resolution at a time.
    asking: AsyncMutex<()>,
}

impl Directory {
    pub(crate) fn new(authority: Authority) -> Self {
        Self { own: Arc::new(Place::new(None, authority)), others: Mutex::default() }
    }

    /// The client's own authority.
    pub(crate) fn own(&self) -> &Arc<Place> {
        &self.own
    }

    /// The client's authority for the tenant or the user flow of this name, where a request names one.
    ///
    /// # Errors
    /// [`ConfigError::Tenant`] when the name cannot be a tenant's, [`ConfigError::Authority`] when the authority is not the
    /// same for every tenant, or has no user flows.
    pub(crate) fn at(&self, tenant: Option<&str>, user_flow: Option<&str>) -> Result<Arc<Place>, ConfigError> {
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
    pub(crate) fn of(&self, authority: Authority) -> Arc<Place> {
        let text: Arc<str> = authority.to_string().into();
        if *text == *self.own.authority().to_string() {
            return Arc::clone(&self.own);
        }
        // Each change is whole: a poisoned list is a good one.
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let known = others.iter().position(|place| place.other.as_ref() == Some(&text));
        let place = match known {
            Some(index) => others.remove(index),
            None => Arc::new(Place::new(Some(text), authority)),
        };
        if others.len() == OTHERS {
            others.remove(0);
        }
        others.push(Arc::clone(&place));
        place
    }

    /// `place`, or the same in the cloud that a cache entry with this `environment` is of, where that is another one.
    pub(crate) fn in_cloud_of(&self, place: Arc<Place>, environment: &str) -> Arc<Place> {
        let authority = place.authority();
        match authority.in_cloud(environment) {
            Some(other) if !authority.is_environment(environment) => self.of(other),
            Some(_) | None => place,
        }
    }
}

impl Place {
    fn new(other: Option<Arc<str>>, authority: Authority) -> Self {
        let known = ArcSwap::from_pointee(ResolvedAuthority::new(authority));
        Self { other, known, asking: AsyncMutex::default() }
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

    /// Sees to it that the names of the authority's host are known, which only instance discovery tells of some (S-39).
    pub(crate) async fn confirm(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
    ) -> Result<(), Error> {
        if self.authority().needs_instance_discovery() {
            self.endpoints(driver, context, timing).await?;
        }
        Ok(())
    }

    /// Asks which tenant the authority's domain name means. It stays unknown when the provider cannot be reached: then
    /// the cache answers from what it knows.
    pub(crate) async fn ask_tenant_id(&self, driver: &Driver, context: &RequestContext, timing: &mut Timing) {
        let resolution = |known| Ok(AuthorityResolution::new(context.clone(), known, &mut SysRng)?.with_tenant_id());
        if let Err(error) = Box::pin(self.resolve(driver, timing, resolution)).await {
            tracing::debug!(target: "auth", %error, "the tenant's id is not known");
        }
    }

    /// Whoever waited for another's resolution finds what it brought, and then asks nobody.
    async fn resolve(
        &self,
        driver: &Driver,
        timing: &mut Timing,
        resolution: impl FnOnce(ResolvedAuthority) -> Result<AuthorityResolution, ConfigError>,
    ) -> Result<ProviderMetadata, Error> {
        let _asking = self.asking.lock().await;
        let mut flow = resolution(self.known().as_ref().clone())?;
        let outcome = driver.drive(&mut flow, timing).await?;
        self.known.store(Arc::new(outcome.known));
        outcome.endpoints
    }
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

//! What is known of the authority, remembered once it was asked (S-41, S-44).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use auth_core::{
    Authority, ConfigError, Error, InstanceDiscovery, OpenIdConfiguration, ProviderMetadata, RequestContext, Timestamp,
};
use tokio::sync::Mutex;

use crate::driver::Driver;
use crate::timing::Timing;

/// Metadata is taken as it is for a day at most, less a random part of half a day, so that many processes do not ask at
/// the same time.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
const JITTER: Duration = Duration::from_secs(12 * 60 * 60);
/// Older metadata serves so long when the provider cannot be reached.
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The authority of a client and what discovery told of it.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Read in place on every call: what all calls share must not be written by any, not even a count of references.
    known: ArcSwap<Known>,
    /// One discovery at a time.
    asking: Mutex<()>,
}

/// What is known of an authority at one time.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The authority with the names that are known of it by now.
    pub(crate) authority: Arc<Authority>,
    provider: Option<Learned>,
    /// The id of the tenant, where the authority names a domain and discovery has told the id.
    pub(crate) tenant_id: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Learned {
    metadata: Arc<ProviderMetadata>,
    at: Timestamp,
    fresh_for: Duration,
}

impl Directory {
    pub(crate) fn new(authority: Authority) -> Self {
        let known = Known { authority: Arc::new(authority), provider: None, tenant_id: None };
        Self { known: ArcSwap::from_pointee(known), asking: Mutex::default() }
    }

    /// The authority with the names that are known of it by now.
    pub(crate) fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.known().authority)
    }

    /// What is known by now.
    pub(crate) fn known(&self) -> Guard<Arc<Known>> {
        self.known.load()
    }

    /// Whether a discovery could still tell which tenant a domain name means.
    pub(crate) fn lacks_tenant_id(&self) -> bool {
        let known = self.known();
        known.tenant_id.is_none() && known.authority.wants_tenant_id()
    }

    fn learn(&self, change: impl Fn(&mut Known)) {
        self.known.rcu(|known| {
            let mut known = Known::clone(known);
            change(&mut known);
            known
        });
    }

    /// The endpoints, from the rules of the authority's kind or from discovery.
    pub(crate) async fn metadata(
        &self,
        driver: &Driver,
        context: &RequestContext,
        timing: &mut Timing,
    ) -> Result<Arc<ProviderMetadata>, Error> {
        if let Some(metadata) = self.fresh(driver) {
            return Ok(metadata);
        }
        let _asking = self.asking.lock().await;
        if let Some(metadata) = self.fresh(driver) {
            return Ok(metadata);
        }
        let authority = self.authority();
        if authority.needs_instance_discovery() {
            let instance = driver.perform(InstanceDiscovery::new(context.clone(), &authority)?, timing).await?;
            self.learn(|known| known.authority = Arc::new(known.authority.with_instance(instance.clone())));
            return self.fresh(driver).ok_or_else(|| ConfigError::Authority("it has no endpoints").into());
        }
        let now = driver.now();
        match driver.perform(OpenIdConfiguration::new(context.clone(), &authority)?, timing).await {
            Ok(provider) => {
                let metadata = Arc::new(provider.metadata);
                let fresh_for = FRESH.saturating_sub(rand::random_range(Duration::ZERO..=JITTER));
                let learned = Learned { metadata: Arc::clone(&metadata), at: now, fresh_for };
                self.learn(|known| known.provider = Some(learned.clone()));
                Ok(metadata)
            }
            Err(error) if error.is_transient() => match &self.known().provider {
                Some(learned) if learned.at.duration_until(now) <= STALE => Ok(Arc::clone(&learned.metadata)),
                Some(_) | None => Err(error),
            },
            // An answer that failed a check ends the trust in an older one, too (S-44).
            Err(error) => {
                self.learn(|known| known.provider = None);
                Err(error)
            }
        }
    }

    fn fresh(&self, driver: &Driver) -> Option<Arc<ProviderMetadata>> {
        let known = self.known();
        if let Some(metadata) = known.authority.metadata() {
            return Some(Arc::new(metadata));
        }
        let learned = known.provider.as_ref()?;
        (learned.at.duration_until(driver.now()) <= learned.fresh_for).then(|| Arc::clone(&learned.metadata))
    }

    /// Asks which tenant the authority's domain name means. It stays unknown when the provider cannot be reached: then
    /// the cache answers from what it knows.
    pub(crate) async fn ask_tenant_id(&self, driver: &Driver, context: &RequestContext, timing: &mut Timing) {
        let _asking = self.asking.lock().await;
        if !self.lacks_tenant_id() {
            return;
        }
        let Ok(exchange) = OpenIdConfiguration::new(context.clone(), &self.authority()) else {
            return;
        };
        match driver.perform(exchange, timing).await {
            Ok(provider) => {
                let tenant_id = provider.tenant_id.map(Arc::from);
                self.learn(|known| known.tenant_id.clone_from(&tenant_id));
            }
            Err(error) => tracing::debug!(target: "auth", %error, "the tenant's id is not known"),
        }
    }
}

//! What is known of the authority, remembered once it was asked (S-41, S-44).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use auth_core::{
    Authority, ConfigError, Error, InstanceDiscovery, OpenIdConfiguration, ProviderMetadata,
    RequestContext, Tenant, Timestamp,
};
use tokio::sync::Mutex;

use crate::shared::Shared;

/// Metadata younger than this is taken as it is.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// Older metadata serves so long when the provider cannot be reached.
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The authority of a client and what discovery told of it.
#[derive(Debug)]
pub(crate) struct Directory {
    known: RwLock<Known>,
    /// One discovery at a time.
    asking: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Known {
    authority: Arc<Authority>,
    provider: Option<(Arc<ProviderMetadata>, Timestamp)>,
    tenant_id: Option<Arc<str>>,
}

impl Directory {
    pub(crate) fn new(authority: Authority) -> Self {
        let known = Known { authority: Arc::new(authority), provider: None, tenant_id: None };
        Self { known: RwLock::new(known), asking: Mutex::default() }
    }

    /// The authority with the names that are known of it by now.
    pub(crate) fn authority(&self) -> Arc<Authority> {
        self.known().authority
    }

    /// The id of the tenant, where the authority names a domain and discovery has told the id.
    pub(crate) fn tenant_id(&self) -> Option<Arc<str>> {
        self.known().tenant_id
    }

    /// Whether a discovery could still tell which tenant a domain name means.
    pub(crate) fn lacks_tenant_id(&self) -> bool {
        let known = self.known();
        known.tenant_id.is_none()
            && matches!(known.authority.tenant_name(), Some(Tenant::Domain(_)))
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The endpoints, from the rules for Entra or from discovery.
    pub(crate) async fn metadata(
        &self,
        shared: &Shared,
        context: &RequestContext,
        in_http: &mut Duration,
    ) -> Result<Arc<ProviderMetadata>, Error> {
        if let Some(metadata) = self.fresh(shared) {
            return Ok(metadata);
        }
        let _asking = self.asking.lock().await;
        if let Some(metadata) = self.fresh(shared) {
            return Ok(metadata);
        }
        let authority = self.authority();
        if authority.needs_instance_discovery() {
            let instance = shared
                .perform(InstanceDiscovery::new(context.clone(), &authority)?, in_http)
                .await?;
            self.learn(|known| known.authority = Arc::new(known.authority.with_instance(instance)));
            return self
                .fresh(shared)
                .ok_or_else(|| ConfigError::Authority("it has no endpoints").into());
        }
        let now = shared.clock.now();
        match shared.perform(OpenIdConfiguration::new(context.clone(), &authority)?, in_http).await
        {
            Ok(provider) => {
                let metadata = Arc::new(provider.metadata);
                self.learn(|known| known.provider = Some((Arc::clone(&metadata), now)));
                Ok(metadata)
            }
            Err(error) if error.is_transient() => match self.known().provider {
                Some((metadata, learned)) if learned.duration_until(now) <= STALE => Ok(metadata),
                Some(_) | None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn fresh(&self, shared: &Shared) -> Option<Arc<ProviderMetadata>> {
        let known = self.known();
        if let Some(metadata) = known.authority.metadata() {
            return Some(Arc::new(metadata));
        }
        let (metadata, learned) = known.provider?;
        (learned.duration_until(shared.clock.now()) <= FRESH).then_some(metadata)
    }

    /// Asks which tenant the authority's domain name means. It stays unknown when the provider cannot be reached: then
    /// the cache answers from what it knows.
    pub(crate) async fn ask_tenant_id(
        &self,
        shared: &Shared,
        context: &RequestContext,
        in_http: &mut Duration,
    ) {
        let _asking = self.asking.lock().await;
        if !self.lacks_tenant_id() {
            return;
        }
        let Ok(exchange) = OpenIdConfiguration::new(context.clone(), &self.authority()) else {
            return;
        };
        match shared.perform(exchange, in_http).await {
            Ok(provider) => self.learn(|known| known.tenant_id = provider.tenant_id.map(Arc::from)),
            Err(error) => tracing::debug!(target: "auth", %error, "the tenant's id is not known"),
        }
    }
}

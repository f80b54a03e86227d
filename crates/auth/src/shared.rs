//! The state that all requests of a client share.

use core::fmt;
use std::sync::Arc;

use auth_cache::{LockBudget, Margins, Query, StorageError, TokenCache, TokenUpdate};
use auth_core::{Account, AccountId, Application, ClientId, RequestContext, ResolvedAuthority, Scopes};
use auth_interactive::{DynBrowser, Pages};

use crate::authorities::Authorities;
use crate::broker::DynBroker;
use crate::driver::Driver;
use crate::error::AuthError;
use crate::event::Observer;
use crate::flights::Flights;
use crate::key::FlightKey;
use crate::outcome::Outcome;
use crate::redeemed::Redeemed;
use crate::throttle::Throttle;
use crate::timing::Timing;
use crate::turns::Turns;

/// The parts of a client, behind one pointer.
pub(crate) struct Shared {
    pub(crate) application: Application,
    pub(crate) authorities: Authorities,
    pub(crate) cache: Arc<TokenCache>,
    pub(crate) margins: Margins,
    pub(crate) driver: Driver,
    pub(crate) browser: Option<Arc<dyn DynBrowser>>,
    pub(crate) broker: Option<Arc<dyn DynBroker>>,
    /// Web origins that may post a response, besides the provider's own.
    pub(crate) sign_in_origins: Vec<String>,
    pub(crate) pages: Pages,
    /// Running refreshes.
    pub(crate) flights: Flights<FlightKey, Result<Outcome, AuthError>>,
    /// One redemption at a time per account.
    pub(crate) turns: Turns,
    /// Held by the call that is signing the user in.
    pub(crate) sign_ins: tokio::sync::Mutex<()>,
    /// Completed sign-ins of web applications.
    pub(crate) redeemed: Redeemed,
    pub(crate) throttle: Throttle,
    pub(crate) observer: Observer,
    /// The keys that the client's provider publishes.
    #[cfg(feature = "jwks")]
    pub(crate) jwks: crate::jwks::PublishedKeys,
    /// Whether a user's home may be in another Entra cloud.
    pub(crate) multi_cloud: bool,
}

impl Shared {
    pub(crate) fn client_id(&self) -> &ClientId {
        self.application.client_id()
    }

    /// A query of this client.
    pub(crate) fn query<'a>(
        &'a self,
        resolved: &'a ResolvedAuthority,
        account: &'a AccountId,
        scopes: &'a Scopes,
    ) -> Query<'a> {
        let mut query = Query::new(resolved.authority(), self.client_id(), account, scopes);
        query.tenant_id = resolved.tenant_id();
        query.margins = self.margins;
        query.uptime = self.driver.uptime();
        query
    }

    /// Caches tokens. A store that fails does not fail the call. Returns whether they were stored, and why not.
    pub(crate) async fn store(&self, update: TokenUpdate, budget: &mut LockBudget) -> (bool, Option<StorageError>) {
        match self.cache.store_within(update, budget).await {
            Ok(stored) => (stored && self.cache.is_stored(), None),
            Err(error) => {
                tracing::warn!(target: "auth", %error, "the token could not be stored");
                (false, Some(error))
            }
        }
    }

    /// The account with this home account ID, if it has signed in.
    pub(crate) async fn account(&self, id: &AccountId) -> Result<Option<Account>, StorageError> {
        self.cache.account(&self.authorities.own().authority(), self.client_id(), id).await
    }

    /// The accounts in the cache, followed by any that only the broker knows.
    pub(crate) async fn accounts(&self, context: &RequestContext) -> Result<Vec<Account>, StorageError> {
        let mut cached = self.cached_accounts().await;
        // Accounts may be cached under a host name that is not known yet.
        if cached.as_ref().is_ok_and(Vec::is_empty)
            && self.authorities.own().try_resolve(&self.driver, context, &mut Timing::begin(), false).await
        {
            cached = self.cached_accounts().await;
        }
        let Some(broker) = &self.broker else { return cached };
        let (mut accounts, brokered) = (cached?, broker.accounts().await);
        for account in brokered {
            if accounts.iter().all(|known| known.home_account_id != account.home_account_id) {
                accounts.push(account);
            }
        }
        Ok(accounts)
    }

    async fn cached_accounts(&self) -> Result<Vec<Account>, StorageError> {
        let own = self.authorities.own().authority();
        match self.multi_cloud {
            true => self.cache.accounts_among(&own.in_every_cloud(), self.client_id()).await,
            false => self.cache.accounts(&own, self.client_id()).await,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("client_id", self.client_id())
            .field("authority", &self.authorities.own().authority())
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

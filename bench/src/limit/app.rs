//! Tokens of applications: an index by client and tenant, then by scope.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ahash::RandomState;

use super::document::Document;
use super::now;

type ByTenant = HashMap<Box<str>, ByScope, RandomState>;
type ByScope = HashMap<Box<str>, (Arc<str>, u64), RandomState>;

/// The index.
#[derive(Debug, Default)]
pub struct Apps {
    by_client: RwLock<HashMap<Box<str>, ByTenant, RandomState>>,
}

impl Apps {
    /// Adds the contents of a cache document.
    pub fn merge(&mut self, text: &[u8]) {
        let by_client = self.by_client.get_mut().unwrap_or_else(PoisonError::into_inner);
        for token in Document::parse(text).access_token.values() {
            let by_tenant = by_client.entry((&*token.client_id).into()).or_default();
            let by_scope = by_tenant.entry((&*token.realm).into()).or_default();
            let expires_on = token.expires_on.parse().expect("seconds");
            by_scope.insert((&*token.target).into(), ((&*token.secret).into(), expires_on));
        }
    }

    /// Returns the token of this client in this tenant for this scope, and when it expires, if it is valid for five
    /// minutes.
    #[inline(never)]
    #[must_use]
    pub fn hit(&self, client_id: &str, tenant: &str, scope: &str) -> Option<(Arc<str>, u64)> {
        let by_client = self.by_client.read().unwrap_or_else(PoisonError::into_inner);
        let (secret, expires_on) = by_client.get(client_id)?.get(tenant)?.get(scope)?;
        (*expires_on > now() + 300).then(|| (Arc::clone(secret), *expires_on))
    }
}

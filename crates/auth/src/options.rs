//! What every kind of request can be given.

use std::sync::Arc;

use crate::provider::KnownAuthority;
use crate::shared::Shared;
use auth_core::{Claims, ConfigError, CorrelationId, RequestContext, UiRequired};

/// The options that silent and interactive requests share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) tenant_id: Option<String>,
    pub(crate) user_flow: Option<String>,
    pub(crate) claims: Option<Claims>,
    pub(crate) correlation_id: Option<CorrelationId>,
    pub(crate) extra_query: Vec<(String, String)>,
}

impl Options {
    /// Whether a token of the client's own authority in the cache may answer, so that what requests carry is not needed.
    pub(crate) fn cache_may_answer(&self) -> bool {
        self.tenant_id.is_none() && self.user_flow.is_none() && self.claims.is_none() && self.extra_query.is_empty()
    }

    /// The id of the call. It is no secret, so the generator of the thread will do, which asks the system but rarely.
    pub(crate) fn correlation_id(&self) -> Result<CorrelationId, ConfigError> {
        match self.correlation_id {
            Some(id) => Ok(id),
            None => CorrelationId::generate(&mut rand::rng()),
        }
    }

    /// Takes over the claims and the correlation id of a silent request that found the user is needed.
    pub(crate) fn satisfy(&mut self, ui: &UiRequired) {
        let missing = ui.claims.as_deref().and_then(|claims| Claims::parse(claims).ok());
        self.claims = match (self.claims.take(), missing) {
            (Some(own), Some(missing)) => Some(own.and(&missing)),
            (own, missing) => own.or(missing),
        };
        self.correlation_id = self.correlation_id.or(Some(ui.correlation_id));
    }

    /// The authority that is asked.
    pub(crate) fn place(&self, shared: &Shared) -> Result<Arc<KnownAuthority>, ConfigError> {
        shared.directory.at(self.tenant_id.as_deref(), self.user_flow.as_deref())
    }

    pub(crate) fn context(&self, shared: &Shared) -> Result<RequestContext, ConfigError> {
        let id = self.correlation_id()?;
        RequestContext::new(shared.application.clone(), id).with_extra_query(self.extra_query.clone())
    }
}

/// The setters of the shared options, for a builder that has them at this path of fields.
macro_rules! option_setters {
    ($($path:ident).+) => {
        /// Asks for tokens of another tenant of the client's cloud, by its id or a domain name, such as one where the
        /// account is a guest (MSAL.NET's `WithTenantId`). With `common` or `organizations` it is the account's home
        /// tenant. A name that no tenant has, and an authority other than Entra, are errors when the request is sent.
        pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
            self.$($path).+.tenant_id = Some(tenant.into());
            self
        }

        /// Asks another user flow (or custom policy) of the client's B2C tenant, such as the one that edits a profile or resets
        /// a password. It has accounts of its own, whose ids end with its name. An authority that is none of B2C is an error
        /// when the request is sent.
        pub fn user_flow(mut self, name: impl Into<String>) -> Self {
            self.$($path).+.user_flow = Some(name.into());
            self
        }

        /// Asks for tokens that satisfy these claims, past the cache.
        pub fn claims(mut self, claims: auth_core::Claims) -> Self {
            self.$($path).+.claims = Some(claims);
            self
        }

        /// Gives the call an id of the application's own, which the identity provider logs; otherwise one is drawn.
        pub fn correlation_id(mut self, id: auth_core::CorrelationId) -> Self {
            self.$($path).+.correlation_id = Some(id);
            self
        }

        /// Adds a query parameter to the requests of this call. A name that the protocol uses, or that is there already, is
        /// an error when the request is sent.
        pub fn extra_query_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.$($path).+.extra_query.push((name.into(), value.into()));
            self
        }
    };
}

pub(crate) use option_setters;

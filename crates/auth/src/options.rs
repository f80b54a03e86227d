//! The options that all requests have in common.

use std::sync::Arc;

use crate::authorities::KnownAuthority;
use crate::shared::Shared;
use auth_core::{Claims, ConfigError, CorrelationId, RequestContext, UiRequired};

/// The options that all requests have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) tenant_id: Option<String>,
    pub(crate) user_flow: Option<String>,
    pub(crate) claims: Option<Claims>,
    pub(crate) correlation_id: Option<CorrelationId>,
    pub(crate) extra_query: Vec<(String, String)>,
}

impl Options {
    /// Whether a token that is cached for the client's own authority may answer.
    pub(crate) fn cache_may_answer(&self) -> bool {
        self.tenant_id.is_none() && self.user_flow.is_none() && self.claims.is_none() && self.extra_query.is_empty()
    }

    /// The correlation ID. It is not a secret, so the thread's generator suffices, which rarely calls the system.
    pub(crate) fn correlation_id(&self) -> Result<CorrelationId, ConfigError> {
        match self.correlation_id {
            Some(id) => Ok(id),
            None => CorrelationId::generate(&mut rand::rng()),
        }
    }

    /// Adopts the claims and the correlation ID of a silent request that requires the user.
    pub(crate) fn satisfy(&mut self, ui: &UiRequired) {
        let missing = ui.claims.as_deref().and_then(|claims| Claims::parse(claims).ok());
        self.claims = match (self.claims.take(), missing) {
            (Some(own), Some(missing)) => Some(own.and(&missing)),
            (own, missing) => own.or(missing),
        };
        self.correlation_id = self.correlation_id.or(Some(ui.correlation_id));
    }

    /// The authority that the request goes to.
    pub(crate) fn known_authority(&self, shared: &Shared) -> Result<Arc<KnownAuthority>, ConfigError> {
        shared.authorities.at(self.tenant_id.as_deref(), self.user_flow.as_deref())
    }

    pub(crate) fn context(&self, shared: &Shared) -> Result<RequestContext, ConfigError> {
        let id = self.correlation_id()?;
        RequestContext::new(shared.application.clone(), id).with_extra_query(self.extra_query.clone())
    }
}

/// The setters of the common options, for a builder that keeps them in the field at this path.
macro_rules! option_setters {
    ($($path:ident).+) => {
        /// Requests tokens from another tenant of the same cloud, named by ID or domain, such as one where the account
        /// is a guest (MSAL.NET's `WithTenantId`). With `common` or `organizations`, the account's home tenant is
        /// asked. An invalid tenant name, or an authority that is not Entra, is an error when the request is sent.
        pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
            self.$($path).+.tenant_id = Some(tenant.into());
            self
        }

        /// Uses another user flow (or custom policy) of the client's B2C tenant, such as profile editing or password
        /// reset. Each user flow has its own accounts, whose IDs end with its name. An authority that is not B2C is an
        /// error when the request is sent.
        pub fn user_flow(mut self, name: impl Into<String>) -> Self {
            self.$($path).+.user_flow = Some(name.into());
            self
        }

        /// Requests a token that satisfies these claims, bypassing cached access tokens.
        pub fn claims(mut self, claims: auth_core::Claims) -> Self {
            self.$($path).+.claims = Some(claims);
            self
        }

        /// Sets the correlation ID of the call, which the identity provider logs. By default it is random.
        pub fn correlation_id(mut self, id: auth_core::CorrelationId) -> Self {
            self.$($path).+.correlation_id = Some(id);
            self
        }

        /// Adds a query parameter to the requests of this call. A name that the protocol uses, or that was added
        /// before, is an error when the request is sent.
        pub fn extra_query_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.$($path).+.extra_query.push((name.into(), value.into()));
            self
        }
    };
}

pub(crate) use option_setters;

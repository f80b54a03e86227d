//! What every kind of request can be given.

use auth_core::{Claims, ConfigError, CorrelationId, RequestContext};
use rand::rngs::SysRng;

use crate::shared::Shared;

/// The options that silent and interactive requests share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) claims: Option<Claims>,
    pub(crate) correlation_id: Option<CorrelationId>,
    pub(crate) extra_query: Vec<(String, String)>,
}

impl Options {
    pub(crate) fn context(&self, shared: &Shared) -> Result<RequestContext, ConfigError> {
        let id = match self.correlation_id {
            Some(id) => id,
            None => CorrelationId::generate(&mut SysRng)?,
        };
        RequestContext::new(shared.application.clone(), id).with_extra_query(self.extra_query.clone())
    }
}

/// The setters of the shared options, for the builder that has them in `options`.
macro_rules! option_setters {
    () => {
        /// Asks for tokens that satisfy these claims, past the cache.
        pub fn claims(mut self, claims: auth_core::Claims) -> Self {
            self.options.claims = Some(claims);
            self
        }

        /// Gives the call an id of the application's own, which the identity provider logs; otherwise one is drawn.
        pub fn correlation_id(mut self, id: auth_core::CorrelationId) -> Self {
            self.options.correlation_id = Some(id);
            self
        }

        /// Adds a query parameter to the requests of this call. A name that the protocol uses is an error when the
        /// request is sent.
        pub fn extra_query_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.options.extra_query.push((name.into(), value.into()));
            self
        }
    };
}

pub(crate) use option_setters;

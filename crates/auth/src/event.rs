//! Events: what happens outside the calls of an application.

use core::fmt;
use std::sync::Arc;

use auth_core::{AccountId, CorrelationId, UiRequired};

use crate::error::AuthError;

/// Something that happened outside the calls of a client. No event contains a secret. Events of the cache are
/// [`CacheEvent`](crate::CacheEvent)s.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A refresh failed, but the cached token is still valid, so no call failed. The refresh is retried after a pause
    ///
    RefreshFailed {
        /// The account of the token.
        account: AccountId,
        /// Why the refresh failed.
        error: AuthError,
        /// The correlation ID of the refresh, for the identity provider's support.
        correlation_id: CorrelationId,
    },
    /// A refresh failed because the user must act, and the cached token is still valid. Once it has expired, calls fail
    /// with [`AuthError::UiRequired`]; an application can offer the sign-in earlier.
    InteractionHint {
        /// The account of the token.
        account: AccountId,
        /// What the user must do; pass it to
        /// [`acquire_token_interactive(..).satisfying(&ui)`](crate::InteractiveRequest::satisfying).
        ui: Box<UiRequired>,
    },
    /// The clocks of this machine and of the identity provider differ by more than five minutes. Reported again only
    /// when that changes. Nothing is corrected: tokens may seem to have expired already, or to be valid for longer than
    /// they are.
    ClockSkew {
        /// How far the provider's clock is ahead, in seconds; negative if it is behind.
        delta: i64,
    },
}

impl Event {
    /// The event for a refresh that failed while the cached token is still valid.
    pub(crate) fn of_failure(account: AccountId, error: AuthError, correlation_id: CorrelationId) -> Self {
        match error {
            AuthError::UiRequired(ui) => Self::InteractionHint { account, ui },
            error => Self::RefreshFailed { account, error, correlation_id },
        }
    }
}

/// The application's listener.
type Listener = dyn Fn(&Event) + Send + Sync;

/// Reports events to the log and the application.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Listener>>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    pub(crate) fn notify(&self, event: &Event) {
        match event {
            Event::RefreshFailed { error, correlation_id, .. } => {
                tracing::warn!(target: "auth", %error, %correlation_id, "the refresh failed; the cached token is still valid");
            }
            Event::InteractionHint { ui, .. } => {
                let correlation_id = ui.correlation_id;
                tracing::warn!(target: "auth", error = %ui, %correlation_id, "the user must sign in before the cached token expires");
            }
            Event::ClockSkew { delta } => {
                tracing::warn!(target: "auth", delta, "the identity provider's clock differs; this machine's clock is probably wrong");
            }
        }
        if let Some(observe) = &self.0 {
            observe(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

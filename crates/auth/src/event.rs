//! What an application may want to know beyond the answers to its calls.

use core::fmt;
use std::sync::Arc;

use auth_core::{AccountId, CorrelationId, UiRequired};

use crate::error::AuthError;

/// Something that happened beside the calls of a client. No event holds a secret; [`CacheEvent`](crate::CacheEvent) tells of
/// the cache.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A token was not refreshed, and goes on serving: no call failed. After a pause it is tried again.
    RefreshFailed {
        /// Whose token it is.
        account: AccountId,
        /// Why.
        error: AuthError,
        /// The id of the refresh, for the identity provider's support.
        correlation_id: CorrelationId,
    },
    /// The same, because the user must act: as soon as the token has expired, calls end with
    /// [`AuthError::UiRequired`]. An application can offer the sign-in before.
    InteractionHint {
        /// Whose token it is.
        account: AccountId,
        /// What the user must do; hand it to
        /// [`acquire_token_interactive(..).satisfying(&ui)`](crate::InteractiveRequest::satisfying).
        ui: Box<UiRequired>,
    },
    /// The clocks of this machine and of the identity provider are more than five minutes apart. Told again only
    /// when that changes. Nothing is corrected: tokens may seem to have expired, or to be good for longer than they are.
    ClockSkew {
        /// How many seconds the provider's clock is ahead; negative where it is behind.
        delta: i64,
    },
}

impl Event {
    /// That the refresh of a token which still serves failed.
    pub(crate) fn of_failure(account: AccountId, error: AuthError, correlation_id: CorrelationId) -> Self {
        match error {
            AuthError::UiRequired(ui) => Self::InteractionHint { account, ui },
            error => Self::RefreshFailed { account, error, correlation_id },
        }
    }
}

/// Whom the application named to hear of events.
type Listener = dyn Fn(&Event) + Send + Sync;

/// Tells the log and the application.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Listener>>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    pub(crate) fn tell(&self, event: &Event) {
        match event {
            Event::RefreshFailed { error, correlation_id, .. } => {
                tracing::warn!(target: "auth", %error, %correlation_id, "the refresh failed; the token in the cache still serves");
            }
            Event::InteractionHint { ui, .. } => {
                let correlation_id = ui.correlation_id;
                tracing::warn!(target: "auth", error = %ui, %correlation_id, "the user must sign in before the token in the cache expires");
            }
            Event::ClockSkew { delta } => {
                tracing::warn!(target: "auth", delta, "the identity provider's clock differs; the clock of this machine is probably wrong");
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

//! From the authorization response to the result of the call.

use std::sync::Arc;

use auth_core::{Account, AuthorizationResponse, PendingAuthorization};

use crate::authorities::KnownAuthority;
use crate::error::AuthError;
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::signed_in::SignedIn;
use crate::timing::Timing;

/// A sign-in whose response has arrived.
pub(crate) struct Returned<'a> {
    pub(crate) pending: PendingAuthorization,
    pub(crate) response: AuthorizationResponse,
    pub(crate) known: Arc<KnownAuthority>,
    /// The only account that is accepted, if there is one.
    pub(crate) pinned: Option<&'a Account>,
}

impl Returned<'_> {
    /// Validates the response, redeems the code at the right cloud, and caches the tokens.
    pub(crate) async fn redeem(self, shared: &Shared, timing: &mut Timing) -> Result<AuthResult, AuthError> {
        let (correlation_id, bypass) = (self.pending.correlation_id(), self.pending.claims().is_some());
        let redemption = self.pending.accept(self.response, shared.driver.now())?;
        let known = redemption.other_cloud().map_or(self.known, |cloud| shared.authorities.of(cloud.clone()));
        let metadata = redemption.metadata().clone();
        let tokens = shared.driver.perform(redemption, timing).await?;
        let signed_in = SignedIn {
            known: &known,
            metadata: &metadata,
            correlation_id,
            pinned: self.pinned,
            bypass,
            by_device_code: false,
        };
        signed_in.with(tokens, shared, timing).await
    }
}

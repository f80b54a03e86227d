//! From the authorization response to the answer of the call.

use std::sync::Arc;

use auth_core::{Account, AuthorizationResponse, PendingAuthorization};

use crate::error::AuthError;
use crate::provider::KnownAuthority;
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::signed_in::SignedIn;
use crate::timing::Timing;

/// A sign-in whose user has come back.
pub(crate) struct Returned<'a> {
    pub(crate) pending: PendingAuthorization,
    pub(crate) response: AuthorizationResponse,
    pub(crate) place: Arc<KnownAuthority>,
    /// The only account that is accepted, if there is one.
    pub(crate) pinned: Option<&'a Account>,
}

impl Returned<'_> {
    /// Judges the response, redeems the code where it was meant to go, and caches the tokens.
    pub(crate) async fn redeem(self, shared: &Shared, timing: &mut Timing) -> Result<AuthResult, AuthError> {
        let (correlation_id, bypass) = (self.pending.correlation_id(), self.pending.claims().is_some());
        let redemption = self.pending.accept(self.response, shared.driver.now())?;
        let place = redemption.other_cloud().map_or(self.place, |cloud| shared.directory.of(cloud.clone()));
        let metadata = redemption.metadata().clone();
        let tokens = shared.driver.perform(redemption, timing).await?;
        let signed_in = SignedIn {
            place: &place,
            metadata: &metadata,
            correlation_id,
            pinned: self.pinned,
            bypass,
            by_device_code: false,
        };
        signed_in.with(tokens, shared, timing).await
    }
}

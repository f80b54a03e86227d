//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4).

use super::grant::Grant;
use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::OAuthError;
use crate::params::Params;
use crate::store::{NoTokens, State};

pub(super) fn redeem(state: &mut State, tenant: Tenant, form: &Params, now: UnixTime) -> Result<Grant, OAuthError> {
    let device_code = form.require("device_code")?;
    let client_id = form.require("client_id")?;
    let (request, sign_in) = state.device_codes.poll(device_code, client_id, now).map_err(refuse)?;
    let (claims, sign_in) = (request.claims.clone(), sign_in.clone());
    if tenant.signs_in_at() != sign_in.tenant {
        return Err(OAuthError::invalid_grant(700_005, "The device code was issued for another tenant."));
    }
    let grant = Grant::of_sign_in(state, &sign_in, claims.as_deref(), form, now)?;
    state.device_codes.spend(device_code);
    Ok(grant)
}

/// The error codes of RFC 8628 §3.5, but Entra's if the user declines.
fn refuse(why: NoTokens) -> OAuthError {
    let (code, number, text) = match why {
        NoTokens::Pending => ("authorization_pending", 70_016, "The user has not signed in yet."),
        NoTokens::TooFast => ("slow_down", 90_055, "The device polls too often."),
        NoTokens::Declined => ("authorization_declined", 65_004, "The user declined."),
        NoTokens::Expired => ("expired_token", 70_020, "The device code has expired."),
        NoTokens::Unknown => ("invalid_grant", 70_000, "The device code is unknown."),
        NoTokens::OtherClient => ("invalid_grant", 700_051, "The device code was issued to another client."),
        NoTokens::Spent => ("invalid_grant", 54_005, "The device code has already been redeemed."),
    };
    OAuthError::new(code, number, text)
}

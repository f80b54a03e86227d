//! `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5).

use super::grant::Grant;
use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::OAuthError;
use crate::params::Params;
use crate::pkce;
use crate::store::State;

pub(super) fn redeem(state: &mut State, tenant: Tenant, form: &Params, now: UnixTime) -> Result<Grant, OAuthError> {
    let code = form.require("code")?;
    let redirect_uri = form.require("redirect_uri")?;
    let verifier = form.require("code_verifier")?;
    let client_id = form.require("client_id")?;
    let Some(record) = state.codes.find_mut(code) else {
        return Err(OAuthError::invalid_grant(70_000, "The authorization code is unknown."));
    };
    if record.redeemed {
        // Someone else may have the tokens of the first redemption (RFC 6749 §4.1.2).
        let id = record.sign_in.id;
        state.refresh_tokens.revoke(|sign_in| sign_in.id == id);
        return Err(OAuthError::invalid_grant(
            54_005,
            "The authorization code has already been redeemed; its refresh tokens are revoked.",
        ));
    }
    if record.expires <= now {
        return Err(OAuthError::invalid_grant(70_008, "The authorization code has expired."));
    }
    if record.sign_in.client_id != client_id {
        return Err(OAuthError::invalid_grant(700_051, "The authorization code was issued to another client."));
    }
    if tenant.signs_in_at() != record.sign_in.tenant {
        return Err(OAuthError::invalid_grant(700_005, "The authorization code was issued for another tenant."));
    }
    if record.redirect_uri != redirect_uri {
        return Err(OAuthError::invalid_grant(
            50_011,
            "The redirect_uri differs from that of the authorization request.",
        ));
    }
    if !pkce::matches_challenge(verifier, &record.challenge) {
        return Err(OAuthError::invalid_grant(501_481, "The code_verifier does not match the code_challenge."));
    }

    let record = record.clone();
    let mut grant = Grant::of_sign_in(state, &record.sign_in, record.claims.as_deref(), form, now)?;
    grant.nonce = record.nonce;
    grant.auth_time = record.auth_time;
    // Nothing can fail from here on, so only now is the code used up.
    if let Some(record) = state.codes.find_mut(code) {
        record.redeemed = true;
    }
    Ok(grant)
}

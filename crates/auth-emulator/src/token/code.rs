//! `grant_type=authorization_code` (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

use super::grant::Grant;
use crate::claims_request::capabilities;
use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::OAuthError;
use crate::params::Params;
use crate::pkce;
use crate::scope::ScopeRequest;
use crate::store::State;

pub(super) fn redeem(state: &mut State, tenant: Tenant, form: &Params, now: UnixTime) -> Result<Grant, OAuthError> {
    let code = form.require("code")?;
    let redirect_uri = form.require("redirect_uri")?;
    let verifier = form.require("code_verifier")?;
    let client_id = form.require("client_id")?;
    let Some(record) = state.codes.find_mut(code) else {
        return Err(OAuthError::invalid_grant(70_000, "The authorization code is not known."));
    };
    if record.redeemed {
        // Somebody else may hold what the first redemption brought (RFC 6749 section 4.1.2).
        let id = record.sign_in.id;
        state.refresh_tokens.revoke(|sign_in| sign_in.id == id);
        return Err(OAuthError::invalid_grant(
            54_005,
            "The authorization code was redeemed before; its refresh tokens are revoked.",
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
            "The redirect_uri differs from the one of the authorization request.",
        ));
    }
    if !pkce::proves(verifier, &record.challenge) {
        return Err(OAuthError::invalid_grant(501_481, "The code_verifier does not prove the code_challenge."));
    }

    let record = record.clone();
    let sign_in = &record.sign_in;
    let asked = match form.get("scope") {
        Some(text) => ScopeRequest::parse(text),
        None => sign_in.scopes.clone().first_resource_only(),
    };
    let object_id = sign_in.user.object_id();
    if !state.consents.covers(&state.settings, client_id, object_id, &asked) {
        return Err(OAuthError::invalid_grant(65_001, "The user did not consent to these scopes.")
            .with_suberror("consent_required"));
    }
    let scopes = state.consents.expand_default(&state.settings, client_id, object_id, asked);
    let mut grant = Grant::new(&state.settings, sign_in, sign_in.tenant, scopes, form, now)?;
    if grant.capabilities.is_empty() {
        grant.capabilities = capabilities(record.claims.as_deref())?;
    }
    grant.nonce.clone_from(&record.nonce);

    // Nothing can fail from here on: only now is the code spent.
    if let Some(record) = state.codes.find_mut(code) {
        record.redeemed = true;
    }
    if sign_in.scopes.offline_access {
        let expires = now.after(state.settings.refresh_token_lifetime);
        let token = state.refresh_tokens.issue(&mut state.rng, now, expires, sign_in.clone());
        grant.refresh_token = Some(token);
    }
    Ok(grant)
}

//! `grant_type=refresh_token` (RFC 6749 §6).

use super::grant::Grant;
use crate::clock::UnixTime;
use crate::directory::{Tenant, TenantId};
use crate::error::OAuthError;
use crate::params::Params;
use crate::scope::ScopeRequest;
use crate::settings::Rotation;
use crate::store::{Dead, SignIn, State};

pub(super) fn redeem(state: &mut State, tenant: Tenant, form: &Params, now: UnixTime) -> Result<Grant, OAuthError> {
    let token = form.require("refresh_token")?;
    let client_id = form.require("client_id")?;
    let sign_in = match state.refresh_tokens.find(token, now) {
        Ok(sign_in) => sign_in.clone(),
        Err(dead) => return Err(refuse(state, dead)),
    };
    check_client(state, &sign_in, client_id)?;
    let issuing = issuing_tenant(tenant, &sign_in)?;

    let asked = match form.get("scope") {
        Some(text) => ScopeRequest::parse(text),
        None => sign_in.scopes.clone().first_resource_only(),
    };
    let object_id = sign_in.user.object_id();
    let widen = state.settings.widen_on_refresh;
    let consented = state.consents.cover_refresh(&state.settings, client_id, object_id, &asked.scopes, widen);
    if !consented {
        return Err(OAuthError::invalid_grant(65_001, "The user did not consent to these scopes.")
            .with_suberror("consent_required"));
    }
    let scopes = state.consents.expand_default(&state.settings, client_id, object_id, asked);
    let mut grant = Grant::new(&state.settings, &sign_in, issuing, scopes, form, now)?;

    if state.settings.rotation != Rotation::None {
        let expires = now.after(state.settings.refresh_token_lifetime);
        let next = state.refresh_tokens.issue(&mut state.rng, now, expires, sign_in);
        grant.refresh_token = Some(next);
        if state.settings.rotation != Rotation::Overlap {
            state.refresh_tokens.replace(token);
        }
    }
    Ok(grant)
}

fn refuse(state: &mut State, dead: Dead) -> OAuthError {
    let (number, text) = match dead {
        Dead::Unknown => (70_000, "The refresh token is unknown."),
        Dead::Expired => (700_082, "The refresh token has expired."),
        Dead::Revoked => (50_173, "The refresh token has been revoked; the user must sign in again."),
        Dead::Replaced { sign_in } => {
            if state.settings.rotation == Rotation::RevokeFamilyOnReuse {
                state.refresh_tokens.revoke(|known| known.id == sign_in);
            }
            (70_000, "The refresh token has already been redeemed and replaced.")
        }
    };
    OAuthError::invalid_grant(number, text).with_suberror("bad_token")
}

/// A refresh token belongs to its client; a family refresh token belongs to every client of the family.
fn check_client(state: &State, sign_in: &SignIn, client_id: &str) -> Result<(), OAuthError> {
    if sign_in.client_id == client_id {
        return Ok(());
    }
    let refusal = OAuthError::invalid_grant(70_000, "The refresh token was issued to another client.");
    match (state.settings.is_family(&sign_in.client_id), state.settings.is_family(client_id)) {
        (true, true) => Ok(()),
        (true, false) => Err(refusal.with_suberror("client_mismatch")),
        (false, _) => Err(refusal),
    }
}

/// A refresh token works in each tenant of its account, as at Entra.
fn issuing_tenant(path: Tenant, sign_in: &SignIn) -> Result<TenantId, OAuthError> {
    match path {
        Tenant::Common | Tenant::Organizations => Ok(sign_in.tenant),
        Tenant::Concrete(id) if id.home() == sign_in.tenant.home() => Ok(id),
        Tenant::Concrete(_) => {
            Err(OAuthError::invalid_grant(50_020, "The account of the refresh token does not exist in this tenant."))
        }
    }
}

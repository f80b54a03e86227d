//! The result of a successful token request.

use crate::claims_request::capabilities;
use crate::clock::UnixTime;
use crate::directory::{TenantId, User};
use crate::error::OAuthError;
use crate::params::Params;
use crate::scope::ScopeRequest;
use crate::settings::Settings;
use crate::store::{SignIn, State};

/// The result of a successful token request.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) user: User,
    pub(crate) tenant: TenantId,
    pub(crate) client_id: String,
    /// The granted scopes; the response does not list `offline_access`.
    pub(crate) scopes: ScopeRequest,
    pub(crate) resource: String,
    pub(crate) nonce: Option<String>,
    pub(crate) auth_time: Option<UnixTime>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) client_info: bool,
    pub(crate) family: bool,
    /// The declared client capabilities (`xms_cc`).
    pub(crate) capabilities: Vec<String>,
    pub(crate) now: UnixTime,
}

impl Grant {
    /// The last step of all grant types, once the credential and the scopes have been checked.
    ///
    /// # Errors
    ///
    /// If the scopes belong to several resources, or the form lacks `client_id` or has invalid `claims`.
    pub(super) fn new(
        settings: &Settings,
        sign_in: &SignIn,
        tenant: TenantId,
        scopes: ScopeRequest,
        form: &Params,
        now: UnixTime,
    ) -> Result<Self, OAuthError> {
        let resource = scopes.resource().map(str::to_owned).ok_or_else(|| {
            OAuthError::invalid_request(28_000, "A token request can contain scopes of only one resource.")
        })?;
        let client_id = form.require("client_id")?;
        Ok(Self {
            user: sign_in.user.clone(),
            tenant,
            client_id: client_id.into(),
            scopes,
            resource,
            nonce: None,
            auth_time: None,
            refresh_token: None,
            client_info: form.get("client_info").is_some(),
            family: settings.is_family(client_id),
            capabilities: capabilities(form.get("claims"))?,
            now,
        })
    }
    /// The grant for a user who has just signed in, with only consented scopes, and a refresh token if the client
    /// requested one. `claims` are those of the request that the user consented to.
    ///
    /// # Errors
    ///
    /// If the form requests more than the user has consented to; otherwise as [`new`](Self::new).
    pub(super) fn of_sign_in(
        state: &mut State,
        sign_in: &SignIn,
        claims: Option<&str>,
        form: &Params,
        now: UnixTime,
    ) -> Result<Self, OAuthError> {
        let (client_id, object_id) = (&sign_in.client_id, sign_in.user.object_id());
        let asked = match form.get("scope") {
            Some(text) => ScopeRequest::parse(text),
            None => sign_in.scopes.clone().first_resource_only(),
        };
        if !state.consents.covers(&state.settings, client_id, object_id, &asked) {
            return Err(OAuthError::invalid_grant(65_001, "The user did not consent to these scopes.")
                .with_suberror("consent_required"));
        }
        let scopes = state.consents.expand_default(&state.settings, client_id, object_id, asked);
        let mut grant = Self::new(&state.settings, sign_in, sign_in.tenant, scopes, form, now)?;
        if grant.capabilities.is_empty() {
            grant.capabilities = capabilities(claims)?;
        }
        if sign_in.scopes.offline_access {
            let expires = now.after(state.settings.refresh_token_lifetime);
            let token = state.refresh_tokens.issue(&mut state.rng, now, expires, sign_in.clone());
            grant.refresh_token = Some(token);
        }
        Ok(grant)
    }
}

//! A sign-in on another device as functions (RFC 8628): the response to the device, and the page that the user sees.
//!
//! ```text
//! device:  authorize ──> DeviceCode       (then it polls the token endpoint)
//! user:    enter ──> SignIn ──choose──> Consent ──choose──> Done
//!                      └──cancel──> Done       └──cancel──> Done
//! ```

#[cfg(test)]
mod tests;

use crate::choice::{Choice, Intent};
use crate::claims_request::capabilities;
use crate::clock::UnixTime;
use crate::directory::{Tenant, User};
use crate::error::OAuthError;
use crate::ids::Fingerprint;
use crate::params::Params;
use crate::scope::ScopeRequest;
use crate::store::{Decision, DeviceCode, DeviceRequest, SignIn, Stage, State, Transaction};

/// What the user's browser gets next.
pub(crate) enum Step {
    /// The page that lists the users.
    SignIn { transaction: String, request: DeviceRequest },
    /// The page that lists what the device's application wants to do.
    Consent { transaction: String, request: DeviceRequest, user: User },
    /// The last page.
    Done { request: DeviceRequest, allowed: bool },
}

/// Answers a form that was posted to the device authorization endpoint of `tenant` (RFC 8628 §3.1).
///
/// # Errors
///
/// The error response for the device.
pub(crate) fn authorize(
    state: &mut State,
    tenant: Tenant,
    form: &Params,
    now: UnixTime,
) -> Result<DeviceCode, OAuthError> {
    let claims = form.get("claims");
    capabilities(claims)?;
    let request = DeviceRequest {
        client_id: form.require("client_id")?.into(),
        tenant,
        scopes: ScopeRequest::parse(form.require("scope")?),
        claims: claims.map(str::to_owned),
    };
    let State { device_codes, rng, settings, .. } = state;
    Ok(device_codes.issue(rng, now, request, settings.device_code_lifetime, settings.device_interval))
}

/// The user enters a code.
///
/// # Errors
///
/// An error page for the user, if no device is waiting for the code.
pub(crate) fn enter(state: &mut State, user_code: &str, now: UnixTime) -> Result<Step, OAuthError> {
    let device = state.device_codes.entered(user_code, now);
    let device = device.ok_or_else(|| {
        OAuthError::invalid_request(70_018, "This code is not the one that your device shows, or it has expired.")
    })?;
    show(state, device, None, now)
}

/// Handles a form of one of the pages after that.
///
/// # Errors
///
/// An error page for the user, if the form does not belong to a sign-in in progress.
pub(crate) fn choose(
    state: &mut State,
    transaction: &str,
    choice: Choice<'_>,
    now: UnixTime,
) -> Result<Step, OAuthError> {
    let Transaction { request: device, stage } =
        state.device_transactions.take(transaction, now).ok_or_else(OAuthError::over)?;
    match choice.on(stage, state)? {
        // Earlier consent is not reused: someone else may have sent the code (RFC 8628 §5.4).
        Intent::SignIn(user) => show(state, device, Some(user), now),
        Intent::Consent(user) => {
            let request = waiting(state, &device, now)?;
            let decision = Decision::Allowed(allow(state, &request, user, now));
            state.device_codes.decide(&device, decision, now);
            Ok(Step::Done { request, allowed: true })
        }
        Intent::Cancel(_) => {
            let request = waiting(state, &device, now)?;
            state.device_codes.decide(&device, Decision::Declined, now);
            Ok(Step::Done { request, allowed: false })
        }
    }
}

/// The page after the code has been entered, or after the user has been chosen.
fn show(state: &mut State, device: Fingerprint, user: Option<User>, now: UnixTime) -> Result<Step, OAuthError> {
    let request = waiting(state, &device, now)?;
    let stage = match &user {
        Some(user) => Stage::Consent { object_id: user.object_id().into() },
        None => Stage::SignIn,
    };
    let transaction = Transaction { request: device, stage };
    let transaction = state.device_transactions.open(&mut state.rng, now, transaction);
    Ok(match user {
        Some(user) => Step::Consent { transaction, request, user },
        None => Step::SignIn { transaction, request },
    })
}

fn waiting(state: &State, device: &Fingerprint, now: UnixTime) -> Result<DeviceRequest, OAuthError> {
    state.device_codes.waiting(device, now).cloned().ok_or_else(OAuthError::over)
}

fn allow(state: &mut State, request: &DeviceRequest, user: User, now: UnixTime) -> SignIn {
    let DeviceRequest { client_id, tenant, scopes, .. } = request.clone();
    state.signed_in.insert(user.object_id().into(), now);
    state.consents.grant(&state.settings, &client_id, user.object_id(), &scopes);
    SignIn { id: state.next_sign_in(), user, tenant: tenant.signs_in_at(), client_id, scopes }
}

//! The authorization endpoint as functions: each takes what the user's browser sent, and returns the page or the
//! response that comes next.
//!
//! ```text
//! begin ──> SignIn ──choose──> Consent ──decide──> Reply
//!   │          │ └───────────────────────────────────^ (consented before)
//!   │          └──cancel──> Reply (access_denied)
//!   └──> Reply (prompt=none, or a refusal)
//! ```

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::authorization_request::{AuthorizationRequest, Prompt, Refusal};
use crate::choice::{Choice, Intent};
use crate::clock::UnixTime;
use crate::directory::{Tenant, User};
use crate::error::OAuthError;
use crate::ids;
use crate::params::Params;
use crate::redirect::ReplyTo;
use crate::store::{CodeRecord, SignIn, Stage, State, Transaction};

/// What the user's browser gets next.
pub(crate) enum Step {
    /// The page that lists the users.
    SignIn { transaction: String, request: AuthorizationRequest },
    /// The page that lists what the client wants to do.
    Consent { transaction: String, request: AuthorizationRequest, user: User },
    /// The response for the client.
    Reply(Reply),
}

/// A response for the client, to be delivered through the browser.
pub(crate) struct Reply {
    pub(crate) to: ReplyTo,
    pub(crate) outcome: Result<Vec<(&'static str, String)>, OAuthError>,
    /// Entra's response if the user pressed Cancel.
    pub(crate) cancelled: bool,
}

/// Handles an authorization request.
///
/// # Errors
///
/// An error page for the user, if there is no safe place to send a response.
pub(crate) fn begin(state: &mut State, tenant: Tenant, params: &Params, now: UnixTime) -> Result<Step, OAuthError> {
    let request = match AuthorizationRequest::parse(tenant, params) {
        Ok(request) => request,
        Err(refusal) => match *refusal {
            Refusal::Page(error) => return Err(error),
            Refusal::Reply(to, error) => return Ok(refuse(to, error)),
        },
    };
    if request.prompt == Some(Prompt::None) {
        return Ok(without_user(state, request, now));
    }
    Ok(show_sign_in(state, request, now))
}

/// Handles a form of one of the pages.
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
    let Transaction { request, stage } = state.transactions.take(transaction, now).ok_or_else(OAuthError::over)?;
    match choice.on(stage, state)? {
        Intent::SignIn(user) => Ok(signed_in(state, request, user, now)),
        Intent::Consent(user) => {
            let settings = &state.settings;
            state.consents.grant(settings, &request.client_id, user.object_id(), &request.scopes);
            Ok(issue_code(state, request, user, now))
        }
        Intent::Cancel(what) => Ok(cancel(request.reply_to, what)),
    }
}

fn show_sign_in(state: &mut State, request: AuthorizationRequest, now: UnixTime) -> Step {
    let waiting = Transaction { request: request.clone(), stage: Stage::SignIn };
    let transaction = state.transactions.open(&mut state.rng, now, waiting);
    Step::SignIn { transaction, request }
}

fn signed_in(state: &mut State, request: AuthorizationRequest, user: User, now: UnixTime) -> Step {
    state.signed_in.insert(user.object_id().into(), now);
    let asks = request.prompt == Some(Prompt::Consent) || !has_consent(state, &request, &user);
    if !asks {
        return issue_code(state, request, user, now);
    }
    let stage = Stage::Consent { object_id: user.object_id().into() };
    let waiting = Transaction { request: request.clone(), stage };
    let transaction = state.transactions.open(&mut state.rng, now, waiting);
    Step::Consent { transaction, request, user }
}

/// `prompt=none`: a response without any page (OpenID Connect Core §3.1.2.1).
fn without_user(state: &mut State, request: AuthorizationRequest, now: UnixTime) -> Step {
    let known = |user: &&User| {
        let at = state.signed_in.get(user.object_id());
        at.is_some_and(|at| request.max_age.is_none_or(|max_age| at.after(Duration::from_secs(max_age)) >= now))
    };
    let user = match request.login_hint.as_deref() {
        Some(hint) => state.user_named(hint).filter(known).cloned(),
        None => {
            let mut all = state.users.iter().filter(known);
            let first = all.next().cloned();
            if all.next().is_some() {
                let text = "Several users are signed in; the user must choose one.";
                return refuse(request.reply_to, OAuthError::new("interaction_required", 16_000, text));
            }
            first
        }
    };
    let Some(user) = user else {
        let text = "The user is not signed in.";
        return refuse(request.reply_to, OAuthError::new("login_required", 50_058, text));
    };
    if !has_consent(state, &request, &user) {
        let text = "The user did not consent to these scopes.";
        return refuse(request.reply_to, OAuthError::new("consent_required", 65_001, text));
    }
    issue_code(state, request, user, now)
}

fn has_consent(state: &State, request: &AuthorizationRequest, user: &User) -> bool {
    let client_id = &request.client_id;
    state.consents.covers(&state.settings, client_id, user.object_id(), &request.scopes)
}

fn issue_code(state: &mut State, request: AuthorizationRequest, user: User, now: UnixTime) -> Step {
    let tenant = request.tenant.signs_in_at();
    let mut fields = Vec::new();
    if request.client_info {
        fields.push(("client_info", tenant.client_info(&user)));
    }
    let auth_time = request.max_age.and_then(|_| state.signed_in.get(user.object_id()).copied());
    let sign_in =
        SignIn { id: state.next_sign_in(), user, tenant, client_id: request.client_id, scopes: request.scopes };
    let record = CodeRecord {
        sign_in,
        redirect_uri: request.reply_to.redirect_uri.clone(),
        challenge: request.challenge,
        nonce: request.nonce,
        claims: request.claims,
        auth_time,
        expires: now.after(state.settings.code_lifetime),
        redeemed: false,
    };
    fields.insert(0, ("code", state.codes.issue(&mut state.rng, now, record)));
    fields.push(("session_state", ids::guid(&mut state.rng)));
    Step::Reply(Reply { to: request.reply_to, outcome: Ok(fields), cancelled: false })
}

fn refuse(to: ReplyTo, error: OAuthError) -> Step {
    Step::Reply(Reply { to, outcome: Err(error), cancelled: false })
}

fn cancel(to: ReplyTo, what: &str) -> Step {
    let error = OAuthError::new("access_denied", 65_004, format!("The user chose not to {what}."));
    Step::Reply(Reply { to, outcome: Err(error), cancelled: true })
}

//! The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3).

use url::Url;

use crate::claims_request::capabilities;
use crate::directory::Tenant;
use crate::error::{OAuthError, printable};
use crate::params::Params;
use crate::pkce;
use crate::redirect::{ReplyTo, ResponseMode, is_loopback};
use crate::scope::ScopeRequest;

/// A valid request.
#[derive(Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) reply_to: ReplyTo,
    pub(crate) client_id: String,
    pub(crate) tenant: Tenant,
    pub(crate) scopes: ScopeRequest,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) claims: Option<String>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) login_hint: Option<String>,
    /// How long ago the user may have signed in, in seconds.
    pub(crate) max_age: Option<u64>,
    pub(crate) client_info: bool,
}

/// The `prompt` parameter, one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    None,
    Login,
    SelectAccount,
    Consent,
}

/// Why a request is refused, and who receives the error.
pub(crate) enum Refusal {
    /// The user, because the redirect URI cannot be trusted (RFC 6749 §4.1.2.1).
    Page(OAuthError),
    /// The client.
    Reply(ReplyTo, OAuthError),
}

impl Refusal {
    /// Where to send the error to the client; `None` if only the user may see it.
    pub(crate) fn reply_to(self) -> Option<ReplyTo> {
        match self {
            Self::Page(_) => None,
            Self::Reply(to, _) => Some(to),
        }
    }
}

impl AuthorizationRequest {
    pub(crate) fn parse(tenant: Tenant, params: &Params) -> Result<Self, Box<Refusal>> {
        let client_id = params.require("client_id").map_err(page)?;
        let reply_to = reply_to(params)?;
        match Self::parse_rest(tenant, params, client_id, &reply_to) {
            Ok(request) => Ok(request),
            Err(error) => Err(Box::new(Refusal::Reply(reply_to, error))),
        }
    }

    fn parse_rest(tenant: Tenant, params: &Params, client_id: &str, reply_to: &ReplyTo) -> Result<Self, OAuthError> {
        let response_type = params.require("response_type")?;
        if response_type != "code" {
            return Err(OAuthError::new(
                "unsupported_response_type",
                700_054,
                format!("The response_type '{}' is not supported.", printable(response_type)),
            ));
        }
        let scopes = ScopeRequest::parse(params.require("scope")?);
        let challenge = params.require("code_challenge")?;
        if params.get("code_challenge_method") != Some("S256") || !pkce::is_challenge(challenge) {
            return Err(OAuthError::invalid_request(
                9_002_325,
                "A code_challenge with the code_challenge_method 'S256' is required.",
            ));
        }
        let claims = params.get("claims");
        capabilities(claims)?;
        Ok(Self {
            reply_to: reply_to.clone(),
            client_id: client_id.into(),
            tenant,
            scopes,
            challenge: challenge.into(),
            nonce: params.get("nonce").map(str::to_owned),
            claims: claims.map(str::to_owned),
            prompt: prompt(params.get("prompt"))?,
            login_hint: params.get("login_hint").map(str::to_owned),
            max_age: max_age(params.get("max_age"))?,
            client_info: params.get("client_info").is_some(),
        })
    }
}

fn page(error: OAuthError) -> Box<Refusal> {
    Box::new(Refusal::Page(error))
}

fn reply_to(params: &Params) -> Result<ReplyTo, Box<Refusal>> {
    let text = params.require("redirect_uri").map_err(page)?;
    let url = Url::parse(text).ok().filter(is_loopback).ok_or_else(|| {
        page(OAuthError::invalid_request(50_011, "The redirect_uri must be an http or https URL of this machine."))
    })?;
    let state = params.get("state").map(str::to_owned);
    let mut to = ReplyTo { redirect_uri: text.into(), url, mode: ResponseMode::Query, state };
    match params.get("response_mode") {
        None | Some("query") => Ok(to),
        Some("form_post") => {
            to.mode = ResponseMode::FormPost;
            Ok(to)
        }
        Some(other) => {
            let text = format!("The response_mode '{}' is not supported.", printable(other));
            Err(Box::new(Refusal::Reply(to, OAuthError::invalid_request(70_007, text))))
        }
    }
}

fn max_age(text: Option<&str>) -> Result<Option<u64>, OAuthError> {
    let wrong = |_| OAuthError::invalid_request(90_023, "The max_age is not a number of seconds.");
    text.map(str::parse).transpose().map_err(wrong)
}

fn prompt(text: Option<&str>) -> Result<Option<Prompt>, OAuthError> {
    match text {
        None => Ok(None),
        Some("none") => Ok(Some(Prompt::None)),
        Some("login") => Ok(Some(Prompt::Login)),
        Some("select_account") => Ok(Some(Prompt::SelectAccount)),
        Some("consent") => Ok(Some(Prompt::Consent)),
        Some(other) => {
            Err(OAuthError::invalid_request(90_023, format!("The prompt '{}' is not supported.", printable(other))))
        }
    }
}

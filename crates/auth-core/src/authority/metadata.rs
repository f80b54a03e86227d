//! An identity provider's endpoints and capabilities.

use core::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::Uri;
use serde_json::{Map, Value};

use crate::authority::issuer::{Issuer, Reach};
use crate::error::{ConfigError, ProtocolError};

const MESSAGE: &str = "provider metadata";

/// An identity provider's endpoints and capabilities, from the rules for its kind or from its validated OpenID
/// configuration document. See [`Authority::metadata`](crate::Authority::metadata) and
/// [`OpenIdConfiguration`](crate::OpenIdConfiguration).
#[derive(Clone, Debug)]
pub struct ProviderMetadata {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) form_post: bool,
    pub(crate) iss_parameter: bool,
    /// Whether `S256` is supported, or the provider does not say.
    pub(crate) pkce: bool,
    /// Whether requests ask for `client_info`.
    pub(crate) client_info: bool,
    /// Whether the provider only accepts pushed authorization requests.
    pub(crate) push_required: bool,
    /// Whether token requests say where the account is kept (`x-anchormailbox`).
    pub(crate) routes_by_mailbox: bool,
}

/// A provider's endpoints, behind one pointer because requests hold clones.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) authorization: Uri,
    pub(crate) token: Uri,
    /// `token` as text.
    pub(crate) token_text: Arc<str>,
    pub(crate) device_authorization: Option<Uri>,
    pub(crate) pushed_authorization_request: Option<Uri>,
    pub(crate) jwks: Option<Uri>,
}

impl Endpoints {
    pub(crate) fn new(authorization: Uri, token: Uri, device_authorization: Option<Uri>) -> Self {
        let token_text = token.to_string().into();
        Self { token_text, authorization, token, device_authorization, pushed_authorization_request: None, jwks: None }
    }
}

impl ProviderMetadata {
    /// Reads a metadata document and checks every endpoint in it (S-42).
    pub(crate) fn from_document(
        document: &Map<String, Value>,
        issuer: Arc<Issuer>,
        client_info: bool,
    ) -> Result<Self, ProtocolError> {
        let endpoint = |name| {
            let text = document.get(name).and_then(Value::as_str);
            let text = text.ok_or(ProtocolError::Missing { message: MESSAGE, name })?;
            endpoint(text, issuer.reach())
                .filter(|endpoint| issuer.owns(endpoint))
                .ok_or(ProtocolError::Invalid { message: MESSAGE, name })
        };
        let lists = |name, value| {
            let list = document.get(name)?.as_array()?;
            Some(list.iter().any(|item| item.as_str() == Some(value)))
        };
        let offered = |name| document.get(name).map(|_| endpoint(name)).transpose();
        let is_true = |name| document.get(name) == Some(&Value::Bool(true));
        let (authorization, token) = (endpoint("authorization_endpoint")?, endpoint("token_endpoint")?);
        let mut endpoints = Endpoints::new(authorization, token, offered("device_authorization_endpoint")?);
        endpoints.pushed_authorization_request = offered("pushed_authorization_request_endpoint")?;
        // An unusable URL is ignored: no secret is sent there, and the provider can still issue tokens.
        endpoints.jwks = offered("jwks_uri").unwrap_or_default();
        Ok(Self {
            endpoints: Arc::new(endpoints),
            form_post: lists("response_modes_supported", "form_post").unwrap_or(false),
            iss_parameter: is_true("authorization_response_iss_parameter_supported"),
            push_required: is_true("require_pushed_authorization_requests"),
            routes_by_mailbox: false,
            pkce: lists("code_challenge_methods_supported", "S256").unwrap_or(true),
            client_info,
            issuer,
        })
    }

    /// Returns the endpoint at which the user signs in.
    #[must_use]
    pub fn authorization_endpoint(&self) -> &Uri {
        &self.endpoints.authorization
    }

    /// Returns the endpoint that exchanges grants for tokens.
    #[must_use]
    pub fn token_endpoint(&self) -> &Uri {
        &self.endpoints.token
    }

    /// Returns the endpoint at which a sign-in on another device starts, if the provider has one (RFC 8628 §4).
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> Option<&Uri> {
        self.endpoints.device_authorization.as_ref()
    }

    /// Returns the endpoint that authorization requests are pushed to before the user is sent to the provider, if it
    /// has one (RFC 9126 §5).
    #[must_use]
    pub fn pushed_authorization_request_endpoint(&self) -> Option<&Uri> {
        self.endpoints.pushed_authorization_request.as_ref()
    }

    /// Returns the URL of the provider's signing keys (OpenID Connect Discovery §3, `jwks_uri`).
    #[must_use]
    pub fn jwks_uri(&self) -> Option<&Uri> {
        self.endpoints.jwks.as_ref()
    }

    /// Returns whether authorization requests are pushed to the provider (RFC 9126), because it supports or requires
    /// that.
    #[must_use]
    pub fn takes_pushed_requests(&self) -> bool {
        self.push_required || self.endpoints.pushed_authorization_request.is_some()
    }

    /// Returns the text of [`token_endpoint`](Self::token_endpoint), shared by all clones.
    #[must_use]
    pub fn token_endpoint_text(&self) -> &Arc<str> {
        &self.endpoints.token_text
    }

    /// The value of the `client_info` parameter, if it is sent.
    pub(crate) fn client_info(&self) -> Option<&'static str> {
        self.client_info.then_some("1")
    }

    /// Checks that PKCE protects sign-ins at this provider (S-02).
    ///
    /// # Errors
    /// [`ConfigError::PkceUnsupported`] if the provider lists its challenge methods without `S256`.
    pub fn require_pkce(&self) -> Result<(), ConfigError> {
        if self.pkce { Ok(()) } else { Err(ConfigError::PkceUnsupported) }
    }
}

/// Parses an endpoint that secrets may be sent to: https (or http if the issuer is on this machine), no userinfo, no
/// fragment, and no address of a private or local network unless the issuer is there.
pub(crate) fn endpoint(text: &str, reach: &Reach) -> Option<Uri> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"@\\#\"<>^`{|}".contains(&byte));
    if !plain || text.len() > 2048 {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let host = uri.host()?;
    let local = is_local(host);
    let scheme_ok = match uri.scheme_str()? {
        "https" => match reach {
            Reach::Public => !local,
            Reach::Local(own) => !local || host.eq_ignore_ascii_case(own),
            Reach::Loopback => true,
        },
        "http" => local && *reach == Reach::Loopback,
        _ => false,
    };
    scheme_ok.then_some(uri)
}

/// Whether the host is this machine, or an address that only a local network can reach.
fn is_local(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    match name.parse() {
        Ok(IpAddr::V4(v4)) => is_local_v4(v4),
        Ok(IpAddr::V6(v6)) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.to_ipv4().is_some_and(is_local_v4)
        }
        // Other spellings of addresses, such as 0x7f.1, count as local too.
        Err(_) => {
            let name = name.trim_end_matches('.');
            let last = name.rsplit('.').next().unwrap_or_default();
            name == "localhost"
                || name.ends_with(".localhost")
                || last.bytes().next().is_none_or(|byte| byte.is_ascii_digit())
        }
    }
}

fn is_local_v4(v4: Ipv4Addr) -> bool {
    v4.is_loopback()
        || v4.is_private()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_unspecified()
        || v4.is_broadcast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_public_unless_the_issuer_is_local() {
        let reach = Reach::Local("10.1.2.3".to_owned());
        for (text, public, local) in [
            ("https://idp.example/token", true, true),
            ("https://idp.example:8443/token?p=1", true, true),
            ("http://idp.example/token", false, false),
            ("http://127.0.0.1:8400/token", false, true),
            ("https://127.0.0.1/token", false, true),
            ("https://169.254.169.254/token", false, true),
            ("https://10.1.2.3/token", false, true),
            ("https://[::1]/token", false, true),
            ("https://[::ffff:10.0.0.1]/token", false, true),
            ("https://0x7f.1/token", false, true),
            ("https://localhost/token", false, true),
            ("https://localhost./token", false, true),
            ("https://user@idp.example/token", false, false),
            ("https://idp.example/token#x", false, false),
            ("https://idp.example/to ken", false, false),
            ("file:///etc/passwd", false, false),
            ("javascript:alert(1)", false, false),
            ("/token", false, false),
            ("", false, false),
        ] {
            assert_eq!(endpoint(text, &Reach::Public).is_some(), public, "{text}");
            assert_eq!(endpoint(text, &Reach::Loopback).is_some(), local, "{text} for an issuer on this machine");
            let own = public || text == "https://10.1.2.3/token";
            assert_eq!(endpoint(text, &reach).is_some(), own, "{text} for an issuer at 10.1.2.3");
        }
    }
}

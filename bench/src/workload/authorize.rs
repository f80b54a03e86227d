//! W5: the URL of an authorization request with PKCE.

use std::hint::black_box;

use auth::Clock as _;
use auth::{CorrelationId, RedirectUri, Scopes, SystemClock};
use auth_core::{Application, AuthorizationRequest, ClientId, RequestContext};
use rand::rngs::SysRng;

use crate::generate::{CLIENT, TENANT};
use crate::limit::authorization;
use crate::measure::{Effort, compare};
use crate::ours::authority;
use crate::row::{Bound, Row, Unit};

/// Measures it.
#[must_use]
pub fn run(effort: Effort) -> Row {
    let application = Application::new(ClientId::new(CLIENT).expect("a client id"));
    let metadata = authority().metadata().expect("a known host");
    let redirect = RedirectUri::parse("http://localhost:8400").expect("a redirect URI");
    let scopes = Scopes::parse("User.Read").expect("scopes");
    let begin = || {
        let id = CorrelationId::generate(&mut SysRng).expect("random bytes");
        let context = RequestContext::new(application.clone(), id);
        let request = AuthorizationRequest::new(context, metadata.clone(), redirect.clone(), scopes.clone());
        request.begin(&mut SysRng, SystemClock.now()).expect("a request")
    };
    let endpoint = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize");
    let bare = || authorization::url(&endpoint, CLIENT, redirect.as_str(), "User.Read openid profile offline_access");

    let (ours, limit) = (begin().url().to_string(), bare().0);
    for parameter in ["code_challenge=", "code_challenge_method=S256", "state=", "nonce=", "client_info=1"] {
        assert!(ours.contains(parameter) && limit.contains(parameter), "a URL without {parameter}");
    }
    let figures = compare(
        effort,
        &mut |count| {
            for _ in 0..count {
                black_box(begin());
            }
        },
        &mut |count| {
            for _ in 0..count {
                black_box(bare());
            }
        },
    );
    Row::compared("W5", "", Unit::Nanoseconds, figures).figure(Bound::AtMost(5_000.0))
}

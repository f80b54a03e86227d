//! A sign-in of a web application, kept in a session as text that consists of secrets.

use std::fmt::Write as _;

use auth::{
    Authority, AuthorizationResponse, PublicClient, RedirectUri, ReqwestTransport, ResponseMode, Scopes, Secret,
};
use auth_emulator::{Emulator, Robot};
use auth_tests::canary::assert_absent;
use auth_tests::transports::Recording;
use serde_json::Value;

use crate::listener::Listener;

#[tokio::test]
async fn s111_no_secret_of_a_sign_in_kept_in_a_session_leaks() {
    let listener = Listener::to_this_process();
    let emulator = Emulator::start().await.unwrap();
    let transport = Recording::over(ReqwestTransport::new());
    let authority = Authority::parse(&emulator.authority()).unwrap();
    let client = || PublicClient::builder("web").authority(authority.clone()).transport(transport.clone()).build();
    let (app, restarted) = (client().unwrap(), client().unwrap());
    let redirect_uri = RedirectUri::parse("http://127.0.0.1:1/signed-in").unwrap();
    let (mut shown, mut secrets) = (String::new(), Vec::new());
    for (robot, mode) in [
        (Robot::new(), ResponseMode::Query),
        (Robot::new(), ResponseMode::FormPost),
        (Robot::new().cancel(), ResponseMode::Query),
    ] {
        let request = app.authorization_url(&Scopes::parse("User.Read").unwrap()).redirect_uri(redirect_uri.clone());
        let request = request.response_mode(mode);
        write!(shown, "{request:?} {request:#?}").unwrap();
        let pending = request.send().await.unwrap();
        let kept = pending.to_json();
        write!(shown, "{pending:?} {pending:#?} {kept:?}").unwrap();
        let members: Value = serde_json::from_str(kept.expose()).unwrap();
        for name in ["state", "nonce", "code_verifier"] {
            let secret = members[name].as_str().unwrap().to_owned();
            // Something is wrong with another member, or with this one.
            for (wrong, value) in
                [("issuer", "x"), ("redirect_uri", &secret), ("started_at", &secret), ("url", &secret)]
            {
                let mut forged = members.clone();
                forged[wrong] = value.into();
                let response = AuthorizationResponse::parse(b"code=c&state=s").unwrap();
                let request = app.acquire_token_by_authorization_code(Secret::new(forged.to_string()), response);
                let refused = request.send().await.unwrap_err();
                write!(shown, "{refused} {refused:?} {refused:#?}").unwrap();
            }
            secrets.push((name.to_owned(), secret));
        }
        let redirect = robot.authorize(&pending.url().to_string()).await.unwrap();
        write!(shown, "{redirect:?}").unwrap();
        let response = match redirect.form() {
            Some(fields) => form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish(),
            None => redirect.url().split_once('?').unwrap().1.to_owned(),
        };
        // By the client that began, by the same again, and by one that has restarted.
        for client in [&app, &app, &restarted] {
            let response = AuthorizationResponse::parse(response.as_bytes()).unwrap();
            write!(shown, "{response:?} {response:#?}").unwrap();
            let request = client.acquire_token_by_authorization_code(kept.clone(), response);
            write!(shown, "{request:?} {request:#?}").unwrap();
            match request.send().await {
                Ok(result) => write!(shown, "{result:?} {result:#?}").unwrap(),
                Err(error) => write!(shown, "{error} {error:?} {error:#?}").unwrap(),
            }
        }
    }
    assert!(shown.contains("AlreadyRedeemed") && shown.contains("access_denied"), "{shown}");
    secrets.extend(transport.secrets());
    for name in ["access_token", "code", "code_verifier"] {
        assert!(secrets.iter().any(|(known, _)| known == name), "no {name} went over the wire");
    }
    assert_absent("the log", &listener.text(), &secrets);
    assert_absent("Debug or Display", &shown, &secrets);
    emulator.shutdown().await;
}

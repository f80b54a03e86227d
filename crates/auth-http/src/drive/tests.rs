use std::sync::Mutex;

use auth_core::{
    Application, Authority, ClientId, CorrelationId, OneStep, OpenIdConfiguration, RequestContext, TransportError,
    TransportFault,
};
use bytes::Bytes;
use http::Response;

use super::*;
use crate::{InMemoryTransport, SystemClock};

type Outcome = Result<Response<Bytes>, TransportError>;

fn metadata() -> Outcome {
    let body = r#"{"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/a","token_endpoint":"https://idp.example/t"}"#;
    Ok(Response::builder().header("content-type", "application/json").body(body.into()).unwrap())
}

fn status(status: u16) -> Outcome {
    Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
}

/// Drives one discovery over the given responses; returns the outcome and the number of requests.
async fn discover(answers: Vec<Outcome>) -> (Result<(), Error>, usize) {
    let answers = Mutex::new(answers.into_iter());
    let transport = InMemoryTransport::new(move |_| answers.lock().unwrap().next().expect("an unexpected request"));
    let id = CorrelationId::generate(&mut rand::rngs::SysRng).unwrap();
    let context = RequestContext::new(Application::new(ClientId::new("c").unwrap()), id);
    let exchange = OpenIdConfiguration::new(context, &Authority::oidc("https://idp.example").unwrap()).unwrap();
    let result = drive(&mut OneStep::new(exchange), &transport, &SystemClock).await;
    (result.map(drop), transport.requests().len())
}

#[tokio::test(start_paused = true)]
async fn a_failing_request_is_sent_at_most_twice() {
    let broken = || Err(TransportError::after_send(TransportFault::Interrupted, "idp.example", ""));
    for (answers, succeeds, requests) in [
        (vec![metadata()], true, 1),
        (vec![status(500), metadata()], true, 2),
        (vec![broken(), metadata()], true, 2),
        (vec![status(500), status(500)], false, 2),
        (vec![broken(), broken()], false, 2),
        (vec![status(404)], false, 1),
        (vec![status(302)], false, 1),
    ] {
        let (result, sent) = discover(answers).await;
        assert_eq!((result.is_ok(), sent), (succeeds, requests), "{result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_follows_after_half_a_second_to_one_and_a_half() {
    let begun = tokio::time::Instant::now();
    discover(vec![status(500), metadata()]).await.0.unwrap();
    let pause = begun.elapsed();
    assert!((500..=1501).contains(&pause.as_millis()), "{pause:?}");
}

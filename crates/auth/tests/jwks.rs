//! Signatures of ID tokens, checked with the keys that the provider publishes (S-76).
#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is wrong")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use auth::{
    AuthError, Authority, Clock, IdToken, InMemoryTransport, PublicClient, Secret, Timestamp, TransportError,
    TransportFault,
};
use auth_core::{IdTokenFault, ProtocolError};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, Response};
use serde_json::{Value, json};

/// A clock that the test advances.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000 + self.0.load(Ordering::SeqCst))
    }
}

struct Key {
    kid: &'static str,
    pair: EcdsaKeyPair,
}

impl Key {
    fn new(kid: &'static str) -> Self {
        Self { kid, pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn public(&self) -> Value {
        // The uncompressed point: a marker byte, then both coordinates.
        let (x, y) = self.pair.public_key().as_ref().split_first().unwrap().1.split_at(32);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": x, "y": y})
    }

    fn sign(&self, claims: &Value) -> IdToken {
        let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", segment(&json!({"alg": "ES256", "kid": self.kid})), segment(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        parse(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn parse(token: String) -> IdToken {
    IdToken::parse(&Secret::new(token)).unwrap()
}

/// A client of a provider that publishes the keys that the test sets; `None` while the provider is down.
struct Scene {
    app: PublicClient,
    network: InMemoryTransport,
    published: Arc<Mutex<Option<Value>>>,
    clock: Hand,
}

impl Scene {
    fn new(published: Value) -> Self {
        let (published, clock) = (Arc::new(Mutex::new(Some(published))), Hand::default());
        let current = Arc::clone(&published);
        let network = InMemoryTransport::new(move |request: &Request<_>| {
            let body = match (request.uri().path(), &*current.lock().unwrap()) {
                ("/.well-known/openid-configuration", Some(_)) => json!({
                    "issuer": "https://idp.example",
                    "authorization_endpoint": "https://idp.example/authorize",
                    "token_endpoint": "https://idp.example/token",
                    "jwks_uri": "https://keys.example/jwks",
                }),
                (_, Some(keys)) => keys.clone(),
                (_, None) => return Err(TransportError::before_send(TransportFault::Connect, "idp.example", "down")),
            };
            Ok(Response::builder().header("content-type", "application/json").body(body.to_string().into()).unwrap())
        });
        let app = PublicClient::builder("c").authority(Authority::oidc("https://idp.example").unwrap());
        let app = app.transport(network.clone()).clock(clock.clone()).build().unwrap();
        Self { app, network, published, clock }
    }

    async fn verify(&self, token: &IdToken) -> Result<(), IdTokenFault> {
        let Err(error) = self.app.verify_signature(token).await else { return Ok(()) };
        let AuthError::Protocol(error) = error else { unreachable!("{error}") };
        let ProtocolError::IdToken(fault) = *error else { unreachable!("{error}") };
        Err(fault)
    }

    fn publish(&self, published: Option<Value>) {
        *self.published.lock().unwrap() = published;
    }

    fn pass(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// How often keys were requested.
    fn asked(&self) -> usize {
        self.network.requests().iter().filter(|uri| uri.path() == "/jwks").count()
    }
}

#[tokio::test]
async fn only_a_signature_of_a_published_key_is_accepted() {
    let (own, other) = (Key::new("1"), Key::new("1"));
    let scene = Scene::new(json!({"keys": [{"kty": "RSA", "kid": "1"}, own.public()]}));
    let claims = json!({"sub": "ada"});
    let token = own.sign(&claims);
    let (input, signature) = token.secret().expose().rsplit_once('.').unwrap();
    let changed = own.sign(&json!({"sub": "eve"}));
    let swapped = format!("{}.{signature}", changed.signing_input());
    let symmetric = input.replacen("eyJhbGciOiJFUzI1NiI", "eyJhbGciOiJIUzI1NiI", 1);
    for (what, token, expected) in [
        ("signed by the published key", token.clone(), Ok(())),
        ("signed by another key with the same ID", other.sign(&claims), Err(IdTokenFault::Signature)),
        ("with other claims", parse(swapped), Err(IdTokenFault::Signature)),
        ("without a signature", parse(format!("{input}.")), Err(IdTokenFault::Signature)),
        (
            "with a truncated signature",
            parse(format!("{input}.{}", signature.split_at(82).0)),
            Err(IdTokenFault::Signature),
        ),
        ("signed by an unpublished key", Key::new("2").sign(&claims), Err(IdTokenFault::Key)),
        ("with a symmetric algorithm", parse(format!("{symmetric}.{signature}")), Err(IdTokenFault::Key)),
    ] {
        assert_eq!(scene.verify(&token).await, expected, "{what}");
    }
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn keys_are_fetched_again_when_they_change_but_not_for_every_token() {
    let (first, second) = (Key::new("1"), Key::new("2"));
    let [old, new] = [&first, &second].map(|key| key.sign(&json!({"sub": "ada"})));
    let scene = Scene::new(json!({"keys": [first.public()]}));
    assert_eq!((scene.verify(&old).await, scene.asked()), (Ok(()), 1));
    // The provider changes its key.
    scene.publish(Some(json!({"keys": [second.public()]})));
    assert_eq!((scene.verify(&new).await, scene.asked()), (Err(IdTokenFault::Key), 1), "fetched recently");
    scene.pass(5 * 60);
    assert_eq!((scene.verify(&old).await, scene.asked()), (Ok(()), 1), "still cached");
    assert_eq!((scene.verify(&new).await, scene.asked()), (Ok(()), 2));
    assert_eq!((scene.verify(&old).await, scene.asked()), (Err(IdTokenFault::Key), 2));
    // A matching key is used for a day.
    scene.pass(24 * 60 * 60 - 1);
    assert_eq!((scene.verify(&new).await, scene.asked()), (Ok(()), 2));
    scene.pass(1);
    assert_eq!((scene.verify(&new).await, scene.asked()), (Ok(()), 3));
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_is_not_retried_for_half_a_minute() {
    let key = Key::new("1");
    let token = key.sign(&json!({"sub": "ada"}));
    let scene = Scene::new(json!({"keys": [key.public()]}));
    scene.publish(None);
    assert!(matches!(scene.app.verify_signature(&token).await, Err(AuthError::Transport(_))));
    let asked = scene.network.requests().len();
    scene.publish(Some(json!({"keys": [key.public()]})));
    assert!(matches!(scene.app.verify_signature(&token).await, Err(AuthError::Transport(_))));
    assert_eq!(scene.network.requests().len(), asked);
    scene.pass(30);
    assert_eq!(scene.verify(&token).await, Ok(()));
}

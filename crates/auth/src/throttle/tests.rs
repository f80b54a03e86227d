//! The rules of the table, without a network.

use auth_core::{
    Application, Authority, Claims, ClientId, ConfigError, CorrelationId, Exchange as _, ProtocolError,
    RefreshRedemption, RequestContext, Scopes, Secret, Timestamp, UiReason, UiRequired,
};

use super::*;

/// The uptime.
const NOW: Duration = Duration::from_secs(1_000_000);
const WALL: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn key(account: &str, scopes: &str, claims: Option<&str>) -> Key {
    let claims = claims.map(|claims| Claims::parse(claims).unwrap());
    Key::new(&AccountId::new(account), None, &Scopes::parse(scopes).unwrap(), claims.as_ref())
}

fn tokens(secret: &str) -> Vec<RefreshCandidate> {
    vec![RefreshCandidate::new(Secret::new(secret.to_owned()), false)]
}

fn later(seconds: u64) -> Duration {
    NOW.saturating_add(Duration::from_secs(seconds))
}

/// The error that redeeming a refresh token returns for a response.
fn refused(status: u16, error: &str, wait: Option<u64>) -> AuthError {
    let body = format!(r#"{{"error":"{error}"}}"#);
    let response = http::Response::builder().status(status).header("content-type", "application/json");
    let wait = wait.map(|wait| wait.to_string());
    let response = wait.into_iter().fold(response, |response, wait| response.header("retry-after", wait));
    let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").unwrap();
    let context = RequestContext::new(Application::new(ClientId::new("c").unwrap()), id);
    let metadata = Authority::tenant("organizations").unwrap().metadata().unwrap();
    let token = Secret::new("rt".to_owned());
    let redemption = RefreshRedemption::new(context, metadata, token, Scopes::default(), WALL);
    redemption.complete(response.body(body.into()).unwrap(), WALL).unwrap_err().into()
}

/// A throttle after one failure. `judge` returns its verdict as text, with the seconds to wait.
struct After {
    throttle: Throttle,
    key: Key,
}

impl After {
    fn failure(error: &AuthError) -> Self {
        let (throttle, key) = (Throttle::default(), key("u.t", "a b", None));
        throttle.failed(&key, throttle.digest(&tokens("rt")), error, NOW);
        Self { throttle, key }
    }

    fn judge(&self, forced: bool, has_valid_token: bool, secret: &str, now: Duration) -> String {
        let candidates = tokens(secret);
        match self.throttle.judge(&Attempt { key: &self.key, candidates: &candidates, forced, has_valid_token }, now) {
            Verdict::Try => "try".to_owned(),
            Verdict::Serve => "serve".to_owned(),
            Verdict::Refuse(AuthError::Throttled(error)) => format!("wait {}", error.retry_after.unwrap().as_secs()),
            Verdict::Refuse(AuthError::UiRequired(ui)) => ui.code().to_owned(),
            Verdict::Refuse(other) => panic!("{other}"),
        }
    }
}

#[test]
fn each_failure_pauses_the_next_attempt_for_its_time() {
    for (error, serving_for, refusing_for, refusal, forced) in [
        (refused(503, "x", Some(7)), 30, 7, "wait", false),
        (refused(503, "x", Some(300)), 300, 300, "wait", false),
        (refused(400, "invalid_client", Some(90)), 90, 90, "wait", false),
        // An error response is an error, whatever its status.
        (refused(200, "invalid_client", Some(90)), 90, 90, "wait", false),
        (refused(429, "x", Some(99_999)), 3600, 3600, "wait", false),
        (refused(429, "x", None), 30, 60, "wait", false),
        (refused(500, "x", None), 30, 60, "wait", false),
        (refused(400, "invalid_grant", None), 120, 120, "invalid_grant", true),
        (refused(400, "interaction_required", None), 120, 120, "interaction_required", true),
        (refused(400, "invalid_grant", Some(0)), 120, 120, "invalid_grant", true),
        (refused(400, "invalid_grant", Some(3)), 120, 120, "invalid_grant", false),
        (refused(400, "invalid_grant", Some(300)), 300, 300, "invalid_grant", false),
        // An error that may already be over is not repeated from memory.
        (refused(400, "invalid_client", None), 30, 0, "", true),
        (refused(404, "x", None), 30, 0, "", true),
        (refused(429, "x", Some(0)), 30, 0, "", true),
        (ConfigError::Randomness.into(), 30, 0, "", true),
        (ProtocolError::UserMismatch.into(), 30, 0, "", true),
        (
            UiRequired::local(UiReason::NoTokensFound, CorrelationId::generate(&mut rand::rng()).unwrap()).into(),
            30,
            0,
            "",
            true,
        ),
    ] {
        let after = After::failure(&error);
        assert_eq!(after.judge(false, true, "rt", later(serving_for - 1)), "serve", "{error}");
        assert_eq!(after.judge(false, true, "rt", later(serving_for)), "try", "{error}");
        assert_eq!(after.judge(false, false, "rt", later(refusing_for)), "try", "{error}");
        if refusing_for > 0 {
            let last = after.judge(false, false, "rt", later(refusing_for - 1));
            assert!(last == refusal || last == format!("{refusal} 1"), "{error}: {last}");
            assert_eq!(after.judge(true, false, "rt", later(1)) == "try", forced, "{error}: forced");
            assert_eq!(after.judge(false, false, "new", later(1)) == "try", forced, "{error}: a new refresh token");
            assert_eq!(
                after.judge(false, false, "rt", later(0).saturating_sub(Duration::from_secs(1))),
                "try",
                "{error}"
            );
        }
    }
}

// `Retry-After` applies to every call, "the user must sign in" only to the same refresh tokens.
#[test]
fn a_refusal_with_retry_after_pauses_every_call_until_then() {
    for (wait, after, unforced, forced, new_token) in [
        (3, 0, "invalid_grant", "invalid_grant", "wait 3"),
        (3, 2, "invalid_grant", "invalid_grant", "wait 1"),
        (3, 3, "invalid_grant", "try", "try"),
        (3, 119, "invalid_grant", "try", "try"),
        (3, 120, "try", "try", "try"),
        (300, 299, "invalid_grant", "invalid_grant", "wait 1"),
        (300, 300, "try", "try", "try"),
    ] {
        let error = refused(400, "invalid_grant", Some(wait));
        let (after_failure, now) = (After::failure(&error), later(after));
        let what = format!("Retry-After {wait}, after {after} s");
        assert_eq!(after_failure.judge(false, false, "rt", now), unforced, "{what}");
        assert_eq!(after_failure.judge(true, false, "rt", now), forced, "{what}: forced");
        assert_eq!(after_failure.judge(false, false, "new", now), new_token, "{what}: new");
        // The user signs in.
        after_failure.throttle.forget_refusals(&AccountId::new("u.t"));
        for secret in ["rt", "new"] {
            assert_eq!(after_failure.judge(false, false, secret, now), new_token, "{what}: {secret} after a sign-in");
        }
        let expected = if after < wait { "serve" } else { "try" };
        assert_eq!(after_failure.judge(false, true, "new", now), expected, "{what}: while a token is valid");
    }
}

#[test]
fn pauses_double_up_to_ten_minutes_while_a_token_is_valid() {
    let mut after = After { throttle: Throttle::default(), key: key("U.T", "a b", None) };
    let (error, digest) = (AuthError::from(ConfigError::Randomness), after.throttle.digest(&[]));
    let mut now = NOW;
    for pause in [30, 60, 120, 240, 480, 600, 600] {
        after.throttle.failed(&after.key, digest, &error, now);
        after.key = key("u.t", "B A openid", None);
        let until = now.saturating_add(Duration::from_secs(pause));
        assert_eq!(after.judge(false, true, "", until.saturating_sub(Duration::from_secs(1))), "serve", "{pause} s");
        assert_eq!(after.judge(false, true, "", until), "try", "{pause} s");
        now = until;
    }
    after.throttle.succeeded(&after.key);
    after.throttle.failed(&after.key, digest, &error, now);
    assert_eq!(after.judge(false, true, "", now.saturating_add(FIRST)), "try", "the count starts over");
    assert_eq!(
        after.judge(false, true, "", now.saturating_sub(Duration::from_secs(3600))),
        "try",
        "the clock was set back"
    );
}

#[test]
fn a_failure_does_not_block_another_account_scope_or_challenge() {
    let mut after = After::failure(&refused(429, "x", Some(60)));
    for (other, same) in [
        (key("U.T", "B a", None), true),
        (key("v.t", "a b", None), false),
        (key("u.t", "a", None), false),
        (key("u.t", "a b", Some("{}")), false),
    ] {
        after.key = other;
        assert_eq!(after.judge(false, false, "rt", NOW) != "try", same);
    }
}

#[test]
fn a_sign_in_ends_refusals_but_not_the_pauses_of_a_busy_server() {
    for (error, account, forgotten) in [
        (refused(400, "invalid_grant", None), "U.T", true),
        (refused(400, "invalid_grant", None), "v.t", false),
        (refused(429, "x", Some(60)), "u.t", false),
    ] {
        let after = After::failure(&error);
        after.throttle.forget_refusals(&AccountId::new(account));
        assert_eq!(after.judge(false, false, "rt", NOW) == "try", forgotten, "{error} {account}");
    }
}

#[test]
fn the_memory_is_bounded() {
    let (throttle, error) = (Throttle::default(), refused(429, "x", Some(3600)));
    let digest = throttle.digest(&[]);
    for number in 0..CAPACITY as u64 + 100 {
        throttle.failed(&key(&number.to_string(), "a", None), digest, &error, later(number / 10));
    }
    let remembered = throttle.pauses().len();
    assert!((CAPACITY - 10..=CAPACITY).contains(&remembered), "{remembered}");
    // Pauses that are over are removed first.
    for number in 0..100 {
        throttle.failed(&key(&format!("later {number}"), "a", None), digest, &error, later(100_000));
    }
    let remembered = throttle.pauses().len();
    assert!(remembered <= 100, "{remembered}");
}

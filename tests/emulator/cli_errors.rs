//! How the program fails: exit codes, one line on stderr, one JSON object on stdout.

use std::collections::BTreeSet;

use auth_emulator::{Emulator, Endpoint, Fault, HttpFault};
use auth_tests::cache;
use auth_tests::program::{Ended, Home};
use serde_json::{Value, json};

use crate::cli::{ADA, CLIENT, Cli, GRACE, robot};

/// The JSON of an error after a call had begun, which has a correlation id for the support of the provider.
#[track_caller]
fn call_error(ended: &Ended) -> Value {
    let error = error(ended);
    assert_eq!(error["correlation_id"].as_str().map(str::len), Some(36), "{error}");
    error
}

/// The JSON of an error, with exactly the documented fields.
#[track_caller]
fn error(ended: &Ended) -> Value {
    let error = ended.json();
    let names: BTreeSet<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["error", "error_description", "suberror", "classification", "claims", "correlation_id"];
    assert_eq!(names, BTreeSet::from(expected));
    for (name, value) in error.as_object().unwrap() {
        assert!(value.is_null() || value.is_string(), "{name} is a string or null: {error}");
    }
    assert!(error["error"].is_string() && error["error_description"].is_string());
    error
}

#[tokio::test]
async fn invalid_usage_is_exit_2_with_one_line_that_names_the_problem() {
    let home = Home::default();
    let token = "token --client-id c --scope s";
    for (line, named) in [
        ("", "--help"),
        ("frobnicate", "frobnicate"),
        ("token --scope s", "--client-id"),
        ("token --client-id c", "--scope"),
        (&format!("{token} --frob"), "--frob"),
        (&format!("{token} --timeout 0"), "--timeout"),
        (&format!("{token} --timeout -1"), "-1"),
        (&format!("{token} --timeout 1.5"), "--timeout"),
        (&format!("{token} --timeout 99999999999999999999"), "--timeout"),
        (&format!("{token} --prompt maybe"), "--prompt"),
        (&format!("{token} --max-age -1"), "-1"),
        (&format!("{token} --extra-query slice"), "NAME=VALUE"),
        (&format!("{token} --silent --max-age 1"), "--max-age"),
        (&format!("{token} --device-code --domain-hint d"), "--domain-hint"),
        (&format!("{token} --user-flow b2c_1"), "user flows"),
        (&format!("{token} --multi-cloud --oidc-issuer https://idp.example"), "multi-cloud"),
        (&format!("{token} --interactive --extra-query state=x"), "state"),
        (&format!("{token} --interactive --extra-scope c"), "client id"),
        (&format!("{token} --output yaml"), "yaml"),
        (&format!("{token} --silent --interactive"), "--interactive"),
        (&format!("{token} --tenant t --authority https://login.microsoftonline.com/t"), "--tenant"),
        (&format!("{token} --tenant t --oidc-issuer https://idp.example"), "--tenant"),
        (&format!("{token} --no-cache --cache-file f"), "--cache-file"),
        ("logout --client-id c", "--account"),
        ("logout --client-id c --all --account a", "--all"),
        ("accounts --client-id c --output token", "token"),
        ("emulator --port 70000", "--port"),
        ("emulator --port x", "--port"),
        ("demo --browser lynx", "lynx"),
        // Values.
        (&format!("{token} --tenant a/b"), "tenant"),
        (&format!("{token} --tenant ../x"), "tenant"),
        (&format!("{token} --authority ftp://login.microsoftonline.com/t"), "authority"),
        (&format!("{token} --authority http://login.microsoftonline.com/t"), "authority"),
        (&format!("{token} --authority https://login.microsoftonline.com@evil.example/t"), "authority"),
        (&format!("{token} --authority https://127.0.0.1/t"), "authority"),
        (&format!("{token} --authority nonsense"), "authority"),
        (&format!("{token} --oidc-issuer http://idp.example"), "authority"),
        (&format!("{token} --claims []"), "claims"),
        (&format!("{token} --claims {{"), "claims"),
        (&format!("{token} --claims {{\"a\":1,\"a\":2}}"), "claims"),
        (&format!("{token} --capabilities"), "--capabilities"),
        (&format!("{token} --capabilities cp1 c\u{e9}"), "capability"),
        (&format!("{token} --capabilities=cp1 --capabilities="), "capability"),
        (&format!("{token} --redirect-uri https://app.example/"), "redirect"),
        (&format!("{token} --redirect-uri http://localhost:0"), "redirect"),
        (&format!("{token} --redirect-uri x"), "redirect"),
        ("token --client-id c --scope a\"b", "scope"),
        ("accounts --client-id \u{e9}", "client id"),
    ] {
        let words = || line.split_whitespace();
        // A browser would fail in its own way.
        let run = || home.auth(words()).env("BROWSER", "/bin/false");
        let ended = run().end().await.expect(2);
        let message = ended.message();
        assert!(message.starts_with("auth: ") && message.contains(named), "{line}: {message}");
        assert_eq!(ended.stderr.lines().count(), 1, "one line: {line}: {ended:?}");
        if line.starts_with("token") && !line.contains("--output") {
            let ended = run().args(["--output", "json"]).end().await.expect(2);
            let told = error(&ended);
            let local = ["invalid_arguments", "invalid_configuration"];
            assert!(local.iter().any(|code| told["error"] == *code), "{told}");
            assert_eq!(ended.stderr, "", "{line}");
        }
    }
}

#[tokio::test]
async fn both_spellings_of_output_json_apply_to_usage_errors() {
    let home = Home::default();
    for output in [&["--output", "json"][..], &["--output=json"]] {
        let ended = home.auth(["token", "--scope", "s"]).args(output).end().await.expect(2);
        assert!(error(&ended)["error_description"].as_str().unwrap().contains("--client-id"));
    }
}

#[tokio::test]
async fn help_and_version_are_exit_0_on_stdout() {
    let home = Home::default();
    for words in [["--help"].as_slice(), &["token", "--help"], &["--version"]] {
        let ended = home.auth(words).end().await.expect(0);
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{ended:?}");
    }
    let help = home.auth(["--help"]).end().await.expect(0).stdout;
    for code in 0..=7 {
        assert!(help.contains(&format!("\n  {code}  ")), "exit code {code} is explained");
    }
}

#[tokio::test]
async fn silent_without_tokens_is_exit_3() {
    let cli = Cli::start().await;
    let line = "token --scope User.Read --silent";
    let ended = cli.auth(line).end().await.expect(3);
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.message().contains("sign in"));
    let ended = cli.auth(&format!("{line} --output json")).end().await.expect(3);
    let told = call_error(&ended);
    assert_eq!(told["error"], "no_tokens_found");
    assert_eq!(told["classification"], "acquire_token_silent_failed");
    assert_eq!((&told["suberror"], &told["claims"]), (&Value::Null, &Value::Null));
    assert_eq!(told["correlation_id"].as_str().unwrap().len(), 36);
    assert_eq!(cli.emulator.ledger().requests().len(), 0);
}

#[tokio::test]
async fn a_refused_refresh_is_exit_3_when_silent_and_a_sign_in_otherwise() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    cache::expire_file(&cli.cache_file());
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let refusal = || {
        Fault::oauth("invalid_grant")
            .suberror("basic_action")
            .aadsts(50_076)
            .description("Use multi-factor authentication.\u{1b}[31m")
            .claims(claims)
    };
    let faults = cli.emulator.faults();
    faults.push(Endpoint::Token, refusal());
    let line = "token --scope User.Read --output json";
    let ended = cli.auth(&format!("{line} --silent")).end().await.expect(3);
    let told = call_error(&ended);
    assert_eq!((&told["error"], &told["suberror"]), (&json!("invalid_grant"), &json!("basic_action")));
    assert_eq!(told["classification"], "basic_action");
    assert_eq!(told["claims"].as_str(), Some(claims));
    let description = told["error_description"].as_str().unwrap();
    assert!(description.contains("multi-factor") && !description.contains('\u{1b}'), "{told}");
    assert!(description.contains("50076"), "{told}");

    faults.push(Endpoint::Token, refusal());
    let ended = cli.auth(&format!("{line} --silent").replace("json", "text")).end().await.expect(3);
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(!ended.stderr.contains('\u{1b}'));

    faults.push(Endpoint::Token, refusal());
    let ended = cli.auth(line).end().await.expect(0);
    assert_eq!(ended.json()["account"]["username"], ADA);
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    assert_eq!(asked.parameter("login_hint"), Some(ADA), "the expected user is known");
    let sent: Value = serde_json::from_str(asked.parameter("claims").unwrap()).unwrap();
    assert_eq!(sent, serde_json::from_str::<Value>(claims).unwrap());
}

#[tokio::test]
async fn a_refusal_of_the_provider_or_the_user_is_exit_4() {
    let cli = Cli::start().await;
    let line = "token --scope User.Read --output json";
    for (words, code) in [("--cancel", "access_denied"), ("--decline", "access_denied")] {
        let ended = cli.auth(line).env("BROWSER", robot(words)).end().await.expect(4);
        assert_eq!(call_error(&ended)["error"], code, "{words}");
    }
    let faults = cli.emulator.faults();
    for (endpoint, code) in [
        (Endpoint::Authorize, "unauthorized_client"),
        (Endpoint::Authorize, "access_denied"),
        (Endpoint::Token, "invalid_client"),
        (Endpoint::Token, "unauthorized_client"),
    ] {
        faults.push(endpoint, Fault::oauth(code).aadsts(700_016).suberror("sub"));
        let ended = cli.auth(line).end().await.expect(4);
        let told = call_error(&ended);
        assert_eq!(told["error"], code);
        assert_eq!(told["suberror"], "sub", "{told}");
        faults.push(endpoint, Fault::oauth(code).aadsts(700_016));
        let ended = cli.auth(&line.replace("json", "text")).end().await.expect(4);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.lines().last().unwrap().contains(code), "{ended:?}");
    }
    // Someone other than the requested account signs in.
    cli.sign_in(ADA).await;
    let before = std::fs::read(cli.cache_file()).unwrap();
    let run = cli.auth("token --scope User.Read --interactive --output json").args(["--account", ADA]);
    let ended = run.env("BROWSER", robot(&format!("--user {GRACE}"))).end().await.expect(4);
    assert_eq!(call_error(&ended)["error"], "user_mismatch");
    assert_eq!(std::fs::read(cli.cache_file()).unwrap(), before, "nothing was cached");
}

#[tokio::test]
async fn network_failures_are_exit_5() {
    let cli = Cli::start().await;
    let line = "token --scope User.Read --silent --force-refresh --output json";
    cli.sign_in(ADA).await;
    let elsewhere = Emulator::start().await.unwrap();
    let json_type = |fault: HttpFault| fault.content_type("application/json");
    for (fault, times, code) in [
        (Fault::from(Fault::status(500)), 2, "service_not_available"),
        (Fault::status(503).retry_after(std::time::Duration::from_secs(9)).into(), 1, "service_not_available"),
        (Fault::status(429).into(), 1, "request_throttled"),
        (Fault::oauth("temporarily_unavailable").with_status(503).into(), 2, "temporarily_unavailable"),
        (Fault::Reset, 2, "network_not_available"),
        (Fault::html("<h1>Welcome to the hotel</h1>").into(), 1, "invalid_response"),
        (Fault::redirect(elsewhere.base_url()).into(), 1, "invalid_response"),
    ] {
        cli.emulator.faults().push_times(Endpoint::Token, times, fault.clone());
        let ended = cli.auth(line).end().await.expect(5);
        assert_eq!(call_error(&ended)["error"], code, "{fault:?}");
        assert_eq!(cli.emulator.faults().pending(Endpoint::Token), 0, "{fault:?}");
        cli.emulator.faults().push_times(Endpoint::Token, times, fault.clone());
        let ended = cli.auth(&line.replace("json", "text")).end().await.expect(5);
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{ended:?}");
    }
    assert_eq!(elsewhere.ledger().requests().len(), 0, "no redirect is followed");
    // A response that violates the protocol is not a network failure.
    cli.emulator.faults().push(Endpoint::Token, json_type(Fault::status(200)).body("{\"access_tok"));
    assert_eq!(call_error(&cli.auth(line).end().await.expect(1))["error"], "invalid_response");
    // The port is closed.
    let port = cli.emulator.port();
    cli.emulator.shutdown().await;
    let home = Home::default();
    let authority = format!("http://127.0.0.1:{port}/contoso.example");
    let run = home.auth(["token", "--client-id", CLIENT, "--scope", "s", "--output", "json"]);
    let run = run.args(["--oidc-issuer", &authority, "--no-cache"]).env("BROWSER", "/bin/true");
    assert_eq!(call_error(&run.end().await.expect(5))["error"], "network_not_available");
}

#[tokio::test]
async fn a_cached_token_needs_no_network() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let run = cli.auth("token --scope User.Read --silent --output json");
    cli.emulator.shutdown().await;
    assert_eq!(run.end().await.expect(0).json()["source"], "cache");
}

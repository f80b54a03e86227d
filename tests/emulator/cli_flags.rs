//! How the flags of `auth token` shape the authorization request.

use auth_emulator::Endpoint;
use serde_json::json;

use crate::cli::{CLIENT, Cli};

#[tokio::test]
async fn every_flag_reaches_the_sign_in_page() {
    let cli = Cli::start().await;
    let flags = "--prompt login --login-hint ada@contoso.example --domain-hint contoso.example --extra-scope Mail.Read \
                  --acr-values gold silver --max-age 3600 --extra-query slice=a=b --multi-cloud";
    let ended = cli.auth(&format!("token --scope User.Read --output json {flags}")).end().await.expect(0);
    assert!(!ended.json()["scopes"].as_array().unwrap().contains(&json!("Mail.Read")), "{ended:?}");
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    for (name, value) in [
        ("client_id", CLIENT),
        ("prompt", "login"),
        ("login_hint", "ada@contoso.example"),
        ("domain_hint", "contoso.example"),
        ("scope", "User.Read Mail.Read openid profile offline_access"),
        ("acr_values", "gold silver"),
        ("max_age", "3600"),
        ("slice", "a=b"),
        ("instance_aware", "true"),
    ] {
        assert_eq!(asked.parameter(name), Some(value), "{name}");
    }
    let redeemed = cli.emulator.ledger().requests_to(Endpoint::Token).pop().unwrap();
    assert!(redeemed.header("x-anchormailbox").is_some_and(|mailbox| mailbox.starts_with("oid:")), "{redeemed:?}");

    // A cached token reveals neither when nor how its user signed in.
    for (flag, source) in
        [("", "cache"), ("--max-age 3600", "identity_provider"), ("--acr-values gold", "identity_provider")]
    {
        let line = format!("token --scope User.Read --output json --multi-cloud {flag}");
        assert_eq!(cli.auth(&line).end().await.expect(0).json()["source"], source, "{flag}");
    }

    // A scope that was consented to needs no user.
    let line = "token --scope Mail.Read --silent --multi-cloud --output json";
    assert_eq!(cli.auth(line).end().await.expect(0).json()["source"], "identity_provider");
    let accounts = cli.auth("accounts --multi-cloud --output json").end().await.expect(0).json();
    assert_eq!(accounts.as_array().map(Vec::len), Some(1));
}

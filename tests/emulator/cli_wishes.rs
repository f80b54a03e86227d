//! What the flags of `auth token` make of the authorization request.

use auth_emulator::Endpoint;
use serde_json::json;

use crate::cli::{CLIENT, Cli};

#[tokio::test]
async fn every_flag_reaches_the_sign_in_page() {
    let cli = Cli::start().await;
    let wishes = "--prompt login --login-hint ada@contoso.example --domain-hint contoso.example --extra-scope Mail.Read \
                  --acr-values gold silver --max-age 3600 --extra-query slice=a=b --multi-cloud";
    let ended = cli.auth(&format!("token --scope User.Read --output json {wishes}")).end().await.expect(0);
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

    // A token in the cache tells neither when nor how its user signed in.
    for (wish, source) in
        [("", "cache"), ("--max-age 3600", "identity_provider"), ("--acr-values gold", "identity_provider")]
    {
        let line = format!("token --scope User.Read --output json --multi-cloud {wish}");
        assert_eq!(cli.auth(&line).end().await.expect(0).json()["source"], source, "{wish}");
    }

    // What was consented to needs nobody any more.
    let line = "token --scope Mail.Read --silent --multi-cloud --output json";
    assert_eq!(cli.auth(line).end().await.expect(0).json()["source"], "identity_provider");
    let accounts = cli.auth("accounts --multi-cloud --output json").end().await.expect(0).json();
    assert_eq!(accounts.as_array().map(Vec::len), Some(1));
}

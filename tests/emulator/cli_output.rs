//! What the program prints on success: every format, field by field.

use std::collections::BTreeSet;

use auth_tests::cache;
use auth_tests::jwt;
use auth_tests::program::Home;
use serde_json::{Value, json};

use crate::cli::{ADA, CLIENT, Cli, GRACE, robot};

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_json_of_a_token_has_exactly_the_documented_fields() {
    let cli = Cli::start().await;
    let line = "token --scope User.Read Mail.Read --output json";
    let first = cli.auth(line).end().await.expect(0);
    let (token, before) = (first.json(), cache::now());
    assert_eq!(
        members(&token),
        BTreeSet::from([
            "access_token",
            "token_type",
            "expires_on",
            "scopes",
            "tenant_id",
            "account",
            "id_token",
            "source",
            "persisted",
            "correlation_id",
        ])
    );
    let document = cache::read_file(&cli.cache_file());
    let stored = cache::section(&document, "AccessToken")[0];
    assert_eq!(token["access_token"], stored["secret"]);
    assert_eq!(token["token_type"], "Bearer");
    let expires = token["expires_on"].as_u64().unwrap();
    assert!((before + 3_500..=before + 3_600).contains(&expires), "{expires}");
    assert_eq!(token["expires_on"].to_string(), stored["expires_on"].as_str().unwrap());
    let scopes = token["scopes"].as_array().unwrap();
    assert!(scopes.contains(&json!("User.Read")) && scopes.contains(&json!("Mail.Read")));
    assert_eq!(token["tenant_id"], cli.emulator.tenant_id());
    let object_id = cli.emulator.users()[0].object_id().to_owned();
    let account = json!({
        "home_account_id": format!("{object_id}.{}", cli.emulator.tenant_id()),
        "username": ADA,
        "environment": "127.0.0.1",
    });
    assert_eq!(token["account"], account);
    assert_eq!(token["id_token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!((&token["source"], &token["persisted"]), (&json!("identity_provider"), &json!(true)));
    assert_eq!(token["correlation_id"].as_str().unwrap().len(), 36);

    let second = cli.auth(line).end().await.expect(0);
    assert_eq!(second.stderr, "", "a cache hit prints no messages");
    let again = second.json();
    assert_eq!(again["source"], "cache");
    assert_ne!(again["correlation_id"], token["correlation_id"]);
    for same in ["access_token", "expires_on", "account", "tenant_id", "id_token", "persisted"] {
        assert_eq!(again[same], token[same], "{same}");
    }
    let third = cli.auth(&format!("{line} --silent")).without("BROWSER").end().await.expect(0);
    assert_eq!(third.json()["source"], "cache");
    let accounts = cli.auth("accounts --output json").end().await.expect(0).json();
    let [listed] = accounts.as_array().unwrap().as_slice() else { panic!("{accounts}") };
    for (name, value) in account.as_object().unwrap() {
        assert_eq!(listed[name], *value);
    }
    let at_home = json!({
        "tenant_id": cli.emulator.tenant_id(), "local_account_id": object_id, "username": ADA, "is_home": true,
    });
    assert_eq!((&listed["local_account_id"], &listed["tenants"]), (&json!(object_id), &json!([at_home])));
    assert_eq!((&listed["can_refresh"], listed["last_sign_in"].is_u64()), (&json!(true), true));
    assert_eq!(cli.asked(), (1, 0));
}

#[tokio::test]
async fn text_prints_a_status_line_and_never_the_token() {
    let cli = Cli::start().await;
    for from in ["the identity provider", "the cache"] {
        let ended = cli.auth("token --scope User.Read").end().await.expect(0);
        let line = ended.line();
        assert!(line.contains(ADA) && line.contains("User.Read") && line.contains(from), "{line}");
        let document = cache::read_file(&cli.cache_file());
        for section in ["AccessToken", "RefreshToken", "IdToken"] {
            let secret = &cache::secrets(&document, section)[0];
            assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{section}");
        }
    }
}

#[tokio::test]
async fn token_and_header_print_nothing_else() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let document = cache::read_file(&cli.cache_file());
    let secret = &cache::secrets(&document, "AccessToken")[0];
    let token = cli.auth("token --scope User.Read --output token").end().await.expect(0);
    assert_eq!(token.stdout, format!("{secret}\n"));
    let header = cli.auth("token --scope User.Read --output header").end().await.expect(0);
    assert_eq!(header.stdout, format!("Authorization: Bearer {secret}\n"));
    // Even when a browser is opened.
    let run = cli.auth("token --scope User.Read --output token --interactive");
    let signed_in = run.end().await.expect(0);
    assert_eq!(signed_in.line().split('.').count(), 3);
    assert_ne!(signed_in.line(), secret);
}

#[tokio::test]
async fn accounts_and_logout_print_text_and_json() {
    let cli = Cli::start().await;
    let accounts = || cli.auth("accounts --output json").end();
    assert_eq!(accounts().await.expect(0).json(), json!([]));
    let none = cli.auth("accounts").end().await.expect(0);
    assert_eq!((none.stdout.as_str(), none.message()), ("", "No account is signed in."));

    cli.sign_in(ADA).await;
    cli.sign_in(GRACE).await;
    let listed = accounts().await.expect(0).json();
    // The most recent sign-in is first, to the second.
    let names: BTreeSet<_> =
        listed.as_array().unwrap().iter().map(|account| account["username"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from([ADA, GRACE]));
    for account in listed.as_array().unwrap() {
        let fields = [
            "home_account_id",
            "username",
            "environment",
            "local_account_id",
            "can_refresh",
            "source",
            "last_sign_in",
            "tenants",
        ];
        assert_eq!(members(account), BTreeSet::from(fields));
    }
    let text = cli.auth("accounts").end().await.expect(0);
    assert_eq!(text.stdout.lines().count(), 2);
    assert!(text.stdout.contains(ADA) && text.stdout.contains(GRACE));

    let logout = |line: &'static str| cli.auth(line).end();
    let nobody = cli.auth_somewhere("logout --all").args(["--no-cache"]).end().await.expect(0);
    assert_eq!(nobody.message(), "No account is signed in; nothing was removed.");
    let line = "logout --account ada@contoso --output json";
    assert_eq!(logout(line).await.expect(0).json(), json!({"removed": 0}), "a prefix does not match");
    let line = "logout --account ADA@Contoso.Example --output json";
    assert_eq!(logout(line).await.expect(0).json(), json!({"removed": 1}));
    assert_eq!(logout(line).await.expect(0).json(), json!({"removed": 0}));
    assert_eq!(accounts().await.expect(0).json()[0]["username"], GRACE);
    cli.sign_in(ADA).await;
    let all = logout("logout --all").await.expect(0);
    assert!(all.line().contains('2'), "{all:?}");
    assert_eq!(accounts().await.expect(0).json(), json!([]));
    let silent = cli.auth("token --scope User.Read --silent --output json").end().await.expect(3);
    assert_eq!(silent.json()["error"], "no_tokens_found");
}

#[tokio::test]
async fn logout_keeps_the_entries_of_other_clients() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let foreign = json!({"secret": "foreign", "client_id": "another"});
    cache::change_file(&cli.cache_file(), |document| {
        document["AppMetadata"]["foreign"] = foreign.clone();
        document["SomethingNew"] = json!({"a": [1, 2.5, null]});
    });
    cli.auth("logout --all").end().await.expect(0);
    let document = cache::read_file(&cli.cache_file());
    assert_eq!(document["AppMetadata"]["foreign"], foreign);
    assert_eq!(document["SomethingNew"], json!({"a": [1, 2.5, null]}));
}

#[tokio::test]
async fn account_matches_full_names_in_any_case_and_ids() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    cli.sign_in(GRACE).await;
    let listed = cli.auth("accounts --output json").end().await.expect(0).json();
    // If both signed in within the same second, either may be first.
    let grace = listed.as_array().unwrap().iter().find(|account| account["username"] == GRACE).unwrap();
    let id = grace["home_account_id"].as_str().unwrap().to_owned();
    let line = "token --scope User.Read --silent --output json";
    for (name, matching) in [
        (ADA, Some(ADA)),
        ("ADA@CONTOSO.EXAMPLE", Some(ADA)),
        (GRACE, Some(GRACE)),
        (&id, Some(GRACE)),
        (&id.to_uppercase(), Some(GRACE)),
        ("ada", None),
        ("ada@contoso.exampl", None),
        ("ada@contoso.example.", None),
        (id.split_once('.').unwrap().0, None),
        ("", None),
    ] {
        let ended = cli.auth(line).args(["--account", name]).end().await;
        match matching {
            Some(matching) => assert_eq!(ended.expect(0).json()["account"]["username"], matching, "{name}"),
            None => assert_eq!(ended.expect(3).json()["error"], "no_account_for_login_hint", "{name}"),
        }
    }
    assert_eq!(cli.asked(), (2, 0));
}

#[tokio::test]
async fn an_account_without_home_account_id_matches_by_its_local_account_id() {
    let home = Home::default();
    let account = |local: &str, username: &str| {
        json!({"environment": "login.windows.net", "realm": "contoso", "home_account_id": "",
            "local_account_id": local, "username": username, "authority_type": "MSSTS"})
    };
    let file = home.file("tokens.json");
    let write = |accounts: Value| std::fs::write(&file, json!({"Account": accounts}).to_string()).unwrap();
    let auth = |words: &[&str]| {
        let run = home.auth(words).args(["--client-id", CLIENT, "--output", "json"]);
        run.args(["--cache-file".as_ref(), file.as_path()]).end()
    };
    write(json!({"a": account("Local-One", ADA), "b": account("local-two", "")}));
    let listed = auth(&["accounts"]).await.expect(0).json();
    let expected = |name: Value, local: &str| {
        json!({
            "home_account_id": null, "username": name, "environment": "login.windows.net", "local_account_id": local,
            "can_refresh": false, "source": null, "last_sign_in": null, "tenants": [],
        })
    };
    assert_eq!(listed, json!([expected(Value::Null, "local-two"), expected(json!(ADA), "Local-One")]));
    for (name, removed) in [("local-o", 0), ("", 0), ("LOCAL-one", 1), ("local-one", 0)] {
        let logout = auth(&["logout", "--account", name]).await.expect(0);
        assert_eq!(logout.json(), json!({"removed": removed}), "{name}");
    }
    assert_eq!(auth(&["accounts"]).await.expect(0).json(), json!([expected(Value::Null, "local-two")]));
}

#[tokio::test]
async fn several_accounts_without_a_choice_are_exit_3_and_listed() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    cli.sign_in(GRACE).await;
    for line in ["token --scope User.Read --silent", "token --scope User.Read"] {
        let ended = cli.auth(line).end().await.expect(3);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(ADA) && ended.stderr.contains(GRACE), "{ended:?}");
        let ended = cli.auth(&format!("{line} --output json")).end().await.expect(3);
        assert!(ended.stderr.contains(ADA) && ended.stderr.contains(GRACE), "{ended:?}");
        let error = ended.json();
        assert_eq!(error["error"], "multiple_accounts");
        assert_eq!(error["classification"], "acquire_token_silent_failed");
    }
    // With --interactive the sign-in decides.
    let run = cli.auth("token --scope User.Read --interactive --output json");
    let ended = run.env("BROWSER", robot(&format!("--user {GRACE}"))).end().await.expect(0);
    assert_eq!(ended.json()["account"]["username"], GRACE);
}

#[tokio::test]
async fn several_accounts_of_one_name_have_an_error_code_of_their_own() {
    let home = Home::default();
    let account = |id: &str| {
        json!({"environment": "login.windows.net", "realm": "t", "home_account_id": format!("{id}.t"),
            "local_account_id": id, "username": ADA, "authority_type": "MSSTS"})
    };
    let file = home.file("tokens.json");
    std::fs::write(&file, json!({"Account": {"a": account("one"), "b": account("two")}}).to_string()).unwrap();
    for (words, code) in [
        (&["--account", ADA][..], "multiple_accounts_for_login_hint"),
        (&["--login-hint", ADA], "multiple_accounts_for_login_hint"),
        (&["--account", "one.t"], "no_tokens_found"),
        (&[], "multiple_accounts"),
    ] {
        let run = home.auth(["token", "--scope", "User.Read", "--silent"]).args(words);
        let run = run.args(["--client-id", CLIENT, "--output", "json", "--cache-file"]).args([&file]);
        assert_eq!(run.end().await.expect(3).json()["error"], code, "{words:?}");
    }
}

#[tokio::test]
async fn force_refresh_and_claims_bypass_the_cache() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let line = "token --scope User.Read --silent --output json";
    let cached = cli.auth(line).end().await.expect(0).json();
    let forced = cli.auth(&format!("{line} --force-refresh")).end().await.expect(0).json();
    assert_eq!(forced["source"], "identity_provider");
    assert_ne!(forced["access_token"], cached["access_token"]);
    assert_eq!(cli.asked(), (1, 1));
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    let satisfied = cli.auth(line).args(["--claims", claims]).end().await.expect(0).json();
    assert_eq!((&satisfied["source"], cli.asked()), (&json!("identity_provider"), (1, 2)));
    let requests = cli.emulator.ledger().requests_to(auth_emulator::Endpoint::Token);
    let sent: Value = serde_json::from_str(requests[2].parameter("claims").unwrap()).unwrap();
    assert_eq!(sent["access_token"]["nbf"]["value"], "1");
    assert_eq!(requests[2].parameter("client_id"), Some(CLIENT));
    let newest = cli.auth(line).end().await.expect(0).json();
    assert_eq!(newest["access_token"], satisfied["access_token"]);
}

#[tokio::test]
async fn capabilities_are_sent_with_every_request_and_do_not_bypass_the_cache() {
    let cli = Cli::start().await;
    let line = "token --scope User.Read --capabilities cp1 llt --capabilities cp1 --output json";
    let capabilities = |token: &Value| jwt::claims(token["access_token"].as_str().unwrap())["xms_cc"].clone();
    let signed_in = cli.auth(line).end().await.expect(0).json();
    assert_eq!(capabilities(&signed_in), json!(["cp1", "llt"]));
    let cached = cli.auth(line).end().await.expect(0).json();
    assert_eq!((&cached["source"], cli.asked()), (&json!("cache"), (1, 0)));
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["own"]}}}"#;
    let run = cli.auth(&format!("{line} --silent")).args(["--claims", claims]);
    let satisfied = run.end().await.expect(0).json();
    assert_eq!((&satisfied["source"], cli.asked()), (&json!("identity_provider"), (1, 1)));
    assert_eq!(capabilities(&satisfied), json!(["cp1", "llt", "own"]));
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_both_tokens_are_saved() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    for refreshes in 1..=2 {
        let before = cache::read_file(&cli.cache_file());
        cache::expire_file(&cli.cache_file());
        let ended = cli.auth("token --scope User.Read --output json").end().await.expect(0);
        let token = ended.json();
        assert_eq!((&token["source"], &token["persisted"]), (&json!("identity_provider"), &json!(true)));
        assert_eq!(cli.asked(), (1, refreshes), "no browser, one refresh");
        let after = cache::read_file(&cli.cache_file());
        assert_eq!(cache::secrets(&after, "AccessToken"), [token["access_token"].as_str().unwrap()]);
        assert_ne!(cache::secrets(&after, "RefreshToken"), cache::secrets(&before, "RefreshToken"));
    }
}

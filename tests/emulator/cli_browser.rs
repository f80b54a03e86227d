//! The program and the browser: `BROWSER`, prompts, redirect URIs, timeouts.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use auth_emulator::{Endpoint, Fault, Robot};
use auth_tests::program::{Home, PATIENCE};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::cli::{ADA, CLIENT, Cli, GRACE, ROBOT, robot};

const LINE: &str = "token --scope User.Read --output json";

#[tokio::test]
async fn browser_is_split_into_words_before_the_url_is_inserted() {
    let cli = Cli::start().await;
    let folder = cli.home.file("my 'odd' folder; touch evil");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("robot");
    std::os::unix::fs::symlink(ROBOT, &program).unwrap();
    for setting in [
        format!("\"{}\" %s", program.display()),
        // Without %s the URL is appended; a first command that does not exist gives way to the next.
        format!("/nowhere/browser:'{ROBOT}' --user {ADA}"),
    ] {
        cli.auth(LINE).env("BROWSER", setting).args(["--interactive"]).end().await.expect(0);
    }
    assert!(!cli.home.file("evil").exists());
}

#[tokio::test]
async fn openers_that_stay_return_at_once_or_continue_in_the_background_all_work() {
    let cli = Cli::start().await;
    let script = |name: &str, text: &str| {
        let path = cli.home.file(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        format!("'{}' %s", path.display())
    };
    let background = script("leaves", &format!("'{ROBOT}' \"$1\" >&2 &"));
    let talkative = script("talks", &format!("echo noise; '{ROBOT}' \"$1\"; echo more noise"));
    for browser in [robot(""), background, talkative] {
        let run = cli.auth(LINE).args(["--interactive"]).env("BROWSER", &browser);
        let ended = run.end().await.expect(0);
        assert_eq!(ended.json()["account"]["username"], ADA, "{browser}");
    }
}

#[tokio::test]
async fn a_browser_that_stays_open_holds_up_neither_the_program_nor_its_stdout() {
    let cli = Cli::start().await;
    let (hold, opener) = (cli.home.file("hold"), cli.home.file("stays"));
    assert!(std::process::Command::new("mkfifo").arg(&hold).status().unwrap().success());
    let text = format!("#!/bin/sh\n'{ROBOT}' \"$1\"; echo noise; timeout 60 cat '{}'\n", hold.display());
    std::fs::write(&opener, text).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut child = cli.auth(LINE).env("BROWSER", format!("'{}' %s", opener.display())).start();
    let mut stdout = String::new();
    let mut pipe = child.stdout.take().unwrap();
    tokio::time::timeout(PATIENCE, pipe.read_to_string(&mut stdout)).await.unwrap().unwrap();
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(told["account"]["username"], ADA);
    // Only now is the browser closed.
    tokio::task::spawn_blocking(move || std::fs::write(hold, "")).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_opener_that_does_nothing_times_out_with_exit_6() {
    let cli = Cli::start().await;
    let run = cli.auth(LINE).args(["--timeout", "1"]).env("BROWSER", "/bin/true");
    let ended = run.end().await.expect(6);
    assert_eq!(ended.json()["error"], "timed_out");
    assert_eq!(ended.json()["correlation_id"].as_str().map(str::len), Some(36));
    assert!(ended.json()["error_description"].as_str().unwrap().contains("1 s"));
    let run = cli.auth("token --scope User.Read --timeout 1").env("BROWSER", "/bin/true");
    let ended = run.end().await.expect(6);
    assert!(ended.message().starts_with("auth: "), "{ended:?}");
    assert_eq!(cli.asked(), (0, 0));
}

#[tokio::test]
async fn an_opener_that_fails_ends_the_wait() {
    let cli = Cli::start().await;
    for (setting, named) in [("/bin/false", "/bin/false"), ("/nowhere/browser", "/nowhere/browser")] {
        let ended = cli.auth(LINE).env("BROWSER", setting).end().await;
        assert!(matches!(ended.code, Some(1 | 2)), "{ended:?}");
        let told = ended.json();
        assert_eq!(told["error"], "browser_not_available");
        assert!(told["error_description"].as_str().unwrap().contains(named), "{told}");
    }
    let ended = cli.auth(LINE).env("BROWSER", "'unclosed").end().await.expect(2);
    assert!(ended.json()["error_description"].as_str().unwrap().contains("BROWSER"));
}

#[tokio::test]
async fn without_a_display_and_without_browser_the_user_is_told_what_to_do() {
    let cli = Cli::start().await;
    // The provider has no device codes either.
    cli.emulator.faults().push(Endpoint::DeviceAuthorization, Fault::oauth("unauthorized_client"));
    let ended = cli.auth(LINE).without("BROWSER").end().await.expect(2);
    let told = ended.json();
    assert_eq!(told["error"], "browser_not_available");
    assert!(told["error_description"].as_str().unwrap().contains("BROWSER"), "{told}");
    assert!(ended.stderr.contains("unauthorized_client"), "{ended:?}");
}

#[tokio::test]
async fn under_sudo_only_the_browser_in_browser_is_opened() {
    let cli = Cli::start().await;
    let run = || cli.auth(LINE).env("SUDO_USER", "ada").env("DISPLAY", ":99");
    let told = run().without("BROWSER").end().await.expect(2).json();
    assert!(told["error_description"].as_str().unwrap().contains("sudo"), "{told}");
    run().end().await.expect(0);
}

#[tokio::test]
async fn a_proxy_from_the_environment_is_not_used_for_this_machine() {
    let cli = Cli::start().await;
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let run = names.into_iter().fold(cli.auth(LINE), |run, name| run.env(name, "http://127.0.0.1:9"));
    run.end().await.expect(0);
}

#[tokio::test]
async fn a_reader_that_closes_the_pipe_is_no_failure() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let mut child = cli.auth(LINE).start();
    drop(child.stdout.take());
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[tokio::test]
async fn ctrl_c_cancels_the_sign_in() {
    let cli = Cli::start().await;
    let mut child = cli.auth(LINE).env("BROWSER", "/bin/true").start();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The program waits for the user once it has printed the URL.
    while let Some(line) = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap() {
        if line.trim_start().starts_with("http") {
            break;
        }
    }
    let id = child.id().unwrap().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["error"], "cancelled");
}

#[tokio::test]
async fn the_printed_url_works_in_any_browser() {
    let cli = Cli::start().await;
    let mut child = cli.auth(LINE).env("BROWSER", "/bin/true").start();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut address = None;
    while let Some(line) = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap() {
        if line.trim_start().starts_with("http") {
            address = Some(line.trim().to_owned());
            break;
        }
    }
    let visit = Robot::new().user(GRACE).visit(&address.unwrap()).await.unwrap();
    assert_eq!(visit.status(), 200);
    assert!(visit.text().contains("Return to the application"), "{}", visit.text());
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["account"]["username"], GRACE);
}

#[tokio::test]
async fn prompt_and_login_hint_reach_the_sign_in_page() {
    let cli = Cli::start().await;
    for prompt in ["select_account", "login", "consent", "create"] {
        let run = cli.auth(LINE).args(["--interactive", "--prompt", prompt, "--login-hint", GRACE]);
        let ended = run.env("BROWSER", robot(&format!("--user {GRACE}"))).end().await;
        let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
        assert_eq!(asked.parameter("prompt"), Some(prompt));
        assert_eq!(asked.parameter("login_hint"), Some(GRACE));
        assert_eq!(asked.parameter("client_id"), Some(CLIENT));
        // The emulator is like the tenant of a company, where users cannot create accounts.
        let code = if prompt == "create" { 4 } else { 0 };
        ended.expect(code);
    }
    cli.auth(LINE).args(["--interactive"]).end().await.expect(0);
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    assert_eq!((asked.parameter("prompt"), asked.parameter("login_hint")), (None, None));
}

#[tokio::test]
async fn prompt_none_signs_in_without_a_page_or_needs_interaction() {
    let cli = Cli::start().await;
    let none = || cli.auth(LINE).args(["--interactive", "--prompt", "none"]).end();
    let told = none().await.expect(3).json();
    assert_eq!(told["error"], "login_required");
    assert_eq!(told["classification"], "prompt_never_failed");
    cli.sign_in(ADA).await;
    let pages = cli.emulator.ledger().count(Endpoint::SignIn);
    assert_eq!(none().await.expect(0).json()["account"]["username"], ADA);
    assert_eq!(cli.emulator.ledger().count(Endpoint::SignIn), pages);
}

#[tokio::test]
async fn an_account_must_be_the_one_that_signs_in_and_a_login_hint_need_not() {
    let cli = Cli::start().await;
    let grace = robot(&format!("--user {GRACE}"));
    let run = cli.auth(LINE).args(["--login-hint", ADA]).env("BROWSER", &grace);
    assert_eq!(run.end().await.expect(0).json()["account"]["username"], GRACE);
    // A home account id identifies one account only.
    let id = "00000000-0000-0000-0000-000000000001.00000000-0000-0000-0000-000000000002";
    let run = cli.auth(LINE).args(["--account", id]).env("BROWSER", &grace);
    assert_eq!(run.end().await.expect(4).json()["error"], "user_mismatch");
}

#[tokio::test]
async fn a_redirect_uri_with_a_port_is_used_unchanged() {
    let cli = Cli::start().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let uri = format!("http://localhost:{port}");
    let run = || cli.auth(LINE).args(["--interactive", "--redirect-uri", &uri]);
    let told = run().end().await.expect(2).json();
    assert!(told["error_description"].as_str().unwrap().contains(&port.to_string()), "{told}");
    drop(free);
    run().end().await.expect(0);
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    assert_eq!(asked.parameter("redirect_uri").map(|uri| uri.trim_end_matches('/')), Some(&*uri));
    let redeemed = cli.emulator.ledger().requests_to(Endpoint::Token).pop().unwrap();
    assert_eq!(redeemed.parameter("redirect_uri"), asked.parameter("redirect_uri"));
    let run = cli.auth(LINE).args(["--interactive", "--redirect-uri", "http://127.0.0.1/back"]);
    run.end().await.expect(0);
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    let uri = asked.parameter("redirect_uri").unwrap();
    assert!(uri.starts_with("http://127.0.0.1:") && uri.ends_with("/back"), "{uri}");
}

#[tokio::test]
async fn auth_emulator_serves_at_the_authority_that_it_prints() {
    let home = Home::default();
    let mut child = home.auth(["emulator", "--port", "0", "--access-token-lifetime", "600"]).start();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    let authority = line.unwrap();
    let words = ["token", "--client-id", "demo", "--scope", "User.Read", "--output", "json"];
    let run = home.auth(words).args(["--authority", &authority, "--no-cache"]);
    let token = run.env("BROWSER", robot("")).end().await.expect(0).json();
    let left = token["expires_on"].as_u64().unwrap() - auth_tests::cache::now();
    assert!((500..=600).contains(&left), "{left}");
    assert_eq!(token["persisted"], false);
    // The port is taken.
    let port = authority.split(':').nth(2).unwrap().split('/').next().unwrap();
    let ended = home.auth(["emulator", "--port", port]).end().await.expect(2);
    assert!(ended.message().contains(port), "{ended:?}");
    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0), "Ctrl-C is its normal end");
}

#[tokio::test]
async fn the_demo_succeeds_within_half_a_minute() {
    let home = Home::default();
    let begun = std::time::Instant::now();
    let ended = home.auth(["demo", "--browser", "robot"]).end().await.expect(0);
    assert!(begun.elapsed().as_secs() < 30);
    for step in ["interaction required", ADA, "from the cache", "rotated", "forgotten"] {
        assert!(ended.stdout.contains(step), "{step}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "no colour without a terminal");
    assert_eq!(ended.stderr, "");
    // Without a display the robot takes over.
    home.auth(["demo"]).end().await.expect(0);
}

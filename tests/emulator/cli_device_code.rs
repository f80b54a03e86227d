//! The program and a user on another device: what it prints, and how it ends.

use std::time::Duration;

use auth_emulator::{Emulator, EmulatorBuilder, Endpoint, Fault, GrantType, Robot};
use auth_tests::cache;
use auth_tests::device::Waiting;
use auth_tests::program::Run;
use auth_tests::terminal::Terminal;

use crate::cli::{ADA, CLIENT, Cli, GRACE};

/// An emulator that may be polled every second.
fn quick() -> EmulatorBuilder {
    Emulator::builder().device_interval(Duration::from_secs(1))
}

/// The user reads the instructions and signs in elsewhere.
async fn read_and_sign_in(run: Run, robot: Robot) -> Waiting {
    let waiting = Waiting::start(run).await;
    robot.enter_code(&waiting.address, &waiting.user_code).await.unwrap();
    waiting
}

#[tokio::test]
async fn the_instructions_go_to_stderr_the_token_to_stdout_and_into_the_cache() {
    let cli = Cli::of(quick()).await;
    let mut tokens = Vec::new();
    for output in ["json", "token", "header", "text"] {
        // A browser would fail.
        let run = cli.auth("token --scope User.Read --device-code --interactive").env("BROWSER", "/bin/false");
        let waiting = read_and_sign_in(run.args(["--output", output]), Robot::new().user(GRACE)).await;
        let (address, user_code) = (waiting.address.clone(), waiting.user_code.clone());
        assert_eq!(address, format!("{}/devicelogin", cli.emulator.base_url()));
        let ended = waiting.end().await.expect(0);
        for text in [CLIENT, &address, &user_code] {
            assert!(ended.stderr.contains(text) && !ended.stdout.contains(text), "{text}: {ended:?}");
        }
        // Without a terminal there is no QR code, no countdown, and no control sequence.
        assert!(!ended.stderr.contains(['\u{1b}', '\r', '█']) && !ended.stderr.contains("Waiting"), "{ended:?}");
        let token = cache::secrets(&cache::read_file(&cli.cache_file()), "AccessToken").remove(0);
        match output {
            "json" => {
                let told = ended.json();
                assert_eq!(
                    (&told["account"]["username"], &told["source"]),
                    (&GRACE.into(), &"identity_provider".into())
                );
                assert_eq!(told["access_token"], token);
            }
            "token" => assert_eq!(ended.line(), token),
            "header" => assert_eq!(ended.line(), format!("Authorization: Bearer {token}")),
            _ => assert!(ended.line().contains(GRACE) && !ended.stdout.contains(&token), "{ended:?}"),
        }
        tokens.push(token);
    }
    assert_eq!(cli.emulator.ledger().token_requests(GrantType::DeviceCode), 4);
    let cached = cli.auth("token --scope User.Read --device-code --output json").end().await.expect(0);
    assert_eq!((cached.json()["source"].as_str(), cached.stderr.as_str()), (Some("cache"), ""));
    assert_eq!(cached.json()["access_token"], *tokens.last().unwrap());
    let accounts = cli.auth("accounts --output json").end().await.expect(0).json();
    assert_eq!(accounts[0]["source"], "device_code_flow");
    assert_eq!(cli.asked(), (0, 0));
}

#[tokio::test]
async fn a_user_who_declines_is_exit_4_and_a_code_that_expires_exit_3() {
    let line = "token --scope User.Read --device-code --output json";
    let cli = Cli::of(quick()).await;
    for robot in [Robot::new().cancel(), Robot::new().decline_consent()] {
        let ended = read_and_sign_in(cli.auth(line), robot).await.end().await.expect(4);
        assert_eq!(ended.json()["error"], "authorization_declined");
        assert_eq!(ended.json()["correlation_id"].as_str().map(str::len), Some(36));
    }
    let pinned = cli.auth(line).args(["--account", "u.t"]);
    let ended = read_and_sign_in(pinned, Robot::new().user(ADA)).await.end().await.expect(4);
    assert_eq!(ended.json()["error"], "user_mismatch");
    assert!(!cli.cache_file().exists());
    let cli = Cli::of(quick().device_code_lifetime(Duration::from_secs(1))).await;
    let ended = Waiting::start(cli.auth(line)).await.end().await.expect(3);
    assert_eq!(ended.json()["error"], "code_expired");
    assert!(!cli.cache_file().exists());
}

#[tokio::test]
async fn ctrl_c_ends_the_wait_at_once_and_leaves_nothing() {
    // The next poll would come in a minute.
    let cli = Cli::of(Emulator::builder().device_interval(Duration::from_secs(60))).await;
    let waiting = Waiting::start(cli.auth("token --scope User.Read --device-code --output json")).await;
    let begun = std::time::Instant::now();
    waiting.interrupt();
    let ended = waiting.end().await.expect(6);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(ended.json()["error"], "cancelled");
    assert_eq!(cli.emulator.ledger().token_requests(GrantType::DeviceCode), 0);
    let left: Vec<_> = std::fs::read_dir(cli.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn without_a_display_a_device_code_is_used_and_stderr_says_why() {
    let cli = Cli::of(quick()).await;
    let run = cli.auth("token --scope User.Read --output json").without("BROWSER");
    let ended = read_and_sign_in(run, Robot::new().user(ADA)).await.end().await.expect(0);
    assert_eq!(ended.json()["account"]["username"], ADA);
    assert!(ended.stderr.contains("BROWSER") && ended.stderr.contains("on another device instead"), "{ended:?}");
}

// Flags that a device code cannot honour are not dropped silently.
#[tokio::test]
async fn a_flag_for_the_sign_in_page_rules_out_a_device_code() {
    let cli = Cli::of(quick()).await;
    for (wish, flag) in [
        ("--max-age 60", "--max-age"),
        ("--prompt login", "--prompt"),
        ("--acr-values gold", "--acr-values"),
        ("--extra-scope Mail.Read", "--extra-scope"),
    ] {
        let run = cli.auth(&format!("token --scope User.Read --output json {wish}")).without("BROWSER");
        let ended = run.end().await.expect(2);
        assert_eq!(ended.json()["error"], "browser_not_available");
        assert!(ended.stderr.contains(flag), "{ended:?}");
    }
    assert_eq!(cli.emulator.ledger().count(Endpoint::DeviceAuthorization), 0);

    // At a terminal, any browser can be used.
    let line = "token --scope User.Read --output json --extra-scope Mail.Read";
    let mut terminal = Terminal::start(cli.auth(line).without("BROWSER"));
    terminal.line_with("--extra-scope").await;
    let address = terminal.line_with("http").await;
    assert_eq!(Robot::new().user(ADA).visit(&address).await.unwrap().status(), 200);
    assert_eq!(terminal.end().await.expect(0).json()["account"]["username"], ADA);
}

#[tokio::test]
async fn a_timeout_a_hint_or_a_taken_port_does_not_prevent_a_device_code() {
    let cli = Cli::of(quick()).await;
    for device_code in ["--device-code", ""] {
        let line = format!("token --scope User.Read --output json --timeout 1 --login-hint {ADA} {device_code}");
        let waiting = Waiting::start(cli.auth(&line).without("BROWSER")).await;
        let ended = waiting.end().await.expect(6);
        assert_eq!(ended.json()["error"], "timed_out", "{device_code}");
        assert!(ended.stderr.contains(&format!("as {ADA}")), "{ended:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://127.0.0.1:{}", taken.local_addr().unwrap().port());
    let run = cli.auth("token --scope User.Read --output json").args(["--redirect-uri", &uri]).without("BROWSER");
    read_and_sign_in(run, Robot::new().user(ADA)).await.end().await.expect(0);
}

// As in a tenant whose Conditional Access blocks device codes.
#[tokio::test]
async fn if_device_codes_are_blocked_a_browser_is_suggested() {
    let cli = Cli::of(quick()).await;
    for (endpoint, fault, offered) in [
        (Endpoint::Token, Fault::oauth("access_denied").aadsts(530_036), true),
        (Endpoint::Token, Fault::oauth("invalid_grant").aadsts(53_003), true),
        (Endpoint::DeviceAuthorization, Fault::oauth("access_denied"), true),
        (Endpoint::Token, Fault::oauth("authorization_declined"), false),
    ] {
        cli.emulator.faults().push(endpoint, fault.description("AADSTS0: what the tenant says"));
        let run = cli.auth("token --scope User.Read --output json --device-code --interactive");
        let ended = run.end().await.expect(4);
        assert!(ended.json()["error_description"].as_str().unwrap().contains("what the tenant says"), "{ended:?}");
        assert_eq!(ended.stderr.contains("--no-browser"), offered, "{ended:?}");
    }
}

#[tokio::test]
async fn a_terminal_shows_a_qr_code_and_a_countdown() {
    let cli = Cli::of(quick()).await;
    let run = cli.auth("token --scope User.Read --output json --device-code --interactive");
    let mut terminal = Terminal::start(run.env("TERM", "xterm"));
    let address = terminal.line_with("/devicelogin").await;
    terminal.line_with("enter this code").await;
    let shown = terminal.line_with("-").await;
    let bold = shown.strip_prefix("\u{1b}[1m").and_then(|rest| rest.strip_suffix("\u{1b}[0m"));
    let spaced = bold.unwrap_or_else(|| panic!("not bold: {shown:?}"));
    let user_code = spaced.replace(' ', "");
    assert_eq!(spaced.trim(), user_code.chars().map(String::from).collect::<Vec<_>>().join(" "));
    terminal.line_with("█").await;
    Robot::new().user(ADA).enter_code(&address, &user_code).await.unwrap();
    let ended = terminal.end().await.expect(0);
    assert_eq!(ended.json()["account"]["username"], ADA);
    assert!(ended.stderr.contains("\r\u{1b}[KWaiting for you to sign in; the code expires in 1"), "{}", ended.stderr);
}

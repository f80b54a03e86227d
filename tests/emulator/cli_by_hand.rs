//! The program and a user who opens the URL in any browser: the loopback port directly or through a tunnel, and the
//! address of the last page pasted into the terminal.

use std::net::TcpListener;
use std::time::Duration;

use auth_emulator::{Emulator, Endpoint, Fault, Robot};
use auth_tests::program::{PATIENCE, Run};
use auth_tests::terminal::Terminal;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::cli::{ADA, Cli, GRACE};

const LINE: &str = "token --scope User.Read --output json --no-browser";
/// Part of the line that asks for the address of the last page.
const PROMPT: &str = "paste it here";

/// `auth token` for which a browser would fail.
fn no_browser(cli: &Cli) -> Run {
    cli.auth(LINE).env("BROWSER", "/bin/false")
}

/// Opens the printed URL in a browser that cannot reach the program, and returns the address of the last page.
async fn copy_address(terminal: &mut Terminal, user: &str) -> String {
    let address = terminal.line_with("http").await;
    terminal.line_with(PROMPT).await;
    Robot::new().user(user).authorize(&address).await.unwrap().url().to_owned()
}

fn code_of(address: &str) -> String {
    let (_, code) = address.split_once("code=").unwrap();
    code.split('&').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_url_is_printed_and_the_loopback_port_waits() {
    let cli = Cli::start().await;
    let mut child = no_browser(&cli).start();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut said, mut address) = (String::new(), None);
    while address.is_none() {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        address = line.trim().strip_prefix("http").map(|rest| format!("http{rest}"));
        said.push_str(&line);
    }
    let visit = Robot::new().user(GRACE).visit(&address.unwrap()).await.unwrap();
    assert!(visit.text().contains("Return to the application"), "{}", visit.text());
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["account"]["username"], GRACE);
    // Without a terminal nothing can be pasted, and the response came as a form.
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push_str(&line);
    }
    assert!(!said.contains("paste") && !said.contains("ssh"), "{said}");
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    assert_eq!(asked.parameter("response_mode"), Some("form_post"));
}

#[tokio::test]
async fn a_pasted_url_is_accepted_and_not_displayed() {
    let cli = Cli::start().await;
    let mut terminal = Terminal::start(no_browser(&cli));
    let pasted = copy_address(&mut terminal, GRACE).await;
    assert!(pasted.starts_with("http://localhost:"), "{pasted}");
    // Anything else is refused with a reason, and asked for again.
    terminal.type_line("").await;
    for (wrong, why) in [
        ("nothing of the kind".to_owned(), "not the address"),
        (pasted.replace("localhost", "127.0.0.1"), "not the address"),
        (format!("{pasted}&code=another"), "no valid response"),
        (pasted.replace("state=", "state=x"), "another sign-in"),
        // A line with more bytes than can be edited in a terminal.
        (format!("{}&state=again&x={}", pasted, "x".repeat(6000)), "no valid response"),
    ] {
        terminal.type_line(&wrong).await;
        terminal.line_with(why).await;
    }
    terminal.type_line(&format!("{pasted}&session_state={}", "x".repeat(6000))).await;
    let ended = terminal.end().await.expect(0);
    assert_eq!(ended.json()["account"]["username"], GRACE);
    assert_eq!(cli.asked(), (1, 0));
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    assert_eq!(asked.parameter("response_mode"), Some("query"));
    for text in [&ended.stderr, &ended.stdout] {
        assert!(!text.contains(&code_of(&pasted)) && !text.contains("nothing of the kind"), "{text}");
    }
}

#[tokio::test]
async fn at_a_terminal_the_loopback_port_still_answers_and_an_error_can_be_pasted() {
    let cli = Cli::start().await;
    let mut terminal = Terminal::start(no_browser(&cli));
    let address = terminal.line_with("http").await;
    assert_eq!(Robot::new().visit(&address).await.unwrap().status(), 200);
    assert_eq!(terminal.end().await.expect(0).json()["account"]["username"], ADA);

    let mut terminal = Terminal::start(no_browser(&cli).args(["--interactive"]));
    let address = terminal.line_with("http").await;
    terminal.line_with(PROMPT).await;
    let pasted = Robot::new().cancel().authorize(&address).await.unwrap().url().to_owned();
    terminal.type_line(&pasted).await;
    assert_eq!(terminal.end().await.expect(4).json()["error"], "access_denied");
}

#[tokio::test]
async fn over_ssh_the_tunnel_is_explained_for_a_fixed_port() {
    let cli = Cli::start().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let uri = format!("http://localhost:{port}");
    let run = no_browser(&cli).env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let mut terminal = Terminal::start(run.args(["--redirect-uri", &uri]));
    let address = terminal.line_with("http").await;
    assert_eq!(terminal.line_with("ssh -L").await, format!("ssh -L {port}:localhost:{port} HOST"));
    Robot::new().visit(&address).await.unwrap();
    terminal.end().await.expect(0);
    let asked = cli.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    assert_eq!(asked.parameter("redirect_uri").map(|uri| uri.trim_end_matches('/')), Some(&*uri));
}

#[tokio::test]
async fn without_browser_and_device_codes_the_terminal_is_the_last_resort() {
    let cli = Cli::start().await;
    cli.emulator.faults().push(Endpoint::DeviceAuthorization, Fault::oauth("unauthorized_client"));
    let run = cli.auth("token --scope User.Read --output json").without("BROWSER");
    let mut terminal = Terminal::start(run);
    terminal.line_with("unauthorized_client").await;
    terminal.line_with("browser of your choice").await;
    let pasted = copy_address(&mut terminal, ADA).await;
    terminal.type_line(&pasted).await;
    assert_eq!(terminal.end().await.expect(0).json()["account"]["username"], ADA);
}

#[tokio::test]
async fn ctrl_c_ends_the_wait_at_once() {
    let cli = Cli::of(Emulator::builder()).await;
    let mut terminal = Terminal::start(no_browser(&cli));
    terminal.line_with(PROMPT).await;
    let begun = std::time::Instant::now();
    terminal.interrupt();
    assert_eq!(terminal.end().await.expect(6).json()["error"], "cancelled");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(cli.asked(), (0, 0));
}

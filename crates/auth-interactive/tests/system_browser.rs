//! `SystemBrowser`, with real child processes.
#![cfg(all(unix, feature = "system-browser"))]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use auth_interactive::{Browser as _, BrowserError, Environment, Headless, SystemBrowser};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::process::Command;

const URL: &str = "https://idp.example/authorize?a=1&b=%20;id";
/// How long a test waits for another process.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns a command that runs `text`. A shell reads the file instead of executing it: while another test is starting a
/// process, a file that we have just written may not be executable.
fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    format!("sh {}", path.to_str().unwrap())
}

fn environment(browser: Option<&str>) -> Environment {
    let mut environment = Environment::default();
    environment.browser = browser.map(str::to_owned);
    environment
}

async fn open(environment: Environment) -> Result<(), BrowserError> {
    SystemBrowser::with_environment(environment).open(&URL.parse().unwrap()).await
}

#[tokio::test]
async fn s33_the_url_is_one_argument() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(folder.path(), "record", r#"for a in "$@"; do echo "[$a]"; done > "$0.out""#);
    open(environment(Some(&format!("{command} --x %s '--y z'")))).await.unwrap();
    let recorded = fs::read_to_string(folder.path().join("record.out")).unwrap();
    assert_eq!(recorded, format!("[--x]\n[{URL}]\n[--y z]\n"));
}

#[tokio::test]
async fn a_failing_command_is_named_and_the_url_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(folder.path(), "fails", "exit 3");
    let error = open(environment(Some(&format!("{command} --secret")))).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("\"sh\"") && text.contains("exit status: 3"), "{text}");
    assert!(!text.contains("idp.example") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn the_next_alternative_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let fails = script(folder.path(), "fails", "exit 1");
    let works = script(folder.path(), "works", r#"echo "$1" > "$0.out""#);
    open(environment(Some(&format!("/does/not/exist:{fails}:{works}")))).await.unwrap();
    assert!(folder.path().join("works.out").exists());
    let error = open(environment(Some("/does/not/exist"))).await.unwrap_err();
    assert!(matches!(error, BrowserError::NotStarted { .. }), "{error}");
}

#[tokio::test]
async fn s34_browser_wins_over_sudo_and_a_missing_display() {
    let mut setting = environment(None);
    assert!(matches!(open(setting.clone()).await, Err(BrowserError::Headless(Headless::NoDisplay))));
    setting.sudo = true;
    assert!(matches!(open(setting.clone()).await, Err(BrowserError::Sudo)));
    setting.browser = Some("true".to_owned());
    open(setting).await.unwrap();
}

/// An environment with a display, whose only folder of programs is `folder`.
fn desktop(folder: &Path) -> Environment {
    let mut environment = environment(None);
    environment.wayland = true;
    environment.path = folder.into();
    environment
}

/// Installs a program that does `text`, to be executed rather than read by a shell. Another process writes it: a file
/// that is open for writing, in this process or in one that it is just starting, cannot be executed.
fn install(folder: &Path, name: &str, text: &str) {
    let written = std::process::Command::new("sh")
        .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 700 "$2""#, "sh", text])
        .arg(folder.join(name))
        .status();
    assert!(written.unwrap().success());
}

/// The environment and the open files belong to the process, so the test runs itself again as a process of its own.
#[test]
fn s32_a_desktop_command_gets_one_argument_and_none_of_our_secrets_and_files() {
    const RECORDS: &str = "AUTH_INTERACTIVE_TEST_RECORDS";
    let name = "s32_a_desktop_command_gets_one_argument_and_none_of_our_secrets_and_files";
    if let Some(folder) = env::var_os(RECORDS) {
        let (folder, socket) = (PathBuf::from(folder), TcpListener::bind("127.0.0.1:0").unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(open(desktop(&folder))).unwrap();
        return drop(socket);
    }
    let folder = tempfile::tempdir().unwrap();
    let record =
        "PATH=/usr/bin:/bin; { printf '%s\\n' \"$#\" \"$1\"; env; ls -l /proc/self/fd; cat; } > \"$0.out\"; echo NOISE";
    install(folder.path(), "xdg-open", record);
    install(folder.path(), "gio", "exit 1");
    let output = std::process::Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(RECORDS, folder.path())
        .env("AZURE_CLIENT_SECRET", "canary-of-the-client")
        .env("KEPT", "as it is")
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{stderr}");
    assert!(!stdout.contains("NOISE") && !stderr.contains("NOISE"), "{stdout}{stderr}");
    let recorded = fs::read_to_string(folder.path().join("xdg-open.out")).unwrap();
    assert!(recorded.starts_with(&format!("1\n{URL}\n")), "{recorded}");
    assert!(recorded.contains("KEPT=as it is") && !recorded.contains("canary-of-the-client"), "{recorded}");
    assert!(recorded.contains("0 -> /dev/null") && !recorded.contains("socket:"), "{recorded}");
}

#[tokio::test]
async fn a_missing_or_failing_desktop_command_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let message = open(desktop(folder.path())).await.unwrap_err().to_string();
    assert!(message.contains("xdg-open") && message.contains("BROWSER"), "{message}");
    install(folder.path(), "gio", "exit 1");
    let message = open(desktop(folder.path())).await.unwrap_err().to_string();
    assert!(message.contains("gio: exit status: 1") && !message.contains("idp.example"), "{message}");
}

#[tokio::test]
async fn s31_the_url_is_checked_before_anything_is_started() {
    let browser = SystemBrowser::with_environment(environment(Some("true")));
    let error = browser.open(&"ftp://idp.example/".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, BrowserError::Url(_)));
}

/// A named pipe. Both of its ends are held open, so that opening it never blocks and reading it never reaches an end.
struct Fifo {
    sender: pipe::Sender,
    receiver: BufReader<pipe::Receiver>,
}

impl Fifo {
    fn new(path: &Path) -> Self {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        let receiver = pipe::OpenOptions::new().open_receiver(path).unwrap();
        let sender = pipe::OpenOptions::new().open_sender(path).unwrap();
        Self { sender, receiver: BufReader::new(receiver) }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.receiver.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }
}

/// Whether there is a process of this number, even a zombie. It runs a child to its end, upon which tokio also reaps
/// the others that have ended.
async fn exists(pid: &str) -> bool {
    open(environment(Some(&format!("sh -c 'kill -0 {pid} 2>&-'")))).await.is_ok()
}

/// An opener that is dropped leaves its child running, and no zombie when the child ends.
#[tokio::test]
async fn a_child_that_outlives_the_sign_in_is_reaped() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(folder.path(), "stays", r#"echo $$ > "$0.up"; read x < "$0.down"; echo "$x" > "$0.up""#);
    let mut up = Fifo::new(&folder.path().join("stays.up"));
    let mut down = Fifo::new(&folder.path().join("stays.down"));
    let pid = tokio::select! {
        biased;
        outcome = open(environment(Some(&command))) => unreachable!("{outcome:?}"),
        pid = up.line() => pid,
    };
    assert!(exists(&pid).await, "the browser was ended with the sign-in");
    down.sender.write_all(b"farewell\n").await.unwrap();
    let farewell = tokio::time::timeout(PATIENCE, up.line()).await;
    assert_eq!(farewell.expect("the browser was ended with the sign-in"), "farewell");
    let reaped = async { while exists(&pid).await {} };
    tokio::time::timeout(PATIENCE, reaped).await.expect("a zombie remains");
}

/// Only the result of the program `auth` goes to stdout, and its stdin is its own.
///
/// Both belong to the process, so the test runs itself again as a process of its own, which opens the browser.
#[tokio::test]
async fn a_command_gets_neither_our_stdout_nor_our_stdin() {
    const OPENS: &str = "AUTH_INTERACTIVE_TEST_OPENS_BROWSER";
    if env::var_os(OPENS).is_some() {
        return SystemBrowser::new().open(&URL.parse().unwrap()).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_command_gets_neither_our_stdout_nor_our_stdin", "--nocapture"])
        .env(OPENS, "1")
        .env("BROWSER", script(folder.path(), "noisy", "echo NOISE; cat"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(b"INPUT\n").await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{stderr}");
    assert!(!stdout.contains("NOISE"), "{stdout}");
    assert!(stderr.contains("NOISE") && !stderr.contains("INPUT"), "{stderr}");
}

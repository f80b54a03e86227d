//! `BROWSER`, with real child processes.
#![cfg(all(unix, feature = "system-browser"))]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use auth_interactive::{Browser as _, BrowserError, Environment, SystemBrowser};

const URL: &str = "https://idp.example/authorize?a=1&b=%20;id";

/// A command that runs `text`. The file is read by a shell rather than executed: another test may be starting a process
/// while we write it, and such a file cannot be executed for a moment.
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
    let command =
        script(folder.path(), "record", r#"for a in "$@"; do echo "[$a]"; done > "$0.out""#);
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
    let mut surroundings = environment(None);
    assert!(matches!(open(surroundings.clone()).await, Err(BrowserError::Headless)));
    surroundings.graphical = true;
    surroundings.sudo = true;
    assert!(matches!(open(surroundings.clone()).await, Err(BrowserError::Sudo)));
    surroundings.graphical = false;
    surroundings.browser = Some("true".to_owned());
    open(surroundings).await.unwrap();
}

#[tokio::test]
async fn s31_is_checked_before_anything_is_started() {
    let browser = SystemBrowser::with_environment(environment(Some("true")));
    let error = browser.open(&"ftp://idp.example/".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, BrowserError::Url(_)));
}

/// An opener that is dropped leaves its child running, and no zombie once the child has ended.
#[tokio::test]
async fn a_child_that_outlives_the_sign_in_is_collected() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(
        folder.path(),
        "stays",
        r#"echo $$ > "$0.tmp"; mv "$0.tmp" "$0.pid"; read x < "$0.fifo""#,
    );
    let fifo = folder.path().join("stays.fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let pid_file = folder.path().join("stays.pid");
    let exists = async |path: &Path| {
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        biased;
        outcome = open(environment(Some(&command))) => unreachable!("{outcome:?}"),
        () = exists(&pid_file) => {}
    }
    let process = Path::new("/proc").join(fs::read_to_string(&pid_file).unwrap().trim());
    if !Path::new("/proc/self").exists() {
        return;
    }
    assert!(process.exists(), "the browser was ended with the sign-in");
    fs::write(&fifo, "\n").unwrap();
    let gone = async {
        while process.exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the next test, in a process of its own"]
async fn noisy_child() {
    let folder = tempfile::tempdir().unwrap();
    let command = script(folder.path(), "noisy", "echo NOISE; cat");
    open(environment(Some(&command))).await.unwrap();
}

/// The program `auth` writes its result to stdout and nothing else may. `cat` proves that there is no input to wait for.
#[test]
fn a_command_gets_neither_our_stdout_nor_our_stdin() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "noisy_child", "--ignored", "--nocapture"];
    let output = Command::new(program).args(arguments).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{stderr}");
    assert!(!stdout.contains("NOISE"), "{stdout}");
    assert!(stderr.contains("NOISE"), "{stderr}");
}

//! The user at the sign-in page of the emulator, as a program for `BROWSER`:
//! `robot [--user NAME] [--cancel] [--decline] [--watch FILE] URL`.
//!
//! `--watch` writes the command line and the environment of this process to a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this program is only for tests")]

use auth_emulator::Robot;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut robot = Robot::new();
    let mut words = std::env::args().skip(1);
    let mut url = None;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--user" => robot = robot.user(words.next().expect("a name")),
            "--cancel" => robot = robot.cancel(),
            "--decline" => robot = robot.decline_consent(),
            "--watch" => watch(&words.next().expect("a file")),
            _ => assert!(url.replace(word).is_none(), "one address"),
        }
    }
    let visit = robot.visit(&url.expect("an address")).await;
    visit.unwrap_or_else(|error| panic!("robot: {error}"));
}

/// Writes what other programs can see of this process to a file.
fn watch(file: &str) {
    let mut seen = Vec::new();
    for name in ["cmdline", "environ"] {
        seen.extend(std::fs::read(format!("/proc/self/{name}")).unwrap_or_default());
        seen.push(b'\n');
    }
    std::fs::write(file, seen).expect("the file can be written");
}

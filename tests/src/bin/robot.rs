//! The user at the sign-in page of the emulator, for `BROWSER`: signs in at the address that it is given last.
//!
//! `robot [--user NAME] [--cancel] [--decline] [--watch FILE] URL`; with `--watch` the command lines and the environment of
//! this process are written to a file.
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

/// Writes down what others can see of this process.
fn watch(file: &str) {
    let mut seen = Vec::new();
    for name in ["cmdline", "environ"] {
        seen.extend(std::fs::read(format!("/proc/self/{name}")).unwrap_or_default());
        seen.push(b'\n');
    }
    std::fs::write(file, seen).expect("the file can be written");
}

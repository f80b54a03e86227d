//! The program `auth`: its stderr with all logs on, its stdout where no token belongs, and the command line of the
//! browser that it starts.

use std::time::Duration;

use auth_emulator::{CredentialKind, Emulator, Endpoint, Fault, Robot};
use auth_tests::cache;
use auth_tests::canary::{assert_absent, challenge, words};
use auth_tests::device::Waiting;
use auth_tests::program::{Ended, Home, Run};
use auth_tests::terminal::Terminal;

const ROBOT: &str = env!("CARGO_BIN_EXE_robot");

struct Watched {
    home: Home,
    emulator: Emulator,
    secrets: Vec<(String, String)>,
    /// Everything that must not contain a secret.
    seen: String,
}

impl Watched {
    /// Runs `auth`. Its stdout may contain tokens only if the line asks for them.
    async fn auth(&mut self, line: &str, browser: &str, code: i32) -> Ended {
        let ended = self.run(line, browser).end().await.expect(code);
        self.look_at(line, ended)
    }

    /// Runs `auth` for a sign-in on another device. Returns the code that the user enters.
    async fn device_code(&mut self, line: &str, robot: Robot, code: i32) -> String {
        let waiting = Waiting::start(self.run(line, "").args(["--device-code"])).await;
        let user_code = waiting.user_code.clone();
        robot.enter_code(&waiting.address, &user_code).await.unwrap();
        let ended = waiting.end().await.expect(code);
        self.look_at(line, ended);
        user_code
    }

    /// Runs `auth` at a terminal, where the user pastes a wrong URL and then the right one. Returns the code in it.
    async fn pasted(&mut self, line: &str, robot: Robot, code: i32) -> String {
        let mut terminal = Terminal::start(self.run(line, "").args(["--no-browser"]));
        let address = loop {
            let line = terminal.line_with("http").await;
            if line.starts_with("http") {
                break line;
            }
        };
        let pasted = robot.authorize(&address).await.unwrap().url().to_owned();
        terminal.type_line(&pasted.replace("state=", "state=x")).await;
        terminal.line_with("another sign-in").await;
        terminal.type_line(&pasted).await;
        let ended = terminal.end().await.expect(code);
        self.look_at(line, ended);
        let answer = pasted.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
        answer.unwrap_or_default().to_owned()
    }

    fn run(&self, line: &str, browser: &str) -> Run {
        let run = self.home.auth(line.split_whitespace()).args(["--client-id", "canary"]);
        let run = run.args(["--cache-file".into(), self.home.file("tokens.json")]);
        let run = if line.starts_with("cache") { run } else { run.args(["--authority", &self.emulator.authority()]) };
        let browser = format!("'{ROBOT}' --watch '{}' {browser} %s", self.home.file("watched").display());
        run.env("BROWSER", browser).env("AUTH_LOG", "trace")
    }

    /// Records what others can see, and the secrets that must not be in it.
    fn look_at(&mut self, line: &str, ended: Ended) -> Ended {
        self.seen.push_str(&ended.stderr);
        if line.contains("--output json") && line.starts_with("token") && ended.code == Some(0) {
            let token = ended.json();
            for name in ["access_token", "id_token"] {
                self.keep(name, token[name].as_str().unwrap());
            }
        } else {
            self.seen.push_str(&ended.stdout);
        }
        if let Ok(watched) = std::fs::read(self.home.file("watched")) {
            self.seen.push_str(&String::from_utf8(watched).unwrap());
        }
        if self.home.file("tokens.json").exists() {
            let document = cache::read_file(&self.home.file("tokens.json"));
            for section in ["AccessToken", "RefreshToken", "IdToken"] {
                for secret in cache::secrets(&document, section) {
                    self.keep(section, &secret);
                }
            }
        }
        ended
    }

    fn keep(&mut self, name: &str, secret: &str) {
        let entry = (name.to_owned(), secret.to_owned());
        if !self.secrets.contains(&entry) {
            self.secrets.push(entry);
        }
    }
}

#[tokio::test]
async fn s111_no_secret_on_stderr_in_errors_or_on_the_browsers_command_line() {
    let emulator = Emulator::builder().device_interval(Duration::from_secs(1)).start().await.unwrap();
    let mut watched = Watched { home: Home::default(), emulator, secrets: Vec::new(), seen: String::new() };
    let file = watched.home.file("tokens.json");
    let line = "token --scope User.Read --output json";
    watched.auth(&format!("{line} --silent"), "", 3).await;
    watched.auth(line, "", 0).await;
    watched.auth("token --scope User.Read", "", 0).await;
    watched.auth("token --scope User.Read --silent --force-refresh", "", 0).await;
    for line in
        ["cache path", "cache status", "cache status --output json", "cache inspect", "cache inspect --output json"]
    {
        watched.auth(line, "", 0).await;
    }
    cache::expire_file(&file);
    watched.auth(line, "", 0).await;
    for (fault, code) in [
        (Fault::from(Fault::oauth("invalid_grant").suberror("bad_token")), 3),
        (Fault::oauth("invalid_client").into(), 4),
        (Fault::status(500).into(), 5),
        (Fault::Reset, 5),
        (Fault::html("<p>hotel</p>").into(), 5),
    ] {
        watched.emulator.faults().push_times(Endpoint::Token, 2, fault);
        watched.auth(&format!("{line} --silent --force-refresh"), "", code).await;
        watched.emulator.faults().clear();
    }
    watched.emulator.faults().push(Endpoint::Token, Fault::LoseAnswer);
    watched.auth(&format!("{line} --interactive"), "", 5).await;
    watched.auth(&format!("{line} --interactive"), "--cancel", 4).await;
    let other = "--user grace@contoso.example";
    watched.auth(&format!("{line} --interactive --account ada@contoso.example"), other, 4).await;
    let mut user_codes = Vec::new();
    for (robot, code) in [(Robot::new(), 0), (Robot::new().cancel(), 4)] {
        user_codes.push(watched.device_code(&format!("{line} --interactive"), robot, code).await);
    }
    for (robot, code) in [(Robot::new(), 0), (Robot::new().cancel(), 4)] {
        let answer = watched.pasted(&format!("{line} --interactive"), robot, code).await;
        if code == 0 {
            watched.keep("pasted code", &answer);
        }
    }
    std::fs::write(&file, format!("{{{}", std::fs::read_to_string(&file).unwrap())).unwrap();
    watched.auth("accounts", "", 0).await;
    watched.auth(line, "", 0).await;
    watched.auth("accounts --output json", "", 0).await;
    watched.auth("logout --all", "", 0).await;

    assert!(watched.seen.contains("TRACE") || watched.seen.contains("DEBUG"), "the log was on");
    assert!(watched.seen.contains("code_challenge="), "the browser was watched");
    assert_absent("what others can read", &watched.seen, &watched.secrets);
    // A user code appears once, on a line of its own.
    for code in &user_codes {
        let lines: Vec<_> = watched.seen.lines().filter(|line| line.contains(code)).collect();
        assert_eq!(lines, [format!("    {code}")], "a user code appears elsewhere");
    }
    // The emulator keeps only fingerprints of codes and verifiers.
    let ledger = watched.emulator.ledger();
    assert_eq!(ledger.redemptions(CredentialKind::DeviceCode).len(), 2);
    let challenges: Vec<_> = ledger
        .requests_to(Endpoint::Authorize)
        .iter()
        .map(|request| request.parameter("code_challenge").unwrap().to_owned())
        .collect();
    assert!(challenges.len() >= 4 && watched.seen.contains(&challenges[0]));
    for word in words(&watched.seen) {
        assert!(ledger.redemption_of(word).is_none(), "a code or refresh token was shown");
        assert!(!challenges.contains(&challenge(word)), "a verifier was shown");
    }
}

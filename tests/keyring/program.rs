//! The program `auth` with its default cache file, with and without a keyring.

use std::path::PathBuf;

use auth_emulator::Emulator;
use auth_tests::cache;
use auth_tests::canary::assert_absent;
use auth_tests::keyring::Session;
use auth_tests::program::{Ended, Run};
use serde_json::{Value, json};

use crate::scene::files;

const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
const ROBOT: &str = env!("CARGO_BIN_EXE_robot");
const TOKEN: &str = "token --scope User.Read --output json";

struct Cli {
    session: Session,
    emulator: Emulator,
}

impl Cli {
    async fn start(session: Session) -> Self {
        Self { session, emulator: Emulator::start().await.unwrap() }
    }

    fn auth(&self, line: &str) -> Run {
        let run = self.session.home.auth(line.split_whitespace()).env("BROWSER", format!("'{ROBOT}' %s"));
        self.session.inside(run.args(["--client-id", CLIENT, "--authority", &self.emulator.authority()]))
    }

    async fn token(&self, more: &str) -> Ended {
        self.auth(&format!("{TOKEN} {more}")).end().await.expect(0)
    }

    fn cache(&self, line: &str) -> Run {
        let run = self.session.home.auth(["cache"]).args(line.split_whitespace());
        self.session.inside(run.args(["--client-id", CLIENT]))
    }

    async fn json(&self, line: &str) -> Value {
        self.cache(&format!("{line} --output json")).end().await.expect(0).json()
    }

    fn file(&self) -> PathBuf {
        self.session.home.file(".local/share/auth").join(format!("{CLIENT}.json"))
    }

    fn is_encrypted(&self) -> bool {
        std::fs::read(self.file()).unwrap().starts_with(b"auth encrypted cache 1\n")
    }

    /// Asserts that no file in the home contains any of these.
    fn assert_nowhere(&self, secrets: &[(String, String)]) {
        for (name, bytes) in files(self.session.home.path()) {
            assert_absent(&name, &String::from_utf8_lossy(&bytes), secrets);
        }
    }
}

fn secrets(token: &Value) -> Vec<(String, String)> {
    let names = ["access_token", "id_token"];
    names.iter().map(|name| ((*name).to_owned(), token[*name].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn with_a_keyring_the_cache_is_encrypted() {
    let cli = Cli::start(Session::start().await).await;
    let ended = cli.token("").await;
    assert_eq!((ended.json()["persisted"].clone(), ended.stderr.contains("not encrypted")), (json!(true), false));
    assert!(cli.is_encrypted());
    cli.assert_nowhere(&secrets(&ended.json()));
    assert_eq!(cli.token("--silent").await.json()["source"], "cache");
    let status = cli.json("status").await;
    assert_eq!(
        (&status["form"], &status["accounts"], &status["problem"]),
        (&json!("encrypted"), &json!(1), &Value::Null)
    );
    assert_eq!(cli.json("path").await, json!({"path": cli.file()}));
    assert_eq!(cli.json("inspect").await.as_array().unwrap().len(), 5);
    // With `--cache-file` the program expects a plain file.
    let ended = cli.session.home.auth(["cache", "inspect", "--cache-file"]).args([cli.file()]).end().await.expect(7);
    assert!(ended.message().contains("auth cache migrate --to plain"), "{ended:?}");
    let ended = cli.auth("accounts --output json").end().await.expect(0);
    assert_eq!(ended.json().as_array().unwrap().len(), 1);
}

// S-106
#[tokio::test]
async fn a_cache_keeps_its_tokens_when_migrated_to_plain_and_back() {
    let cli = Cli::start(Session::start().await).await;
    let token = cli.token("").await.json();
    let migrated = cli.json("migrate --to plain").await;
    assert_eq!(migrated, json!({"path": cli.file(), "form": "plain", "migrated": true}));
    let document = cache::read_file(&cli.file());
    assert_eq!(cache::secrets(&document, "AccessToken"), [token["access_token"].as_str().unwrap()]);
    let refresh_tokens = cache::secrets(&document, "RefreshToken");
    // The existing plain file is used, and each start warns.
    for _ in 0..2 {
        let ended = cli.token("--silent").await;
        assert_eq!(ended.json()["source"], "cache");
        assert!(
            ended.stderr.contains("not encrypted") && ended.stderr.contains("auth cache migrate"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(cli.json("status").await["form"], "plain");
    assert_eq!(cli.json("migrate --to encrypted").await["migrated"], true);
    assert!(cli.is_encrypted());
    let mut all = secrets(&token);
    all.extend(refresh_tokens.into_iter().map(|token| ("refresh_token".to_owned(), token)));
    cli.assert_nowhere(&all);
    let ended = cli.token("--silent").await;
    assert_eq!((ended.json()["source"].clone(), ended.stderr.contains("not encrypted")), (json!("cache"), false));
    assert_eq!(cli.json("migrate --to encrypted").await["migrated"], false);
    let text = cli.cache("migrate --to encrypted").end().await.expect(0);
    assert_eq!(text.line(), format!("{} is already encrypted", cli.file().display()));
}

// S-104
#[tokio::test]
async fn without_a_keyring_a_plain_cache_is_written_only_on_request() {
    let cli = Cli::start(Session::without_keyring().await).await;
    let ended = cli.token("").await;
    assert_eq!(ended.json()["persisted"], false);
    assert!(ended.stderr.contains("--allow-plaintext-fallback"), "{}", ended.stderr);
    assert!(!cli.file().exists());
    let ended = cli.token("--allow-plaintext-fallback").await;
    assert_eq!(ended.json()["persisted"], true);
    assert!(ended.stderr.contains("not encrypted"), "{}", ended.stderr);
    // From then on it is used, and each start warns.
    let ended = cli.token("--silent").await;
    assert_eq!(ended.json()["source"], "cache");
    assert!(ended.stderr.contains("not encrypted"), "{}", ended.stderr);
    let ended = cli.cache("migrate --to encrypted --output json").end().await.expect(7);
    assert!(ended.json()["error_description"].as_str().unwrap().contains("no keyring is available"));
    assert_eq!(cache::section(&cache::read_file(&cli.file()), "AccessToken").len(), 1, "unchanged");
}

//
#[tokio::test]
async fn sign_in_works_without_the_keyring_and_the_cache_returns_with_it() {
    let mut cli = Cli::start(Session::start().await).await;
    let first = cli.token("").await.json();
    let before = std::fs::read(cli.file()).unwrap();
    cli.session.kill_keyring().await;
    for more in ["", "--allow-plaintext-fallback"] {
        let ended = cli.token(more).await;
        assert_eq!(
            (ended.json()["persisted"].clone(), ended.json()["source"].clone()),
            (json!(false), json!("identity_provider"))
        );
    }
    assert!(cli.json("status").await["problem"].as_str().unwrap().contains("no keyring is available"));
    cli.auth("accounts").end().await.expect(7);
    assert_eq!(std::fs::read(cli.file()).unwrap(), before);
    cli.session.start_keyring(true).await;
    assert_eq!(cli.token("--silent").await.json()["access_token"], first["access_token"]);
}

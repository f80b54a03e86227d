//! The program and its cache file.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use auth_emulator::{Endpoint, Fault};
use auth_tests::cache;
use serde_json::json;

use crate::cli::{ADA, CLIENT, Cli};

const LINE: &str = "token --scope User.Read --output json";

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_default_file_is_private_and_one_per_user_and_client() {
    for (variable, folder) in [(None, ".local/share/auth"), (Some("data"), "data/auth")] {
        let cli = Cli::start().await;
        let run = |line: &str| {
            let run = cli.auth_somewhere(line).args(["--allow-plaintext-fallback"]);
            match variable {
                Some(name) => run.env("XDG_DATA_HOME", cli.home.file(name)),
                None => run,
            }
        };
        assert_eq!(run(LINE).end().await.expect(0).json()["persisted"], true);
        let file = cli.home.file(folder).join(format!("{CLIENT}.json"));
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        assert_eq!(cache::section(&cache::read_file(&file), "AccessToken").len(), 1);
        assert_eq!(run(LINE).end().await.expect(0).json()["source"], "cache");
        let accounts = run("accounts --output json").end().await.expect(0).json();
        assert_eq!(accounts[0]["username"], ADA);
        assert_eq!(run("logout --all --output json").end().await.expect(0).json(), json!({"removed": 1}));
    }
}

#[tokio::test]
async fn without_a_cache_nothing_is_kept() {
    let cli = Cli::start().await;
    for codes in 1..=2 {
        let token = cli.auth_somewhere(LINE).args(["--no-cache"]).end().await.expect(0).json();
        assert_eq!((&token["persisted"], cli.asked()), (&json!(false), (codes, 0)));
    }
    assert_eq!(std::fs::read_dir(cli.home.path()).unwrap().count(), 0);
    let accounts = cli.auth_somewhere("accounts --no-cache --output json").end().await.expect(0);
    assert_eq!(accounts.json(), json!([]));
}

#[tokio::test]
async fn a_file_that_is_not_json_is_moved_aside_and_the_sign_in_continues() {
    for content in ["not JSON", "[]", "{\"AccessToken\":", "null", "\0\0\0"] {
        let cli = Cli::start().await;
        std::fs::write(cli.cache_file(), content).unwrap();
        let ended = cli.auth(LINE).end().await.expect(0);
        assert_eq!(ended.json()["persisted"], true, "{content:?}");
        let aside = cli.home.file("tokens.json.corrupt");
        assert_eq!(std::fs::read_to_string(&aside).ok().as_deref(), Some(content), "{content:?}");
        assert_eq!(cli.auth(LINE).end().await.expect(0).json()["source"], "cache");
    }
}

#[tokio::test]
async fn an_empty_file_is_an_empty_cache() {
    for content in ["", "{}", "\u{feff}{}"] {
        let cli = Cli::start().await;
        std::fs::write(cli.cache_file(), content).unwrap();
        cli.auth(LINE).end().await.expect(0);
        assert!(!cli.home.file("tokens.json.corrupt").exists(), "{content:?}");
        assert_eq!(cli.auth(LINE).end().await.expect(0).json()["source"], "cache");
    }
}

#[tokio::test]
async fn damaged_entries_are_ignored_and_kept() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let odd = json!({"odd": 7, "half": {"secret": null, "home_account_id": 3}, "text": "x"});
    cache::change_file(&cli.cache_file(), |document| {
        for section in ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"] {
            for (key, value) in odd.as_object().unwrap() {
                document[section][key] = value.clone();
            }
        }
    });
    assert_eq!(cli.auth(LINE).end().await.expect(0).json()["source"], "cache");
    cache::change_file(&cli.cache_file(), |document| {
        for entry in document["AccessToken"].as_object_mut().unwrap().values_mut() {
            if entry.is_object() {
                entry["expires_on"] = "1".into();
            }
        }
    });
    assert_eq!(cli.auth(LINE).end().await.expect(0).json()["source"], "identity_provider");
    let document = cache::read_file(&cli.cache_file());
    for section in ["RefreshToken", "IdToken", "Account", "AppMetadata"] {
        for (key, value) in odd.as_object().unwrap() {
            assert_eq!(&document[section][key], value, "{section}");
        }
    }
}

#[tokio::test]
async fn an_unusable_file_does_not_prevent_a_sign_in() {
    for kind in ["a folder", "below a file", "a link", "a pipe"] {
        let cli = Cli::start().await;
        let file = unusable(&cli, kind);
        let run = |line: &str| cli.auth_somewhere(line).args(["--cache-file".as_ref(), file.as_path()]);
        let ended = run(LINE).end().await.expect(0);
        assert_eq!(ended.json()["persisted"], false, "{kind}");
        assert!(ended.stderr.contains("could not be stored"), "{kind}: {}", ended.stderr);
        assert!(ended.stderr.contains(&*file.to_string_lossy()), "{kind}: {}", ended.stderr);
        assert_eq!(std::fs::read(cli.home.file("victim")).unwrap(), b"{}", "{kind}");
        // Commands about the cache fail with exit 7.
        for line in ["accounts --output json", "logout --all --output json"] {
            let ended = run(line).end().await.expect(7);
            assert_eq!(ended.json()["error"], "cache_failed", "{kind}: {line}");
            let ended = run(&line.replace("json", "text")).end().await.expect(7);
            assert!(ended.message().contains(&*file.to_string_lossy()), "{kind}: {ended:?}");
            assert_eq!(ended.stderr.lines().count(), 1, "{kind}: {ended:?}");
        }
    }
}

fn unusable(cli: &Cli, kind: &str) -> std::path::PathBuf {
    let victim = cli.home.file("victim");
    std::fs::write(&victim, "{}").unwrap();
    let file = cli.cache_file();
    match kind {
        "a folder" => std::fs::create_dir(&file).unwrap(),
        "below a file" => return victim.join("tokens.json"),
        "a link" => symlink(&victim, &file).unwrap(),
        _ => {
            let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
            assert!(made.success());
        }
    }
    file
}

#[tokio::test]
async fn a_file_that_others_can_read_is_made_private() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    std::fs::set_permissions(cli.cache_file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = cli.auth(LINE).end().await.expect(0);
    assert_eq!(ended.json()["source"], "cache");
    assert_eq!(mode(&cli.cache_file()), 0o600);
    assert!(ended.stderr.contains("other users"), "{}", ended.stderr);
}

#[tokio::test]
async fn ten_programs_at_once_lose_nothing() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let runs: Vec<_> = (0..10)
        .map(|number| {
            let line = format!("token --scope Files.Read.{number} --interactive --output json");
            tokio::spawn(cli.auth(&line).end())
        })
        .collect();
    let mut tokens = Vec::new();
    for run in runs {
        let token = run.await.unwrap().expect(0).json();
        assert_eq!(token["persisted"], true);
        tokens.push(token["access_token"].as_str().unwrap().to_owned());
    }
    let stored = cache::secrets(&cache::read_file(&cli.cache_file()), "AccessToken");
    assert_eq!(stored.len(), 11);
    assert!(tokens.iter().all(|token| stored.contains(token)));
}

#[tokio::test]
async fn ten_programs_at_once_share_one_refresh() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    cache::expire_file(&cli.cache_file());
    let runs: Vec<_> = (0..10).map(|_| tokio::spawn(cli.auth(&format!("{LINE} --silent")).end())).collect();
    for run in runs {
        assert_eq!(run.await.unwrap().expect(0).json()["persisted"], true);
    }
    assert_eq!(cli.asked(), (1, 1), "the others waited for the one that refreshed");
    let document = cache::read_file(&cli.cache_file());
    for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
        assert_eq!(cache::section(&document, section).len(), 1, "{section}");
    }
    assert_eq!(cli.auth(LINE).end().await.expect(0).json()["source"], "cache");
}

#[tokio::test]
async fn the_program_waits_for_a_refresh_in_the_background() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    cache::change_file(&cli.cache_file(), |document| cache::set_time(document, "refresh_on", cache::now() - 301));
    let before = cache::secrets(&cache::read_file(&cli.cache_file()), "RefreshToken");
    cli.emulator.faults().push(Endpoint::Token, Fault::delay(Duration::from_millis(400)));
    assert_eq!(cli.auth(LINE).end().await.expect(0).json()["source"], "cache");
    assert_eq!(cli.asked(), (1, 1));
    assert_ne!(cache::secrets(&cache::read_file(&cli.cache_file()), "RefreshToken"), before);
}

// the signal that the limit raises would end the program.
#[tokio::test]
async fn a_limit_on_the_size_of_files_does_not_prevent_a_sign_in() {
    let cli = Cli::start().await;
    let run = cli.auth_with_short_files(100, LINE);
    let told = run.end().await.expect(0).json();
    assert_eq!((&told["persisted"], &told["source"]), (&json!(false), &json!("identity_provider")));
    assert!(!cli.cache_file().exists());
    assert_eq!(cli.auth(LINE).end().await.expect(0).json()["persisted"], true);
}

#[tokio::test]
async fn s116_a_name_in_the_file_does_not_control_the_terminal() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let name = "A\u{1b}]0;title\u{7}\u{9b}2J\u{202e}da";
    cache::change_file(&cli.cache_file(), |document| {
        for section in ["Account", "AccessToken"] {
            for entry in document[section].as_object_mut().unwrap().values_mut() {
                entry["username"] = name.into();
            }
        }
    });
    for line in ["token --scope User.Read", "accounts"] {
        let ended = cli.auth(line).env("CLICOLOR_FORCE", "1").end().await.expect(0);
        assert!(ended.stdout.contains("A]0;title2Jda"), "{ended:?}");
    }
    let ended = cli.auth("accounts --output json").env("CLICOLOR_FORCE", "1").end().await.expect(0);
    assert_eq!(ended.json()[0]["username"], name, "programs get all of it");
    assert!(!ended.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{ended:?}");
}

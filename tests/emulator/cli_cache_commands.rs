//! `auth cache`: the path, state and contents of the file, and never a secret.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use auth_tests::cache;
use auth_tests::canary::assert_absent;
use auth_tests::program::Run;
use serde_json::{Value, json};

use crate::cli::{ADA, CLIENT, Cli, GRACE};

/// `auth cache` with these words, for the file of [`Cli::auth`].
fn auth_cache(cli: &Cli, line: &str) -> Run {
    let words = format!("cache {line}");
    cli.home.auth(words.split_whitespace()).args(["--cache-file".into(), cli.cache_file()])
}

async fn json(cli: &Cli, line: &str) -> Value {
    let ended = auth_cache(cli, &format!("{line} --output json")).end().await.expect(0);
    assert_eq!(ended.stdout.lines().count(), 1);
    ended.json()
}

#[tokio::test]
async fn the_path_is_printed_for_a_client_or_a_file() {
    let cli = Cli::start().await;
    let file = cli.cache_file().display().to_string();
    assert_eq!(auth_cache(&cli, "path").end().await.expect(0).stdout, format!("{file}\n"));
    assert_eq!(json(&cli, "path").await, json!({"path": file}));
    let run = cli.home.auth(["cache", "path", "--client-id", CLIENT]).end().await.expect(0);
    let expected = cli.home.file(".local/share/auth").join(format!("{CLIENT}.json"));
    assert_eq!(run.stdout, format!("{}\n", expected.display()));
    assert_eq!(std::fs::read_dir(cli.home.path()).unwrap().count(), 0, "nothing was created");
    let run = cli.home.auth(["cache", "path", "--output", "json"]).end().await.expect(2);
    assert_eq!(run.json()["error"], "invalid_arguments");
}

#[tokio::test]
async fn the_status_describes_the_file_its_folder_and_the_number_of_entries() {
    let cli = Cli::start().await;
    let nothing = json(&cli, "status").await;
    let members: BTreeSet<_> = nothing.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        BTreeSet::from([
            "path",
            "exists",
            "form",
            "size",
            "mode",
            "owner",
            "lock",
            "accounts",
            "entries",
            "problem",
            "set_aside",
            "shared_folder",
            "network_file_system",
        ])
    );
    assert_eq!((&nothing["exists"], &nothing["size"], &nothing["accounts"]), (&json!(false), &Value::Null, &json!(0)));
    assert_eq!(nothing["form"], "empty");

    cli.sign_in(ADA).await;
    cli.sign_in(GRACE).await;
    let status = json(&cli, "status").await;
    let size = std::fs::metadata(cli.cache_file()).unwrap().len();
    assert_eq!((&status["exists"], &status["size"], &status["mode"]), (&json!(true), &json!(size), &json!("0600")));
    assert_eq!(status["owner"], json!(std::fs::metadata(cli.home.path()).unwrap().uid()));
    assert_eq!((&status["accounts"], &status["form"]), (&json!(2), &json!("plain")));
    let entries = json!({"AccessToken": 2, "RefreshToken": 2, "IdToken": 2, "Account": 2, "AppMetadata": 1});
    assert_eq!(status["entries"], entries);
    for quiet in ["lock", "problem"] {
        assert_eq!(status[quiet], Value::Null, "{quiet}");
    }
    for quiet in ["set_aside", "shared_folder", "network_file_system"] {
        assert_eq!(status[quiet], false, "{quiet}");
    }

    std::fs::set_permissions(cli.cache_file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(cli.home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::write(cli.home.file("tokens.json.lockfile"), "1 some\x1bbody").unwrap();
    std::fs::write(cli.home.file("tokens.json.corrupt"), "").unwrap();
    let status = json(&cli, "status").await;
    assert_eq!(status["mode"], "0644", "as it was found");
    assert_eq!(status["lock"], json!({"process": 1, "name": "somebody"}));
    assert_eq!((&status["set_aside"], &status["shared_folder"]), (&json!(true), &json!(true)));
    let text = auth_cache(&cli, "status").end().await.expect(0).stdout;
    for told in
        ["mode 0600", "accounts: 2", "RefreshToken 2", "process 1 (somebody)", "other users can write", ".corrupt"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(std::fs::read_to_string(cli.home.file("tokens.json.lockfile")).unwrap(), "1 some\x1bbody");
}

#[tokio::test]
async fn the_lock_of_another_program_is_reported_without_waiting() {
    let cli = Cli::start().await;
    cli.sign_in(ADA).await;
    let lockfile = cli.home.file("tokens.json.lockfile");
    std::fs::write(&lockfile, "\u{feff}2147483647 dotnet\n").unwrap();
    let held = std::fs::File::open(&lockfile).unwrap();
    held.lock().unwrap();
    assert_eq!(json(&cli, "status").await["lock"], json!({"process": 2_147_483_647, "name": "dotnet"}));
    assert_eq!(json(&cli, "inspect").await.as_array().unwrap().len(), 5);
    drop(held);
    assert_eq!(json(&cli, "status").await["lock"], Value::Null, "its writer is dead");
}

#[tokio::test]
async fn inspect_lists_accounts_scopes_and_expiry_and_no_secret() {
    let cli = Cli::start().await;
    assert_eq!(json(&cli, "inspect").await, json!([]));
    cli.sign_in(ADA).await;
    cache::change_file(&cli.cache_file(), |document| {
        document["AccessToken"]["odd"] =
            json!({"secret": "planted-secret-0123456789abcdef0123456789abcdef", "realm": 7, "expires_on": {}});
        document["AccessToken"]["none"] = Value::Null;
        document["Foreign"] = json!({"secret": "planted-secret-0123456789abcdef0123456789abcdef"});
    });
    let document = cache::read_file(&cli.cache_file());
    let entries = json(&cli, "inspect").await;
    let [access, ..] = entries.as_array().unwrap().as_slice() else { panic!("{entries}") };
    let stored = document["AccessToken"].as_object().unwrap();
    let stored = stored.values().find(|entry| entry["target"].is_string()).unwrap();
    let members: BTreeSet<_> = access.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        BTreeSet::from([
            "section",
            "home_account_id",
            "local_account_id",
            "username",
            "environment",
            "realm",
            "client_id",
            "family_id",
            "token_type",
            "scopes",
            "cached_at",
            "expires_on",
            "refresh_on",
            "last_modification_time",
        ])
    );
    for same in ["home_account_id", "environment", "realm", "client_id"] {
        assert_eq!(access[same], stored[same], "{same}");
    }
    assert_eq!(access["expires_on"].to_string(), stored["expires_on"].as_str().unwrap());
    assert!(access["scopes"].as_array().unwrap().contains(&json!("User.Read")));
    let count = |section: &str| entries.as_array().unwrap().iter().filter(|entry| entry["section"] == section).count();
    assert_eq!(["AccessToken", "RefreshToken", "IdToken", "Account", "Foreign"].map(count), [3, 1, 1, 1, 0]);
    let account = entries.as_array().unwrap().iter().find(|entry| entry["section"] == "Account").unwrap();
    assert_eq!(account["username"], ADA);

    let text = auth_cache(&cli, "inspect").env("AUTH_LOG", "trace").end().await.expect(0);
    assert!(text.stdout.contains(ADA) && text.stdout.contains("User.Read") && text.stdout.contains("valid for"));
    let mut secrets = vec![("planted".to_owned(), "planted-secret-0123456789abcdef0123456789abcdef".to_owned())];
    for section in ["RefreshToken", "IdToken"] {
        secrets.extend(cache::secrets(&document, section).into_iter().map(|secret| (section.to_owned(), secret)));
    }
    secrets.push(("AccessToken".to_owned(), stored["secret"].as_str().unwrap().to_owned()));
    for told in [&text.stdout, &text.stderr, &entries.to_string()] {
        assert_absent("the output of inspect", told, &secrets);
    }
}

#[tokio::test]
async fn a_cache_that_cannot_be_read_is_reported() {
    for content in ["nonsense", "[]"] {
        let cli = Cli::start().await;
        std::fs::write(cli.cache_file(), content).unwrap();
        let status = json(&cli, "status").await;
        assert!(status["problem"].as_str().unwrap().contains("not a JSON object"), "{status}");
        assert_eq!(
            (&status["accounts"], &status["entries"], &status["size"]),
            (&Value::Null, &Value::Null, &json!(content.len()))
        );
        let ended = auth_cache(&cli, "inspect --output json").end().await.expect(7);
        assert_eq!(ended.json()["error"], "cache_failed");
        assert_eq!(std::fs::read_to_string(cli.cache_file()).unwrap(), content, "looking changes nothing");
    }
    let cli = Cli::start().await;
    std::fs::create_dir(cli.cache_file()).unwrap();
    for line in ["status", "inspect"] {
        let ended = auth_cache(&cli, line).end().await.expect(7);
        assert!(ended.message().contains("not a regular file"), "{ended:?}");
    }
}

// S-93: the default folder is accessible only to the user, or nothing is kept there.
#[tokio::test]
async fn a_default_folder_that_others_can_write_is_not_used() {
    let cli = Cli::start().await;
    let folder = cli.home.file(".local/share/auth");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o770)).unwrap();
    let line = "token --scope User.Read --output json";
    let ended = cli.auth_somewhere(line).args(["--allow-plaintext-fallback"]).end().await.expect(0);
    assert_eq!(ended.json()["persisted"], false);
    assert!(ended.stderr.contains("folder is not private"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    // A file that the user names is used, with a warning.
    let named = folder.join("tokens.json");
    let ended = cli.auth_somewhere(line).args(["--cache-file".into(), named.clone()]).end().await.expect(0);
    assert_eq!(ended.json()["persisted"], true);
    assert!(ended.stderr.contains("other users can write"), "{}", ended.stderr);
    assert!(named.exists());
}

//! S-106: migrations in both directions, killed at every relevant system call.

use std::fs;
use std::path::Path;

use auth::{EncryptedFileStorage, EncryptionKey, FileStorage, Observer, Storage as _};
use auth_tests::plan::{Need, report};
use auth_tests::program::Home;

const VAULT: &str = env!("CARGO_BIN_EXE_vault");
const PLAIN: &[u8] = br#"{"AccessToken": {"k": {"secret": "a token"}}}"#;
/// System calls that change something, or lie between two that do.
const CALLS: [&str; 6] = ["openat", "write", "fsync", "rename,renameat,renameat2", "unlink,unlinkat", "fchmod"];

/// Opens the store as `vault` does.
fn storage(folder: &Path) -> EncryptedFileStorage {
    let key = EncryptionKey::from_slice(&[7; 32]).unwrap();
    EncryptedFileStorage::new(FileStorage::at(folder.join("cache")).unwrap(), "known", key).allow_plaintext_fallback()
}

/// Returns the document that the next start finds, and the names of the files that are then in the folder.
async fn found(folder: &Path) -> (Vec<u8>, Vec<String>) {
    let stored = storage(folder).read(&Observer::default()).await.unwrap();
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    (stored.content.to_vec(), names.filter(|name| !name.ends_with(".lockfile")).collect())
}

#[tokio::test]
async fn a_kill_at_any_system_call_of_a_migration_loses_nothing() {
    if !Need::Strace.is_met("S-106") {
        return;
    }
    let (mut points, mut done, mut leftovers) = (0, 0, 0);
    for word in ["encrypt", "decrypt"] {
        for call in CALLS {
            for number in 1.. {
                let home = Home::default();
                let folder = home.file("cache");
                fs::create_dir(&folder).unwrap();
                fs::write(folder.join("cache"), PLAIN).unwrap();
                if word == "decrypt" {
                    home.run(VAULT).args(["encrypt".as_ref(), folder.as_os_str()]).end().await.expect(0);
                }
                let before = fs::read(folder.join("cache")).unwrap();
                let inject = format!("inject={call}:signal=SIGKILL:when={number}");
                let run =
                    home.run("strace").args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
                let run = run.args([inject.as_str(), VAULT, word]).args([&folder]);
                let survived = run.end().await.code == Some(0);
                let context = format!("{word}, {call} {number}");
                let temp = folder.join(".cache.migration.tmp");
                leftovers += usize::from(temp.exists());
                done += usize::from(fs::read(folder.join("cache")).unwrap() != before);
                assert_eq!(found(&folder).await, (PLAIN.to_vec(), vec!["cache".to_owned()]), "S-106: {context}");
                if survived {
                    break;
                }
                points += 1;
            }
        }
    }
    assert!(points > 20 && done > 0 && leftovers > 0, "S-106: {points} points, {done} done, {leftovers} leftovers");
    report(
        "S-106",
        &format!(
            "a migration killed at {points} system calls: the old or the new file each time, nothing lost, {leftovers} leftovers \
             removed by the next start"
        ),
    );
}

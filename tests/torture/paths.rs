//! R-10…R-12: paths that are not cache files, files of other users, and folders that disappear.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use auth::{CacheEvent, StorageError};
use auth_tests::actor::{Actor, words};
use auth_tests::numbered::Writer;
use auth_tests::plan::{Need, report};
use auth_tests::program::Home;

use crate::scene::{Scene, cache, stored};

/// Longer than a refusal takes.
const AT_ONCE: Duration = Duration::from_millis(100);
/// Another user.
const STRANGER: u32 = 65_534;

/// Asserts that a path is refused, and that the token is found in this process all the same.
async fn is_refused(path: &Path, context: &str) -> StorageError {
    let (cache, events) = cache(path);
    let writer = Writer::new("w");
    // The fastest of several, because the machine may be busy.
    let mut fastest = Duration::MAX;
    let mut refusal = None;
    for number in 0..5 {
        let begun = Instant::now();
        refusal = Some(cache.store(writer.update(number)).await.expect_err(context));
        fastest = fastest.min(begun.elapsed());
        let account = writer.account(number);
        let now = auth::Timestamp::from_unix_seconds(auth_tests::cache::now());
        let found = cache.lookup(&writer.query(&account), now).await.unwrap();
        assert!(matches!(found, auth_cache::Lookup::Usable(_)), "{context}: {found:?}");
    }
    assert!(fastest < AT_ONCE, "{context}: {fastest:?}");
    let deferred = events.lock().unwrap().iter().filter(|event| matches!(event, CacheEvent::Deferred { .. })).count();
    assert_eq!(deferred, 1, "{context}: reported once");
    refusal.unwrap()
}

fn make_fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success(), "mkfifo {}", path.display());
}

#[tokio::test]
async fn anything_but_a_regular_file_is_refused_at_once_and_not_touched() {
    let secret = b"the victim's";
    type Make = fn(&Path, &Path);
    let kinds: [(&str, Make); 6] = [
        ("a folder", |path, _| fs::create_dir(path).unwrap()),
        ("a pipe", |path, _| make_fifo(path)),
        ("a socket", |path, _| drop(UnixListener::bind(path).unwrap())),
        ("a link to nothing", |path, _| symlink("nowhere", path).unwrap()),
        ("a link to a file", |path, victim| symlink(victim, path).unwrap()),
        ("a hard link to a file", |path, victim| fs::hard_link(victim, path).unwrap()),
    ];
    for (kind, make) in kinds {
        for name in ["cache.json", "cache.json.lockfile"] {
            let context = format!("R-10, {name} is {kind}");
            let scene = Scene::new();
            let victim = scene.folder().join("victim");
            fs::write(&victim, secret).unwrap();
            make(&scene.folder().join(name), &victim);
            is_refused(&scene.file, &context).await;
            assert_eq!(fs::read(&victim).unwrap(), secret, "{context}");
            assert!(!scene.folder().join("nowhere").exists(), "{context}");
        }
    }
    // Next to a device, no file of ours can be created.
    let (cache, _) = cache(Path::new("/dev/null"));
    let writer = Writer::new("w");
    let account = writer.account(0);
    let now = auth::Timestamp::from_unix_seconds(auth_tests::cache::now());
    cache.lookup(&writer.query(&account), now).await.expect_err("R-10: a device is not a cache");
    report("R-10", "folder, pipe, socket, device, links: refused at once, the token usable, no other file touched");
}

#[tokio::test]
async fn a_file_of_another_user_is_refused() {
    if !Need::Root.is_met("R-11") {
        return;
    }
    let scene = Scene::new();
    let content = b"{}";
    for (mode, name) in [(0o666, "cache.json"), (0o600, "cache.json")] {
        fs::write(scene.folder().join(name), content).unwrap();
        fs::set_permissions(&scene.file, Permissions::from_mode(mode)).unwrap();
        chown(&scene.file, Some(STRANGER), Some(STRANGER)).unwrap();
        let context = format!("R-11, another user's file {mode:o}");
        is_refused(&scene.file, &context).await;
        assert_eq!(fs::read(&scene.file).unwrap(), content, "{context}");
    }
    chown(&scene.file, Some(0), Some(0)).unwrap();
    fs::set_permissions(&scene.file, Permissions::from_mode(0o666)).unwrap();
    let (cache, events) = cache(&scene.file);
    cache.store(Writer::new("w").update(0)).await.unwrap();
    let place = scene.file.display().to_string();
    assert!(events.lock().unwrap().contains(&CacheEvent::PermissionsRepaired { place }), "R-11: {events:?}");
    assert_eq!(fs::metadata(&scene.file).unwrap().permissions().mode() & 0o777, 0o600, "R-11");
    report("R-11", "our own file that others may write is repaired, another user's is refused");
}

#[tokio::test]
async fn a_deleted_folder_is_created_again() {
    let scene = Scene::new();
    let folder = scene.folder().join("a/b");
    let file = folder.join("cache.json");
    let mut actor = Actor::at(&file).await;
    actor.must("store 0", "ack 0").await;
    fs::remove_dir_all(scene.folder().join("a")).unwrap();
    actor.must("look 0", "nothing").await;
    actor.must("store 0", "ack 0").await;
    assert_eq!(stored(&file, "w", "R-12"), 1);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "R-12");
    // Also if the folder of a held lock is deleted.
    actor.must("hold", "held").await;
    fs::remove_dir_all(scene.folder().join("a")).unwrap();
    actor.must("release", "released").await;
    actor.must("store 0", "ack 0").await;
    assert_eq!(stored(&file, "w", "R-12"), 1);
    report("R-12", "a folder deleted under a running program is created again");
}

#[tokio::test]
async fn a_deleted_current_folder_is_an_error_and_not_a_panic() {
    let scene = Scene::new();
    let gone = scene.folder().join("gone");
    let start = |file: &Path| {
        fs::create_dir(&gone).unwrap();
        let line = r#"cd "$0" && rmdir "$0" && exec "$@""#;
        let before = ["sh".as_ref(), "-c".as_ref(), line.as_ref(), gone.as_os_str()];
        Actor::start(before.into_iter().chain(words(file, "w")))
    };
    let mut relative = start(Path::new("cache.json"));
    let answer = relative.hear().await.unwrap();
    assert!(answer.starts_with("error: the token cache cache.json could not be opened: "), "R-12: {answer}");
    assert!(relative.end().await.0.success(), "R-12");
    let mut absolute = start(&scene.file);
    assert_eq!(absolute.hear().await.unwrap(), "ready", "R-12: an absolute path needs no current folder");
    absolute.must("store 0", "ack 0").await;
}

#[tokio::test]
async fn a_program_without_a_home_does_not_panic() {
    let home = Home::default();
    for (state, run) in [
        ("unset", home.auth(["accounts"]).without("HOME")),
        ("a file", home.auth(["accounts"]).env("HOME", home.file("file"))),
    ] {
        File::create(home.file("file")).unwrap();
        let run = run.args(["--client-id", "c0ffee00-0000-4000-8000-000000000001"]);
        let ended = run.args(["--authority", "https://login.microsoftonline.com/common"]).end().await;
        let code = ended.code.unwrap_or_else(|| panic!("R-12, $HOME is {state}: {ended:?}"));
        assert!(!ended.stderr.contains("panicked") && code != 101, "R-12, $HOME is {state}: {ended:?}");
    }
    report("R-12", "no current folder, no $HOME: an error or another folder, never a panic");
}

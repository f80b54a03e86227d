//! R-10…R-12: paths that are no cache file, files of others, and folders that go away.

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
/// Somebody else.
const STRANGER: u32 = 65_534;

/// Stores at a path that must be refused, and finds the token in this process all the same.
async fn is_refused(path: &Path, told: &str) -> StorageError {
    let (cache, events) = cache(path);
    let writer = Writer::new("w");
    // The fastest of some, as the machine may be busy.
    let mut fastest = Duration::MAX;
    let mut refusal = None;
    for number in 0..5 {
        let begun = Instant::now();
        refusal = Some(cache.store(writer.update(number)).await.expect_err(told));
        fastest = fastest.min(begun.elapsed());
        let account = writer.account(number);
        let now = auth::Timestamp::from_unix_seconds(auth_tests::cache::now());
        let found = cache.lookup(&writer.query(&account), now).await.unwrap();
        assert!(matches!(found, auth_cache::Lookup::Usable(_)), "{told}: {found:?}");
    }
    assert!(fastest < AT_ONCE, "{told}: {fastest:?}");
    let deferred = events.lock().unwrap().iter().filter(|event| matches!(event, CacheEvent::Deferred { .. })).count();
    assert_eq!(deferred, 1, "{told}: told once");
    refusal.unwrap()
}

fn make_fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success(), "mkfifo {}", path.display());
}

#[tokio::test]
async fn what_is_no_file_of_its_own_is_refused_at_once_and_not_touched() {
    let secret = b"the victim's";
    type Make = fn(&Path, &Path);
    let kinds: [(&str, Make); 6] = [
        ("a folder", |path, _| fs::create_dir(path).unwrap()),
        ("a pipe", |path, _| make_fifo(path)),
        ("a socket", |path, _| drop(UnixListener::bind(path).unwrap())),
        ("a link to nothing", |path, _| symlink("nowhere", path).unwrap()),
        ("a link to a file", |path, victim| symlink(victim, path).unwrap()),
        ("a second name of a file", |path, victim| fs::hard_link(victim, path).unwrap()),
    ];
    for (kind, make) in kinds {
        for name in ["cache.json", "cache.json.lockfile"] {
            let told = format!("R-10, {name} is {kind}");
            let scene = Scene::new();
            let victim = scene.folder().join("victim");
            fs::write(&victim, secret).unwrap();
            make(&scene.folder().join(name), &victim);
            is_refused(&scene.file, &told).await;
            assert_eq!(fs::read(&victim).unwrap(), secret, "{told}");
            assert!(!scene.folder().join("nowhere").exists(), "{told}");
        }
    }
    // There is no file of ours to make beside a device.
    let (cache, _) = cache(Path::new("/dev/null"));
    let writer = Writer::new("w");
    let account = writer.account(0);
    let now = auth::Timestamp::from_unix_seconds(auth_tests::cache::now());
    cache.lookup(&writer.query(&account), now).await.expect_err("R-10: a device is no cache");
    report(
        "R-10",
        "folder, pipe, socket, device, links, a second name: refused at once, the token served, no other file touched",
    );
}

#[tokio::test]
async fn a_file_of_somebody_else_is_refused() {
    if !Need::Root.is_met("R-11") {
        return;
    }
    let scene = Scene::new();
    let content = b"{}";
    for (mode, name) in [(0o666, "cache.json"), (0o600, "cache.json")] {
        fs::write(scene.folder().join(name), content).unwrap();
        fs::set_permissions(&scene.file, Permissions::from_mode(mode)).unwrap();
        chown(&scene.file, Some(STRANGER), Some(STRANGER)).unwrap();
        let told = format!("R-11, a stranger's file {mode:o}");
        is_refused(&scene.file, &told).await;
        assert_eq!(fs::read(&scene.file).unwrap(), content, "{told}");
    }
    chown(&scene.file, Some(0), Some(0)).unwrap();
    fs::set_permissions(&scene.file, Permissions::from_mode(0o666)).unwrap();
    let (cache, events) = cache(&scene.file);
    cache.store(Writer::new("w").update(0)).await.unwrap();
    let place = scene.file.display().to_string();
    assert!(events.lock().unwrap().contains(&CacheEvent::PermissionsRepaired { place }), "R-11: {events:?}");
    assert_eq!(fs::metadata(&scene.file).unwrap().permissions().mode() & 0o777, 0o600, "R-11");
    report("R-11", "a file of our own that others may write is repaired, one of another user is refused");
}

#[tokio::test]
async fn a_folder_that_goes_away_is_made_anew() {
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
    // A lock, too, whose folder went away.
    actor.must("hold", "held").await;
    fs::remove_dir_all(scene.folder().join("a")).unwrap();
    actor.must("release", "released").await;
    actor.must("store 0", "ack 0").await;
    assert_eq!(stored(&file, "w", "R-12"), 1);
    report("R-12", "a folder deleted under a running program is made anew");
}

#[tokio::test]
async fn a_current_folder_that_is_gone_is_an_error_and_no_panic() {
    let scene = Scene::new();
    let gone = scene.folder().join("gone");
    let start = |file: &Path| {
        fs::create_dir(&gone).unwrap();
        let line = r#"cd "$0" && rmdir "$0" && exec "$@""#;
        let before = ["sh".as_ref(), "-c".as_ref(), line.as_ref(), gone.as_os_str()];
        Actor::start(before.into_iter().chain(words(file, "w")))
    };
    let mut relative = start(Path::new("cache.json"));
    let said = relative.hear().await.unwrap();
    assert!(said.starts_with("error: the token cache cache.json could not be opened: "), "R-12: {said}");
    assert!(relative.end().await.0.success(), "R-12");
    let mut absolute = start(&scene.file);
    assert_eq!(absolute.hear().await.unwrap(), "ready", "R-12: an absolute path needs no current folder");
    absolute.must("store 0", "ack 0").await;
}

#[tokio::test]
async fn a_program_without_a_home_says_so() {
    let home = Home::default();
    for (told, run) in [
        ("unset", home.auth(["accounts"]).without("HOME")),
        ("a file", home.auth(["accounts"]).env("HOME", home.file("file"))),
    ] {
        File::create(home.file("file")).unwrap();
        let run = run.args(["--client-id", "c0ffee00-0000-4000-8000-000000000001"]);
        let ended = run.args(["--authority", "https://login.microsoftonline.com/common"]).end().await;
        let code = ended.code.unwrap_or_else(|| panic!("R-12, $HOME is {told}: {ended:?}"));
        assert!(!ended.stderr.contains("panicked") && code != 101, "R-12, $HOME is {told}: {ended:?}");
    }
    report("R-12", "no current folder, no $HOME: an error or another folder, never a panic");
}

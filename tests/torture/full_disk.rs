//! disks that are full or read-only, and what callers see of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;

use auth_emulator::GrantType;
use auth_tests::actor::{Actor, words};
use auth_tests::plan::{Need, report};
use rustix::process::Signal;
use serde_json::Value;

use crate::namespace::Namespace;
use crate::rotation::SignedIn;
use crate::scene::{Scene, stored};

/// An unprivileged user.
const NOBODY: u32 = 65_534;

/// Fills a disk until only `room` bytes are free.
fn fill(namespace: &Namespace, room: usize) {
    let filler = namespace.outside("filler");
    drop(fs::remove_file(&filler));
    // As much as fits; the last page may be partial.
    drop(fs::write(&filler, vec![0; 64 * 1024]));
    let size = fs::metadata(&filler).unwrap().len();
    let file = fs::File::options().write(true).open(&filler).unwrap();
    file.set_len(size.saturating_sub(room as u64)).unwrap();
}

#[tokio::test]
async fn a_full_disk_keeps_the_old_file_and_takes_the_new_one_later() {
    if !Need::Namespaces.is_met("R-04") {
        return;
    }
    for kind in ["", "encrypted:"] {
        fill_and_empty(kind).await;
    }
    report(
        "R-04",
        "a tmpfs of 64 KiB, full 3 times, plain and encrypted: the old file unchanged, the token usable, stored by the next \
         flush",
    );
}

async fn fill_and_empty(kind: &str) {
    let namespace = Namespace::with_tmpfs("64k").await;
    let mut actor = namespace.actor_at(kind, "cache.json", "w", &[]).await;
    for number in 0..8 {
        actor.must(&format!("store {number}"), &format!("ack {number}")).await;
    }
    let file = namespace.outside("cache.json");
    let before = fs::read(&file).unwrap();
    actor.ask("events").await;
    // No room at all, room for one page of the new file, and for most of it.
    for (number, room) in (8..).zip([0, 4 * 1024, 16 * 1024]) {
        let context = format!("R-04, {kind}{room} bytes left");
        assert!(before.len() > 16 * 1024, "the new file is larger: {}", before.len());
        let before = fs::read(&file).unwrap();
        fill(&namespace, room);
        let answer = actor.ask(&format!("store {number}")).await;
        assert!(answer.starts_with(&format!("deferred {number}: ")), "{context}: {answer}");
        assert_eq!(fs::read(&file).unwrap(), before, "{context}: the old file is unchanged");
        let names = fs::read_dir(namespace.outside("")).unwrap().map(|entry| entry.unwrap().file_name());
        let strays: Vec<_> = names.filter(|name| name.to_string_lossy().ends_with(".tmp")).collect();
        assert!(strays.is_empty(), "{context}: {strays:?}");
        actor.must(&format!("look {number}"), "found").await;
        actor.must("events", "Deferred Changed").await;
        fs::remove_file(namespace.outside("filler")).unwrap();
        actor.must("flush", "ok").await;
        assert_eq!(stored(&file, "w", &context), number + 1, "{context}: after the flush");
        actor.ask("events").await;
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_returned_and_stored_later() {
    if !Need::Namespaces.is_met("R-04") {
        return;
    }
    let signed_in = SignedIn::start().await;
    signed_in.expire();
    let namespace = Namespace::with_tmpfs("64k").await;
    fs::copy(signed_in.file(), namespace.outside("cache.json")).unwrap();
    fill(&namespace, 0);
    let authority = signed_in.emulator.authority();
    let mut actor = namespace.actor("cache.json", "w", &[&authority]).await;
    let answer: Value = serde_json::from_str(&actor.ask("silent").await).unwrap();
    assert_eq!((&answer["source"], &answer["persisted"]), (&"IdentityProvider".into(), &false.into()), "{answer}");
    let again: Value = serde_json::from_str(&actor.ask("silent").await).unwrap();
    assert_eq!((&again["source"], &again["token"]), (&"Cache".into(), &answer["token"]), "{again}");
    fs::remove_file(namespace.outside("filler")).unwrap();
    actor.must("flush", "ok").await;
    let mut next = namespace.actor("cache.json", "w", &[&authority]).await;
    let found: Value = serde_json::from_str(&next.ask("silent").await).unwrap();
    assert_eq!((&found["source"], &found["token"]), (&"Cache".into(), &answer["token"]), "{found}");
    assert_eq!(signed_in.emulator.ledger().token_requests(GrantType::RefreshToken), 1, "requested once");
}

// an error if SIGXFSZ is ignored; otherwise the process ends, and nothing else is lost.
#[tokio::test]
async fn exceeding_the_limit_on_file_sizes_leaves_the_old_file() {
    let scene = Scene::new();
    let mut first = Actor::at(&scene.file).await;
    for number in 0..4 {
        first.must(&format!("store {number}"), &format!("ack {number}")).await;
    }
    let before = fs::read(&scene.file).unwrap();
    let limit = format!("--fsize={}", before.len() / 2);

    let ignoring = ["env", "--ignore-signal=XFSZ", "prlimit", &limit].map(AsRef::as_ref);
    let mut limited = Actor::ready(ignoring.into_iter().chain(words(&scene.file, "w"))).await;
    let answer = limited.ask("store 4").await;
    assert!(answer.starts_with("deferred 4: "), "R-05: {answer}");
    limited.must("look 4", "found").await;
    assert_eq!(scene.leftovers().len(), 0, "R-05");
    assert_eq!(fs::read(&scene.file).unwrap(), before, "R-05: the old file is unchanged");

    let dying = ["prlimit", &limit].map(AsRef::as_ref);
    let mut limited = Actor::ready(dying.into_iter().chain(words(&scene.file, "w"))).await;
    limited.tell("store 4").await;
    let (status, heard) = limited.end().await;
    assert_eq!((status.signal(), heard.len()), (Some(Signal::XFSZ.as_raw()), 0), "R-05: the signal ends the process");
    assert_eq!(fs::read(&scene.file).unwrap(), before, "R-05: the old file is unchanged");
    scene.store_next(4, "R-05").await;
    report("R-05", "RLIMIT_FSIZE: an error if SIGXFSZ is ignored, otherwise the process ends; the old file unchanged");
}

/// Asserts that failing stores are reported once and usable in this process, and that `flush` returns the error.
async fn works_in_memory(actor: &mut Actor, first: u64, context: &str) {
    for number in first..first + 8 {
        let answer = actor.ask(&format!("store {number}")).await;
        assert!(answer.starts_with(&format!("deferred {number}: ")), "{context}: {answer}");
        assert_eq!(actor.ask(&format!("look {number}")).await, "found", "{context}");
    }
    let events = actor.ask("events").await;
    assert_eq!(events.matches("Deferred").count(), 1, "{context}: {events}");
    let answer = actor.ask("flush").await;
    assert!(answer.starts_with("error: "), "{context}: {answer}");
}

#[tokio::test]
async fn a_read_only_disk_is_reported_once() {
    if !Need::Namespaces.is_met("R-07") {
        return;
    }
    let mut namespace = Namespace::with_tmpfs("256k").await;
    let mut actor = namespace.actor("cache.json", "w", &[]).await;
    actor.must("store 0", "ack 0").await;
    actor.ask("events").await;
    namespace.run("mount -o remount,ro $M").await;
    works_in_memory(&mut actor, 1, "R-07, read-only").await;
    assert_eq!(stored(&namespace.outside("cache.json"), "w", "R-07"), 1);
    let mut reader = namespace.actor("cache.json", "w", &[]).await;
    reader.must("look 0", "found").await;
    namespace.run("mount -o remount,rw $M").await;
    actor.must("flush", "ok").await;
    assert_eq!(stored(&namespace.outside("cache.json"), "w", "R-07"), 9);
    report("R-07", "a read-only disk: read, reported once, everything stored when it is writable again");
}

#[tokio::test]
async fn a_folder_without_permission_is_reported_once() {
    if !Need::Root.is_met("R-07") {
        return;
    }
    let scene = Scene::new();
    let folder = scene.folder().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(scene.folder(), Permissions::from_mode(0o755)).unwrap();
    chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    let file = folder.join("cache.json");
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(AsRef::as_ref);
    let mut actor = Actor::ready(nobody.into_iter().chain(words(&file, "w"))).await;
    actor.must("store 0", "ack 0").await;
    actor.ask("events").await;
    fs::set_permissions(&folder, Permissions::from_mode(0o500)).unwrap();
    works_in_memory(&mut actor, 1, "R-07, without permission").await;
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    actor.must("flush", "ok").await;
    assert_eq!(stored(&file, "w", "R-07"), 9);
    report("R-07", "a folder without permission: reported once, everything stored when there is permission again");
}

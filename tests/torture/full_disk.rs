//! disks that are full or cannot be written, and what the caller has of it.

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

/// Who owns nothing.
const NOBODY: u32 = 65_534;

/// Fills a disk until there is no room but for `room` bytes, and takes the rest.
fn fill(namespace: &Namespace, room: usize) {
    let filler = namespace.outside("filler");
    drop(fs::remove_file(&filler));
    // As much as there is; the last page may fit only in part.
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
        "a tmpfs of 64 KiB, full 3 times, plain and encrypted: the old file as it was, the token served, stored by the next \
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
    // No room for anything, room for a page of the new file, for most of it.
    for (number, room) in (8..).zip([0, 4 * 1024, 16 * 1024]) {
        let told = format!("R-04, {kind}{room} bytes left");
        assert!(before.len() > 16 * 1024, "the new file is larger: {}", before.len());
        let before = fs::read(&file).unwrap();
        fill(&namespace, room);
        let answer = actor.ask(&format!("store {number}")).await;
        assert!(answer.starts_with(&format!("deferred {number}: ")), "{told}: {answer}");
        assert_eq!(fs::read(&file).unwrap(), before, "{told}: the old file is as it was");
        let names = fs::read_dir(namespace.outside("")).unwrap().map(|entry| entry.unwrap().file_name());
        let strays: Vec<_> = names.filter(|name| name.to_string_lossy().ends_with(".tmp")).collect();
        assert!(strays.is_empty(), "{told}: {strays:?}");
        actor.must(&format!("look {number}"), "found").await;
        actor.must("events", "Deferred Changed").await;
        fs::remove_file(namespace.outside("filler")).unwrap();
        actor.must("flush", "ok").await;
        assert_eq!(stored(&file, "w", &told), number + 1, "{told}: after the flush");
        actor.ask("events").await;
    }
}

// The caller gets the token that cannot be stored, and is told; the next process finds it once it could be.
#[tokio::test]
async fn a_full_disk_costs_no_caller_a_token() {
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
    assert_eq!(signed_in.emulator.ledger().token_requests(GrantType::RefreshToken), 1, "nobody had to ask again");
}

// whoever limits the size of files gets an error if SIGXFSZ is ignored, and loses no more than the process if not.
#[tokio::test]
async fn a_limit_for_the_size_of_files_is_an_error_like_others() {
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
    assert_eq!(fs::read(&scene.file).unwrap(), before, "R-05: the old file is as it was");

    let dying = ["prlimit", &limit].map(AsRef::as_ref);
    let mut limited = Actor::ready(dying.into_iter().chain(words(&scene.file, "w"))).await;
    limited.tell("store 4").await;
    let (status, heard) = limited.end().await;
    assert_eq!((status.signal(), heard.len()), (Some(Signal::XFSZ.as_raw()), 0), "R-05: nobody ignored the signal");
    assert_eq!(fs::read(&scene.file).unwrap(), before, "R-05: the old file is as it was");
    scene.go_on(4, "R-05").await;
    report(
        "R-05",
        "RLIMIT_FSIZE: an error where SIGXFSZ is ignored, else the end of the process; the old file as it was",
    );
}

/// Stores that cannot be stored: told once, found in this process, and no load on the disk; `flush` tells why.
async fn works_in_memory(actor: &mut Actor, first: u64, told: &str) {
    for number in first..first + 8 {
        let answer = actor.ask(&format!("store {number}")).await;
        assert!(answer.starts_with(&format!("deferred {number}: ")), "{told}: {answer}");
        assert_eq!(actor.ask(&format!("look {number}")).await, "found", "{told}");
    }
    let events = actor.ask("events").await;
    assert_eq!(events.matches("Deferred").count(), 1, "{told}: {events}");
    let answer = actor.ask("flush").await;
    assert!(answer.starts_with("error: "), "{told}: {answer}");
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_told_once() {
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
    report("R-07", "a read-only disk: read, told once, all stored when it can be written again");
}

#[tokio::test]
async fn a_folder_without_permission_is_told_once() {
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
    report("R-07", "a folder without permission: told once, all stored when there is permission again");
}

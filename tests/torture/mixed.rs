//! the extension libraries of MSAL Python and MSAL Node write the same file, each with its own way of locking.
//! And R-15 with the real Node library.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use auth_tests::actor::Actor;
use auth_tests::numbered::{USERS, Writer, document};
use auth_tests::peer::{installed, script};
use auth_tests::plan::{count, report};
use auth_tests::program::PATIENCE;
use serde_json::Value;

use crate::scene::{Scene, stored};

/// The library that a writer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Ours,
    Python,
    Node,
}

impl Library {
    async fn start(self, file: &Path, writer: &str) -> Actor {
        let (program, script) = match self {
            Self::Ours => return Actor::named(file, writer).await,
            Self::Python => (installed("AUTH_TEST_PYTHON"), script("extensions.py")),
            Self::Node => ("node".to_owned(), script("extensions.mjs")),
        };
        let words: [OsString; 4] = [program.into(), script.into(), file.into(), writer.into()];
        Actor::ready(words).await
    }
}

/// A writer and its results.
struct Tally {
    library: Library,
    name: String,
    actor: Actor,
    attempted: u64,
    /// The numbers it acknowledged.
    acknowledged: Vec<u64>,
    longest: Duration,
}

/// Lets all writers store one number after another until the time is up.
async fn store_for(file: &Path, writers: &[(Library, &str)], time: Duration) -> Vec<Tally> {
    let end = Instant::now() + time;
    let mut tasks = Vec::new();
    for &(library, name) in writers {
        let actor = library.start(file, name).await;
        let mut tally = Tally {
            library,
            name: name.to_owned(),
            actor,
            attempted: 0,
            acknowledged: Vec::new(),
            longest: Duration::ZERO,
        };
        tasks.push(tokio::spawn(async move {
            while Instant::now() < end {
                let (number, begun) = (tally.attempted, Instant::now());
                let answer = tally.actor.ask(&format!("store {number}")).await;
                tally.longest = tally.longest.max(begun.elapsed());
                tally.attempted += 1;
                if answer == format!("ack {number}") {
                    tally.acknowledged.push(number);
                }
            }
            tally
        }));
    }
    let mut tallies = Vec::new();
    for task in tasks {
        tallies.push(task.await.unwrap());
    }
    tallies
}

/// Returns the document, once it is complete: another library may be writing in place.
fn whole(file: &Path, context: &str) -> Value {
    let begun = Instant::now();
    loop {
        match fs::read(file).map_err(|error| error.to_string()).and_then(|content| document(&content)) {
            Ok(document) => return document,
            Err(error) => {
                assert!(begun.elapsed() < PATIENCE, "{context}: incomplete, although no one is writing: {error}")
            }
        }
    }
}

// The control: without other libraries nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_writers_lose_nothing() {
    let scene = Scene::new();
    let writers = ["a", "b", "c", "d"].map(|name| (Library::Ours, name));
    let tallies = store_for(&scene.file, &writers, Duration::from_secs(count(3, 30))).await;
    let mut stores = 0;
    for tally in &tallies {
        assert_eq!(
            tally.acknowledged.len() as u64,
            tally.attempted,
            "R-17: each store of {} is acknowledged",
            tally.name
        );
        assert_eq!(
            stored(&scene.file, &tally.name, "R-17"),
            tally.attempted,
            "R-17: each store of {} is there",
            tally.name
        );
        stores += tally.attempted;
    }
    let longest = tallies.iter().map(|tally| tally.longest.as_millis()).max().unwrap();
    report("R-17", &format!("4 of our writers alone: {stores} stores, 0 lost, the longest took {longest} ms"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_other_libraries_the_file_stays_intact_and_our_next_store_restores_our_tokens() {
    let (python, node) =
        ([(Library::Python, "p"), (Library::Python, "q")], [(Library::Node, "n"), (Library::Node, "o")]);
    compete_with(&[python, node].concat(), count(6, 60)).await;
    if count(0, 1) == 1 {
        compete_with(&python, 60).await;
        compete_with(&node, 60).await;
    }
}

/// Lets four writers of ours and some others store for this many seconds.
async fn compete_with(others: &[(Library, &str)], seconds: u64) {
    let scene = Scene::new();
    let ours = ["a", "b", "c", "d"].map(|name| (Library::Ours, name));
    let writers = [&ours, others].concat();
    let mut tallies = store_for(&scene.file, &writers, Duration::from_secs(seconds)).await;
    let left = whole(&scene.file, "R-17, after all have written");
    let aside = scene.folder().join("cache.json.corrupt").exists();
    let (mut ours, mut ours_lost, mut theirs, mut theirs_lost, mut errors) = (0, 0, 0, 0, 0);
    for tally in &mut tallies {
        match tally.library {
            Library::Ours => {
                assert!(!tally.acknowledged.is_empty(), "R-17: {} was shut out", tally.name);
                ours += tally.attempted;
                ours_lost += Writer::new(&*tally.name).missing(&left, tally.attempted).unwrap();
            }
            Library::Python | Library::Node => {
                errors += tally.attempted - tally.acknowledged.len() as u64;
                theirs += tally.acknowledged.len();
                let secrets = auth_tests::cache::secrets(&left, "AccessToken");
                let is_lost = |number: &&u64| !secrets.contains(&format!("{}-{number}", tally.name));
                theirs_lost += tally.acknowledged.iter().filter(is_lost).count();
            }
        }
    }
    // Without the others, our writers store everything again, and nothing is lost any more.
    let (mut own, foreign): (Vec<_>, Vec<_>) = tallies.into_iter().partition(|tally| tally.library == Library::Ours);
    for tally in foreign {
        tally.actor.end().await;
    }
    for tally in &mut own {
        for _ in 0..USERS {
            let number = tally.attempted;
            tally.actor.must(&format!("store {number}"), &format!("ack {number}")).await;
            tally.attempted += 1;
        }
    }
    for tally in &mut own {
        assert_eq!(
            stored(&scene.file, &tally.name, "R-17, at the end"),
            tally.attempted,
            "R-17: what {} stored",
            tally.name
        );
        tally.actor.must("flush", "ok").await;
    }
    // The remaining tokens of the others are still there.
    let end = auth_tests::cache::read_file(&scene.file);
    for secret in auth_tests::cache::secrets(&left, "AccessToken") {
        let is_foreign = ["p-", "q-", "n-", "o-"].iter().any(|prefix| secret.starts_with(prefix));
        assert!(!is_foreign || auth_tests::cache::secrets(&end, "AccessToken").contains(&secret), "R-17: {secret}");
    }
    report(
        "R-17",
        &format!(
            "4 of our writers and {others:?}: {ours} stores of ours, {theirs} of theirs ({errors} failed); overwritten in the \
             end: {ours_lost} of our {} newest tokens, {theirs_lost} of theirs; the file intact{}, ours back with the next store",
            4 * USERS,
            if aside { ", moved aside at least once" } else { "" }
        ),
    );
}

//
#[tokio::test]
async fn the_lock_of_the_real_node_library_is_respected_while_its_process_lives() {
    assert_respected_while_alive(Library::Node).await;
}

//
#[tokio::test]
async fn the_lock_of_the_real_python_library_is_respected_while_its_process_lives() {
    assert_respected_while_alive(Library::Python).await;
}

async fn assert_respected_while_alive(library: Library) {
    let scene = Scene::new();
    let mut other = library.start(&scene.file, "n").await;
    let mut ours = Actor::at(&scene.file).await;
    for number in 0..3 {
        other.must("hold", "held").await;
        ours.tell(&format!("store {number}")).await;
        let early = tokio::time::timeout(Duration::from_millis(300), ours.hear()).await;
        assert!(early.is_err(), "R-15, {library:?}: {early:?} while it holds the lock");
        // Node starts with an empty file.
        let is_empty = fs::read(&scene.file).is_ok_and(|content| content.is_empty());
        assert!(is_empty || scene.stored("R-15") == number, "R-15, {library:?}");
        other.must("release", "released").await;
        assert_eq!(ours.hear().await, Some(format!("ack {number}")), "R-15, {library:?}");
    }
    other.must("hold", "held").await;
    ours.tell("store 3").await;
    let begun = Instant::now();
    other.kill().await;
    assert_eq!(ours.hear().await.as_deref(), Some("ack 3"), "R-15, {library:?}");
    let waited = begun.elapsed();
    assert!(waited < Duration::from_secs(5), "R-15, {library:?}: {waited:?}");
    let line =
        format!("MSAL {library:?}'s lock: respected, and taken over {} ms after it was killed", waited.as_millis());
    report("R-15", &line);
}

//! the extension libraries of MSAL Python and MSAL Node write the same file, with locks of their own habits; and R-15
//! with a real Node.

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

/// Whose library a writer is of.
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

/// A writer, and what it was told.
struct Tally {
    library: Library,
    name: String,
    actor: Actor,
    told: u64,
    /// The numbers that it acknowledged.
    acknowledged: Vec<u64>,
    longest: Duration,
}

/// Lets all of them store, one number after the other, until the time is up.
async fn store_for(file: &Path, writers: &[(Library, &str)], time: Duration) -> Vec<Tally> {
    let end = Instant::now() + time;
    let mut tasks = Vec::new();
    for &(library, name) in writers {
        let actor = library.start(file, name).await;
        let mut tally =
            Tally { library, name: name.to_owned(), actor, told: 0, acknowledged: Vec::new(), longest: Duration::ZERO };
        tasks.push(tokio::spawn(async move {
            while Instant::now() < end {
                let (number, begun) = (tally.told, Instant::now());
                let answer = tally.actor.ask(&format!("store {number}")).await;
                tally.longest = tally.longest.max(begun.elapsed());
                tally.told += 1;
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

/// The document, once whoever writes in place is done.
fn whole(file: &Path, told: &str) -> Value {
    let begun = Instant::now();
    loop {
        match fs::read(file).map_err(|error| error.to_string()).and_then(|content| document(&content)) {
            Ok(document) => return document,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{told}: nobody writes, and still: {error}"),
        }
    }
}

// The control: among ourselves nothing is lost at all.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_writers_lose_nothing() {
    let scene = Scene::new();
    let writers = ["a", "b", "c", "d"].map(|name| (Library::Ours, name));
    let tallies = store_for(&scene.file, &writers, Duration::from_secs(count(3, 30))).await;
    let mut stores = 0;
    for tally in &tallies {
        assert_eq!(tally.acknowledged.len() as u64, tally.told, "R-17: each store of {} is acknowledged", tally.name);
        assert_eq!(stored(&scene.file, &tally.name, "R-17"), tally.told, "R-17: each store of {} is there", tally.name);
        stores += tally.told;
    }
    let longest = tallies.iter().map(|tally| tally.longest.as_millis()).max().unwrap();
    report("R-17", &format!("4 of our writers alone: {stores} stores, 0 lost, the longest took {longest} ms"));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_other_libraries_the_file_is_whole_and_ours_come_back() {
    let (python, node) =
        ([(Library::Python, "p"), (Library::Python, "q")], [(Library::Node, "n"), (Library::Node, "o")]);
    beside(&[python, node].concat(), count(6, 60)).await;
    if count(0, 1) == 1 {
        beside(&python, 60).await;
        beside(&node, 60).await;
    }
}

/// Four of ours and some others, for so many seconds.
async fn beside(others: &[(Library, &str)], seconds: u64) {
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
                ours += tally.told;
                ours_lost += Writer::new(&*tally.name).missing(&left, tally.told).unwrap();
            }
            Library::Python | Library::Node => {
                errors += tally.told - tally.acknowledged.len() as u64;
                theirs += tally.acknowledged.len();
                let secrets = auth_tests::cache::secrets(&left, "AccessToken");
                let is_lost = |number: &&u64| !secrets.contains(&format!("{}-{number}", tally.name));
                theirs_lost += tally.acknowledged.iter().filter(is_lost).count();
            }
        }
    }
    // The others are gone. Ours say all of it again, and it is there to stay.
    let (mut own, foreign): (Vec<_>, Vec<_>) = tallies.into_iter().partition(|tally| tally.library == Library::Ours);
    for tally in foreign {
        tally.actor.end().await;
    }
    for tally in &mut own {
        for _ in 0..USERS {
            let number = tally.told;
            tally.actor.must(&format!("store {number}"), &format!("ack {number}")).await;
            tally.told += 1;
        }
    }
    for tally in &mut own {
        assert_eq!(
            stored(&scene.file, &tally.name, "R-17, at the end"),
            tally.told,
            "R-17: what {} stored",
            tally.name
        );
        tally.actor.must("flush", "ok").await;
    }
    // What was left of the others is still there.
    let end = auth_tests::cache::read_file(&scene.file);
    for secret in auth_tests::cache::secrets(&left, "AccessToken") {
        let is_foreign = ["p-", "q-", "n-", "o-"].iter().any(|prefix| secret.starts_with(prefix));
        assert!(!is_foreign || auth_tests::cache::secrets(&end, "AccessToken").contains(&secret), "R-17: {secret}");
    }
    report(
        "R-17",
        &format!(
            "4 of our writers beside {others:?}: ours {ours} stores, theirs {theirs} ({errors} failed); \
             overwritten when all were done: {ours_lost} of our {} newest tokens, {theirs_lost} of theirs; the file whole{}, \
             ours back with the next store",
            4 * USERS,
            if aside { ", once put aside" } else { "" }
        ),
    );
}

//
#[tokio::test]
async fn the_lock_of_a_real_node_is_respected_while_it_lives() {
    the_lock_is_respected_while_its_holder_lives(Library::Node).await;
}

// R-13, with another library.
#[tokio::test]
async fn the_lock_of_a_real_python_is_respected_while_it_lives() {
    the_lock_is_respected_while_its_holder_lives(Library::Python).await;
}

async fn the_lock_is_respected_while_its_holder_lives(library: Library) {
    let scene = Scene::new();
    let mut other = library.start(&scene.file, "n").await;
    let mut ours = Actor::at(&scene.file).await;
    for number in 0..3 {
        other.must("hold", "held").await;
        ours.tell(&format!("store {number}")).await;
        let early = tokio::time::timeout(Duration::from_millis(300), ours.hear()).await;
        assert!(early.is_err(), "R-15, {library:?}: {early:?} while it holds the lock");
        // Node begins with an empty file.
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
    let told =
        format!("MSAL {library:?}'s lock: respected, and taken over {} ms after it was killed", waited.as_millis());
    report("R-15", &told);
}

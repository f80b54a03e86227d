//! R-13…R-16: holders of the lock that are killed or stopped, and leftover lock files.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use auth::{FileStorage, Observer, Storage as _, StorageErrorKind};
use auth_cache::{LockBudget, LockName};
use auth_tests::actor::Actor;
use auth_tests::plan::{count, report, seeded_rng};
use rand::RngExt as _;
use rustix::process::Signal;
use tokio::time::timeout;

use crate::scene::Scene;

/// How long a dead holder may delay others (S-101).
const DEAD_HOLDER: Duration = Duration::from_secs(1);
/// How long a store waits for the lock (S-101).
const BUDGET: Duration = Duration::from_secs(10);

//
#[tokio::test]
async fn a_killed_holder_delays_others_by_at_most_a_second() {
    let (_, mut rng) = seeded_rng();
    let mut waited = Vec::new();
    for round in 0..count(5, 100) {
        let scene = Scene::new();
        let (mut holder, mut waiter) = (Actor::named(&scene.file, "holder").await, Actor::at(&scene.file).await);
        holder.must("hold", "held").await;
        waiter.tell("store 0").await;
        let life = Duration::from_millis(rng.random_range(20..200));
        let early = timeout(life, waiter.hear()).await;
        assert!(early.is_err(), "R-13, round {round}: {early:?} while another holds the lock");
        let begun = Instant::now();
        holder.kill().await;
        assert_eq!(waiter.hear().await.as_deref(), Some("ack 0"), "R-13, round {round}");
        waited.push(begun.elapsed());
        assert_eq!(scene.stored("R-13"), 1, "R-13, round {round}");
    }
    waited.sort();
    assert!(waited[waited.len() / 2] < DEAD_HOLDER, "R-13: {waited:?}");
    let longest = waited.last().unwrap().as_millis();
    report("R-13", &format!("{} holders killed: the next one waited at most {longest} ms", waited.len()));
}

//
#[tokio::test]
async fn a_stopped_holder_keeps_the_lock_and_others_give_up_after_ten_seconds() {
    let scene = Scene::new();
    let (mut holder, mut waiter) = (Actor::named(&scene.file, "holder").await, Actor::at(&scene.file).await);
    holder.must("hold", "held").await;
    holder.signal(Signal::STOP);
    let begun = Instant::now();
    let answer = waiter.ask("store 0").await;
    let waited = begun.elapsed();
    assert!(answer.starts_with("deferred 0: ") && answer.contains("another program holds its lock"), "R-14: {answer}");
    assert!((BUDGET..BUDGET + Duration::from_secs(5)).contains(&waited), "R-14: {waited:?}");
    assert_eq!(scene.stored("R-14"), 0, "R-14: nothing was written without the lock");
    waiter.must("events", "LockTimedOut Deferred Changed").await;
    waiter.must("look 0", "found").await;
    holder.signal(Signal::CONT);
    holder.must("release", "released").await;
    holder.must("store 0", "ack 0").await;
    waiter.must("store 1", "ack 1").await;
    assert_eq!(scene.stored("R-14"), 2, "R-14: the deferred change is stored with the next");
    assert_eq!(crate::scene::stored(&scene.file, "holder", "R-14"), 1, "R-14: what the holder stored");
    report(
        "R-14",
        &format!("a stopped holder: gave up after {} ms, everything stored after SIGCONT", waited.as_millis()),
    );
}

/// Tries once to take the lock, and returns whether it is held.
async fn is_held(file: &Path) -> bool {
    let storage = FileStorage::at(file).unwrap();
    let lock = storage.lock(LockName::Document, &mut LockBudget::new(Duration::ZERO), &Observer::default()).await;
    match lock {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind, StorageErrorKind::LockTimedOut, "{error}");
            true
        }
    }
}

// MSAL Node does not lock the file, and so leaves it behind when it dies.
#[tokio::test]
async fn a_leftover_lock_file_is_taken_over() {
    let mut dead = std::process::Command::new("true").spawn().unwrap();
    let dead_process = dead.id();
    dead.wait().unwrap();
    let mut alive = std::process::Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let alive_process = alive.id();
    let minute = Duration::from_secs(60);
    for (what, content, age, held) in [
        ("nothing", String::new(), minute, false),
        ("garbage", "\u{0}\u{7f}?? not a number".to_owned(), Duration::ZERO, false),
        ("a number that is not a process id", "99999999999999999999".to_owned(), Duration::ZERO, false),
        ("a dead process", dead_process.to_string(), Duration::ZERO, false),
        ("a living process", alive_process.to_string(), Duration::ZERO, true),
        ("a living process with a name", format!("{alive_process} script.py"), Duration::ZERO, true),
        ("a process id that may have been reused", alive_process.to_string(), minute, false),
        ("a dead process of this library", format!("{alive_process} auth"), Duration::ZERO, false),
    ] {
        let scene = Scene::new();
        let lockfile = scene.folder().join("cache.json.lockfile");
        fs::write(&lockfile, content).unwrap();
        let written = SystemTime::now() - age - Duration::from_secs(1);
        File::options().write(true).open(&lockfile).unwrap().set_modified(written).unwrap();
        assert_eq!(is_held(&scene.file).await, held, "R-15: {what}");
        assert_eq!(lockfile.exists(), held, "R-15: {what}: removed");
    }
    drop(alive.stdin.take());
    alive.wait().unwrap();
    report(
        "R-15",
        "lock files of dead processes, with reused ids, with garbage, empty: taken over; of living ones: respected",
    );
}

//
#[tokio::test]
async fn the_lock_never_has_two_holders() {
    let scene = Scene::new();
    let counter = scene.folder().join("counter");
    fs::write(&counter, "0").unwrap();
    let (processes, times) = (8, count(25, 2_000));
    let mut adders = Vec::new();
    for _ in 0..processes {
        adders.push(Actor::at(&scene.file).await);
    }
    let begun = Instant::now();
    for adder in &mut adders {
        adder.tell(&format!("add {} {times}", counter.display())).await;
    }
    // Others are killed while they hold the lock or wait for it.
    let mut killed = 0;
    for _ in 0..count(5, 200) {
        let mut victim = Actor::at(&scene.file).await;
        victim.tell("hold").await;
        if killed % 2 == 0 {
            assert_eq!(victim.hear().await.as_deref(), Some("held"), "R-16");
        }
        victim.kill().await;
        killed += 1;
    }
    let mut longest = 0;
    for adder in &mut adders {
        let answer = adder.hear_within(Duration::from_secs(1_200)).await.unwrap();
        let waited = answer.strip_prefix("added ").unwrap_or_else(|| panic!("R-16: {answer}"));
        longest = longest.max(waited.parse::<u64>().unwrap());
    }
    let took = begun.elapsed();
    assert_eq!(fs::read_to_string(&counter).unwrap(), (processes * times).to_string(), "R-16: the sum");
    report(
        "R-16",
        &format!(
            "{processes} processes, the lock taken {} times in {:.1} s, {killed} others killed meanwhile: never two holders; \
             the longest wait was {longest} ms",
            processes * times,
            took.as_secs_f64()
        ),
    );
}

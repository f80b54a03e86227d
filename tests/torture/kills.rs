//! writers killed at random times.

use std::time::Duration;

use auth_tests::actor::Actor;
use auth_tests::plan::{count, report, seeded_rng};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::{Instant, timeout_at};

use crate::scene::Scene;

/// Longer than a few saves take.
const LONGEST_LIFE: u64 = 25_000;

#[tokio::test]
async fn nothing_that_a_killed_writer_acknowledged_is_lost() {
    kill("a plain file", Scene::new(), count(300, 10_000)).await;
}

// S-92
#[tokio::test]
async fn nothing_that_a_killed_writer_acknowledged_is_lost_from_an_encrypted_file() {
    kill("an encrypted file", Scene::encrypted(), count(60, 2_000)).await;
}

async fn kill(what: &str, scene: Scene, kills: u64) {
    let (seed, mut rng) = seeded_rng();
    let (mut stored, mut in_flight, mut leftovers, mut longest) = (0, 0, 0, Duration::ZERO);
    for kill in 0..kills {
        let context = format!("R-01, {what}, seed {seed}, kill {kill}");
        let acknowledged = live_and_die(&scene, stored, &mut rng, &context).await;
        let found = scene.stored(&context);
        assert!(
            found == acknowledged || found == acknowledged + 1,
            "{context}: {acknowledged} acknowledged, {found} stored"
        );
        in_flight += u64::from(found > acknowledged);
        let (removed, took) = scene.store_next(found, &context).await;
        leftovers += removed;
        longest = longest.max(took);
        stored = found + 1;
    }
    report(
        "R-01",
        &format!(
            "{what}: {kills} writers killed, {stored} stores: 0 files unreadable, 0 acknowledged entries lost, 0 leftovers kept \
             ({leftovers} removed, {in_flight} stores done but not acknowledged); the longest next store took {} ms",
            longest.as_millis()
        ),
    );
}

/// Lets a writer store from number `first` on, kills it after a random time, and returns how many stores it
/// acknowledged. A reader in the meantime always finds a complete document, with everything that was acknowledged.
async fn live_and_die(scene: &Scene, first: u64, rng: &mut StdRng, context: &str) -> u64 {
    let mut acknowledged = first;
    let mut note = |line: &str| {
        assert_eq!(line, format!("ack {acknowledged}"), "{context}");
        acknowledged += 1;
        acknowledged
    };
    let mut actor = Actor::at(&scene.argument()).await;
    actor.tell(&format!("stores {first} 1000000")).await;
    let end = Instant::now() + Duration::from_micros(rng.random_range(0..LONGEST_LIFE));
    while let Ok(line) = timeout_at(end, actor.hear()).await {
        let acknowledged = note(&line.unwrap_or_else(|| panic!("{context}: the writer ended by itself")));
        let seen = scene.stored(context);
        assert!(seen >= acknowledged, "{context}: {acknowledged} acknowledged, a reader sees {seen}");
    }
    for line in actor.kill().await {
        note(&line);
    }
    acknowledged
}

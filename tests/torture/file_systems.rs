//! other file systems.

use auth_tests::actor::Actor;
use auth_tests::numbered::USERS;
use auth_tests::plan::{Need, count, report};

use crate::namespace::Namespace;
use crate::scene::stored;

/// Mounts an overlay in the folder, on top of the tmpfs.
const OVERLAY: &str = "mkdir $M/lower $M/upper $M/work $M/merged && \
                       mount -t overlay -o lowerdir=$M/lower,upperdir=$M/upper,workdir=$M/work,userxattr overlay $M/merged";

#[tokio::test]
async fn a_cache_on_a_tmpfs_is_safe() {
    if Need::Namespaces.is_met("R-18") {
        assert_safe(Namespace::with_tmpfs("4m").await, "cache.json", "tmpfs").await;
    }
}

#[tokio::test]
async fn a_cache_on_an_overlay_is_safe() {
    if Need::Namespaces.is_met("R-18") {
        let mut namespace = Namespace::with_tmpfs("4m").await;
        // A file in the lower layer, which the first write copies up.
        let mut first = namespace.actor("cache.json", "w", &[]).await;
        first.must("store 0", "ack 0").await;
        namespace.run("mkdir $M/lower && mv $M/cache.json $M/lower").await;
        namespace.run(&OVERLAY.replacen("$M/lower ", "", 1)).await;
        assert_safe(namespace, "merged/cache.json", "overlay").await;
    }
}

/// Kills writers, and lets writers compete for the lock.
async fn assert_safe(namespace: Namespace, name: &str, kind: &str) {
    let file = namespace.outside(name);
    let kills = count(20, 300);
    let mut next = stored(&file, "w", kind);
    for kill in 0..kills {
        let context = format!("R-18, {kind}, kill {kill}");
        let mut actor = namespace.actor(name, "w", &[]).await;
        actor.tell(&format!("stores {next} 1000000")).await;
        let mut acknowledged = next;
        // After a few stores: at which point it is killed is random.
        for _ in 0..=kill % USERS {
            assert_eq!(actor.hear().await.unwrap(), format!("ack {acknowledged}"), "{context}");
            acknowledged += 1;
        }
        acknowledged += actor.kill().await.len() as u64;
        next = stored(&file, "w", &context);
        assert!(
            next == acknowledged || next == acknowledged + 1,
            "{context}: {acknowledged} acknowledged, {next} stored"
        );
    }

    std::fs::write(namespace.outside("counter"), "0").unwrap();
    let (processes, times) = (4, count(25, 500));
    let mut adders: Vec<Actor> = Vec::new();
    for _ in 0..processes {
        adders.push(namespace.actor(name, "w", &[]).await);
    }
    for adder in &mut adders {
        adder.tell(&format!("add {} {times}", namespace.inside("counter").display())).await;
    }
    for adder in &mut adders {
        let answer = adder.hear().await.unwrap();
        assert!(answer.starts_with("added "), "R-18, {kind}: {answer}");
    }
    let sum = std::fs::read_to_string(namespace.outside("counter")).unwrap();
    assert_eq!(sum, (processes * times).to_string(), "R-18, {kind}: never more than one holder");
    report(
        "R-18",
        &format!("{kind}: {kills} writers killed and nothing lost, the lock taken {sum} times and never by two"),
    );
}

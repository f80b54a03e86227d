//! a writer is killed at every system call of one save.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use crate::scene::Scene;
use crate::strace::{Call, Fault, Traced, threads};
use auth_tests::actor::Actor;
use auth_tests::plan::{Need, report};

#[tokio::test]
async fn a_kill_at_any_call_of_a_save_loses_nothing() {
    if !Need::Strace.is_met("R-02") {
        return;
    }
    let (mut points, mut unfinished, mut leftovers, mut longest) = (0, 0, 0, Duration::ZERO);
    // The one that reads and locks, and the one that replaces the file.
    for thread in 0..2 {
        let (calls, survived, _) = save(thread, Fault::None, &Call::none()).await;
        assert!(survived && calls.len() > 10, "R-02: the calls of thread {thread}: {calls:?}");
        for call in calls {
            let (_, survived, outcome) = save(thread, Fault::Kill, &call).await;
            // Whether the call for the next command is one that was begun before is chance.
            assert!(!survived || call.line.starts_with("read(0<"), "R-02: thread {thread} is killed at {call:?}");
            points += 1;
            unfinished += u64::from(!outcome.stored);
            leftovers += outcome.leftovers;
            longest = longest.max(outcome.next);
        }
    }
    assert!(unfinished > 0 && unfinished < points, "some were killed before, and some after the file was replaced");
    report(
        "R-02",
        &format!(
            "killed at each of the {points} system calls of a save: old ({unfinished} times) or new, nothing lost, \
             {leftovers} leftovers removed; the longest next store took {} ms",
            longest.as_millis()
        ),
    );
}

struct Outcome {
    stored: bool,
    leftovers: usize,
    next: Duration,
}

/// One save, until the program has ended: which calls a thread made, whether the program lived to its end, and what came of it.
async fn save(thread: usize, fault: Fault, at: &Call) -> (Vec<Call>, bool, Outcome) {
    let told = format!("R-02, thread {thread}, {at:?}");
    let scene = Scene::new();
    let mut actor = Actor::at(&scene.file).await;
    // Both threads are there from now on.
    actor.must("store 0", "ack 0").await;
    let traced = Traced::attach(threads(actor.process())[thread], scene.folder(), fault, at).await;
    actor.tell("store 1").await;
    let (status, heard) = actor.end().await;
    let (calls, _) = traced.detach().await;
    let stored = scene.stored(&told);
    match heard.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => assert!(stored == 1 || stored == 2, "{told}: {stored} stored"),
        ["ack 1"] => assert_eq!(stored, 2, "{told}: acknowledged"),
        other => panic!("{told}: {other:?}"),
    }
    let (leftovers, next) = scene.go_on(stored, &told).await;
    (calls, status.signal().is_none(), Outcome { stored: stored == 2, leftovers, next })
}

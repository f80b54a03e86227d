//! a writer killed at each system call of a save.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use crate::scene::Scene;
use crate::strace::{Call, Fault, Traced, threads};
use auth_tests::actor::Actor;
use auth_tests::plan::{Need, report};

#[tokio::test]
async fn a_kill_at_any_system_call_of_a_save_loses_nothing() {
    if !Need::Strace.is_met("R-02") {
        return;
    }
    let (mut points, mut unfinished, mut leftovers, mut longest) = (0, 0, 0, Duration::ZERO);
    // One thread reads and locks, the other replaces the file.
    for thread in 0..2 {
        let (calls, survived, _) = save(thread, Fault::None, &Call::none()).await;
        assert!(survived && calls.len() > 10, "R-02: the calls of thread {thread}: {calls:?}");
        for call in calls {
            let (_, survived, outcome) = save(thread, Fault::Kill, &call).await;
            // The call that reads the next command may have begun before strace was attached, and how often the runtime
            // waits varies.
            let may_be_missed = call.line.starts_with("read(0<") || call.name == "epoll_wait";
            assert!(!survived || may_be_missed, "R-02: thread {thread} is killed at {call:?}");
            points += u64::from(!survived);
            unfinished += u64::from(!outcome.stored);
            leftovers += outcome.leftovers;
            longest = longest.max(outcome.next);
        }
    }
    assert!(unfinished > 0 && unfinished < points, "some were killed before the file was replaced, some after");
    report(
        "R-02",
        &format!(
            "killed at each of the {points} system calls of a save: the old file ({unfinished} times) or the new, nothing lost, \
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

/// Runs one save until the program has ended. Returns the calls of a thread, whether the program survived, and the
/// outcome.
async fn save(thread: usize, fault: Fault, at: &Call) -> (Vec<Call>, bool, Outcome) {
    let context = format!("R-02, thread {thread}, {at:?}");
    let scene = Scene::new();
    let mut actor = Actor::at(&scene.file).await;
    // From now on both threads exist.
    actor.must("store 0", "ack 0").await;
    let traced = Traced::attach(threads(actor.process())[thread], scene.folder(), fault, at).await;
    actor.tell("store 1").await;
    let (status, heard) = actor.end().await;
    let (calls, _) = traced.detach().await;
    let stored = scene.stored(&context);
    match heard.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => assert!(stored == 1 || stored == 2, "{context}: {stored} stored"),
        ["ack 1"] => assert_eq!(stored, 2, "{context}: acknowledged"),
        other => panic!("{context}: {other:?}"),
    }
    let (leftovers, next) = scene.store_next(stored, &context).await;
    (calls, status.signal().is_none(), Outcome { stored: stored == 2, leftovers, next })
}

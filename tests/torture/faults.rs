//! R-06, and the errors of: each system call of a save fails in turn.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use auth_tests::actor::Actor;
use auth_tests::numbered::Writer;
use auth_tests::plan::{Need, count, report};

use crate::scene::{Scene, cache, stored};
use crate::strace::{Call, Fault, Traced, threads};

/// The calls that need space on the disk.
const TAKES_ROOM: [&str; 6] = ["fsync", "ftruncate", "mkdir", "openat", "rename", "write"];

#[tokio::test]
async fn a_failure_of_any_system_call_of_a_save_loses_nothing() {
    if !Need::Strace.is_met("R-06") {
        return;
    }
    let (mut points, mut deferred) = (0, 0);
    for thread in 0..2 {
        let (calls, _) = save(thread, Fault::None, &Call::none()).await.expect("nothing to meet");
        for call in calls {
            let mut errors = vec!["EIO"];
            if TAKES_ROOM.contains(&call.name.as_str()) {
                errors.push("ENOSPC");
            }
            if count(0, 1) == 1 {
                errors.extend(["EDQUOT", "EACCES", "EROFS"]);
            }
            for error in errors {
                points += 1;
                deferred += u64::from(save_failing(thread, error, &call).await);
            }
        }
    }
    assert!(deferred > 10, "faults are noticed");
    report(
        "R-04, R-05, R-06",
        &format!(
            "{points} system calls of a save failed with EIO, ENOSPC and others: the file always intact, the change deferred \
             and stored later {deferred} times and otherwise stored at once, the token always usable"
        ),
    );
}

/// Runs saves until the call fails, and returns whether the change was deferred. Calls are numbered by name, and one that
/// a busy runtime adds or omits, here or when they were numbered, shifts the others by one.
async fn save_failing(thread: usize, error: &'static str, at: &Call) -> bool {
    let number = at.number;
    for number in [number, number, number, number + 1, number + 1, number.saturating_sub(1).max(1)] {
        let at = Call { number, ..at.clone() };
        if let Some((_, deferred)) = save(thread, Fault::Error(error), &at).await {
            return deferred;
        }
    }
    panic!("R-06, thread {thread}: {error} was never met at {at:?}");
}

/// Runs one save of a program that must read the file first, with a fault. Returns a thread's calls that concern the
/// folder, and whether the change was deferred; `None` if the fault did not meet a call that concerns the folder.
async fn save(thread: usize, fault: Fault, at: &Call) -> Option<(Vec<Call>, bool)> {
    let context = format!("R-06, thread {thread}, {fault:?} at {at:?}");
    let scene = Scene::new();
    let mut actor = Actor::at(&scene.file).await;
    actor.must("store 0", "ack 0").await;
    cache(&scene.file).0.store(Writer::new("other").update(0)).await.unwrap();
    // A file that was just written is read more often, depending on how busy the machine is.
    let written = File::options().write(true).open(&scene.file).unwrap();
    written.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    actor.must("events", "Changed").await;
    let before = fs::read(&scene.file).unwrap();

    let logs = tempfile::tempdir().unwrap();
    let traced = Traced::attach(threads(actor.process())[thread], logs.path(), fault, at).await;
    actor.tell("store 1").await;
    let answer = actor.hear().await;
    let (calls, met) = traced.detach().await;
    let folder = scene.folder().to_str().unwrap();
    let of_files = calls.into_iter().filter(|call| call.line.contains(folder)).collect();
    if let Fault::Error(error) = fault {
        let met = met.filter(|met| met.line.contains(folder))?;
        assert!(met.line.contains(error), "{context}: met {met:?}");
    }

    let answer = answer.unwrap_or_else(|| panic!("{context}: the program ended"));
    let deferred = answer.starts_with("deferred 1: ");
    assert!(deferred || answer == "ack 1", "{context}: {answer}");
    let after = fs::read(&scene.file).unwrap();
    let is_stored = scene.stored(&context) == 2;
    assert!(is_stored || after == before, "{context}: the old file is unchanged");
    assert!(is_stored || deferred, "{context}: acknowledged but not stored");
    assert_eq!(stored(&scene.file, "other", &context), 1, "{context}: what another program wrote");
    // A file that could not be removed stays until it is old.
    assert!(scene.leftovers().is_empty() || at.name == "unlink", "{context}: {:?}", scene.leftovers());
    let events = actor.ask("events").await;
    assert_eq!(events.contains("Deferred"), deferred, "{context}: {events}");
    for (command, answer) in [("look 1", "found"), ("look 0", "found"), ("flush", "ok")] {
        assert_eq!(actor.ask(command).await, answer, "{context}: to `{command}`");
    }
    assert_eq!(scene.stored(&context), 2, "{context}: after the flush");
    Some((of_files, deferred))
}

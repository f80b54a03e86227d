//! Watching the system calls of one thread, and making them fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use auth_tests::program::PATIENCE;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A system call of a thread.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Its number among the calls of this name, from 1.
    pub(crate) number: usize,
    /// The line that strace prints.
    pub(crate) line: String,
}

/// What happens at a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing: calls are only watched.
    None,
    /// The process is killed before the call.
    Kill,
    /// The call is not made, and fails with this error.
    Error(&'static str),
}

/// A thread that is watched. Only one, because strace counts the calls of each thread separately.
pub(crate) struct Traced {
    strace: Child,
    log: PathBuf,
}

/// Returns the threads of a process, in the order in which they started.
pub(crate) fn threads(process: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let mut threads: Vec<u32> =
        entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    threads.sort_unstable();
    threads
}

impl Traced {
    /// Watches a thread from now on, and injects the fault, if any, at a call. Waits until the thread is idle, so that
    /// counting always begins at the same call.
    pub(crate) async fn attach(thread: u32, folder: &Path, fault: Fault, at: &Call) -> Self {
        let begun = Instant::now();
        while !sleeps(thread) {
            assert!(begun.elapsed() < PATIENCE, "thread {thread} is never idle");
            tokio::task::yield_now().await;
        }
        let log = folder.join("strace.log");
        let mut strace = Command::new("strace");
        strace.args(["-y", "-s", "16", "-e", "trace=%file,%desc", "-p", &thread.to_string()]).arg("-o").arg(&log);
        let inject = match fault {
            Fault::None => None,
            Fault::Kill => Some("signal=SIGKILL".to_owned()),
            Fault::Error(error) => Some(format!("error={error}")),
        };
        if let Some(inject) = inject {
            strace.args(["-e", &format!("inject={}:{inject}:when={}", at.name, at.number)]);
        }
        let mut strace = strace.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(strace.stderr.take().unwrap()).lines();
        let attached = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("attached") {
                    return;
                }
                assert!(line.contains("ptrace"), "strace: {line}");
            }
            panic!("strace ended before it was attached");
        };
        timeout(PATIENCE, attached).await.expect("strace attaches, or ends");
        // Keep reading, so that strace is not blocked by a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { strace, log }
    }

    /// Stops watching; returns all calls, and the one that met the fault.
    pub(crate) async fn detach(mut self) -> (Vec<Call>, Option<Call>) {
        let process = Pid::from_raw(self.strace.id().unwrap().cast_signed()).unwrap();
        match kill_process(process, Signal::INT) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => panic!("{error}"),
        }
        timeout(PATIENCE, self.strace.wait()).await.expect("strace ends").unwrap();
        let calls = parse(&fs::read_to_string(&self.log).unwrap());
        let met = calls.iter().find(|call| call.line.contains("(INJECTED)")).cloned();
        (calls, met)
    }
}

/// Whether a thread is sleeping.
fn sleeps(thread: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{thread}/stat")).unwrap();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
}

impl Call {
    /// A placeholder for [`Fault::None`].
    pub(crate) fn none() -> Self {
        Self { name: String::new(), number: 0, line: String::new() }
    }
}

fn parse(log: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for line in log.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let number = calls.iter().filter(|call| call.name == name).count() + 1;
        calls.push(Call { name: name.to_owned(), number, line: line.to_owned() });
    }
    calls
}

//! How much the torture tests do, what they need, and how they report.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Returns how often to do something: `in_test` times, or `in_full` times with `AUTH_TORTURE=full`.
pub fn count(in_test: u64, in_full: u64) -> u64 {
    if std::env::var("AUTH_TORTURE").is_ok_and(|set| set == "full") { in_full } else { in_test }
}

/// Returns a random number generator and its seed. To repeat a failure, put its seed into `AUTH_TORTURE_SEED`.
pub fn seeded_rng() -> (u64, StdRng) {
    let chosen = std::env::var("AUTH_TORTURE_SEED").ok();
    let seed = chosen.map_or_else(rand::random, |seed| seed.parse().expect("AUTH_TORTURE_SEED is a number"));
    (seed, StdRng::seed_from_u64(seed))
}

/// Prints what a test did, and appends it to the file that `AUTH_TORTURE_REPORT` names, if any.
pub fn report(requirement: &str, what: &str) {
    let line = format!("{requirement}: {what}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some(path) = std::env::var_os("AUTH_TORTURE_REPORT") {
        let mut file = File::options().append(true).create(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// Something that not every machine has.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// The program that makes system calls fail.
    Strace,
    /// Private mounts.
    Namespaces,
    /// Private networks.
    Networks,
    /// Files of other users.
    Root,
}

impl Need {
    /// Whether the machine has it. If not, the test fails; with `AUTH_TEST_WITHOUT_ROOT=1` it is left out instead,
    /// which is reported.
    pub fn is_met(self, requirement: &str) -> bool {
        if self.is_here() {
            return true;
        }
        let allowed = std::env::var("AUTH_TEST_WITHOUT_ROOT").is_ok_and(|set| set == "1");
        assert!(allowed, "{requirement} needs {}; AUTH_TEST_WITHOUT_ROOT=1 leaves it out", self.name());
        report(requirement, &format!("NOT RUN: needs {}", self.name()));
        false
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Strace => "strace with permission to trace its children",
            Self::Namespaces => "`unshare -rm` (util-linux) with permission to mount a tmpfs",
            Self::Networks => "`unshare -rn` (util-linux) and `ip` (iproute2)",
            Self::Root => "root, and `setpriv` (util-linux)",
        }
    }

    fn is_here(self) -> bool {
        static HERE: [OnceLock<bool>; 4] = [const { OnceLock::new() }; 4];
        let try_it = || match self {
            Self::Strace => succeeds("strace", &["-o", "/dev/null", "true"]),
            Self::Namespaces => succeeds("unshare", &["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]),
            Self::Networks => succeeds("unshare", &["-rn", "ip", "link", "set", "lo", "up"]),
            Self::Root => rustix::process::geteuid().is_root() && succeeds("setpriv", &["--version"]),
        };
        *HERE[self as usize].get_or_init(try_it)
    }
}

fn succeeds(program: &str, words: &[&str]) -> bool {
    let run = Command::new(program).args(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

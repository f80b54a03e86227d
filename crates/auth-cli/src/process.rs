//! Hardens the process, through which secrets pass.

/// Prevents core dumps and the debuggers of other processes, unless `AUTH_ALLOW_CORE_DUMPS` is `1` (S-115).
#[cfg(target_os = "linux")]
pub(crate) fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    if std::env::var_os("AUTH_ALLOW_CORE_DUMPS").is_some_and(|value| value == "1") {
        return;
    }
    // If the system refuses, the program is no worse off than any other.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Other systems write no core dumps by default.
#[cfg(not(target_os = "linux"))]
pub(crate) fn harden() {}

/// Turns exceeding a limit on the size of files (`ulimit -f`) into an error of the write instead of the end of the
/// program: a cache that cannot be written must not cost the user the token. Requires the runtime.
#[cfg(target_os = "linux")]
pub(crate) fn survive_file_size_limits() {
    use tokio::signal::unix::{SignalKind, signal};
    // Once tokio handles the signal it has no further effect, even after the listener is dropped. If that fails, the
    // program is no worse off than any other.
    drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())));
}

/// Other systems send no such signal by default, or it is not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn survive_file_size_limits() {}

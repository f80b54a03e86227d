//! What the process does for the secrets that pass through it.

/// No core dump and no debugger of another process (S-115). `AUTH_ALLOW_CORE_DUMPS=1` leaves things as they are.
#[cfg(target_os = "linux")]
pub(crate) fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    if std::env::var_os("AUTH_ALLOW_CORE_DUMPS").is_some_and(|value| value == "1") {
        return;
    }
    // Where the system does not allow it, the program is no worse off than any other.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Other systems keep no dump by default.
#[cfg(not(target_os = "linux"))]
pub(crate) fn harden() {}

/// A limit for the size of files (`ulimit -f`) is an error of the write, and not the end of the program: a cache that cannot be
/// written costs nobody the token. It needs the runtime.
#[cfg(target_os = "linux")]
pub(crate) fn survive_file_size_limits() {
    use tokio::signal::unix::{SignalKind, signal};
    // Once it has been listened to, the signal does nothing more, whether somebody listens or not. Where that cannot be, the
    // program is no worse off than any other.
    drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())));
}

/// Other systems send no such signal by default, or it is not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn survive_file_size_limits() {}

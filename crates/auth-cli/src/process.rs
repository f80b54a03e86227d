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

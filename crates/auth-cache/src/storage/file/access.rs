//! Whose a file or folder is, and what others may do with it.

use std::fs::Metadata;

#[cfg(unix)]
use rustix::fs::Mode;

/// Reading, writing or running, for the group or for others.
#[cfg(unix)]
const ANYTHING: Mode = Mode::RWXG.union(Mode::RWXO);
/// Writing, for the group or for others.
#[cfg(unix)]
const WRITE: Mode = Mode::WGRP.union(Mode::WOTH);

/// What decides who may do what.
#[cfg(unix)]
pub(super) struct Access {
    owner: u32,
    mode: Mode,
    is_link: bool,
    /// The user that asks.
    user: u32,
}

#[cfg(unix)]
impl Access {
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            owner: metadata.uid(),
            mode: Mode::from_raw_mode(metadata.mode()),
            is_link: metadata.is_symlink(),
            user: rustix::process::geteuid().as_raw(),
        }
    }

    /// Whether it belongs to this user.
    pub(super) const fn is_own(&self) -> bool {
        self.owner == self.user
    }

    /// Whether it belongs to this user, or to root, who can do everything anyway.
    pub(super) const fn is_trusted(&self) -> bool {
        self.is_own() || self.owner == 0
    }

    /// Whether others than the owner may do anything with it.
    pub(super) const fn is_open(&self) -> bool {
        self.mode.intersects(ANYTHING)
    }

    /// Whether this folder is the user's own and nobody else can write there (S-93).
    pub(super) const fn is_private_folder(&self) -> bool {
        self.is_own() && !self.mode.intersects(WRITE)
    }

    /// Whether others than the user and root can put something in the place of what is in this folder (S-93).
    pub(super) const fn is_shared_folder(&self) -> bool {
        !self.is_trusted() || (self.mode.intersects(WRITE) && !self.is_sticky())
    }

    /// Whether only the user and root decide what is behind this component of a path (S-96).
    pub(super) const fn is_safe_component(&self) -> bool {
        // The permissions of a link mean nothing.
        self.is_trusted() && (self.is_link || !self.mode.intersects(Mode::WOTH) || self.is_sticky())
    }

    /// Whether it is a folder, such as `/tmp`, where everybody may add, but nobody may touch what is another's.
    const fn is_sticky(&self) -> bool {
        self.owner == 0 && self.mode.intersects(Mode::SVTX)
    }
}

/// Whether it belongs to this user.
#[cfg(not(unix))]
pub(super) fn is_own(_metadata: &Metadata) -> bool {
    true
}

#[cfg(unix)]
pub(super) fn is_own(metadata: &Metadata) -> bool {
    Access::of(metadata).is_own()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const US: u32 = 1000;
    const ROOT: u32 = 0;
    const THEM: u32 = 1001;

    fn access(owner: u32, mode: u32) -> Access {
        Access { owner, mode: Mode::from_raw_mode(mode), is_link: false, user: US }
    }

    // S-93
    #[test]
    fn a_folder_is_private_shared_or_between() {
        for (owner, mode, private, shared) in [
            (US, 0o700, true, false),
            (US, 0o755, true, false),
            (US, 0o750, true, false),
            (US, 0o770, false, true),
            (US, 0o702, false, true),
            (US, 0o777, false, true),
            (US, 0o1777, false, true),
            (ROOT, 0o755, false, false),
            (ROOT, 0o1777, false, false),
            (ROOT, 0o1770, false, false),
            (ROOT, 0o775, false, true),
            (ROOT, 0o777, false, true),
            (THEM, 0o700, false, true),
            (THEM, 0o755, false, true),
            (THEM, 0o1777, false, true),
        ] {
            let access = access(owner, mode);
            let found = (access.is_private_folder(), access.is_shared_folder());
            assert_eq!(found, (private, shared), "{owner} {mode:o}");
        }
    }

    // S-96
    #[test]
    fn a_component_is_safe_in_the_hands_of_the_user_or_root() {
        for (owner, mode, is_link, safe) in [
            (US, 0o755, false, true),
            (US, 0o775, false, true),
            (US, 0o777, false, false),
            (US, 0o1777, false, false),
            (ROOT, 0o755, false, true),
            (ROOT, 0o1777, false, true),
            (ROOT, 0o777, false, false),
            (THEM, 0o700, false, false),
            (US, 0o777, true, true),
            (ROOT, 0o777, true, true),
            (THEM, 0o777, true, false),
        ] {
            let access = Access { is_link, ..access(owner, mode) };
            assert_eq!(access.is_safe_component(), safe, "{owner} {mode:o} {is_link}");
        }
    }

    // S-95
    #[test]
    fn a_file_is_trusted_and_open_or_not() {
        for (owner, mode, trusted, open) in [
            (US, 0o600, true, false),
            (US, 0o400, true, false),
            (US, 0o640, true, true),
            (US, 0o604, true, true),
            (US, 0o601, true, true),
            (ROOT, 0o600, true, false),
            (THEM, 0o600, false, false),
        ] {
            let access = access(owner, mode);
            assert_eq!((access.is_trusted(), access.is_open()), (trusted, open), "{owner} {mode:o}");
        }
    }
}

//! Who owns a file or folder, and what others may do with it.

use std::fs::Metadata;

#[cfg(unix)]
use rustix::fs::Mode;

/// Any access by the group or by others.
#[cfg(unix)]
const ANYTHING: Mode = Mode::RWXG.union(Mode::RWXO);
/// Write access by the group or by others.
#[cfg(unix)]
const WRITE: Mode = Mode::WGRP.union(Mode::WOTH);

/// Owner and permissions of a file or folder, as seen by the current user.
#[cfg(unix)]
pub(super) struct Access {
    owner: u32,
    mode: Mode,
    is_link: bool,
    /// The current user.
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

    /// Whether it belongs to the user.
    pub(super) const fn is_own(&self) -> bool {
        self.owner == self.user
    }

    /// Whether it belongs to the user, or to root, who can do anything anyway.
    pub(super) const fn is_trusted(&self) -> bool {
        self.is_own() || self.owner == 0
    }

    /// Whether anyone but the owner has any access.
    pub(super) const fn is_open(&self) -> bool {
        self.mode.intersects(ANYTHING)
    }

    /// Whether this folder belongs to the user, and no one else can write to it (S-93).
    pub(super) const fn is_private_folder(&self) -> bool {
        self.is_own() && !self.mode.intersects(WRITE)
    }

    /// Whether anyone but the user and root can replace what is in this folder (S-93).
    pub(super) const fn is_shared_folder(&self) -> bool {
        !self.is_trusted() || (self.mode.intersects(WRITE) && !self.is_sticky())
    }

    /// Whether only the user and root control where this component of a path leads (S-96).
    pub(super) const fn is_safe_component(&self) -> bool {
        // A link's own permissions mean nothing.
        self.is_trusted() && (self.is_link || !self.mode.intersects(Mode::WOTH) || self.is_sticky())
    }

    /// Whether it is a folder of root's such as `/tmp`, where anyone may add files but not touch another user's.
    const fn is_sticky(&self) -> bool {
        self.owner == 0 && self.mode.intersects(Mode::SVTX)
    }
}

/// Whether it belongs to the user.
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
    fn owner_and_mode_make_a_folder_private_shared_or_neither() {
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
    fn a_path_component_is_safe_if_only_the_user_or_root_controls_it() {
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
    fn owner_and_mode_make_a_file_trusted_and_open() {
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

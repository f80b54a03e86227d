//! Network file systems (S-103).

use std::path::Path;

/// Whether the operating system reports that the folder is on another machine.
#[cfg(target_os = "linux")]
pub(super) fn is_remote(folder: &Path) -> bool {
    rustix::fs::statfs(folder).is_ok_and(|found| is_remote_type(found.f_type.cast_unsigned()))
}

/// The numbers come from `statfs(2)` and the kernel's `magic.h`.
#[cfg(target_os = "linux")]
fn is_remote_type(kind: u64) -> bool {
    const NFS: u64 = rustix::fs::NFS_SUPER_MAGIC.cast_unsigned();
    const REMOTE: [u64; 12] = [
        NFS,
        0x517b,      // SMB
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB2
        0x0102_1997, // 9P
        0x00c3_6400, // Ceph
        0x5346_414f, // AFS
        0x6b41_4653, // AFS of the kernel
        0x7375_7245, // Coda
        0x0bd0_0bd0, // Lustre
        0x7461_636f, // OCFS2
        0x0116_1970, // GFS2
    ];
    // Where `f_type` is a signed 32-bit number, some of these are negative and arrive sign-extended.
    REMOTE.contains(&(kind & u64::from(u32::MAX)))
}

/// Not detected on other systems.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_remote(_folder: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    // S-103
    #[test]
    fn network_file_systems_are_recognized() {
        for (kind, remote) in [
            (0x6969, true),
            (0xff53_4d42, true),
            (0xffff_ffff_ff53_4d42, true),
            (0x0102_1997, true),
            (0xef53, false),
            (0x0102_1994, false),
            (0x9123_683e, false),
            (0x5846_5342, false),
            (0x794c_7630, false),
            (0, false),
        ] {
            assert_eq!(is_remote_type(kind), remote, "{kind:x}");
        }
        assert!(!is_remote(Path::new("/dev/shm")), "memory is local");
        assert!(!is_remote(Path::new("/nowhere/at/all")));
    }
}

//! The sockets of this process.

use std::collections::BTreeSet;
use std::fs;

/// The TCP sockets that this process holds, by their inodes.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) listening: BTreeSet<u64>,
    pub(crate) connected: BTreeSet<u64>,
}

impl Sockets {
    pub(crate) fn of_this_process() -> Self {
        let held: BTreeSet<u64> = fs::read_dir("/proc/self/fd")
            .unwrap()
            // One that has been closed meanwhile cannot be read.
            .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
            .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
            .collect();
        let mut sockets = Self { listening: BTreeSet::new(), connected: BTreeSet::new() };
        for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            // Without IPv6, its table is missing.
            let lines = fs::read_to_string(table).unwrap_or_default();
            for line in lines.lines().skip(1) {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let (state, inode) = (fields[3], fields[9].parse().unwrap());
                if held.contains(&inode) {
                    let of_its_kind = if state == "0A" { &mut sockets.listening } else { &mut sockets.connected };
                    of_its_kind.insert(inode);
                }
            }
        }
        sockets
    }
}

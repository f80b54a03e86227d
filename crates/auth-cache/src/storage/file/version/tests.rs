use std::fs;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// The version that a reader who began at `now` gives to a file that was last changed `age` before.
fn seen(content: &[u8], modified: SystemTime, now: SystemTime) -> (Version, Version) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    let metadata = file.metadata().unwrap();
    (of_read(&metadata, content, now), of(&metadata))
}

// S-102: two writes of one size in one tick differ in nothing that a `stat` tells.
#[test]
fn what_was_changed_just_now_is_looked_at_again() {
    let fine = UNIX_EPOCH + SECOND * 1_700_000_000 + Duration::from_nanos(123_456_789);
    let coarse = UNIX_EPOCH + SECOND * 1_700_000_000;
    for (modified, now, settled) in [
        (fine, fine, false),
        (fine, fine + MILLISECOND * 20, false),
        (fine, fine + MILLISECOND * 21, true),
        (fine, fine + SECOND * 3600, true),
        (coarse, coarse + MILLISECOND * 21, false),
        (coarse, coarse + SECOND * 2, false),
        (coarse, coarse + SECOND * 2 + MILLISECOND, true),
        // The clock that wrote is ahead of ours: no tick will be there for long.
        (fine, fine - MILLISECOND * 20, false),
        (fine, fine - SECOND, true),
    ] {
        let (read, stat) = seen(b"content", modified, now);
        assert_eq!(read == stat, settled, "{modified:?} {now:?}");
        assert_eq!(super::settled(read), stat);
    }
}

#[test]
fn a_version_that_is_not_settled_tells_contents_apart() {
    let now = SystemTime::now();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "1234").unwrap();
    let metadata = fs::metadata(&path).unwrap();
    let version = |content: &[u8]| of_read(&metadata, content, now);
    assert_eq!(version(b"1234"), version(b"1234"));
    assert_ne!(version(b"1234"), version(b"1243"));
    assert_ne!(version(b""), of(&metadata), "whatever the digest is");
}

// What we write differs from what anybody writes into it in the same tick.
#[test]
fn a_stamp_is_the_time_of_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let file = File::create(&path).unwrap();
    let now = SystemTime::now();
    assert!(stamp(&file, now));
    assert_eq!(file.metadata().unwrap().modified().unwrap(), now);
    let read_only = File::open("/dev/null").unwrap();
    assert!(!stamp(&read_only, now) || read_only.metadata().unwrap().modified().unwrap() == now);
}

use std::fs;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// The version that a read at `now` returns for a file last changed at `modified`, and the one that a `stat` shows.
fn seen(content: &[u8], modified: SystemTime, now: SystemTime) -> (Version, Version) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    let metadata = file.metadata().unwrap();
    (of_read(&metadata, content, now), of(&metadata))
}

// S-102: two writes of the same size within one tick look the same in a `stat`.
#[test]
fn a_version_is_settled_once_a_tick_has_passed_since_the_change() {
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
        // The writer's clock is ahead of ours, by a tick and by more.
        (fine, fine - MILLISECOND * 20, false),
        (fine, fine - SECOND, true),
    ] {
        let (read, stat) = seen(b"content", modified, now);
        assert_eq!(read == stat, settled, "{modified:?} {now:?}");
        assert_eq!(super::settled(read), stat);
    }
}

#[test]
fn an_unsettled_version_depends_on_the_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "1234").unwrap();
    let metadata = fs::metadata(&path).unwrap();
    let now = metadata.modified().unwrap();
    let version = |content: &[u8]| of_read(&metadata, content, now);
    assert_eq!(version(b"1234"), version(b"1234"));
    assert_ne!(version(b"1234"), version(b"1243"));
    assert_ne!(version(b""), of(&metadata), "whatever the digest is");
}

#[test]
fn stamping_sets_the_time_to_the_clock_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let file = File::create(&path).unwrap();
    let now = SystemTime::now();
    assert!(stamp(&file, now));
    assert_eq!(file.metadata().unwrap().modified().unwrap(), now);
    let read_only = File::open("/dev/null").unwrap();
    assert!(!stamp(&read_only, now) || read_only.metadata().unwrap().modified().unwrap() == now);
}

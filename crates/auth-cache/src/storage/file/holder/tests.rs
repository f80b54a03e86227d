use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn holder(process: u32, name: &str) -> LockHolder {
    LockHolder { process, name: name.to_owned() }
}

// S-100
#[test]
fn the_lock_file_of_every_msal_extension_library_is_parsed() {
    for (content, expected) in [
        ("4711 auth\n", Some(holder(4711, "auth"))),
        ("4711", Some(holder(4711, ""))),
        ("\u{feff}4711 dotnet\n", Some(holder(4711, "dotnet"))),
        ("4711 /usr/bin/az", Some(holder(4711, "/usr/bin/az"))),
        ("{4711} {main}", Some(holder(4711, "{main}"))),
        ("4711 host", Some(holder(4711, "host"))),
        ("1 \x1b[31mred\x07\n", Some(holder(1, "[31mred"))),
        ("", None),
        ("\u{feff}", None),
        ("{}", None),
        ("0", None),
        ("-1 evil", None),
        ("2147483648", None),
        ("99999999999999999999999", None),
        ("2147483647", Some(holder(2_147_483_647, ""))),
        ("nonsense", None),
        (" 12", None),
        ("\0\0\0", None),
        ("\u{661}\u{662}", None),
    ] {
        assert_eq!(LockHolder::parse(content), expected, "{content:?}");
    }
}

#[test]
fn at_most_256_bytes_of_a_lock_file_are_read() {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(format!("77 {}", "x".repeat(100_000)).as_bytes()).unwrap();
    file.rewind().unwrap();
    let holder = LockHolder::read(&file).unwrap().unwrap();
    assert_eq!((holder.process, holder.name.len()), (77, 256 - 3));
}

// S-100, R-15
#[cfg(unix)]
#[test]
fn an_unlocked_lock_file_counts_for_a_minute_while_its_writer_is_alive() {
    let now = SystemTime::now();
    let dead = {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    };
    let ours = std::process::id();
    for (process, name, age, holds) in [
        (1, "", 0_i32, true),
        (1, "python", 59, true),
        (1, "", 60, false),
        (1, "", 3600, false),
        // Written by a machine whose clock is ahead.
        (1, "", -59, true),
        (1, "", -3600, false),
        (dead, "", 0, false),
        (i32::MAX.cast_unsigned(), "", 0, false),
        // This library locks its files: an unlocked one is left from a dead process.
        (1, "auth", 0, false),
        (ours, "", 0, false),
    ] {
        let written = if age < 0 { now + SECOND * age.unsigned_abs() } else { now - SECOND * age.unsigned_abs() };
        assert_eq!(holder(process, name).holds_by_existence(written, now), holds, "{process} {name:?} {age} s");
    }
}

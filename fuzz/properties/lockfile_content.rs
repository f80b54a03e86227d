//! Lock files: the holder is a process with a name that is safe to show, or no one (S-100).

use auth_cache::untrusted::lock_file;

/// `input` is the content of the file.
pub(crate) fn holds(input: &[u8]) {
    let Some(holder) = lock_file(input) else { return };
    assert!((1..=i32::MAX.cast_unsigned()).contains(&holder.process), "{}", holder.process);
    assert!(!holder.name.chars().any(char::is_control), "{:?}", holder.name);
    assert_eq!(holder.name.trim(), holder.name);
    let line = format!("{} {}\n", holder.process, holder.name);
    assert_eq!(lock_file(line.as_bytes()), Some(holder), "it reads back the same");
}

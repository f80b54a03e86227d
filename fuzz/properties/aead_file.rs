//! Encrypted files: only an unchanged file opens, and only with its key and under its name (S-92).

use auth_cache::EncryptionKey;
use auth_cache::untrusted::{decrypted_file, encrypted_file};

const NAME: &str = "my-client-id";

/// Takes `input` as a file, and as the content of one.
pub(crate) fn holds(input: &[u8]) {
    let [key, other] = [7, 8].map(|byte| EncryptionKey::from_slice(&[byte; 32]).expect("32 bytes"));
    if let Some(content) = decrypted_file(&key, NAME, input) {
        let again = encrypted_file(&key, NAME, &content).expect("sealing succeeds");
        assert_eq!(again.len(), input.len(), "the file contains only the content");
    }
    let file = encrypted_file(&key, NAME, input).expect("sealing succeeds");
    assert_eq!(decrypted_file(&key, NAME, &file).as_deref().map(Vec::as_slice), Some(input));
    assert!(decrypted_file(&other, NAME, &file).is_none(), "with another key");
    assert!(decrypted_file(&key, "another", &file).is_none(), "under another name");
    // With a flipped bit, cut off, or with an extra byte; the input decides where.
    let at =
        input.iter().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte))) % file.len();
    let mut changed = file.to_vec();
    if let Some(byte) = changed.get_mut(at) {
        *byte ^= 1 << (at % 8);
    }
    assert!(decrypted_file(&key, NAME, &changed).is_none(), "a bit flipped in byte {at}");
    assert!(
        file.get(..at).is_some_and(|short| decrypted_file(&key, NAME, short).is_none()),
        "cut off after {at} bytes"
    );
    assert!(decrypted_file(&key, NAME, &[file.as_slice(), b"x"].concat()).is_none(), "with an extra byte");
}

//! Encrypted files: what was sealed opens with its key and under its name, whole and unchanged, and nothing else does (S-92).

use auth_cache::EncryptionKey;
use auth_cache::untrusted::{decrypted_file, encrypted_file};

const NAME: &str = "my-client-id";

/// `input` is taken as a file, and as what is in one.
pub(crate) fn holds(input: &[u8]) {
    let [key, other] = [7, 8].map(|byte| EncryptionKey::from_slice(&[byte; 32]).expect("32 bytes"));
    if let Some(content) = decrypted_file(&key, NAME, input) {
        let again = encrypted_file(&key, NAME, &content).expect("it is sealed");
        assert_eq!(again.len(), input.len(), "there is nothing beside the content");
    }
    let file = encrypted_file(&key, NAME, input).expect("it is sealed");
    assert_eq!(decrypted_file(&key, NAME, &file).as_deref().map(Vec::as_slice), Some(input));
    assert!(decrypted_file(&other, NAME, &file).is_none(), "with another key");
    assert!(decrypted_file(&key, "another", &file).is_none(), "under another name");
    // One bit is another, cut off, or one byte too many; where, the input says.
    let at =
        input.iter().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte))) % file.len();
    let mut changed = file.to_vec();
    if let Some(byte) = changed.get_mut(at) {
        *byte ^= 1 << (at % 8);
    }
    assert!(decrypted_file(&key, NAME, &changed).is_none(), "byte {at}");
    assert!(file.get(..at).is_some_and(|short| decrypted_file(&key, NAME, short).is_none()), "the first {at} bytes");
    assert!(decrypted_file(&key, NAME, &[file.as_slice(), b"x"].concat()).is_none(), "one byte more");
}

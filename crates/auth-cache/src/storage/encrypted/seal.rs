//! Sealing documents (S-92): XChaCha20-Poly1305 with a random 192-bit nonce for each.
//!
//! ```text
//! auth encrypted cache 1\n | key id, 8 bytes | nonce, 24 bytes | ciphertext | tag, 16 bytes
//! ```
//!
//! The bytes before the nonce and the name of the cache are authenticated, too: a document that was sealed under one
//! name does not open under another. Replacement with an older document of the same name cannot be detected here.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut as _, KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::storage::keys::{EncryptionKey, KEY_ID, KeyError, KeyErrorKind, KeyId, random};

/// Identifies the format and its version.
const HEADER: &[u8] = b"auth encrypted cache 1\n";
const NONCE: usize = 24;
const TAG: usize = 16;

/// The document was not sealed, was modified since, or was sealed with another key or under another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) struct NotOpened;

/// The parts of a sealed document.
struct Parts<'a> {
    id: &'a KeyId,
    nonce: &'a [u8; NONCE],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG],
}

fn parts(sealed: &[u8]) -> Option<Parts<'_>> {
    let (id, rest) = sealed.strip_prefix(HEADER)?.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (ciphertext, tag) = rest.split_last_chunk()?;
    Some(Parts { id, nonce, ciphertext, tag })
}

fn associated_data(id: &KeyId, name: &str) -> Vec<u8> {
    // Unambiguous, because only the name has a variable length.
    [HEADER, id, name.as_bytes()].concat()
}

/// Returns the id of the sealing key, given the first bytes of a sealed document.
pub(super) fn named_key(head: &[u8]) -> Option<KeyId> {
    head.strip_prefix(HEADER)?.first_chunk().copied()
}

/// Returns the id of the sealing key, given the whole document; `None` if it is not a sealed document.
pub(super) fn key_id(sealed: &[u8]) -> Option<KeyId> {
    parts(sealed).map(|parts| *parts.id)
}

/// Seals `content` for the cache `name`.
pub(in crate::storage) fn seal(
    key: &EncryptionKey,
    name: &str,
    content: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (id, mut nonce) = (key.id(), [0; NONCE]);
    random(&mut nonce)?;
    // All at once: a growing buffer leaves copies of the plaintext behind.
    let around = HEADER.len().saturating_add(KEY_ID + NONCE + TAG);
    let mut sealed = Zeroizing::new(Vec::with_capacity(content.len().saturating_add(around)));
    for part in [HEADER, &id, &nonce, content] {
        sealed.extend_from_slice(part);
    }
    let body = sealed.get_mut(around.saturating_sub(TAG)..).unwrap_or_default();
    let tag = XChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(&nonce.into(), &associated_data(&id, name), InOutBuf::from(body))
        .map_err(|_| KeyError::new(KeyErrorKind::Other, "it is too large to encrypt"))?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens a document that was sealed with `key` for the cache `name`.
pub(in crate::storage) fn open(
    key: &EncryptionKey,
    name: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
    let Parts { id, nonce, ciphertext, tag } = parts(sealed).ok_or(NotOpened)?;
    let mut content = Zeroizing::new(ciphertext.to_vec());
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(
            nonce.into(),
            &associated_data(id, name),
            InOutBuf::from(content.as_mut_slice()),
            tag.into(),
        )
        .map_err(|_| NotOpened)?;
    Ok(content)
}

#[cfg(test)]
mod tests;

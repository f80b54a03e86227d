//! Sealing a document (S-92): XChaCha20-Poly1305 with a random nonce of 192 bits for each.
//!
//! ```text
//! auth encrypted cache 1\n | key id, 8 bytes | nonce, 24 bytes | ciphertext | tag, 16 bytes
//! ```
//!
//! What stands before the nonce is authenticated, too, and so is the name of the cache: what was sealed under one name is
//! opened under no other. That an older document of the same name was put back cannot be seen here.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut as _, KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::storage::keys::{EncryptionKey, KEY_ID, KeyError, KeyErrorKind, KeyId, random};

/// What it is, and in which version.
const HEADER: &[u8] = b"auth encrypted cache 1\n";
const NONCE: usize = 24;
const TAG: usize = 16;

/// It is not what was sealed, or not with this key, or not under this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) struct NotOpened;

/// A sealed document in its parts.
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
    // Only the name has no fixed length.
    [HEADER, id, name.as_bytes()].concat()
}

/// With which key it was sealed, as its first bytes say.
pub(super) fn named_key(head: &[u8]) -> Option<KeyId> {
    head.strip_prefix(HEADER)?.first_chunk().copied()
}

/// The same of a whole one; `None` where it is nothing that was sealed.
pub(super) fn key_id(sealed: &[u8]) -> Option<KeyId> {
    parts(sealed).map(|parts| *parts.id)
}

/// Seals `content` as that of the cache `name`.
pub(in crate::storage) fn seal(
    key: &EncryptionKey,
    name: &str,
    content: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (id, mut nonce) = (key.id(), [0; NONCE]);
    random(&mut nonce)?;
    // Room for all of it at once: a buffer that grows leaves copies behind, here of what is not yet encrypted.
    let around = HEADER.len().saturating_add(KEY_ID + NONCE + TAG);
    let mut sealed = Zeroizing::new(Vec::with_capacity(content.len().saturating_add(around)));
    for part in [HEADER, &id, &nonce, content] {
        sealed.extend_from_slice(part);
    }
    let body = sealed.get_mut(around.saturating_sub(TAG)..).unwrap_or_default();
    let tag = XChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(&nonce.into(), &associated_data(&id, name), InOutBuf::from(body))
        .map_err(|_| KeyError::new(KeyErrorKind::Other, "it is too large to be encrypted"))?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens what was sealed with `key` for the cache `name`.
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

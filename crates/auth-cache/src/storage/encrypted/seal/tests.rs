use super::*;

const NAME: &str = "my-client-id";
const CONTENT: &[u8] = br#"{"AccessToken": {}}"#;

fn key(byte: u8) -> EncryptionKey {
    EncryptionKey::from_slice(&[byte; 32]).unwrap()
}

fn sealed() -> Vec<u8> {
    seal(&key(7), NAME, CONTENT).unwrap().to_vec()
}

#[test]
fn a_sealed_document_opens_only_with_its_key_and_name() {
    for content in [CONTENT, b"", &[0; 100_000]] {
        let sealed = seal(&key(7), NAME, content).unwrap();
        assert_eq!(key_id(&sealed), Some(key(7).id()));
        assert_eq!(open(&key(7), NAME, &sealed).unwrap().as_slice(), content);
        assert_eq!(open(&key(8), NAME, &sealed), Err(NotOpened), "another key");
        for name in ["", "my-client-i", "my-client-id2", "My-client-id"] {
            assert_eq!(open(&key(7), name, &sealed), Err(NotOpened), "swapped with {name}");
        }
    }
}

#[test]
fn sealing_twice_gives_different_bytes() {
    let [one, other] = [sealed(), sealed()].map(|sealed| sealed[HEADER.len() + KEY_ID..].to_vec());
    assert_ne!(one[..NONCE], other[..NONCE]);
    assert_ne!(one[NONCE..], other[NONCE..]);
    assert!(!sealed().windows(8).any(|part| CONTENT.windows(8).any(|clear| clear == part)));
}

// R-09
#[test]
fn no_document_with_a_flipped_bit_opens() {
    let sealed = sealed();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(open(&key(7), NAME, &changed), Err(NotOpened), "byte {at}, bit {bit}");
        }
    }
    for more in [&b"\0"[..], b"\n"] {
        assert_eq!(open(&key(7), NAME, &[&sealed, more].concat()), Err(NotOpened));
    }
}

// R-08
#[test]
fn no_truncated_document_opens() {
    let sealed = sealed();
    for length in 0..sealed.len() {
        assert_eq!(open(&key(7), NAME, &sealed[..length]), Err(NotOpened), "{length}");
    }
}

// Every later version must read what version 1 wrote.
#[test]
fn the_format_is_stable() {
    let text = "61757468206\
        56e637279707465642063616368652031\
        0a";
    assert_eq!(hex(text), HEADER);
    let written = hex(GOLDEN);
    assert_eq!(open(&key(7), NAME, &written).unwrap().as_slice(), CONTENT);
}

const GOLDEN: &str = include_str!("golden.hex");

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

// The test vector of draft-irtf-cfrg-xchacha-03, A.3.1.
#[test]
fn the_cipher_is_xchacha20_poly1305() {
    let key = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    let nonce: [u8; NONCE] = hex("404142434445464748494a4b4c4d4e4f5051525354555657").try_into().unwrap();
    let mut text = *b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let tag = XChaCha20Poly1305::new_from_slice(&key)
        .unwrap()
        .encrypt_inout_detached(&nonce.into(), &hex("50515253c0c1c2c3c4c5c6c7"), InOutBuf::from(&mut text[..]))
        .unwrap();
    assert_eq!(text[..16], hex("bd6d179d3e83d43b9576579493c0e939")[..]);
    assert_eq!(tag[..], hex("c0875924c1c7987947deafd8780acf49")[..]);
}

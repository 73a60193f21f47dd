//! Tests of the cipher: OpenSSL as the oracle, and hostile input.

use super::*;
use crate::wukong::binary::crypto::KeyPair;
use base64::prelude::BASE64_STANDARD;

fn cipher() -> Cipher {
    Cipher::from_key_iv(b"0123456789abcdef", b"AbCdEfGh12345678")
}

fn plain(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// MD5 of the base64 of what `openssl enc -aes-128-cbc` makes of
/// `plain(len)` with the key and vector of `cipher()`, at the edges of
/// blocks and chunks.
const OPENSSL: [(usize, &str); 11] = [
    (0, "91ebbd261db25e32ffa3aeedbd14d86a"),
    (1, "232c06b3b0cb502f46377348233ec9c3"),
    (15, "a44d166ca0eb66e6b40928ca0d6f373a"),
    (16, "5e45f7949886ff6eed93f766adc6d310"),
    (17, "218be9cde0ee5003baa7a06465cfd16f"),
    (767, "402459bb56fe3f906b22c536ebf1e998"),
    (768, "651091490ceda6eca08eb7e7c6a28e78"),
    (769, "7b05d9228f55f6fc100b914e50bb1462"),
    (1535, "0b2b2e98cac80d152b85229da1012eec"),
    (1536, "c0ddafb163368d5de7856c4d34041ece"),
    (5000, "2274fbbf3a14a75cbcaa881f438f253d"),
];

#[test]
fn agrees_with_openssl_and_opens_what_it_seals() {
    let cipher = cipher();
    let mut text = b"left over from the message before".to_vec();
    for (len, digest) in OPENSSL {
        let plain = plain(len);
        cipher.encrypt_into(&plain, &mut text);
        assert_eq!(hex::encode(Md5::digest(&text)), digest, "{len} bytes");
        assert_eq!(cipher.decrypt(&text), Ok(plain), "{len} bytes");
    }
}

#[test]
fn every_length_is_opened_as_it_was_sealed() {
    let cipher = cipher();
    for len in 0..500 {
        let plain = plain(len);
        let mut text = Vec::new();
        cipher.encrypt_into(&plain, &mut text);
        assert_eq!(cipher.decrypt(&text), Ok(plain), "{len} bytes");
        // Room for what the encoder likes to see behind a text, and no more.
        assert!(text.capacity() < text.len() + 64, "{len} bytes");
    }
}

/// A message key is the digest of the sealed sign text, so OpenSSL's digests
/// check the signing as well.
#[test]
fn a_sign_is_the_digest_of_what_openssl_seals() {
    let cipher = cipher();
    for (len, digest) in OPENSSL {
        let plain = plain(len);
        for cut in [0, len / 3, len / 2, len] {
            let (fields, payload) = plain.split_at(cut);
            let key = cipher.sign(payload, |sign| {
                sign.put(fields);
            });
            assert_eq!(msg_key_text(&key), digest, "{len} bytes cut at {cut}");
        }
    }
}

#[test]
fn keys_sign_the_documented_fields_in_order() {
    let cipher = cipher();
    let send = cipher.send_msg_key(u32::MAX, "no", "群", 255, b"text");
    assert_eq!(
        send,
        cipher.sign("4294967295no群255text".as_bytes(), |_| {})
    );
    let recv = cipher.recv_msg_key(i64::MIN, u64::MAX, "no", -1, "from", "ch", 2, b"text");
    let sign_text = "-922337203685477580818446744073709551615no-1fromch2text";
    assert_eq!(recv, cipher.sign(sign_text.as_bytes(), |_| {}));
}

#[test]
fn damaged_ciphertext_is_refused() {
    let cipher = cipher();
    let bad_base64: [&[u8]; 6] = [
        b"A",
        b"====",
        b"AAAA=AAA",
        b"\xff\xfe\xfd\xfc",
        b"AA-_",
        b"QR==",
    ];
    for text in bad_base64 {
        assert_eq!(
            cipher.decrypt(text),
            Err(CryptoError::BadBase64),
            "{text:?}"
        );
    }
    // Nothing, less than a block, more than a block, wrong padding.
    for bytes in [&b""[..], &[0; 15], &[0; 17], &[0; 16]] {
        let text = BASE64_STANDARD.encode(bytes);
        assert_eq!(
            cipher.decrypt(text.as_bytes()),
            Err(CryptoError::BadCiphertext),
            "{bytes:?}"
        );
    }
}

#[test]
fn only_the_very_key_matches() {
    let key = cipher().send_msg_key(1, "no", "ch", 1, b"text");
    let text = msg_key_text(&key).to_owned();
    assert!(msg_key_matches(&key, &text));
    for position in 0..MSG_KEY_BYTES {
        let mut other = text.clone().into_bytes();
        other[position] ^= 1;
        let other = String::from_utf8(other).expect("still ASCII");
        assert!(!msg_key_matches(&key, &other), "differs at {position}");
    }
    assert!(!msg_key_matches(&key, ""));
    assert!(!msg_key_matches(&key, &text[1..]));
    assert!(!msg_key_matches(&key, &format!("{text}0")));
    assert!(!msg_key_matches(&key, &text.to_uppercase()));
}

#[test]
fn salts_are_sixteen_ascii_characters() {
    let alice = KeyPair::from_secret([1; 32]);
    let bob = KeyPair::from_secret([2; 32]);
    let shared = alice.agree(&bob.public_base64()).expect("a good key");
    for salt in [
        "",
        "AbCdEfGh1234567",
        "AbCdEfGh123456789",
        "AbCdEfGh123456é",
    ] {
        assert_eq!(
            Cipher::new(&shared, salt).err(),
            Some(CryptoError::BadSalt),
            "{salt:?}"
        );
    }
    assert!(Cipher::new(&shared, "AbCdEfGh12345678").is_ok());
}

#[test]
fn both_sides_of_a_handshake_have_the_same_cipher() {
    let alice = KeyPair::from_secret([1; 32]);
    let bob = KeyPair::from_secret([2; 32]);
    let salt = "AbCdEfGh12345678";
    let at_alice = alice.agree(&bob.public_base64()).expect("a good key");
    let at_bob = bob.agree(&alice.public_base64()).expect("a good key");
    let at_alice = Cipher::new(&at_alice, salt).expect("a good salt");
    let at_bob = Cipher::new(&at_bob, salt).expect("a good salt");

    let mut text = Vec::new();
    at_alice.encrypt_into("你好".as_bytes(), &mut text);
    assert_eq!(at_bob.decrypt(&text), Ok("你好".as_bytes().to_vec()));
    assert_eq!(
        at_alice.send_msg_key(1, "no", "bob", 1, &text),
        at_bob.send_msg_key(1, "no", "bob", 1, &text)
    );
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", cipher()), "Cipher { .. }");
}

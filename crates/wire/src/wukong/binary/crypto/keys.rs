//! X25519 key agreement (wukong.md §2.1, §2.2).
//!
//! Guarantees that a peer key of the wrong shape, or one that forces a known
//! secret, is refused. Does not know where secret bytes come from: they must
//! be fresh random bytes for every connection.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest, Md5};
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};

use super::CryptoError;
use super::cipher::lower_hex;
use super::sealing::BLOCK_BYTES;

/// Bytes of an X25519 key.
const KEY_BYTES: usize = 32;

/// Characters of a key's padded base64.
const KEY_TEXT_BYTES: usize = KEY_BYTES.div_ceil(3) * 4;

/// One side's X25519 key pair.
pub struct KeyPair {
    secret: StaticSecret,
}

impl KeyPair {
    /// The pair of a secret, which must be 32 random bytes. Clamping is done
    /// here (RFC 7748 §5).
    #[must_use]
    pub fn from_secret(secret: [u8; 32]) -> KeyPair {
        KeyPair {
            secret: StaticSecret::from(secret),
        }
    }

    /// The public half as CONNECT and CONNACK carry it: padded standard
    /// base64, 44 characters (wukong.md §2.1).
    #[must_use]
    pub fn public_base64(&self) -> String {
        BASE64_STANDARD.encode(PublicKey::from(&self.secret).as_bytes())
    }

    /// The secret shared with the owner of the given public key.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadPublicKey`] if the text is not the base64 of exactly
    /// 32 bytes (so also if it is empty), [`CryptoError::WeakPublicKey`] if
    /// the shared secret would be zero.
    pub fn agree(&self, peer_public_base64: &str) -> Result<SharedKey, CryptoError> {
        // The length goes first so that a hostile text is not even decoded.
        if peer_public_base64.len() != KEY_TEXT_BYTES {
            return Err(CryptoError::BadPublicKey);
        }
        let peer: [u8; KEY_BYTES] = BASE64_STANDARD
            .decode(peer_public_base64)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(CryptoError::BadPublicKey)?;

        let shared = self.secret.diffie_hellman(&PublicKey::from(peer));
        if shared.was_contributory() {
            Ok(SharedKey { secret: shared })
        } else {
            Err(CryptoError::WeakPublicKey)
        }
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

/// The secret that both sides share after the handshake.
pub struct SharedKey {
    secret: SharedSecret,
}

impl SharedKey {
    /// The AES-128 key: the first 16 characters of the lower-hex MD5 of the
    /// secret's base64, as ASCII bytes (wukong.md §2.2).
    pub(super) fn aes_key(&self) -> [u8; BLOCK_BYTES] {
        let text = BASE64_STANDARD.encode(self.secret.as_bytes());
        let digest = lower_hex(Md5::digest(text.as_bytes()).into());
        let mut key = [0; BLOCK_BYTES];
        key.copy_from_slice(&digest[..BLOCK_BYTES]);
        key
    }
}

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7748 §6.1.
    const ALICE_SECRET: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    const ALICE_PUBLIC: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    const BOB_SECRET: &str = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    const BOB_PUBLIC: &str = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    const SHARED: &str = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

    fn bytes(hex_text: &str) -> [u8; 32] {
        hex::decode(hex_text)
            .expect("vectors are hex")
            .try_into()
            .expect("vectors are 32 bytes")
    }

    fn base64_of(hex_text: &str) -> String {
        BASE64_STANDARD.encode(bytes(hex_text))
    }

    #[test]
    fn rfc_7748_example() {
        let alice = KeyPair::from_secret(bytes(ALICE_SECRET));
        let bob = KeyPair::from_secret(bytes(BOB_SECRET));
        assert_eq!(alice.public_base64(), base64_of(ALICE_PUBLIC));
        assert_eq!(bob.public_base64(), base64_of(BOB_PUBLIC));

        let at_alice = alice.agree(&bob.public_base64()).expect("a good key");
        let at_bob = bob.agree(&alice.public_base64()).expect("a good key");
        assert_eq!(at_alice.secret.as_bytes(), &bytes(SHARED));
        assert_eq!(at_bob.secret.as_bytes(), &bytes(SHARED));
    }

    /// The expected key was computed outside of this crate.
    #[test]
    fn aes_key_is_the_first_half_of_the_hex_digest() {
        let alice = KeyPair::from_secret(bytes(ALICE_SECRET));
        let shared = alice.agree(&base64_of(BOB_PUBLIC)).expect("a good key");
        assert_eq!(&shared.aes_key(), b"0c15fdbf4d09bc6c");
    }

    #[test]
    fn keys_of_another_shape_are_refused() {
        let pair = KeyPair::from_secret([7; 32]);
        let good = base64_of(BOB_PUBLIC);
        let unpadded = good.trim_end_matches('=').to_owned();
        let url_safe = BASE64_STANDARD
            .encode([0xff; 32])
            .replace('/', "_")
            .replace('+', "-");
        let hostile = [
            String::new(),
            "=".repeat(44),
            unpadded,
            url_safe,
            BASE64_STANDARD.encode([1; 31]),
            BASE64_STANDARD.encode([1; 33]),
            format!("{good}{good}"),
            format!(" {}", &good[1..]),
            // 44 bytes of UTF-8 that are no base64.
            "\u{1f600}".repeat(11),
            // Bits beyond the 32nd byte.
            format!("{}9=", &good[..42]),
        ];
        for text in hostile {
            assert_eq!(
                pair.agree(&text).err(),
                Some(CryptoError::BadPublicKey),
                "{text:?}"
            );
        }
        assert!(pair.agree(&good).is_ok());
    }

    #[test]
    fn points_of_small_order_are_refused() {
        // 0, 1, p - 1, p, p + 1 and the two points of order 8.
        let small = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ];
        let pair = KeyPair::from_secret(bytes(ALICE_SECRET));
        for point in small {
            assert_eq!(
                pair.agree(&base64_of(point)).err(),
                Some(CryptoError::WeakPublicKey),
                "{point}"
            );
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let pair = KeyPair::from_secret([7; 32]);
        let shared = pair.agree(&base64_of(BOB_PUBLIC)).expect("a good key");
        assert_eq!(format!("{pair:?}"), "KeyPair { .. }");
        assert_eq!(format!("{shared:?}"), "SharedKey { .. }");
    }
}

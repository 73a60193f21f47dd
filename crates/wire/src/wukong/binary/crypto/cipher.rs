//! AES-128-CBC payloads and message keys (wukong.md §2.3–§2.6).
//!
//! One connection's secrets, and one text at a time; `recvs` works on several.
//! The key schedule is made once per connection. The module does not know
//! which packets are encrypted.

use std::hint::black_box;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, InnerIvInit, KeyInit};
use base64::engine::Engine as _;
use md5::{Digest, Md5};

use super::recvs::put_signed_fields;
use super::sealing::{BASE64, BLOCK_BYTES, Text};
use super::{CryptoError, SharedKey};
use crate::wukong::binary::{Flags, RecvParts, Setting};

/// Bytes of a message key: an MD5 digest as lower-case hex (wukong.md §2.5).
pub const MSG_KEY_BYTES: usize = 32;

/// Room for the fields that a message key covers: numbers and three names.
const USUAL_FIELDS_BYTES: usize = 192;

/// One connection's cipher: seals and opens payloads, signs packets.
pub struct Cipher {
    pub(super) aes: Aes128,
    pub(super) iv: [u8; BLOCK_BYTES],
}

impl Cipher {
    /// The cipher of a connection. The server chooses the salt, 16 random
    /// printable ASCII characters, and sends it in CONNACK; it is the
    /// initialisation vector (wukong.md §2.2, §2.3).
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadSalt`] if the salt is not exactly 16 ASCII
    /// characters: clients disagree about what to do with a longer one.
    pub fn new(shared: &SharedKey, salt: &str) -> Result<Cipher, CryptoError> {
        match <[u8; BLOCK_BYTES]>::try_from(salt.as_bytes()) {
            Ok(iv) if iv.is_ascii() => Ok(Cipher::from_key_iv(&shared.aes_key(), &iv)),
            _ => Err(CryptoError::BadSalt),
        }
    }

    /// The cipher of a given key and initialisation vector, both taken as
    /// they are. Connections use [`Cipher::new`]; this is for checking
    /// recorded traffic whose key is known.
    #[must_use]
    pub fn from_key_iv(key: &[u8; 16], iv: &[u8; 16]) -> Cipher {
        Cipher {
            aes: Aes128::new(key.into()),
            iv: *iv,
        }
    }

    /// Replaces the contents of `out` by the base64 text of the encrypted
    /// `plain`, as SEND and RECV carry it (wukong.md §2.4). The text is always
    /// ASCII.
    pub fn encrypt_into(&self, plain: &[u8], out: &mut Vec<u8>) {
        let mut text = Text::with_room(plain.len());
        text.sealed = std::mem::take(out);
        text.put(plain);
        self.seal(std::slice::from_mut(&mut text));
        *out = text.sealed;
    }

    /// The plain bytes of a payload text (wukong.md §2.4).
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadBase64`] or [`CryptoError::BadCiphertext`]. Do not
    /// let a peer tell them apart, and check the message key first.
    pub fn decrypt(&self, text: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = BASE64.decode(text).map_err(|_| CryptoError::BadBase64)?;
        let plain_len = cbc::Decryptor::inner_iv_init(&self.aes, (&self.iv).into())
            .decrypt_padded::<Pkcs7>(&mut bytes)
            .map_err(|_| CryptoError::BadCiphertext)?
            .len();
        bytes.truncate(plain_len);
        Ok(bytes)
    }

    /// The message key of a SEND (wukong.md §2.5). `payload_text` is the
    /// payload as it is on the wire, that is encrypted.
    #[must_use]
    pub fn send_msg_key(
        &self,
        client_seq: u32,
        client_msg_no: &str,
        channel_id: &str,
        channel_type: u8,
        payload_text: &[u8],
    ) -> [u8; MSG_KEY_BYTES] {
        self.sign(payload_text, |sign| {
            sign.put_number(client_seq.into())
                .put(client_msg_no.as_bytes())
                .put(channel_id.as_bytes())
                .put_number(channel_type.into());
        })
    }

    /// The message key of a RECV (wukong.md §2.6). The arguments are the
    /// fields of this RECV, so `from_uid` and `channel_id` as this receiver
    /// sees them; `payload_text` is encrypted for this connection.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "the protocol signs these eight fields; a struct would only repeat them"
    )]
    pub fn recv_msg_key(
        &self,
        message_id: i64,
        message_seq: u64,
        client_msg_no: &str,
        timestamp_secs: i32,
        from_uid: &str,
        channel_id: &str,
        channel_type: u8,
        payload_text: &[u8],
    ) -> [u8; MSG_KEY_BYTES] {
        let recv = RecvParts {
            flags: Flags::default(),
            setting: Setting(0),
            msg_key: "",
            from_uid,
            channel_id,
            channel_type,
            expire_secs: 0,
            client_msg_no,
            message_id,
            message_seq,
            timestamp_secs,
            topic: "",
            payload: payload_text,
        };
        self.sign(payload_text, |sign| put_signed_fields(sign, &recv))
    }

    /// Lower-hex MD5 of the sealed sign text: some fields, then the payload.
    fn sign(&self, payload_text: &[u8], put: impl FnOnce(&mut Text)) -> [u8; MSG_KEY_BYTES] {
        let mut sign = Text::with_room(payload_text.len() + USUAL_FIELDS_BYTES);
        put(&mut sign);
        sign.put(payload_text);
        self.seal(std::slice::from_mut(&mut sign));
        lower_hex(Md5::digest(&sign.sealed).into())
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cipher").finish_non_exhaustive()
    }
}

/// Whether the key that a packet carries is the expected one, in a time that
/// does not tell how much of it was right.
#[must_use]
pub fn msg_key_matches(expected: &[u8; MSG_KEY_BYTES], given: &str) -> bool {
    let given = given.as_bytes();
    if given.len() != MSG_KEY_BYTES {
        return false;
    }
    let mut difference = 0;
    for (a, b) in expected.iter().zip(given) {
        // `black_box` keeps the loop from being cut short at the first
        // difference.
        difference |= black_box(a ^ b);
    }
    difference == 0
}

/// A message key as the text that packets carry; empty if `key` is not ASCII,
/// which no key made here is.
#[must_use]
pub fn msg_key_text(key: &[u8; MSG_KEY_BYTES]) -> &str {
    std::str::from_utf8(key).unwrap_or_default()
}

/// The digest's 32 lower-case hex digits.
pub(super) fn lower_hex(digest: [u8; 16]) -> [u8; MSG_KEY_BYTES] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; MSG_KEY_BYTES];
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0x0f)];
    }
    text
}

#[cfg(test)]
mod tests;

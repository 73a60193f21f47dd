//! AES-128-CBC payloads and message keys (wukong.md §2.3–§2.6).
//!
//! Encryption runs through a fixed buffer on the stack, straight into the
//! output or into the digest: signing a message allocates nothing, whatever
//! its size, and the key schedule is made once per connection. The module does
//! not know which packets are encrypted.

use std::fmt::Write as _;
use std::hint::black_box;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest, Md5};

use super::{CryptoError, SharedKey};

/// Bytes of a message key: an MD5 digest as lower-case hex (wukong.md §2.5).
pub const MSG_KEY_BYTES: usize = 32;

/// Bytes of an AES block, of the key and of the initialisation vector.
pub(super) const BLOCK_BYTES: usize = 16;

/// Bytes sealed at a time. A multiple of both the block and of 3, so that
/// every chunk but the last becomes whole blocks and unpadded base64.
const CHUNK_BYTES: usize = 48 * 16;

/// Base64 characters of a chunk.
const CHUNK_TEXT_BYTES: usize = CHUNK_BYTES / 3 * 4;

/// One connection's cipher: seals and opens payloads, signs packets.
pub struct Cipher {
    aes: Aes128,
    iv: [u8; BLOCK_BYTES],
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
    /// ASCII. Nothing is allocated when `out` has the capacity already.
    pub fn encrypt_into(&self, plain: &[u8], out: &mut Vec<u8>) {
        out.clear();
        // Padding adds between one byte and a whole block.
        let sealed_len = (plain.len() / BLOCK_BYTES + 1) * BLOCK_BYTES;
        out.reserve(sealed_len.div_ceil(3) * 4);
        let mut sealer = Sealer::new(self, |text: &[u8]| out.extend_from_slice(text));
        sealer.update(plain);
        sealer.finish();
    }

    /// The plain bytes of a payload text (wukong.md §2.4).
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadBase64`] or [`CryptoError::BadCiphertext`]. Do not
    /// let a peer tell them apart, and check the message key first.
    pub fn decrypt(&self, text: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = BASE64_STANDARD
            .decode(text)
            .map_err(|_| CryptoError::BadBase64)?;
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
        self.sign(|sign| {
            sign.decimal(client_seq);
            sign.update(client_msg_no.as_bytes());
            sign.update(channel_id.as_bytes());
            sign.decimal(channel_type);
            sign.update(payload_text);
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
        self.sign(|sign| {
            sign.decimal(message_id);
            sign.decimal(message_seq);
            sign.update(client_msg_no.as_bytes());
            sign.decimal(timestamp_secs);
            sign.update(from_uid.as_bytes());
            sign.update(channel_id.as_bytes());
            sign.decimal(channel_type);
            sign.update(payload_text);
        })
    }

    /// Lower-hex MD5 of the base64 of the encrypted sign text.
    fn sign(&self, write: impl FnOnce(&mut Sealer<'_, &mut dyn FnMut(&[u8])>)) -> [u8; 32] {
        let mut digest = Md5::new();
        let mut absorb = |text: &[u8]| digest.update(text);
        let mut sealer = Sealer::new(self, &mut absorb as &mut dyn FnMut(&[u8]));
        write(&mut sealer);
        sealer.finish();
        lower_hex(digest.finalize().into())
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

/// Encrypts a stream of bytes and hands out the base64 text chunk by chunk.
struct Sealer<'a, F: FnMut(&[u8])> {
    cbc: cbc::Encryptor<&'a Aes128>,
    chunk: [u8; CHUNK_BYTES],
    /// Bytes of `chunk` in use; below `CHUNK_BYTES` between calls.
    filled: usize,
    emit: F,
}

impl<'a, F: FnMut(&[u8])> Sealer<'a, F> {
    fn new(cipher: &'a Cipher, emit: F) -> Self {
        Sealer {
            cbc: cbc::Encryptor::inner_iv_init(&cipher.aes, (&cipher.iv).into()),
            chunk: [0; CHUNK_BYTES],
            filled: 0,
            emit,
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let free = &mut self.chunk[self.filled..];
            let (head, rest) = bytes.split_at(bytes.len().min(free.len()));
            free[..head.len()].copy_from_slice(head);
            self.filled += head.len();
            bytes = rest;
            if self.filled == CHUNK_BYTES {
                self.flush(CHUNK_BYTES);
            }
        }
    }

    fn decimal(&mut self, number: impl std::fmt::Display) {
        // Displaying an integer cannot fail, and neither can `write_str`.
        let _ = write!(self, "{number}");
    }

    /// Pads as PKCS#7 says and emits the rest.
    fn finish(mut self) {
        let pad = BLOCK_BYTES - self.filled % BLOCK_BYTES;
        let end = self.filled + pad;
        // `pad` is at most 16, so it fits a byte; and since `filled` is below
        // the chunk, which is whole blocks, `end` is within it.
        self.chunk[self.filled..end].fill(pad as u8);
        self.flush(end);
    }

    /// Encrypts and emits the first `len` bytes, a multiple of the block.
    fn flush(&mut self, len: usize) {
        let sealed = &mut self.chunk[..len];
        let (blocks, _) = Block::<Aes128>::slice_as_chunks_mut(sealed);
        self.cbc.encrypt_blocks(blocks);
        let mut text = [0; CHUNK_TEXT_BYTES];
        let text_len = BASE64_STANDARD
            .encode_slice(sealed, &mut text)
            .expect("the text buffer holds a whole chunk");
        (self.emit)(&text[..text_len]);
        self.filled = 0;
    }
}

impl<F: FnMut(&[u8])> std::fmt::Write for Sealer<'_, F> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests;

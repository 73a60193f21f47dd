//! Texts on their way to the wire: AES-128-CBC, then base64 (wukong.md §2.4).
//!
//! Each block of a chain waits for the one before, so several chains in step
//! take hardly longer than one. Buffers are kept from text to text.

use std::sync::LazyLock;

use aes::Block;
use aes::cipher::consts::U16;
use aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
};
use base64::engine::general_purpose::PAD;
use base64::engine::{Engine as _, Simd};

use super::Cipher;
use super::md5_lanes::LANES;

/// Bytes of an AES block, of the key and of the initialisation vector.
pub(super) const BLOCK_BYTES: usize = 16;

/// Standard base64 in the way that is fastest on this machine.
pub(super) static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));

/// Bytes that the encoder takes at once, and how many more it must see to do so.
const ENCODED_AT_ONCE: usize = 24;
const ENCODED_AHEAD: usize = 8;

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Something to seal.
#[derive(Default)]
pub(super) struct Text {
    /// Plain at first, then encrypted.
    bytes: Vec<u8>,
    /// What came of it: base64 of the encrypted bytes.
    pub(super) sealed: Vec<u8>,
}

impl Text {
    /// An empty text with room for so many plain bytes and their padding.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes + BLOCK_BYTES),
            sealed: Vec::new(),
        }
    }

    /// Forgets what was put before, but keeps the memory.
    pub(super) fn begin(&mut self) -> &mut Self {
        self.bytes.clear();
        self
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Puts a number in decimal.
    pub(super) fn put_number(&mut self, mut number: u64) -> &mut Self {
        // As many digits as the largest number has, two at a time.
        let mut digits = [0; 20];
        let mut at = digits.len();
        while number >= 10 {
            at -= 2;
            digits[at..at + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
            number /= 100;
        }
        if number > 0 || at == digits.len() {
            at -= 1;
            digits[at] = b'0' + number as u8;
        }
        self.put(&digits[at..])
    }

    /// Puts a number that may be negative in decimal.
    pub(super) fn put_signed(&mut self, number: i64) -> &mut Self {
        if number < 0 {
            self.put(b"-");
        }
        self.put_number(number.unsigned_abs())
    }

    /// Makes base64 of the bytes. The encoder is fast as long as it has enough bytes before
    /// it, so it gets zeros behind the last ones; where these are but zeros, there is padding.
    fn encode(&mut self) {
        let len = self.bytes.len();
        let with_zeros = len.next_multiple_of(ENCODED_AT_ONCE) + ENCODED_AHEAD;
        self.bytes.resize(with_zeros, 0);
        self.sealed.clear();
        self.sealed.resize(with_zeros.div_ceil(3) * 4, 0);
        BASE64
            .encode_slice(&self.bytes, &mut self.sealed)
            .expect("there is as much room as base64 takes");
        self.sealed.truncate(len.div_ceil(3) * 4);
        let padding = len.next_multiple_of(3) - len;
        let end = self.sealed.len();
        self.sealed[end - padding..].fill(b'=');
    }

    /// Gives back the memory if it is more than `kept` bytes.
    pub(super) fn shrink(&mut self, kept: usize) {
        if self.bytes.capacity() + self.sealed.capacity() > kept {
            *self = Self::default();
        }
    }
}

impl Cipher {
    /// Seals texts, at most [`LANES`] of them.
    pub(super) fn seal(&self, texts: &mut [Text]) {
        for Text { bytes, .. } in &mut *texts {
            // PKCS#7: 1 to 16 bytes, each of which says how many they are.
            let pad = BLOCK_BYTES - bytes.len() % BLOCK_BYTES;
            bytes.resize(bytes.len() + pad, pad as u8);
        }
        let chains = [u128::from_ne_bytes(self.iv); LANES];
        self.aes.encrypt_with_backend(Cbc { texts, chains });
        texts.iter_mut().for_each(Text::encode);
    }
}

/// CBC of several texts in step. Their chains begin alike, with the
/// connection's one vector; that is the protocol's choice.
struct Cbc<'a> {
    texts: &'a mut [Text],
    chains: [u128; LANES],
}

impl BlockSizeUser for Cbc<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Cbc<'_> {
    // Inlined into the backend, to be compiled for the instructions it uses.
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(mut self, backend: &B) {
        let longest = self.texts.iter().map(|text| text.bytes.len()).max();
        for at in (0..longest.unwrap_or(0)).step_by(BLOCK_BYTES) {
            for (text, chain) in self.texts.iter_mut().zip(&mut self.chains) {
                let rest = text.bytes.get_mut(at..);
                let Some(bytes) = rest.and_then(<[u8]>::first_chunk_mut) else {
                    continue;
                };
                let mut block = Block::from((u128::from_ne_bytes(*bytes) ^ *chain).to_ne_bytes());
                backend.encrypt_block_inplace(&mut block);
                *bytes = block.into();
                *chain = u128::from_ne_bytes(*bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_put_as_they_are_written() {
        let powers = (0..20).flat_map(|n| [10u64.pow(n) - 1, 10u64.pow(n), 10u64.pow(n) + 1]);
        for number in powers.chain([0, 99, 101, 250, u64::MAX]) {
            let mut text = Text::default();
            text.put_number(number);
            assert_eq!(text.bytes, number.to_string().as_bytes());
        }
        for number in [0, -1, 1, i64::MIN, i64::MAX] {
            let mut text = Text::default();
            text.put_signed(number);
            assert_eq!(text.bytes, number.to_string().as_bytes());
        }
    }
}

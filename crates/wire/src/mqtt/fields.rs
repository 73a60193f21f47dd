//! A cursor over the fields of a packet (MQTT 5.0 §1.5). Every read checks the
//! bounds, and none allocates.

use super::property::Properties;
use super::{DecodeError, PacketId, text};

/// Continuation bit of a byte of a variable byte integer.
const MORE: u8 = 0x80;

/// Bytes of a variable byte integer at most.
const MAX_VARINT_BYTES: usize = 4;

/// A variable byte integer at the front of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Varint {
    /// Its value.
    pub(super) value: u32,
    /// How many bytes it took.
    pub(super) len: usize,
}

impl Varint {
    /// Reads one; `None` if it is incomplete (§1.5.5).
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Varint>, DecodeError> {
        let mut value = 0;
        for (index, &byte) in bytes.iter().take(MAX_VARINT_BYTES).enumerate() {
            value |= u32::from(byte & !MORE) << (7 * index);
            if byte & MORE == 0 {
                let len = index + 1;
                return Ok(Some(Varint { value, len }));
            }
        }
        if bytes.len() < MAX_VARINT_BYTES {
            Ok(None)
        } else {
            Err(DecodeError::VarintTooLong)
        }
    }

    /// Whether fewer bytes would have done.
    pub(super) const fn is_padded(self) -> bool {
        self.len > 1 && self.value >> (7 * (self.len - 1)) == 0
    }
}

/// The fields of a body, or of a part of it, that are not yet read.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// All of `body`.
    pub(super) const fn new(body: &'a [u8]) -> Fields<'a> {
        Fields { rest: body }
    }

    /// Whether everything is read.
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Nothing may be left.
    pub(super) const fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes(left)),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_be_bytes)
    }

    /// Two bytes.
    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A variable byte integer in its shortest form, which 5.0 demands
    /// (§1.5.5); 3.1.1 has none in a body.
    pub(super) fn varint(&mut self) -> Result<u32, DecodeError> {
        let varint = Varint::read(self.rest)?.ok_or(DecodeError::Truncated)?;
        if varint.is_padded() {
            return Err(DecodeError::PaddedVarint);
        }
        self.take(varint.len)?;
        Ok(varint.value)
    }

    /// Bytes with their length in front (§1.5.6).
    pub(super) fn binary(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    /// A string (§1.5.4).
    pub(super) fn str(&mut self) -> Result<&'a str, DecodeError> {
        text::decode(self.binary()?)
    }

    /// A string, copied.
    pub(super) fn string(&mut self) -> Result<String, DecodeError> {
        self.str().map(str::to_owned)
    }

    /// Two strings, as they stand on the wire (§1.5.7).
    pub(super) fn str_pair(&mut self) -> Result<&'a [u8], DecodeError> {
        let start = self.rest;
        self.str()?;
        self.str()?;
        Ok(&start[..start.len() - self.rest.len()])
    }

    /// A packet id.
    pub(super) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        PacketId::new(self.u16()?).ok_or(DecodeError::PacketIdZero)
    }

    /// A block of properties with its length in front (§2.2.2).
    pub(super) fn properties(&mut self) -> Result<Properties<'a>, DecodeError> {
        let len = self.varint()?;
        // No more than a body, which `usize` can count.
        let block = self.take(len as usize)?;
        Ok(Properties::new(Fields::new(block)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 1-1 of 5.0 and table 2.4 of 3.1.1.
    #[test]
    fn the_table_of_the_specification() {
        let cases: [(u32, &[u8]); 8] = [
            (0, &[0x00]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xff, 0xff, 0x7f]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xff, 0xff, 0xff, 0x7f]),
        ];
        for (value, bytes) in cases {
            let varint = Varint {
                value,
                len: bytes.len(),
            };
            assert_eq!(Varint::read(bytes), Ok(Some(varint)));
            assert!(!varint.is_padded(), "{value}");
            for cut in 0..bytes.len() {
                assert_eq!(Varint::read(&bytes[..cut]), Ok(None));
            }
        }
    }

    #[test]
    fn padding_is_told_from_the_shortest_form() {
        for (bytes, value) in [
            (&[0x80, 0x00][..], 0),
            (&[0xff, 0x00], 127),
            (&[0xff, 0xff, 0x00], 16_383),
            (&[0x81, 0x80, 0x80, 0x00], 1),
        ] {
            let varint = Varint::read(bytes).expect("four bytes at most");
            let varint = varint.expect("complete");
            assert_eq!(varint.value, value);
            assert!(varint.is_padded(), "{bytes:x?}");
            assert_eq!(Fields::new(bytes).varint(), Err(DecodeError::PaddedVarint));
        }
    }

    #[test]
    fn five_bytes_are_too_many() {
        let bytes = [0x80, 0x80, 0x80, 0x80, 0x01];
        assert_eq!(Varint::read(&bytes), Err(DecodeError::VarintTooLong));
        assert_eq!(Varint::read(&bytes[..4]), Err(DecodeError::VarintTooLong));
    }
}

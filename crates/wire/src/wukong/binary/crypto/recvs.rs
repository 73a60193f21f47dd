//! RECVs of one connection, sealed and signed several at once
//! (wukong.md §2.4, §2.6).
//!
//! A connection that is given several messages pays for little more than one.
//! The sealer belongs to whoever works, not to a connection: an idle one holds
//! no buffers. What it was given last stays in its memory until the next call.

use md5::{Digest, Md5};

use super::cipher::lower_hex;
use super::md5_lanes::{LANES, digests, pad};
use super::sealing::Text;
use super::{Cipher, MSG_KEY_BYTES, msg_key_text};
use crate::wukong::binary::RecvParts;

/// Memory of a lane's text that is kept from call to call, bytes.
const KEPT_BYTES: usize = 32 * 1024;

/// Seals and signs RECVs, up to [`RecvSealer::LANES`] at once.
#[derive(Default)]
pub struct RecvSealer {
    payloads: [Text; LANES],
    signs: [Text; LANES],
    keys: [[u8; MSG_KEY_BYTES]; LANES],
}

impl RecvSealer {
    /// How many RECVs are sealed at once.
    pub const LANES: usize = LANES;

    /// Seals and signs RECVs for the connection of `cipher`. They are given as
    /// the connection will see them, but with plain payloads; those beyond
    /// [`RecvSealer::LANES`] are left out.
    pub fn seal<'a>(&mut self, cipher: &Cipher, recvs: impl IntoIterator<Item = RecvParts<'a>>) {
        let mut count = 0;
        let lanes = self.payloads.iter_mut().zip(&mut self.signs);
        for (recv, (payload, sign)) in recvs.into_iter().zip(lanes) {
            payload.begin().put(recv.payload);
            put_signed_fields(sign.begin(), &recv);
            count += 1;
        }
        let (payloads, signs) = (&mut self.payloads[..count], &mut self.signs[..count]);
        cipher.seal(payloads);
        for (sign, payload) in signs.iter_mut().zip(&*payloads) {
            sign.put(&payload.sealed);
        }
        cipher.seal(signs);
        if let [only] = signs {
            self.keys[0] = lower_hex(Md5::digest(&only.sealed).into());
        } else {
            let mut texts = [&[][..]; LANES];
            for (text, sign) in texts.iter_mut().zip(signs) {
                pad(&mut sign.sealed);
                *text = &sign.sealed;
            }
            self.keys = digests(texts).map(lower_hex);
        }
    }

    /// A RECV as the wire carries it: what was given to [`RecvSealer::seal`]
    /// in this place, with its message key and its sealed payload.
    #[must_use]
    pub fn sealed<'a>(&'a self, lane: usize, plain: RecvParts<'a>) -> RecvParts<'a> {
        RecvParts {
            msg_key: msg_key_text(&self.keys[lane]),
            payload: &self.payloads[lane].sealed,
            ..plain
        }
    }

    /// Gives back the memory that large messages took.
    pub fn shrink(&mut self) {
        let texts = self.payloads.iter_mut().chain(&mut self.signs);
        texts.for_each(|text| text.shrink(KEPT_BYTES));
    }
}

/// What a RECV's message key covers beside the sealed payload, which follows.
pub(super) fn put_signed_fields(sign: &mut Text, recv: &RecvParts<'_>) {
    sign.put_signed(recv.message_id)
        .put_number(recv.message_seq)
        .put(recv.client_msg_no.as_bytes())
        .put_signed(recv.timestamp_secs.into())
        .put(recv.from_uid.as_bytes())
        .put(recv.channel_id.as_bytes())
        .put_number(recv.channel_type.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wukong::binary::{Flags, Setting};

    fn recv<'a>(seq: u64, payload: &'a [u8]) -> RecvParts<'a> {
        RecvParts {
            flags: Flags::default(),
            setting: Setting(0),
            msg_key: "",
            from_uid: "alice",
            channel_id: "群",
            channel_type: 2,
            expire_secs: 0,
            client_msg_no: "no",
            message_id: 1 - seq as i64,
            message_seq: seq,
            timestamp_secs: -5,
            topic: "",
            payload,
        }
    }

    /// One by one, without lanes, is the oracle.
    #[test]
    fn several_at_once_are_sealed_as_one_by_one() {
        let cipher = Cipher::from_key_iv(b"0123456789abcdef", b"AbCdEfGh12345678");
        let bytes: Vec<u8> = (0..2000u32).map(|i| (i % 251) as u8).collect();
        let lens = [0, 1, 15, 16, 17, 100, 333, 1999];
        let mut sealer = RecvSealer::default();
        for at in 0..lens.len() {
            for count in 0..=LANES + 1 {
                let len = |lane: usize| lens[(at + lane * 3) % lens.len()];
                let plain = |lane: usize| recv(lane as u64, &bytes[..len(lane)]);
                sealer.seal(&cipher, (0..count).map(plain));
                for lane in 0..count.min(LANES) {
                    let recv = sealer.sealed(lane, plain(lane));
                    let mut payload = Vec::new();
                    cipher.encrypt_into(plain(lane).payload, &mut payload);
                    assert_eq!(recv.payload, payload, "{lane} of {count}");
                    let key = cipher.recv_msg_key(
                        recv.message_id,
                        recv.message_seq,
                        recv.client_msg_no,
                        recv.timestamp_secs,
                        recv.from_uid,
                        recv.channel_id,
                        recv.channel_type,
                        &payload,
                    );
                    assert_eq!(recv.msg_key, msg_key_text(&key), "{lane} of {count}");
                }
            }
        }
    }

    #[test]
    fn memory_of_large_messages_is_given_back() {
        let cipher = Cipher::from_key_iv(b"0123456789abcdef", b"AbCdEfGh12345678");
        let mut sealer = RecvSealer::default();
        sealer.seal(&cipher, [recv(1, &[7; 100_000]), recv(2, b"small")]);
        sealer.shrink();
        assert!(sealer.sealed(0, recv(1, b"")).payload.is_empty());
        assert!(!sealer.sealed(1, recv(2, b"")).payload.is_empty());
    }
}

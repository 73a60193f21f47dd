//! MD5 of four texts at once (RFC 1321).
//!
//! The steps of one MD5 wait for each other and leave most of a processor
//! idle; four digests beside each other take hardly longer than one. The
//! arithmetic is written so that compilers make vector instructions of it,
//! but is right without. For one text the `md-5` crate is faster.

/// How many texts are digested at once.
pub(super) const LANES: usize = 4;

/// Bytes that are digested at a time.
pub(super) const BLOCK_BYTES: usize = 64;

/// One word of each text.
type Lanes = [u32; LANES];

/// Appends what MD5 puts behind a text, so that it becomes whole blocks (§3.1, §3.2).
pub(super) fn pad(text: &mut Vec<u8>) {
    let bits = (text.len() as u64).wrapping_mul(8);
    text.push(0x80);
    let zeros = (2 * BLOCK_BYTES - 8 - text.len() % BLOCK_BYTES) % BLOCK_BYTES;
    text.resize(text.len() + zeros, 0);
    text.extend_from_slice(&bits.to_le_bytes());
}

/// The digests of padded texts, which may differ in length.
pub(super) fn digests(texts: [&[u8]; LANES]) -> [[u8; 16]; LANES] {
    let texts = texts.map(|text| text.as_chunks::<BLOCK_BYTES>().0);
    let mut state = INITIAL.map(|word| [word; LANES]);
    let mut digests = [[0; 16]; LANES];
    for at in 0..texts.map(<[_]>::len).into_iter().max().unwrap_or(0) {
        // A text that has ended is not looked at any more.
        compress(
            &mut state,
            texts.map(|text| text.get(at).unwrap_or(&[0; BLOCK_BYTES])),
        );
        for lane in 0..LANES {
            if at + 1 == texts[lane].len() {
                let words = state.map(|word| word[lane].to_le_bytes());
                digests[lane].copy_from_slice(words.as_flattened());
            }
        }
    }
    digests
}

/// Takes in one block of each text (§3.4).
#[inline(never)]
fn compress(state: &mut [Lanes; 4], blocks: [&[u8; BLOCK_BYTES]; LANES]) {
    let words: [Lanes; 16] =
        std::array::from_fn(|at| blocks.map(|block| u32::from_le_bytes(block.as_chunks().0[at])));
    let before = *state;
    round(
        state,
        &words,
        &K[0],
        [7, 12, 17, 22],
        |i| i,
        |x, y, z| (x & y) | (!x & z),
    );
    round(
        state,
        &words,
        &K[1],
        [5, 9, 14, 20],
        |i| 5 * i + 1,
        |x, y, z| (x & z) | (y & !z),
    );
    round(
        state,
        &words,
        &K[2],
        [4, 11, 16, 23],
        |i| 3 * i + 5,
        |x, y, z| x ^ y ^ z,
    );
    round(
        state,
        &words,
        &K[3],
        [6, 10, 15, 21],
        |i| 7 * i,
        |x, y, z| y ^ (x | !z),
    );
    for (word, before) in state.iter_mut().zip(before) {
        for lane in 0..LANES {
            word[lane] = word[lane].wrapping_add(before[lane]);
        }
    }
}

/// Sixteen steps, which differ in the word they take and in how far they shift.
#[inline(always)]
fn round(
    [a, b, c, d]: &mut [Lanes; 4],
    words: &[Lanes; 16],
    k: &[u32; 16],
    shifts: [u32; 4],
    word: impl Fn(usize) -> usize,
    mix: impl Fn(u32, u32, u32) -> u32 + Copy,
) {
    for i in (0..16).step_by(4) {
        let word = |step| &words[word(i + step) % 16];
        step(a, (b, c, d), word(0), k[i], shifts[0], mix);
        step(d, (a, b, c), word(1), k[i + 1], shifts[1], mix);
        step(c, (d, a, b), word(2), k[i + 2], shifts[2], mix);
        step(b, (c, d, a), word(3), k[i + 3], shifts[3], mix);
    }
}

#[inline(always)]
fn step(
    a: &mut Lanes,
    (b, c, d): (&Lanes, &Lanes, &Lanes),
    word: &Lanes,
    k: u32,
    shift: u32,
    mix: impl Fn(u32, u32, u32) -> u32,
) {
    for lane in 0..LANES {
        let mixed = mix(b[lane], c[lane], d[lane]);
        let sum = a[lane]
            .wrapping_add(word[lane])
            .wrapping_add(k)
            .wrapping_add(mixed);
        // Not `rotate_left`, which compilers do not turn into vectors here.
        let rotated = b[lane].wrapping_add(sum << shift);
        a[lane] = rotated.wrapping_add(sum >> (32 - shift));
    }
}

const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The whole parts of 2³² · |sin n|, by round.
const K: [[u32; 16]; 4] = [
    [
        0xd76a_a478,
        0xe8c7_b756,
        0x2420_70db,
        0xc1bd_ceee,
        0xf57c_0faf,
        0x4787_c62a,
        0xa830_4613,
        0xfd46_9501,
        0x6980_98d8,
        0x8b44_f7af,
        0xffff_5bb1,
        0x895c_d7be,
        0x6b90_1122,
        0xfd98_7193,
        0xa679_438e,
        0x49b4_0821,
    ],
    [
        0xf61e_2562,
        0xc040_b340,
        0x265e_5a51,
        0xe9b6_c7aa,
        0xd62f_105d,
        0x0244_1453,
        0xd8a1_e681,
        0xe7d3_fbc8,
        0x21e1_cde6,
        0xc337_07d6,
        0xf4d5_0d87,
        0x455a_14ed,
        0xa9e3_e905,
        0xfcef_a3f8,
        0x676f_02d9,
        0x8d2a_4c8a,
    ],
    [
        0xfffa_3942,
        0x8771_f681,
        0x6d9d_6122,
        0xfde5_380c,
        0xa4be_ea44,
        0x4bde_cfa9,
        0xf6bb_4b60,
        0xbebf_bc70,
        0x289b_7ec6,
        0xeaa1_27fa,
        0xd4ef_3085,
        0x0488_1d05,
        0xd9d4_d039,
        0xe6db_99e5,
        0x1fa2_7cf8,
        0xc4ac_5665,
    ],
    [
        0xf429_2244,
        0x432a_ff97,
        0xab94_23a7,
        0xfc93_a039,
        0x655b_59c3,
        0x8f0c_cc92,
        0xffef_f47d,
        0x8584_5dd1,
        0x6fa8_7e4f,
        0xfe2c_e6e0,
        0xa301_4314,
        0x4e08_11a1,
        0xf753_7e82,
        0xbd3a_f235,
        0x2ad7_d2bb,
        0xeb86_d391,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 31 % 251) as u8).collect()
    }

    fn check(lens: [usize; LANES]) {
        let texts = lens.map(text);
        let padded = texts.clone().map(|mut text| {
            pad(&mut text);
            text
        });
        let expected = texts.map(|text| <[u8; 16]>::from(Md5::digest(text)));
        assert_eq!(
            digests(padded.each_ref().map(Vec::as_slice)),
            expected,
            "{lens:?}"
        );
    }

    #[test]
    fn every_length_is_digested_in_every_lane() {
        for len in 0..300 {
            check([len, len / 2, 300 - len, len * 7 % 300]);
        }
    }

    #[test]
    fn a_lane_without_a_text_disturbs_nobody() {
        let mut padded = text(100);
        pad(&mut padded);
        let expected = <[u8; 16]>::from(Md5::digest(text(100)));
        assert_eq!(digests([&[], &padded, &[], &[]])[1], expected);
    }
}

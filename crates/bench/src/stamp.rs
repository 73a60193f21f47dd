//! What a message carries: when it was due, who sent it, and its number.
//!
//! The content is a text message in JSON, as clients of the dialects send it,
//! with a text of fixed-width numbers and padding. Receivers read the numbers
//! at their places without parsing JSON.

/// What stands before the numbers.
const PREFIX: &[u8] = br#"{"type":1,"content":"ct:"#;
/// What stands after the padding.
const SUFFIX: &[u8] = br#""}"#;
/// Hexadecimal digits of the time, then of the run, the sender and the number.
const WIDTHS: [usize; 4] = [16, 8, 8, 8];
/// All digits.
const DIGITS: usize = 16 + 8 + 8 + 8;
/// What fills the text up.
const PADDING: u8 = b'.';

/// The shortest content that holds a stamp.
pub(crate) const MIN_CONTENT_BYTES: usize = PREFIX.len() + DIGITS + SUFFIX.len();

/// The numbers in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// When the message was sent, or, at a given rate, when it was due.
    pub(crate) sent_ns: u64,
    /// Tells the messages of this run from those of another.
    pub(crate) run: u32,
    /// The index of the client that sent it.
    pub(crate) sender: u32,
    /// How many that client had sent before.
    pub(crate) seq: u32,
}

impl Stamp {
    /// Replaces the contents of `out` by a content of `bytes`, or of
    /// [`MIN_CONTENT_BYTES`] if that is more.
    pub(crate) fn write(&self, bytes: usize, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(PREFIX);
        let numbers = [
            self.sent_ns,
            self.run.into(),
            self.sender.into(),
            self.seq.into(),
        ];
        for (number, width) in numbers.into_iter().zip(WIDTHS) {
            push_hex(number, width, out);
        }
        out.resize(bytes.max(MIN_CONTENT_BYTES) - SUFFIX.len(), PADDING);
        out.extend_from_slice(SUFFIX);
    }

    /// The stamp of a content; `None` if it is not one of ours.
    pub(crate) fn read(content: &[u8]) -> Option<Stamp> {
        let rest = content.strip_prefix(PREFIX)?;
        let (sent_ns, rest) = take_hex(rest, WIDTHS[0])?;
        let (run, rest) = take_hex(rest, WIDTHS[1])?;
        let (sender, rest) = take_hex(rest, WIDTHS[2])?;
        let (seq, _) = take_hex(rest, WIDTHS[3])?;
        Some(Stamp {
            sent_ns,
            run: run.try_into().ok()?,
            sender: sender.try_into().ok()?,
            seq: seq.try_into().ok()?,
        })
    }
}

/// Whether every byte after the numbers is as [`Stamp::write`] made it, and
/// there are `bytes` in all.
pub(crate) fn is_whole(content: &[u8], bytes: usize) -> bool {
    content.len() == bytes.max(MIN_CONTENT_BYTES)
        && content.ends_with(SUFFIX)
        && content[PREFIX.len() + DIGITS..content.len() - SUFFIX.len()]
            .iter()
            .all(|&byte| byte == PADDING)
}

/// Appends the lowest `width` hexadecimal digits.
pub(crate) fn push_hex(number: u64, width: usize, out: &mut Vec<u8>) {
    const DIGIT: &[u8; 16] = b"0123456789abcdef";
    out.extend(
        (0..width)
            .rev()
            .map(|at| DIGIT[(number >> (4 * at) & 0xf) as usize]),
    );
}

fn take_hex(text: &[u8], width: usize) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(width)?;
    let mut number = 0;
    for digit in digits {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number = number << 4 | u64::from(digit);
    }
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        sent_ns: 1_234_567_890_123,
        run: 7,
        sender: 49,
        seq: 123_456,
    };

    fn content(stamp: Stamp, bytes: usize) -> Vec<u8> {
        let mut out = b"old".to_vec();
        stamp.write(bytes, &mut out);
        out
    }

    #[test]
    fn what_is_written_is_read() {
        let extremes = Stamp {
            sent_ns: u64::MAX,
            run: u32::MAX,
            sender: 0,
            seq: u32::MAX,
        };
        for stamp in [STAMP, extremes] {
            for bytes in [0, MIN_CONTENT_BYTES, 100, 1_000] {
                let content = content(stamp, bytes);
                assert_eq!(Stamp::read(&content), Some(stamp));
                assert_eq!(content.len(), bytes.max(MIN_CONTENT_BYTES));
                assert!(is_whole(&content, bytes));
            }
        }
    }

    #[test]
    fn it_is_a_text_message() {
        let json: serde_json::Value = serde_json::from_slice(&content(STAMP, 100)).expect("JSON");
        assert_eq!(json["type"], 1);
        let text = json["content"].as_str().expect("a text");
        assert!(
            text.starts_with("ct:0000011f71fb04cb00000007000000310001e240..."),
            "{text}"
        );
    }

    #[test]
    fn what_was_changed_is_noticed() {
        let good = content(STAMP, 100);
        for at in MIN_CONTENT_BYTES - SUFFIX.len()..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(!is_whole(&bad, 100), "{at}");
        }
        assert!(!is_whole(&good, 101));
        for (at, byte) in [
            (0, b'['),
            (PREFIX.len(), b'g'),
            (MIN_CONTENT_BYTES - 3, b'X'),
        ] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert_eq!(Stamp::read(&bad), None, "{at}");
        }
        for len in 0..MIN_CONTENT_BYTES - SUFFIX.len() {
            assert_eq!(Stamp::read(&good[..len]), None);
        }
    }
}

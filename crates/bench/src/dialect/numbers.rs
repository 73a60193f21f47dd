//! A client's own numbers of its messages.

/// Hexadecimal digits of a tag.
const TAG_DIGITS: usize = 8;
/// Characters before them; with them a number is as long as those of the SDKs.
const PREFIX_CHARS: usize = 24;

/// Makes them: the same for the same tag, also on another connection, and
/// different for every user.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    prefix: String,
}

impl Numbers {
    /// The numbers of a user.
    pub(super) fn of(uid: &str) -> Self {
        Self {
            prefix: format!("{:0>PREFIX_CHARS$}", uid.replace('-', "")),
        }
    }

    /// The number of a message.
    pub(super) fn number(&self, tag: u32) -> String {
        let mut number = String::with_capacity(self.prefix.len() + TAG_DIGITS);
        number.push_str(&self.prefix);
        let digits = (0..TAG_DIGITS).rev().map(|at| (tag >> (4 * at)) & 0xf);
        number.extend(digits.filter_map(|digit| char::from_digit(digit, 16)));
        number
    }

    /// The tag of a number; `None` if it is not one of this user's.
    pub(super) fn tag(&self, number: &str) -> Option<u32> {
        let digits = number.strip_prefix(&self.prefix)?;
        let are_hex = digits.len() == TAG_DIGITS && digits.bytes().all(|it| it.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| are_hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_their_tag_and_their_user() {
        let (numbers, others) = (Numbers::of("b0000002a-7"), Numbers::of("b0000002a-71"));
        for tag in [0, 1, 0xabc, u32::MAX] {
            let number = numbers.number(tag);
            assert_eq!((number.len(), numbers.tag(&number)), (32, Some(tag)));
            assert_eq!(others.tag(&number), None);
        }
        assert_eq!(numbers.number(16), "00000000000000b0000002a700000010");
        let prefix = &numbers.number(0)[..24];
        for bad in ["", "1", "000000001", "+0000001", "0000000g"] {
            assert_eq!(numbers.tag(&format!("{prefix}{bad}")), None, "{bad}");
        }
    }
}

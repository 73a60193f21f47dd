//! The one form of a text in which words are looked for: NFKC and small letters, each knowing
//! where it stood.

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// A character in its one form, with the places in the original of what it came of, in
/// characters.
pub(crate) struct Piece {
    pub(crate) char: char,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Brings a text to its one form. A letter and the marks on it are one, as far as Unicode has
/// a character for them.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces = Vec::with_capacity(chars.len());
    let mut start = 0;
    while start < chars.len() {
        let mut end = start + 1;
        // Parts of a Korean syllable go together, too, and narrow kana with their marks.
        while end < chars.len()
            && (is_combining_mark(chars[end])
                || matches!(
                    chars[end],
                    '\u{1160}'..='\u{11ff}' | '\u{ff9e}' | '\u{ff9f}'
                ))
        {
            end += 1;
        }
        if end == start + 1
            && let Some(char) = plain(chars[start])
        {
            pieces.push(Piece { char, start, end });
            start = end;
            continue;
        }
        let cluster: String = chars[start..end].iter().collect();
        let lower: String = cluster.nfkc().flat_map(char::to_lowercase).collect();
        pieces.extend(lower.nfkc().map(|char| Piece { char, start, end }));
        start = end;
    }
    pieces
}

/// A text in its one form: what is looked for and where it is looked for.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    pieces(text).into_iter().map(|piece| piece.char).collect()
}

/// The form of a character by itself if that is one character, as of most: without a look at
/// the tables of what is compatible with what.
fn plain(c: char) -> Option<char> {
    let mut lower = c.to_lowercase();
    let (Some(small), None) = (lower.next(), lower.next()) else {
        return None;
    };
    let is_plain = |c: char| c.is_ascii() || is_nfkc_quick([c].into_iter()) == IsNormalized::Yes;
    (is_plain(c) && is_plain(small)).then_some(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_width_do_not_tell_texts_apart() {
        for (text, form) in [
            ("Aunt May", "aunt may"),
            ("Иван", "иван"),
            ("ＦＵＬＬ", "full"),
            ("Cafe\u{301}", "café"),
            ("张三", "张三"),
        ] {
            assert_eq!(folded(text), form, "{text}");
        }
    }

    #[test]
    fn the_short_way_leads_to_the_same_form() {
        for c in ('\0'..=char::MAX).filter(|c| !is_combining_mark(*c)) {
            let Some(plain) = plain(c) else { continue };
            let lower: String = [c]
                .into_iter()
                .nfkc()
                .flat_map(char::to_lowercase)
                .collect();
            assert!(lower.nfkc().eq([plain]), "{c:?}");
        }
    }
}

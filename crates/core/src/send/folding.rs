//! The form in which listed words are looked for: the one form of a text without what cannot
//! be seen in it, so that `ＦｏＯ` and `f\u{200b}oo` are `foo`.

use std::ops::Range;

use crate::form::pieces;

/// A folded text that knows where it comes from.
pub(super) struct Folded {
    pub(super) text: String,
    /// For each byte of `text` the characters of the source that gave it.
    places: Vec<Range<usize>>,
}

impl Folded {
    pub(super) fn of(text: &str) -> Self {
        let mut folded = String::with_capacity(text.len());
        let mut places = Vec::with_capacity(text.len());
        for piece in pieces(text) {
            if !is_unseen(piece.char) {
                folded.push(piece.char);
                places.resize(folded.len(), piece.start..piece.end);
            }
        }
        Self {
            text: folded,
            places,
        }
    }

    /// Which characters of the source gave a stretch, in bytes, that is not empty.
    pub(super) fn source(&self, stretch: Range<usize>) -> Range<usize> {
        self.places[stretch.start].start..self.places[stretch.end - 1].end
    }
}

/// A word as it is looked for.
pub(crate) fn folded_word(word: &str) -> String {
    let folded = Folded::of(word.trim()).text;
    // A form of a space may be at its ends now.
    folded.trim().to_owned()
}

/// Whether nothing is drawn for a character: joiners, soft hyphens, directions, variants.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_one() {
        for (word, folded) in [
            (" Forbidden ", "forbidden"),
            ("ＦＯＯ", "foo"),
            ("ﬁne", "fine"),
            ("Ⓕⓞⓞ", "foo"),
            ("f\u{200b}o\u{fe0f}o", "foo"),
            ("e\u{301}t\u{e9}", "\u{e9}t\u{e9}"),
            ("각", "각"),
            ("\u{200b}", ""),
            ("\u{3000}违禁\u{3000}", "违禁"),
        ] {
            assert_eq!(folded_word(word), folded, "{word:?}");
        }
    }

    #[test]
    fn places_are_those_of_the_source() {
        let folded = Folded::of("好ﬁ\u{200b}x");
        assert_eq!(folded.text, "好fix");
        let f = "好".len();
        assert_eq!(folded.source(0..f), 0..1);
        assert_eq!(folded.source(f..f + 1), 1..2);
        assert_eq!(folded.source(f + 1..f + 3), 1..4);
    }
}

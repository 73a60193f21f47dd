//! How a text becomes words. What it says is brought to one form (NFKC, lower case). Runs of
//! letters and digits are words; in scripts that are written without spaces each two
//! neighbours are one, so that any two characters are found, and one alone by what begins
//! with it.

use unicode_normalization::char::is_combining_mark;

use crate::form::{Piece, pieces};

/// The longest word that is told from others, in characters; the rest of it is not looked at.
const MAX_WORD_CHARS: usize = 64;
/// Words of a text that are looked at.
const MAX_WORDS: usize = 20_000;
/// Words of a question that are looked at, and neighbours in a run of a script without spaces.
/// A question of 200 characters has no more, unless one of them stands for several.
const MAX_TERMS: usize = 128;
const MAX_PAIRS: usize = 256;

/// A word of a text and where it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In its one form.
    pub text: String,
    /// The first character of the text that belongs to it.
    pub start: usize,
    /// For each character of `text`, the character behind the one in the original that it
    /// came of.
    ends: Vec<usize>,
    /// It is of a script without spaces.
    pub is_dense: bool,
}

impl Word {
    /// Where the first `chars` characters of the word end in the original.
    #[must_use]
    pub fn end_of(&self, chars: usize) -> usize {
        let last = chars.min(self.ends.len()).checked_sub(1);
        last.map_or(self.start, |last| self.ends[last])
    }

    /// Where it ends in the original.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end_of(self.ends.len())
    }
}

/// What must be in a text: words in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The words.
    pub words: Vec<String>,
    /// The last one may go on.
    pub is_prefix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Of a script with spaces.
    Spaced,
    /// Of a script without.
    Dense,
    /// Goes with what is before it.
    Mark,
    Other,
}

fn class(char: char) -> Class {
    if is_combining_mark(char) {
        return Class::Mark;
    }
    if !char.is_alphanumeric() {
        return Class::Other;
    }
    let dense = matches!(u32::from(char),
        // Thai, Lao, Myanmar, Khmer.
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff
        // Hangul letters, kana, bopomofo, Han with its extensions, Hangul syllables.
        | 0x1100..=0x11ff | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035 | 0x303b
        | 0x3041..=0x318f | 0x31a0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff
        | 0x1_b000..=0x1_b16f | 0x2_0000..=0x3_ffff);
    if dense { Class::Dense } else { Class::Spaced }
}

/// Runs of one class, marks with what they stand on.
fn runs(pieces: &[Piece]) -> Vec<(&[Piece], bool)> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        let of = class(pieces[start].char);
        let mut end = start + 1;
        if matches!(of, Class::Spaced | Class::Dense) {
            while end < pieces.len() && [of, Class::Mark].contains(&class(pieces[end].char)) {
                end += 1;
            }
            runs.push((&pieces[start..end], of == Class::Dense));
        }
        start = end;
    }
    runs
}

/// The letters of a run of a script without spaces, each with its marks.
fn letters(run: &[Piece]) -> Vec<&[Piece]> {
    let mut letters = Vec::new();
    let mut start = 0;
    for at in 1..=run.len() {
        if at == run.len() || class(run[at].char) != Class::Mark {
            letters.push(&run[start..at]);
            start = at;
        }
    }
    letters
}

fn word(pieces: &[Piece], is_dense: bool) -> Word {
    let pieces = &pieces[..pieces.len().min(MAX_WORD_CHARS)];
    Word {
        text: pieces.iter().map(|piece| piece.char).collect(),
        start: pieces.first().map_or(0, |piece| piece.start),
        ends: pieces.iter().map(|piece| piece.end).collect(),
        is_dense,
    }
}

/// The words of a text, in their order. Of a run of a script without spaces: each two
/// neighbours, and the last alone.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let pieces = pieces(text);
    let mut words = Vec::new();
    for (run, is_dense) in runs(&pieces) {
        if words.len() >= MAX_WORDS {
            break;
        }
        if !is_dense {
            words.push(word(run, false));
            continue;
        }
        let mut from = 0;
        let letters = letters(run);
        for pair in letters.windows(2) {
            words.push(word(&run[from..from + pair[0].len() + pair[1].len()], true));
            from += pair[0].len();
        }
        words.push(word(&run[from..], true));
    }
    words
}

/// What a question asks for; all of it must be in a text. The last word of a script with
/// spaces may be the beginning of one, unless something follows it.
#[must_use]
pub fn terms(question: &str) -> Vec<Term> {
    let pieces = pieces(question);
    let goes_on = pieces
        .last()
        .is_some_and(|last| class(last.char) != Class::Other);
    let runs = runs(&pieces);
    let count = runs.len();
    let mut terms = Vec::new();
    for (n, (run, is_dense)) in runs.into_iter().enumerate().take(MAX_TERMS) {
        if !is_dense {
            terms.push(Term {
                words: vec![word(run, false).text],
                is_prefix: goes_on && n + 1 == count,
            });
            continue;
        }
        let letters = letters(run);
        let mut from = 0;
        let mut pairs = Vec::new();
        for pair in letters.windows(2).take(MAX_PAIRS) {
            pairs.push(word(&run[from..from + pair[0].len() + pair[1].len()], true).text);
            from += pair[0].len();
        }
        let is_prefix = pairs.is_empty();
        if is_prefix {
            pairs.push(word(run, true).text);
        }
        terms.push(Term {
            words: pairs,
            is_prefix,
        });
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn the_table_of_words() {
        let cases: [(&str, &[&str]); 14] = [
            ("", &[]),
            ("  ,.!? \n", &[]),
            ("Hello, World", &["hello", "world"]),
            ("don't", &["don", "t"]),
            ("ＦＵＬＬ width", &["full", "width"]),
            ("Straße CAFÉ", &["straße", "café"]),
            ("cafe\u{301}", &["café"]),
            ("你好吗", &["你好", "好吗", "吗"]),
            ("你", &["你"]),
            ("我用iPhone15拍", &["我用", "用", "iphone15", "拍"]),
            ("ﾊﾟﾝ", &["パン", "ン"]),
            ("한국어", &["한국", "국어", "어"]),
            ("a_b-c", &["a", "b", "c"]),
            ("🎉party🎉", &["party"]),
        ];
        for (text, expected) in cases {
            assert_eq!(texts(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_word_has_an_end_and_nothing_panics() {
        let long = "x".repeat(10_000);
        assert_eq!(texts(&long), ["x".repeat(MAX_WORD_CHARS)]);
        for odd in [
            "\u{301}",
            "\u{301}\u{301}a",
            "\0",
            "\u{1160}",
            "กํา",
            "ﷺ",
            "İ",
        ] {
            for word in words(odd) {
                assert!(word.end() >= word.start, "{odd:?}");
            }
            let _ = terms(odd);
        }
    }

    #[test]
    fn the_table_of_terms() {
        let term = |words: &[&str], is_prefix| Term {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            is_prefix,
        };
        let cases = [
            ("Hel", vec![term(&["hel"], true)]),
            (
                "hello wor",
                vec![term(&["hello"], false), term(&["wor"], true)],
            ),
            ("hello ", vec![term(&["hello"], false)]),
            ("你", vec![term(&["你"], true)]),
            ("你好", vec![term(&["你好"], false)]),
            ("你好吗", vec![term(&["你好", "好吗"], false)]),
            ("好 ab", vec![term(&["好"], true), term(&["ab"], true)]),
            ("?!", vec![]),
        ];
        for (question, expected) in cases {
            assert_eq!(terms(question), expected, "{question}");
        }
        // What callers let through is looked at as a whole.
        assert_eq!(terms(&"a ".repeat(100)).len(), 100);
        assert_eq!(terms(&"好".repeat(200))[0].words.len(), 199);
        assert!(terms(&"a ".repeat(1000)).len() <= MAX_TERMS);
    }

    #[test]
    fn places_are_those_of_the_original() {
        let found = words("Ⅷ 你好");
        let places: Vec<_> = found.iter().map(|word| (word.start, word.end())).collect();
        assert_eq!(found[0].text, "viii", "one character became four");
        assert_eq!(places, [(0, 1), (2, 4), (3, 4)]);
        let marked = &words("e\u{301}a")[0];
        assert_eq!((marked.end_of(1), marked.end()), (2, 3));
    }
}

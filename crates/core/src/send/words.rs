//! Words that may not be said, or that nobody is to read (protocols/README.md A10). The core
//! does not read payloads: whoever does asks here with the text that people would see.

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};

/// What is put in the place of each character of a masked word.
const MASK: char = '*';

/// What is to become of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be sent.
    Pass,
    /// It may not be sent.
    Reject,
    /// It may be sent like this.
    Mask(String),
}

/// A word list cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the word list cannot be used: {0}")]
pub struct BadWords(String);

/// The lists. Case does not matter.
#[derive(Default)]
pub struct Words {
    reject: Option<CharwiseDoubleArrayAhoCorasick<usize>>,
    mask: Option<CharwiseDoubleArrayAhoCorasick<usize>>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("word lists")
    }
}

impl Words {
    /// Lists of words to refuse and words to mask. Blank words are left out.
    ///
    /// # Errors
    /// When there are too many of them.
    pub fn new(reject: &[String], mask: &[String]) -> Result<Self, BadWords> {
        Ok(Self {
            reject: matcher(reject)?,
            mask: matcher(mask)?,
        })
    }

    /// True if there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reject.is_none() && self.mask.is_none()
    }

    /// What is to become of a text.
    #[must_use]
    pub fn judge(&self, text: &str) -> Verdict {
        if self.is_empty() {
            return Verdict::Pass;
        }
        let folded: String = text.chars().map(fold).collect();
        let reject = self.reject.as_ref();
        if reject.is_some_and(|words| words.leftmost_find_iter(&folded).next().is_some()) {
            return Verdict::Reject;
        }
        let Some(mask) = &self.mask else {
            return Verdict::Pass;
        };
        // Places in the folded text, ascending and beside each other; it has the same
        // characters, though not the same bytes.
        let mut found = mask
            .leftmost_find_iter(&folded)
            .map(|m| (m.start(), m.end()))
            .peekable();
        if found.peek().is_none() {
            return Verdict::Pass;
        }
        let mut hide = |at: usize| {
            while found.next_if(|(_, end)| *end <= at).is_some() {}
            found.peek().is_some_and(|(start, _)| *start <= at)
        };
        let places = folded.char_indices().map(|(at, _)| at);
        let masked = text.chars().zip(places);
        Verdict::Mask(
            masked
                .map(|(c, at)| if hide(at) { MASK } else { c })
                .collect(),
        )
    }
}

fn matcher(words: &[String]) -> Result<Option<CharwiseDoubleArrayAhoCorasick<usize>>, BadWords> {
    let folded = words
        .iter()
        .map(|word| word.trim().chars().map(fold).collect::<String>());
    let mut folded: Vec<String> = folded.filter(|word| !word.is_empty()).collect();
    folded.sort_unstable();
    folded.dedup();
    if folded.is_empty() {
        return Ok(None);
    }
    let builder =
        CharwiseDoubleArrayAhoCorasickBuilder::new().match_kind(MatchKind::LeftmostLongest);
    let built = builder.build(folded);
    built.map(Some).map_err(|error| BadWords(error.to_string()))
}

/// One character for one: the small form, if that is one character.
fn fold(c: char) -> char {
    let mut small = c.to_lowercase();
    match (small.next(), small.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(reject: &[&str], mask: &[&str]) -> Words {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        Words::new(&own(reject), &own(mask)).expect("lists")
    }

    #[test]
    fn no_list_lets_everything_pass() {
        assert!(words(&[], &["  "]).is_empty());
        assert_eq!(Words::default().judge("坏"), Verdict::Pass);
    }

    #[test]
    fn words_are_found_anywhere_and_in_any_case() {
        let words = words(&["Forbidden", "违禁"], &["damn", "笨蛋"]);
        for said in ["forbidden", "so FORBIDDEN!", "这是违禁词"] {
            assert_eq!(words.judge(said), Verdict::Reject, "{said}");
        }
        let masked = |text: &str| Verdict::Mask(text.to_owned());
        assert_eq!(words.judge("DAMN it, damned"), masked("**** it, ****ed"));
        assert_eq!(words.judge("你这笨蛋😀"), masked("你这**😀"));
        assert_eq!(words.judge("İ damn"), masked("İ ****"));
        assert_eq!(words.judge("fine"), Verdict::Pass);
        assert_eq!(words.judge("damn, forbidden"), Verdict::Reject);
    }
}

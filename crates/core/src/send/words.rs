//! Words that may not be said, or that nobody is to read (protocols/README.md A10). The core
//! does not read payloads: whoever does asks here with the text that people would see.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};
use parking_lot::RwLock;

use super::folding::{Folded, folded_word};
use crate::id::Realm;

/// What is put in the place of each character of a masked word.
const MASK: char = '*';

/// What is to become of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Verdict {
    /// It may be sent.
    #[default]
    Pass,
    /// It may not be sent.
    Reject,
    /// It may be sent like this.
    Mask(String),
}

/// What the lists say of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// What is to become of it.
    pub verdict: Verdict,
    /// Whether a moderator is to look at it.
    pub wants_review: bool,
}

/// A word list cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the word list cannot be used: {0}")]
pub struct BadWords(String);

/// The lists. Neither case nor width matters, nor what cannot be seen.
#[derive(Default)]
pub struct Words {
    reject: Option<Matcher>,
    mask: Option<Matcher>,
    review: Option<Matcher>,
    /// What a moderator is to look at is not sent before.
    holds: bool,
    /// Lists that hold as well.
    base: Option<Arc<Words>>,
}

type Matcher = CharwiseDoubleArrayAhoCorasick<usize>;

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
            ..Self::default()
        })
    }

    /// These lists, with words at which a moderator looks: before the text is sent if `holds`
    /// is set, else afterwards.
    ///
    /// # Errors
    /// When there are too many of them.
    pub fn reviewing(mut self, review: &[String], holds: bool) -> Result<Self, BadWords> {
        self.review = matcher(review)?;
        self.holds = holds;
        Ok(self)
    }

    /// These lists on top of others.
    #[must_use]
    pub fn on(mut self, base: Arc<Self>) -> Self {
        self.holds = base.holds;
        self.base = Some(base).filter(|base| !base.is_empty());
        self
    }

    /// True if there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reject.is_none()
            && self.mask.is_none()
            && self.review.is_none()
            && self.base.as_ref().is_none_or(|base| base.is_empty())
    }

    /// Whether what a moderator is to look at is not sent before.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// What the lists say of a text.
    #[must_use]
    pub fn judge(&self, text: &str) -> Judgement {
        if self.is_empty() {
            return Judgement::default();
        }
        let folded = Folded::of(text);
        let finds = |list: fn(&Self) -> Option<&Matcher>| {
            let mut lists = self.layers().filter_map(list);
            lists.any(|list| list.leftmost_find_iter(&folded.text).next().is_some())
        };
        let verdict = if finds(|words| words.reject.as_ref()) {
            Verdict::Reject
        } else {
            self.masked(text, &folded)
                .map_or(Verdict::Pass, Verdict::Mask)
        };
        Judgement {
            verdict,
            wants_review: finds(|words| words.review.as_ref()),
        }
    }

    /// These lists and those that lie below them.
    fn layers(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |words| words.base.as_deref())
    }

    /// The text with its words covered, if it has any.
    fn masked(&self, text: &str, folded: &Folded) -> Option<String> {
        let mut hidden = Vec::new();
        for mask in self.layers().filter_map(|words| words.mask.as_ref()) {
            for found in mask.leftmost_find_iter(&folded.text) {
                if hidden.is_empty() {
                    hidden.resize(text.chars().count(), false);
                }
                hidden[folded.source(found.start()..found.end())].fill(true);
            }
        }
        let cover = |(c, hide)| if hide { MASK } else { c };
        (!hidden.is_empty()).then(|| text.chars().zip(hidden).map(cover).collect())
    }
}

/// The lists of all realms. Each is built beside what is in force and takes its place.
pub struct WordBook {
    base: Arc<Words>,
    has_own: AtomicBool,
    own: RwLock<HashMap<Realm, Arc<Words>>>,
}

impl WordBook {
    /// The same lists everywhere.
    #[must_use]
    pub fn new(base: Arc<Words>) -> Self {
        Self {
            base,
            has_own: AtomicBool::new(false),
            own: RwLock::default(),
        }
    }

    /// The lists that hold everywhere.
    #[must_use]
    pub fn base(&self) -> &Arc<Words> {
        &self.base
    }

    /// The lists of a realm.
    #[must_use]
    pub fn of(&self, realm: &Realm) -> Arc<Words> {
        // Costs next to nothing where no realm has lists of its own.
        if !self.has_own.load(Ordering::Acquire) {
            return Arc::clone(&self.base);
        }
        let own = self.own.read();
        Arc::clone(own.get(realm).unwrap_or(&self.base))
    }

    /// Puts a realm's lists in force.
    pub fn set(&self, realm: &Realm, words: Words) {
        self.own.write().insert(realm.clone(), Arc::new(words));
        self.has_own.store(true, Ordering::Release);
    }
}

fn matcher(words: &[String]) -> Result<Option<Matcher>, BadWords> {
    let folded = words.iter().map(|word| folded_word(word));
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
        assert_eq!(Words::default().judge("坏").verdict, Verdict::Pass);
    }

    #[test]
    fn words_are_found_anywhere_and_in_any_case() {
        let words = words(&["Forbidden", "违禁"], &["damn", "笨蛋"]);
        for said in ["forbidden", "so FORBIDDEN!", "这是违禁词"] {
            assert_eq!(words.judge(said).verdict, Verdict::Reject, "{said}");
        }
        let masked = |text: &str| Verdict::Mask(text.to_owned());
        assert_eq!(
            words.judge("DAMN it, damned").verdict,
            masked("**** it, ****ed")
        );
        assert_eq!(words.judge("你这笨蛋😀").verdict, masked("你这**😀"));
        assert_eq!(words.judge("İ damn").verdict, masked("İ ****"));
        assert_eq!(words.judge("ＤＡＭＮ it").verdict, masked("**** it"));
        assert_eq!(
            words.judge("a d\u{200b}am\u{ad}n x").verdict,
            masked("a ****** x")
        );
        assert_eq!(words.judge("违\u{200d}禁").verdict, Verdict::Reject);
        assert_eq!(words.judge("fine").verdict, Verdict::Pass);
        assert_eq!(words.judge("damn, forbidden").verdict, Verdict::Reject);
    }

    #[test]
    fn lists_lie_on_each_other() {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let base = words(&["bad"], &["damn"]);
        let top = words(&["worse", "damnable"], &["ugly"]);
        let top = top.reviewing(&own(&["Odd"]), true).expect("lists");
        let top = top.on(Arc::new(base));
        for said in ["so bad", "WORSE", "a damnable thing"] {
            assert_eq!(top.judge(said).verdict, Verdict::Reject, "{said}");
        }
        let masked = Verdict::Mask("**** **** x".to_owned());
        assert_eq!(top.judge("damn ugly x").verdict, masked);
        assert_eq!(top.judge("odd").verdict, Verdict::Pass);
        assert!(top.judge("how odd").wants_review && !top.judge("bad").wants_review);
        assert!(!top.holds(), "that is said where it holds everywhere");
    }

    #[test]
    fn a_realm_has_its_own_lists() {
        let book = WordBook::new(Arc::new(words(&["bad"], &[])));
        let (one, other) = (Realm::default(), Realm::parse("other").expect("a realm"));
        assert_eq!(book.of(&one).judge("odd").verdict, Verdict::Pass);
        book.set(&one, words(&["odd"], &[]).on(Arc::clone(book.base())));
        assert_eq!(book.of(&one).judge("odd").verdict, Verdict::Reject);
        assert_eq!(book.of(&one).judge("bad").verdict, Verdict::Reject);
        assert_eq!(book.of(&other).judge("odd").verdict, Verdict::Pass);
        assert_eq!(book.of(&other).judge("bad").verdict, Verdict::Reject);
    }
}

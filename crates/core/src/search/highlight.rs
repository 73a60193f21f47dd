//! Which part of a text it was that a question asked for.

use serde::{Deserialize, Serialize};

use super::words::{Term, Word, words};

/// Stretches of a text that are told at most.
const MAX_HIGHLIGHTS: usize = 100;

/// A stretch of a text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlight {
    /// Its first character.
    pub start: usize,
    /// How many.
    pub len: usize,
}

/// The stretches of a text that fit any of the terms, ascending; those that touch are one.
#[must_use]
pub fn highlights(text: &str, terms: &[Term]) -> Vec<Highlight> {
    let words = words(text);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for at in 0..words.len() {
        let fits = terms.iter().filter_map(|term| fit(&words[at..], term));
        found.extend(fits);
        if found.len() >= MAX_HIGHLIGHTS * 4 {
            break;
        }
    }
    found.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in found {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    let highlight = |(start, end): (usize, usize)| Highlight {
        start,
        len: end - start,
    };
    merged
        .into_iter()
        .take(MAX_HIGHLIGHTS)
        .map(highlight)
        .collect()
}

/// Where a term ends that begins with the first of these words.
fn fit(words: &[Word], term: &Term) -> Option<(usize, usize)> {
    let found = words.get(..term.words.len())?;
    let (last, before) = found.split_last()?;
    let (wanted, wanted_before) = term.words.split_last()?;
    let same = |(word, wanted): (&Word, &String)| word.text == *wanted;
    if !before.iter().zip(wanted_before).all(same) {
        return None;
    }
    let is_fit = if term.is_prefix {
        last.text.starts_with(wanted.as_str())
    } else {
        last.text == *wanted
    };
    let end = last.end_of(wanted.chars().count());
    is_fit.then_some((found[0].start, end))
}

#[cfg(test)]
mod tests {
    use super::super::words::terms;
    use super::*;

    #[test]
    fn the_table_of_highlights() {
        #[allow(clippy::type_complexity, reason = "a table")]
        let cases: [(&str, &str, &[(usize, usize)]); 9] = [
            ("Hello, World", "world", &[(7, 5)]),
            ("Hello, World", "wor", &[(7, 3)]),
            ("Hello, World", "wor ", &[]),
            ("明天下午开会，开会地点不变", "开会", &[(4, 2), (7, 2)]),
            ("明天下午开会", "下午开会", &[(2, 4)]),
            ("明天下午开会", "会", &[(5, 1)]),
            ("ＨＥＬＬＯ there", "hello", &[(0, 5)]),
            ("a b a", "b a", &[(0, 1), (2, 1), (4, 1)]),
            ("x", "y", &[]),
        ];
        for (text, question, expected) in cases {
            let found = highlights(text, &terms(question));
            let found: Vec<_> = found.iter().map(|it| (it.start, it.len)).collect();
            assert_eq!(found, expected, "{question} in {text}");
        }
    }

    #[test]
    fn there_are_not_too_many() {
        let found = highlights(&"ab, ".repeat(5000), &terms("ab"));
        assert_eq!(found.len(), MAX_HIGHLIGHTS);
    }
}

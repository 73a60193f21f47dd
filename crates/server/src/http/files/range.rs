//! Stretches of a file, as `Range` asks for them (RFC 9110 §14).

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// What of a file is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: nothing else was asked for, or what is not done here.
    All,
    /// A stretch of it.
    Stretch(Range<u64>),
    /// A stretch that it does not have.
    Nothing,
}

/// What is wanted of a file of this size that is known by this tag.
pub(super) fn wanted(headers: &HeaderMap, size: u64, tag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // Whoever has another version's beginning gets all of this one.
    if text(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::All;
    }
    let range = text(header::RANGE).and_then(|range| range.trim().strip_prefix("bytes="));
    // Several stretches at once are not done: all of it is a right answer, too.
    let Some((from, to)) = range
        .filter(|it| !it.contains(','))
        .and_then(|it| it.split_once('-'))
    else {
        return Wanted::All;
    };
    let stretch = match (from.trim(), to.trim()) {
        ("", last) => last.parse::<u64>().ok().map(|last| {
            let from = size.saturating_sub(last);
            from..if last == 0 { from } else { size }
        }),
        (from, "") => from.parse().ok().map(|from| from..size),
        (from, to) => match (from.parse::<u64>(), to.parse::<u64>()) {
            (Ok(from), Ok(to)) if from <= to => Some(from..to.saturating_add(1).min(size)),
            _ => None,
        },
    };
    match stretch {
        None => Wanted::All,
        Some(stretch) if stretch.is_empty() => Wanted::Nothing,
        Some(stretch) => Wanted::Stretch(stretch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_ranges() {
        use Wanted::{All, Nothing, Stretch};
        let cases = [
            ("bytes=0-0", Stretch(0..1)),
            ("bytes=2-5", Stretch(2..6)),
            ("bytes=2-", Stretch(2..10)),
            ("bytes=-3", Stretch(7..10)),
            ("bytes=-99", Stretch(0..10)),
            ("bytes=5-99", Stretch(5..10)),
            ("bytes=10-", Nothing),
            ("bytes=99-100", Nothing),
            ("bytes=-0", Nothing),
            ("bytes=5-2", All),
            ("bytes=0-1,3-4", All),
            ("bytes=a-b", All),
            ("lines=0-1", All),
            ("", All),
        ];
        for (range, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().expect("a value"));
            assert_eq!(wanted(&headers, 10, "\"t\""), expected, "{range}");
            headers.insert(header::IF_RANGE, "\"other\"".parse().expect("a value"));
            assert_eq!(wanted(&headers, 10, "\"t\""), All, "{range}");
        }
    }
}

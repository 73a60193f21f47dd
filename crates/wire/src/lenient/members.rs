//! The members of an object and the elements of an array, as texts.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json::without_half_pairs;

/// Text that is no JSON object (or, for elements, no array).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAnObject;

/// The values of the members that `place` knows, at the places it names; a
/// place is below `N`. `null` is absent, and of a repeated member the last
/// wins.
pub(crate) fn members<const N: usize>(
    json: &str,
    place: impl Fn(&str) -> Option<usize>,
) -> Result<[Option<&str>; N], NotAnObject> {
    let mut values = [None; N];
    each_member(json, |name, value| {
        if let Some(at) = place(name) {
            values[at] = Some(value).filter(|value| *value != "null");
        }
    })?;
    Ok(values)
}

/// Calls `take` with the name and the text of each member, in order. If the
/// end of the object is missing, it has been called for those before.
pub(crate) fn each_member<'a>(
    json: &'a str,
    take: impl FnMut(&str, &'a str),
) -> Result<(), NotAnObject> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let visitor = Members {
        take,
        text: PhantomData,
    };
    deserializer
        .deserialize_map(visitor)
        .and_then(|()| deserializer.end())
        .map_err(|_| NotAnObject)
}

/// Calls `take` with the text of each element of an array, in order, until it
/// returns false.
pub(crate) fn each_element<'a>(
    json: &'a str,
    take: impl FnMut(&'a str) -> bool,
) -> Result<(), NotAnObject> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let visitor = Elements {
        take,
        text: PhantomData,
    };
    deserializer
        .deserialize_seq(visitor)
        .and_then(|()| deserializer.end())
        .map_err(|_| NotAnObject)
}

struct Members<'a, F> {
    take: F,
    text: PhantomData<&'a str>,
}

impl<'a, F: FnMut(&str, &'a str)> Visitor<'a> for Members<'a, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let value: &'a RawValue = map.next_value()?;
            (self.take)(&name, value.get());
        }
        Ok(())
    }
}

struct Elements<'a, F> {
    take: F,
    text: PhantomData<&'a str>,
}

impl<'a, F: FnMut(&'a str) -> bool> Visitor<'a> for Elements<'a, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let mut wanted = true;
        while let Some(value) = elements.next_element::<&'a RawValue>()? {
            wanted = wanted && (self.take)(value.get());
        }
        Ok(())
    }
}

/// A member's name. Read as bytes, because a half of a surrogate pair in a
/// name that nobody asks for must not spoil the object.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_bytes(NameBytes).map(Name)
    }
}

struct NameBytes;

impl<'a> Visitor<'a> for NameBytes {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_bytes<E: Error>(self, name: &'a [u8]) -> Result<Cow<'a, str>, E> {
        match std::str::from_utf8(name) {
            Ok(name) => Ok(Cow::Borrowed(name)),
            Err(_) => self.visit_bytes(name),
        }
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Owned(without_half_pairs(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<[Option<&str>; 2], NotAnObject> {
        members(json, |name| ["a", "b"].iter().position(|it| *it == name))
    }

    #[test]
    fn members_are_found_by_name() {
        assert_eq!(
            read(r#" {"x":{"a":9},"b":[1, 2],"a" : "t\n" } "#),
            Ok([Some(r#""t\n""#), Some("[1, 2]")])
        );
        assert_eq!(read(r#"{"\u0061":1}"#), Ok([Some("1"), None]));
        assert_eq!(read("{}"), Ok([None, None]));
    }

    #[test]
    fn of_a_repeated_member_the_last_wins() {
        assert_eq!(read(r#"{"a":1,"a":2}"#), Ok([Some("2"), None]));
        assert_eq!(read(r#"{"a":1,"a":null}"#), Ok([None, None]));
    }

    #[test]
    fn half_a_pair_in_an_unknown_name_is_no_harm() {
        assert_eq!(read(r#"{"\ud800":1,"a":2}"#), Ok([Some("2"), None]));
    }

    #[test]
    fn everything_else_is_no_object() {
        for text in [
            "",
            "1",
            "[]",
            "null",
            "\"a\"",
            "{",
            "{}{}",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":1} x",
            "\u{feff}{}",
        ] {
            assert_eq!(read(text), Err(NotAnObject), "{text}");
        }
    }

    #[test]
    fn nesting_is_no_danger() {
        let deep = format!(
            "{{\"a\":{}{},\"b\":1}}",
            "[".repeat(500_000),
            "]".repeat(500_000)
        );
        let [a, b] = read(&deep).expect("an object");
        assert_eq!((a.map(str::len), b), (Some(1_000_000), Some("1")));
        let unclosed = format!("{{\"a\":{}", "{\"a\":".repeat(200_000));
        assert_eq!(read(&unclosed), Err(NotAnObject));
    }

    #[test]
    fn elements_until_no_more_are_wanted() {
        let mut seen = Vec::new();
        let all = each_element(r#"[1,{"a":2},[3]]"#, |element| {
            seen.push(element);
            seen.len() < 2
        });
        assert_eq!((all, seen), (Ok(()), vec!["1", r#"{"a":2}"#]));
        assert_eq!(each_element("{}", |_| true), Err(NotAnObject));
        assert_eq!(each_element("[1,]", |_| true), Err(NotAnObject));
    }
}

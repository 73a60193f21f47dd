//! Tolerant reading of a JSON object's members (README.md A5, A11).
//!
//! Only the members that are asked for are kept, each as a slice of the input
//! with its value still unread: a hostile object costs no memory beyond its
//! own bytes, and one bad member does not spoil the others. Unknown members
//! are passed over, of repeated ones the last counts, `null` is the same as
//! absent.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Integers beyond this may have been rounded on their way through a client's
/// floating-point numbers.
const MAX_EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// The members of one object that were asked for.
#[derive(Debug, Clone, Default)]
pub struct Members<'a> {
    found: Vec<(&'static str, &'a RawValue)>,
}

/// Text that is not one JSON object.
#[derive(Debug, Clone, Default, thiserror::Error)]
#[error("not a JSON object")]
pub struct BrokenJson<'a> {
    /// The members that were whole before the text broke.
    pub before: Members<'a>,
}

/// A member that is missing or cannot be read. Its text is what a client is
/// told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} {member}")]
pub struct BadMember {
    /// The member's name.
    pub member: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// It is absent, `null` or, where that is no value, empty.
    Missing,
    /// It has another type or an unknown value.
    Invalid,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Problem::Missing => "Missing",
            Problem::Invalid => "Invalid",
        })
    }
}

impl BadMember {
    pub(super) const fn missing(member: &'static str) -> BadMember {
        BadMember {
            member,
            problem: Problem::Missing,
        }
    }

    pub(super) const fn invalid(member: &'static str) -> BadMember {
        BadMember {
            member,
            problem: Problem::Invalid,
        }
    }
}

impl<'a> Members<'a> {
    /// Reads the object `json`, keeping the members called `names`.
    ///
    /// # Errors
    ///
    /// When `json` is not one object; the error has what could be read.
    pub fn read(json: &'a [u8], names: &[&'static str]) -> Result<Members<'a>, BrokenJson<'a>> {
        let mut members = Members::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let object = Object {
            names,
            found: &mut members.found,
        };
        let read = deserializer
            .deserialize_map(object)
            .and_then(|()| deserializer.end());
        match read {
            Ok(()) => Ok(members),
            Err(_) => Err(BrokenJson { before: members }),
        }
    }

    /// The member's value as its author wrote it; `None` for `null`.
    #[must_use]
    pub fn raw(&self, member: &str) -> Option<&'a RawValue> {
        let found = self.found.iter().find(|(name, _)| *name == member)?;
        Some(found.1).filter(|raw| raw.get() != "null")
    }

    /// Reads the member by `read`, which gets its JSON.
    fn with<T>(
        &self,
        member: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, BadMember> {
        match self.raw(member) {
            None => Ok(None),
            Some(raw) => read(raw.get()).map(Some).ok_or(BadMember::invalid(member)),
        }
    }

    /// A string.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn text(&self, member: &'static str) -> Result<Option<String>, BadMember> {
        self.with(member, string)
    }

    /// An id: a string, or an integer, which reads as its digits.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn id(&self, member: &'static str) -> Result<Option<String>, BadMember> {
        self.with(member, id)
    }

    /// A list of ids.
    ///
    /// # Errors
    ///
    /// When it is something else, or longer than `limit`.
    pub fn ids(
        &self,
        member: &'static str,
        limit: usize,
    ) -> Result<Option<Vec<String>>, BadMember> {
        self.with(member, |json| {
            serde_json::Deserializer::from_str(json)
                .deserialize_seq(Ids(limit))
                .ok()
        })
    }

    /// An integer, or a string of one.
    ///
    /// # Errors
    ///
    /// When it is something else, or needs more than 64 bits.
    pub fn integer(&self, member: &'static str) -> Result<Option<i64>, BadMember> {
        self.with(member, integer)
    }

    /// An integer that is not negative.
    ///
    /// # Errors
    ///
    /// As [`integer`](Members::integer), or when it is negative.
    pub fn unsigned(&self, member: &'static str) -> Result<Option<u64>, BadMember> {
        self.with(member, |json| integer(json)?.try_into().ok())
    }

    /// A number, or a string of one; always finite.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn number(&self, member: &'static str) -> Result<Option<f64>, BadMember> {
        self.with(member, |json| {
            let number: f64 = unquoted(json)?.trim().parse().ok()?;
            number.is_finite().then_some(number)
        })
    }

    /// A boolean, 0 or 1, or a string of one.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn flag(&self, member: &'static str) -> Result<Option<bool>, BadMember> {
        self.with(member, |json| match unquoted(json)?.trim() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })
    }

    /// An object, as its author wrote it.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn object(&self, member: &'static str) -> Result<Option<&'a RawValue>, BadMember> {
        match self.raw(member) {
            Some(raw) if !raw.get().starts_with('{') => Err(BadMember::invalid(member)),
            raw => Ok(raw),
        }
    }

    /// A string, or an object, which reads as its own JSON.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn text_or_object(&self, member: &'static str) -> Result<Option<String>, BadMember> {
        self.with(member, |json| match json.as_bytes().first() {
            Some(b'{') => Some(json.to_owned()),
            _ => string(json),
        })
    }
}

fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// The text of a string; other JSON as it is.
fn unquoted(json: &str) -> Option<String> {
    if json.starts_with('"') {
        string(json)
    } else {
        Some(json.to_owned())
    }
}

fn id(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => string(json),
        b'-' | b'0'..=b'9' => integer(json).map(|it| it.to_string()),
        _ => None,
    }
}

fn integer(json: &str) -> Option<i64> {
    let text = unquoted(json)?;
    let text = text.trim();
    if let Ok(integer) = text.parse() {
        return Some(integer);
    }
    // Some clients write whole numbers as 1.0 or 1e3.
    let is_number = text
        .bytes()
        .all(|it| matches!(it, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    let is_whole = number.fract() == 0.0 && number.abs() <= MAX_EXACT_FLOAT;
    is_whole.then_some(number as i64)
}

/// Visits the object.
struct Object<'n, 'f, 'a> {
    names: &'n [&'static str],
    found: &'f mut Vec<(&'static str, &'a RawValue)>,
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(self.names))? {
            let Some(name) = name else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value()?;
            match self.found.iter_mut().find(|(known, _)| *known == name) {
                Some(found) => found.1 = value,
                None => self.found.push((name, value)),
            }
        }
        Ok(())
    }
}

/// Finds a member's name among those that are asked for.
struct Name<'n>(&'n [&'static str]);

impl<'a> DeserializeSeed<'a> for Name<'_> {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().copied().find(|known| *known == name))
    }
}

/// Reads a list of at most so many ids; what is beyond costs no memory.
struct Ids(usize);

impl<'a> Visitor<'a> for Ids {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} ids", self.0)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
        let mut ids = Vec::new();
        while let Some(item) = seq.next_element::<&RawValue>()? {
            let id = id(item.get()).filter(|_| ids.len() < self.0);
            ids.push(id.ok_or_else(|| A::Error::custom("not such a list"))?);
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The member `a` of `json`, read by `read`.
    fn a<'j, T>(
        json: &'j str,
        read: impl FnOnce(&Members<'j>, &'static str) -> Result<Option<T>, BadMember>,
    ) -> Result<Option<T>, Problem> {
        let members = Members::read(json.as_bytes(), &["a", "b"]).expect("an object");
        read(&members, "a").map_err(|bad| {
            assert_eq!(bad.member, "a");
            bad.problem
        })
    }

    const INVALID: Problem = Problem::Invalid;

    #[test]
    fn integers_come_as_numbers_and_as_strings() {
        let cases = [
            (r#"{"a":5}"#, Ok(Some(5))),
            (r#"{"a":"5"}"#, Ok(Some(5))),
            (r#"{"a":" -5 "}"#, Ok(Some(-5))),
            (r#"{"a":5.0}"#, Ok(Some(5))),
            (r#"{"a":1.7e12}"#, Ok(Some(1_700_000_000_000))),
            (r#"{"a":9223372036854775807}"#, Ok(Some(i64::MAX))),
            (r#"{"a":9223372036854775808}"#, Err(INVALID)),
            (r#"{"a":5.5}"#, Err(INVALID)),
            (r#"{"a":""}"#, Err(INVALID)),
            (r#"{"a":"inf"}"#, Err(INVALID)),
            (r#"{"a":"NaN"}"#, Err(INVALID)),
            (r#"{"a":true}"#, Err(INVALID)),
            (r#"{"a":[5]}"#, Err(INVALID)),
            (r#"{"a":null}"#, Ok(None)),
            (r#"{"b":5}"#, Ok(None)),
        ];
        for (json, read) in cases {
            assert_eq!(a(json, Members::integer), read, "{json}");
        }
        assert_eq!(a(r#"{"a":-1}"#, Members::unsigned), Err(INVALID));
        assert_eq!(a(r#"{"a":"1"}"#, Members::unsigned), Ok(Some(1)));
    }

    #[test]
    fn ids_come_as_strings_and_as_numbers() {
        let cases = [
            (r#"{"a":"x"}"#, Ok(Some("x"))),
            (r#"{"a":"007"}"#, Ok(Some("007"))),
            (r#"{"a":48057}"#, Ok(Some("48057"))),
            (r#"{"a":1.5}"#, Err(INVALID)),
            (r#"{"a":true}"#, Err(INVALID)),
            (r#"{"a":{}}"#, Err(INVALID)),
            (r#"{"a":"\ud800"}"#, Err(INVALID)),
        ];
        for (json, read) in cases {
            let read = read.map(|it| it.map(str::to_owned));
            assert_eq!(a(json, Members::id), read, "{json}");
        }
        let ids = |json| a(json, |it, name| it.ids(name, 2));
        let two = vec!["x".to_owned(), "1".to_owned()];
        assert_eq!(ids(r#"{"a":["x",1]}"#), Ok(Some(two)));
        assert_eq!(ids(r#"{"a":["x",1,2]}"#), Err(INVALID));
        assert_eq!(ids(r#"{"a":"x"}"#), Err(INVALID));
        assert_eq!(ids(r#"{"a":[null]}"#), Err(INVALID));
    }

    #[test]
    fn flags_come_in_six_forms() {
        for yes in ["true", "1", "\"true\"", "\"1\""] {
            assert_eq!(
                a(&format!(r#"{{"a":{yes}}}"#), Members::flag),
                Ok(Some(true))
            );
        }
        for no in ["false", "0", "\"false\"", "\"0\""] {
            assert_eq!(
                a(&format!(r#"{{"a":{no}}}"#), Members::flag),
                Ok(Some(false))
            );
        }
        assert_eq!(a(r#"{"a":2}"#, Members::flag), Err(INVALID));
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(a(r#"{"a":-1.25}"#, Members::number), Ok(Some(-1.25)));
        assert_eq!(a(r#"{"a":"31.2"}"#, Members::number), Ok(Some(31.2)));
        assert_eq!(a(r#"{"a":"inf"}"#, Members::number), Err(INVALID));
        assert_eq!(a(r#"{"a":1e999}"#, Members::number), Err(INVALID));
    }

    #[test]
    fn texts_and_objects_keep_their_own_words() {
        let content = |json| a(json, Members::text_or_object);
        assert_eq!(content(r#"{"a":"x\n"}"#), Ok(Some("x\n".into())));
        let object = r#"{"url": "x"}"#;
        let json = format!(r#"{{"a":{object}}}"#);
        assert_eq!(content(&json), Ok(Some(object.to_owned())));
        assert_eq!(content(r#"{"a":5}"#), Err(INVALID));
        assert_eq!(content(r#"{"a":[1]}"#), Err(INVALID));
        let raw = |json| a(json, Members::object).map(|it| it.map(|raw| raw.get().to_owned()));
        assert_eq!(raw(&json), Ok(Some(object.to_owned())));
        assert_eq!(raw(r#"{"a":"{}"}"#), Err(INVALID));
        assert_eq!(a(r#"{"a":5}"#, Members::text), Err(INVALID));
    }

    #[test]
    fn the_last_of_a_name_counts() {
        assert_eq!(a(r#"{"a":1,"b":2,"a":3}"#, Members::integer), Ok(Some(3)));
        assert_eq!(a(r#"{"a":1,"\u0061":null}"#, Members::integer), Ok(None));
    }

    #[test]
    fn broken_json_keeps_what_was_whole() {
        for json in ["", "{", "[]", "null", "{\"a\":1}x", "{\"a\":1} {}", "\"a\""] {
            assert!(Members::read(json.as_bytes(), &["a"]).is_err(), "{json}");
        }
        let broken = Members::read(br#"{"a":"m-1","b":"#, &["a", "b"]).expect_err("it is cut");
        assert_eq!(broken.before.id("a"), Ok(Some("m-1".into())));
        assert_eq!(broken.before.id("b"), Ok(None));
        assert!(Members::read(b"{\"a\":\"\xff\"}", &["a"]).is_err());
        assert!(Members::read(b" {\"a\":1}\n", &["a"]).is_ok());
    }
}

//! Fields in whatever form they come: numbers as numbers or strings, flags as numbers, strings
//! or booleans, ids as strings or numbers, `null` as if absent (protocols/README.md A5).

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, SeqAccess, Visitor};

/// Something that can be read from any JSON scalar.
trait Scalar: Sized + Default {
    const WANTED: &'static str;
    fn of_int(number: i64) -> Option<Self>;
    fn of_text(text: &str) -> Option<Self>;
    fn of_bool(flag: bool) -> Option<Self>;
}

impl Scalar for i64 {
    const WANTED: &'static str = "an integer";

    fn of_int(number: i64) -> Option<Self> {
        Some(number)
    }

    fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            Some(0)
        } else {
            text.parse().ok()
        }
    }

    fn of_bool(flag: bool) -> Option<Self> {
        Some(flag.into())
    }
}

impl Scalar for bool {
    const WANTED: &'static str = "0 or 1";

    fn of_int(number: i64) -> Option<Self> {
        Some(number != 0)
    }

    fn of_text(text: &str) -> Option<Self> {
        match text.trim() {
            "" | "0" | "false" => Some(false),
            "1" | "true" => Some(true),
            _ => None,
        }
    }

    fn of_bool(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Scalar for String {
    const WANTED: &'static str = "a string";

    fn of_int(number: i64) -> Option<Self> {
        Some(number.to_string())
    }

    fn of_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn of_bool(_: bool) -> Option<Self> {
        None
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Scalar> Visitor<'de> for Any<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WANTED)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::of_int(number).ok_or_else(|| E::custom(format_args!("must be {}", T::WANTED)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        let number = i64::try_from(number).ok();
        number
            .and_then(T::of_int)
            .ok_or_else(|| E::custom("is too large"))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        // 2^53: up to there a float that is whole is an integer without doubt.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() != 0.0 || number.abs() > EXACT {
            return Err(E::custom(format_args!("must be {}", T::WANTED)));
        }
        #[allow(clippy::cast_possible_truncation)] // whole and within 2^53
        self.visit_i64(number as i64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::of_text(text).ok_or_else(|| E::custom(format_args!("must be {}", T::WANTED)))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<T, E> {
        T::of_bool(flag).ok_or_else(|| E::custom(format_args!("must be {}", T::WANTED)))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }
}

/// An integer.
pub(super) fn int<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    from.deserialize_any(Any(PhantomData))
}

/// An integer that may be absent.
pub(super) fn optional_int<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    int(from).map(Some)
}

/// A number that is never negative; what is negative counts as 0.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    int(from).map(|number| u64::try_from(number).unwrap_or(0))
}

/// A flag.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    from.deserialize_any(Any(PhantomData))
}

/// A text or id, without blanks around it.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text: String = from.deserialize_any(Any(PhantomData))?;
    Ok(text.trim().to_owned())
}

/// One element of a list.
struct Element<T>(T);

impl<'de, T: Scalar> serde::Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any(PhantomData)).map(Element)
    }
}

struct List<T>(PhantomData<T>);

impl<'de, T: Scalar> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list, each of it {}", T::WANTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(Element(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(list)
    }
}

/// A list of texts or ids.
pub(super) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_any(List(PhantomData))
}

/// A list of integers.
pub(super) fn ints<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    from.deserialize_any(List(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct All {
        #[serde(deserialize_with = "int")]
        int: i64,
        #[serde(deserialize_with = "count")]
        count: u64,
        #[serde(deserialize_with = "flag")]
        flag: bool,
        #[serde(deserialize_with = "text")]
        text: String,
        #[serde(deserialize_with = "texts")]
        texts: Vec<String>,
        #[serde(deserialize_with = "optional_int")]
        optional: Option<i64>,
    }

    fn read(json: &str) -> Option<All> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn scalars_come_in_many_forms() {
        for form in ["7", "7.0", "\"7\"", "\" 7 \""] {
            let json = format!("{{\"int\":{form},\"count\":{form}}}");
            let all = read(&json).expect("an integer");
            assert_eq!((all.int, all.count), (7, 7), "{form}");
        }
        for (form, expected) in [
            ("1", true),
            ("0", false),
            ("2", true),
            ("true", true),
            ("false", false),
            ("\"1\"", true),
            ("\"0\"", false),
            ("\"true\"", true),
            ("null", false),
            ("\"\"", false),
        ] {
            let all = read(&format!("{{\"flag\":{form}}}")).expect("a flag");
            assert_eq!(all.flag, expected, "{form}");
        }
        assert_eq!(read(r#"{"text":10001}"#).expect("an id").text, "10001");
        assert_eq!(read(r#"{"text":" a "}"#).expect("an id").text, "a");
        let list = read(r#"{"texts":["a",7]}"#).expect("a list").texts;
        assert_eq!(list, ["a", "7"]);
    }

    #[test]
    fn absent_and_null_are_the_same_but_optional_tells_absence() {
        let all = read(r#"{"int":null,"count":null,"text":null,"texts":null}"#);
        assert_eq!(all, Some(All::default()));
        assert_eq!(read("{}"), Some(All::default()));
        assert_eq!(read(r#"{"optional":0}"#).expect("valid").optional, Some(0));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for json in [
            r#"{"int":"x"}"#,
            r#"{"int":1.5}"#,
            r#"{"int":1e300}"#,
            r#"{"int":18446744073709551615}"#,
            r#"{"int":[1]}"#,
            r#"{"flag":"yes"}"#,
            r#"{"text":{}}"#,
            r#"{"text":true}"#,
            r#"{"texts":"a"}"#,
            r#"{"texts":[{}]}"#,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
        assert_eq!(read(r#"{"count":-5}"#).expect("valid").count, 0);
    }
}

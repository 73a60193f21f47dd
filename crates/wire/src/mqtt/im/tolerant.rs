//! Reading numbers, flags and ids in each of their forms
//! (`protocols/README.md` A5).
//!
//! For serde's `deserialize_with`. `null` is the same as a member that is not
//! there.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// The largest integer up to which each one has a float of its own.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// Text, or a number as its digits; absent is empty.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    optional_text(from).map(Option::unwrap_or_default)
}

/// As [`text`]; absent is `None`.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        other => Err(unexpected(&other, "a string or a number")),
    }
}

/// Several texts: a list, or a single one; absent is empty.
pub(super) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let items = match Value::deserialize(from)? {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        single => vec![single],
    };
    let texts = items.into_iter().map(|item| match item {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(unexpected(&other, "strings or numbers")),
    });
    texts.collect()
}

/// An integer, or a string of one; absent or an empty string is `None`.
pub(super) fn optional_integer<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(from)?;
    let integer = match &value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => whole(number),
        _ => None,
    };
    match integer {
        Some(integer) => Ok(Some(integer)),
        None => Err(unexpected(&value, "an integer")),
    }
}

/// As [`optional_integer`]; absent is 0.
pub(super) fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    optional_integer(from).map(Option::unwrap_or_default)
}

/// A number with a fraction, or a string of one; absent is 0.
pub(super) fn decimal<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(from)?;
    let decimal = match &value {
        Value::Null => Some(0.0),
        Value::String(text) if text.is_empty() => Some(0.0),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    decimal.ok_or_else(|| unexpected(&value, "a number"))
}

/// `true`, `false`, 0 or 1, as such or as a string; absent or an empty string
/// is `None`.
pub(super) fn optional_flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(from)?;
    let flag = match &value {
        Value::Null => return Ok(None),
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "" => return Ok(None),
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    match flag {
        Some(flag) => Ok(Some(flag)),
        None => Err(unexpected(&value, "a flag")),
    }
}

/// As [`optional_flag`]; absent is `false`.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    optional_flag(from).map(Option::unwrap_or_default)
}

/// A number that is whole, also if it is written with a fraction of 0.
pub(super) fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        let is_exact = float.fract() == 0.0 && float.abs() <= EXACT_FLOAT;
        // In range and whole: the cast loses nothing.
        is_exact.then_some(float as i64)
    })
}

fn unexpected<E: Error>(value: &Value, wanted: &str) -> E {
    let found = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(flag) => Unexpected::Bool(*flag),
        Value::Number(_) => Unexpected::Other("this number"),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    E::invalid_type(found, &wanted)
}

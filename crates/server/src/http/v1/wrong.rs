//! What a reader of JSON and queries says of a member that it cannot take, in plain words:
//! which member it is, and what it has to be.

/// What is wrong, as in `limit: must be a whole number`, out of the words of the reader.
pub(super) fn in_words(text: &str) -> String {
    let text = without_place(text);
    if let Some((place, member)) = between(text, "missing field `", "`") {
        return format!("{}: is missing", path(place, member));
    }
    if let Some((place, member)) = between(text, "duplicate field `", "`") {
        return format!("{}: is there twice", path(place, member));
    }
    if let Some((place, all)) = text.split_once("unknown variant `") {
        let names = all.split_once(", expected ").map_or("", |(_, names)| names);
        let names = names.strip_prefix("one of ").unwrap_or(names);
        return format!("{place}must be one of {names}");
    }
    if let Some((wrong, wanted)) = text.rsplit_once("` to a `")
        && let Some((_, value)) = wrong.split_once(" with value `")
    {
        let wanted = kind(wanted.trim_end_matches('`'));
        return format!("the path: `{value}` must be {wanted}");
    }
    for said in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((place, wrong)) = text.split_once(said)
            && let Some((_, wanted)) = wrong.rsplit_once(", expected ")
        {
            return format!("{place}must be {}", kind(wanted));
        }
    }
    if let Some((place, _)) = text.split_once("data did not match any variant") {
        return format!("{place}has none of the forms that it may have");
    }
    let plain = [
        ("invalid digit found in string", "must be a whole number"),
        (
            "cannot parse integer from empty string",
            "must be a whole number",
        ),
        ("number too large to fit in target type", "is too large"),
        ("number too small to fit in target type", "is too small"),
        (
            "provided string was not `true` or `false`",
            "must be true or false",
        ),
    ];
    for (said, meant) in plain {
        if let Some(place) = text.strip_suffix(said) {
            return format!("{place}{meant}");
        }
    }
    text.to_owned()
}

/// A text without the line and column at its end, to which nobody can count.
fn without_place(text: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.rsplit_once(" at line ") {
        Some((text, place)) if place.split(" column ").all(is_number) => text,
        _ => text,
    }
}

/// What stands before something, and the name in it.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<(&'a str, &'a str)> {
    let (place, rest) = text.split_once(before)?;
    Some((place, rest.split_once(after)?.0))
}

/// The path of a member of what stands at a place, which ends in a colon if there is one.
fn path(place: &str, member: &str) -> String {
    match place.trim_end_matches(": ") {
        "" | "." => member.to_owned(),
        // The reader says the member itself, where it got so far.
        place if place == member || place.ends_with(&format!(".{member}")) => place.to_owned(),
        place => format!("{place}.{member}"),
    }
}

/// What a type is to those who write JSON.
fn kind(wanted: &str) -> &str {
    match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "a tuple of size 2" => "a list of two",
        named if named.starts_with("struct ") => "an object",
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_words() {
        let cases = [
            ("missing field `to` at line 1 column 2", "to: is missing"),
            (
                "to: missing field `id` at line 1 column 9",
                "to.id: is missing",
            ),
            ("users[1]: missing field `uid`", "users[1].uid: is missing"),
            (
                "duplicate field `to` at line 1 column 9",
                "to: is there twice",
            ),
            (
                "to: duplicate field `to` at line 1 column 9",
                "to: is there twice",
            ),
            (
                "app_id: invalid type: integer `7`, expected a string at line 1 column 11",
                "app_id: must be a string",
            ),
            (
                "n: invalid value: integer `-1`, expected u32 at line 1 column 7",
                "n: must be a whole number from 0 to 4294967295",
            ),
            (
                "to: invalid type: string \", expected x at line 3\", expected struct ChannelName",
                "to: must be an object",
            ),
            (
                "pairs[0]: invalid length 3, expected a tuple of size 2",
                "pairs[0]: must be a list of two",
            ),
            (
                "mode: unknown variant `x`, expected `single` or `merged` at line 1 column 3",
                "mode: must be one of `single` or `merged`",
            ),
            (
                "kind: unknown variant `x`, expected one of `a`, `b`, `c`",
                "kind: must be one of `a`, `b`, `c`",
            ),
            (
                "limit: invalid digit found in string",
                "limit: must be a whole number",
            ),
            (
                "limit: number too large to fit in target type",
                "limit: is too large",
            ),
            (
                "clear: provided string was not `true` or `false`",
                "clear: must be true or false",
            ),
            (
                "Cannot parse value at index 1 with value `x` to a `i64`",
                "the path: `x` must be a whole number",
            ),
            ("something else", "something else"),
        ];
        for (said, meant) in cases {
            assert_eq!(in_words(said), meant, "{said}");
        }
    }
}

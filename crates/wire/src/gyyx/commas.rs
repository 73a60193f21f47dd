//! Commas before a closing bracket, which every sample of the document has
//! (gyyx.md Q4-33).

/// The text without them; nothing if there are none.
pub(super) fn without_trailing_commas(text: &str) -> Option<String> {
    let mut places = Vec::new();
    let mut comma = None;
    let mut in_string = false;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b',' => comma = Some(at),
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'}' | b']' => places.extend(comma.take()),
            _ => {
                comma = None;
                in_string = byte == b'"';
            }
        }
    }
    if places.is_empty() {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut start = 0;
    for at in places {
        kept.push_str(&text[start..at]);
        start = at + 1;
    }
    kept.push_str(&text[start..]);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commas_before_a_bracket_go() {
        for (text, without) in [
            ("{\"a\":1,}", "{\"a\":1}"),
            ("{\"a\":[1,2 , \n],\t}", "{\"a\":[1,2  \n]\t}"),
            ("{\"a,}\":\",}\\\",]\",}", "{\"a,}\":\",}\\\",]\"}"),
            ("{\"张\":\"三\",}", "{\"张\":\"三\"}"),
            ("{\"a\":1,,}", "{\"a\":1,}"),
            (",}", "}"),
        ] {
            assert_eq!(without_trailing_commas(text).as_deref(), Some(without));
        }
        for text in ["", "{\"a\":1,\"b\":2}", "\"a,}\"", "{,", "\"\\\\,}", ",1}"] {
            assert_eq!(without_trailing_commas(text), None, "{text}");
        }
    }
}

//! Strings inside JSON, and JSON inside scripts (stomp-sockjs-wire.md §2.3).

use bytes::{BufMut, BytesMut};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string. Characters that browsers mangle on their
/// way through some transports are written as `\u` with four lower-case
/// digits; all others go as they are.
pub(super) fn put_json_string(text: &str, out: &mut BytesMut) {
    out.reserve(text.len() + 2);
    out.put_u8(b'"');
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let short: &[u8] = match c {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\u{8}' => b"\\b",
            '\t' => b"\\t",
            '\n' => b"\\n",
            '\u{c}' => b"\\f",
            '\r' => b"\\r",
            _ if is_unsafe(c) => b"",
            _ => continue,
        };
        out.put_slice(&text.as_bytes()[plain..at]);
        plain = at + c.len_utf8();
        if short.is_empty() {
            put_escape(c, out);
        } else {
            out.put_slice(short);
        }
    }
    out.put_slice(&text.as_bytes()[plain..]);
    out.put_u8(b'"');
}

/// What the protocol has a server escape.
fn is_unsafe(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{200c}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff0}'..='\u{ffff}'
    )
}

/// All unsafe characters have four digits.
fn put_escape(c: char, out: &mut BytesMut) {
    let code = u32::from(c);
    out.put_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.put_u8(HEX[(code >> shift & 0xf) as usize]);
    }
}

/// Appends `frame` as a JavaScript string. A frame has no control characters
/// of its own. `<` is escaped, so that no message can end the script.
pub(super) fn put_script_string(frame: &[u8], out: &mut BytesMut) {
    out.reserve(frame.len() + 2);
    out.put_u8(b'"');
    let mut rest = frame;
    while let Some(at) = rest.iter().position(|it| b"\"\\<".contains(it)) {
        out.put_slice(&rest[..at]);
        match rest[at] {
            b'<' => out.put_slice(b"\\u003c"),
            byte => out.put_slice(&[b'\\', byte]),
        }
        rest = &rest[at + 1..];
    }
    out.put_slice(rest);
    out.put_u8(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let mut out = BytesMut::new();
        put_json_string(text, &mut out);
        String::from_utf8(out.to_vec()).expect("JSON is UTF-8")
    }

    fn script(frame: &str) -> String {
        let mut out = BytesMut::new();
        put_script_string(frame.as_bytes(), &mut out);
        String::from_utf8(out.to_vec()).expect("scripts are UTF-8")
    }

    #[test]
    fn what_browsers_mangle_is_escaped() {
        let cases = [
            ("", r#""""#),
            ("x", r#""x""#),
            ("  \0\n\r ", r#""  \u0000\n\r ""#),
            ("\u{8}\t\u{c}\u{1f}", r#""\b\t\f\u001f""#),
            (r#"a"b\"#, r#""a\"b\\""#),
            ("\u{200b}\u{200c}", "\"\u{200b}\\u200c\""),
            ("\u{202f}\u{2030}", "\"\\u202f\u{2030}\""),
            ("\u{fff0}\u{ffff}", r#""\ufff0\uffff""#),
            ("中文😀é\u{7f}", "\"中文😀é\u{7f}\""),
        ];
        for (text, written) in cases {
            assert_eq!(json(text), written, "{text:?}");
        }
    }

    /// Each character alone: the escape is right, and JSON reads it back.
    #[test]
    fn every_character_survives() {
        for c in (0..=0x1_0000).filter_map(char::from_u32) {
            let written = json(&c.to_string());
            let read: String = serde_json::from_str(&written).expect("it is JSON");
            assert_eq!(read, c.to_string(), "{written}");
            if c > '\u{ff}' && is_unsafe(c) {
                assert_eq!(written, format!("\"\\u{:04x}\"", u32::from(c)));
            }
        }
    }

    #[test]
    fn no_message_ends_the_script() {
        assert_eq!(script(r#"a["x"]"#), r#""a[\"x\"]""#);
        assert_eq!(script(r#"a["\n"]"#), r#""a[\"\\n\"]""#);
        assert_eq!(script(r#"a["</script>"]"#), r#""a[\"\u003c/script>\"]""#);
    }
}

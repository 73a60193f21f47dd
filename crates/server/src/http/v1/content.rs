//! Content as callers give it: a JSON object with a `type`. It is stored in this form and
//! mapped when somebody reads it in a dialect.

use bytes::Bytes;
use crosstalk_core::content::{MAX_MERGED_DEPTH, MAX_MERGED_ITEMS};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::is_bounded_content;
use serde_json::Value;

use super::problem::Problem;

/// The largest content, bytes of JSON (protocols/README.md A12).
const CONTENT_BYTES: usize = 64 << 10;
/// The longest text, bytes (protocols/README.md A12).
const TEXT_BYTES: usize = 32 << 10;
/// The longest name of a type, bytes.
const TYPE_BYTES: usize = 64;

/// The payload for a content: its JSON, the same for the same content.
pub(super) fn payload(content: &Value) -> Result<Bytes, Problem> {
    let Value::Object(object) = content else {
        return Err(Problem::field("content", "must be an object"));
    };
    let Some(Value::String(kind)) = object.get("type") else {
        return Err(Problem::field("content.type", "must be a string"));
    };
    if kind.is_empty() || kind.len() > TYPE_BYTES {
        let wrong = format_args!("has 1 to {TYPE_BYTES} bytes");
        return Err(Problem::field("content.type", wrong));
    }
    if kind == "text" {
        let Some(Value::String(text)) = object.get("text") else {
            return Err(Problem::field("content.text", "must be a string"));
        };
        if text.len() > TEXT_BYTES {
            let why = format!("content.text: has at most {TEXT_BYTES} bytes");
            return Err(Problem::new(Refusal::TooLarge, why));
        }
    }
    // A value that came from JSON always goes back to it.
    let json = serde_json::to_vec(content).map_err(|_| Refusal::Internal)?;
    if json.len() > CONTENT_BYTES {
        let why = format!("content: has at most {CONTENT_BYTES} bytes");
        return Err(Problem::new(Refusal::TooLarge, why));
    }
    let json = Bytes::from(json);
    if !is_bounded_content(&json) {
        let wrong = format_args!(
            "has at most {MAX_MERGED_ITEMS} merged messages, {MAX_MERGED_DEPTH} deep in one another"
        );
        return Err(Problem::field("content.items", wrong));
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_of_what_is_content() {
        let long = "x".repeat(TEXT_BYTES + 1);
        let huge = json!({"type": "custom", "data": "x".repeat(CONTENT_BYTES)});
        let cases = [
            (json!({"type": "text", "text": "你好"}), None),
            (json!({"type": "text", "text": ""}), None),
            (
                json!({"type": "image", "url": "https://example.org/a.png"}),
                None,
            ),
            (json!({"type": "anything", "x": [1, 2]}), None),
            (json!({"type": "text"}), Some(Refusal::InvalidArgument)),
            (
                json!({"type": "text", "text": 1}),
                Some(Refusal::InvalidArgument),
            ),
            (
                json!({"type": 1, "content": "x"}),
                Some(Refusal::InvalidArgument),
            ),
            (json!({"type": ""}), Some(Refusal::InvalidArgument)),
            (json!({"text": "x"}), Some(Refusal::InvalidArgument)),
            (json!("text"), Some(Refusal::InvalidArgument)),
            (json!(null), Some(Refusal::InvalidArgument)),
            (
                json!({"type": "text", "text": long}),
                Some(Refusal::TooLarge),
            ),
            (huge, Some(Refusal::TooLarge)),
        ];
        for (content, expected) in cases {
            let refusal = payload(&content).err().map(|problem| problem.refusal);
            assert_eq!(refusal, expected, "{content}");
        }
    }

    #[test]
    fn the_order_of_members_makes_no_difference() {
        let one: Value = serde_json::from_str(r#"{"type":"text","text":"x"}"#).expect("JSON");
        let other: Value =
            serde_json::from_str(r#"{ "text": "x", "type": "text" }"#).expect("JSON");
        assert_eq!(payload(&one), payload(&other));
    }
}

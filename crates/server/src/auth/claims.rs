//! Values as host applications write them: ids as texts or numbers, roles as a list or as one
//! text.

use serde_json::Value;

/// Roles of one user that are taken over.
const MAX_ROLES: usize = 64;

/// A text, or a whole number as text (protocols/README.md A5).
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// The texts of a list, or the words of one text.
pub(super) fn roles(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(text_of).take(MAX_ROLES).collect(),
        Value::String(text) => {
            let words = text.split([' ', ',']).filter(|word| !word.is_empty());
            words.take(MAX_ROLES).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_and_roles_are_read_as_they_are_written() {
        assert_eq!(text_of(&json!("u")).as_deref(), Some("u"));
        assert_eq!(text_of(&json!(48057)).as_deref(), Some("48057"));
        for other in [json!(1.5), json!(true), json!(null), json!(["u"])] {
            assert_eq!(text_of(&other), None, "{other}");
        }
        assert_eq!(roles(&json!(["a", 1, null])), ["a", "1"]);
        assert_eq!(roles(&json!("a b,c")), ["a", "b", "c"]);
        assert!(roles(&json!({"a": 1})).is_empty());
        assert_eq!(roles(&json!(vec!["r"; 100])).len(), MAX_ROLES);
    }
}

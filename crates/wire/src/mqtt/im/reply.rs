//! The frame of every HTTP answer: `{"code","msg","data"}`
//! (`mqtt.md` Q3-34).

use serde::{Deserialize, Serialize};

use super::tolerant;

/// An answer. An error has no `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply<T> {
    /// 200, or the HTTP status of the error.
    #[serde(deserialize_with = "tolerant::integer")]
    pub code: i64,
    /// `success`, or the reason in words.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub msg: String,
    /// What was asked for.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
}

impl<T> Reply<T> {
    /// A success with this result.
    #[must_use]
    pub fn success(data: T) -> Reply<T> {
        Reply {
            code: 200,
            msg: "success".to_owned(),
            data: Some(data),
        }
    }

    /// An error.
    #[must_use]
    pub fn error(code: i64, msg: impl Into<String>) -> Reply<T> {
        Reply {
            code,
            msg: msg.into(),
            data: None,
        }
    }

    /// The error for a member that is needed.
    #[must_use]
    pub fn missing(member: &str) -> Reply<T> {
        Reply::error(400, format!("{member}不能为空"))
    }
}

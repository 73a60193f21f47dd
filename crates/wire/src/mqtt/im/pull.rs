//! Pulling history and what was missed: one operation for both
//! (`mqtt.md` Q3-29).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{ReadError, tolerant};

/// Messages of one pull at most.
pub const MAX_PULL: u32 = 500;

/// What is pulled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pull {
    /// Only messages from here on, in milliseconds since the Unix epoch.
    #[serde(
        rename = "startTime",
        default,
        deserialize_with = "tolerant::optional_integer",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_time_ms: Option<i64>,
    /// Only messages before this, in milliseconds since the Unix epoch.
    #[serde(
        rename = "endTime",
        default,
        deserialize_with = "tolerant::optional_integer",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_time_ms: Option<i64>,
    /// One account or group; empty is all.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub target: String,
    /// How many; read into 1 to [`MAX_PULL`].
    #[serde(
        default,
        deserialize_with = "limit",
        skip_serializing_if = "Option::is_none"
    )]
    pub limit: Option<u32>,
    /// Where an earlier answer left off.
    #[serde(
        default,
        deserialize_with = "tolerant::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub cursor: Option<String>,
    /// Which of the two; the HTTP routes have it in their path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<PullMode>,
    /// How the messages come.
    #[serde(default)]
    pub deliver: PullDelivery,
}

/// What of the log is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PullMode {
    /// All messages.
    History,
    /// What this device was not given.
    Offline,
}

/// How pulled messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PullDelivery {
    /// As publications, and then [`Event::Sync`](super::background::Event).
    #[default]
    Mqtt,
    /// In the answer to the HTTP request.
    Http,
}

impl Pull {
    /// Reads the query of an HTTP request, of equal names the last one.
    ///
    /// # Errors
    ///
    /// If a value cannot be what its name says.
    pub fn from_query<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Pull, ReadError> {
        let members = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()));
        let members: Map<String, Value> = members.collect();
        Ok(Pull::deserialize(Value::Object(members))?)
    }
}

fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let limit = tolerant::optional_integer(from)?;
    let clamped = limit.map(|limit| limit.clamp(1, i64::from(MAX_PULL)));
    Ok(clamped.and_then(|limit| u32::try_from(limit).ok()))
}

/// The answer to a pull over HTTP.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Pulled {
    /// How many messages there are, here or over MQTT.
    #[serde(deserialize_with = "tolerant::integer")]
    pub count: i64,
    /// Whether there are more.
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub more: bool,
    /// Where to go on; empty at the end.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub cursor: String,
    /// The messages' envelopes, with [`PullDelivery::Http`] only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Box<RawValue>>>,
}

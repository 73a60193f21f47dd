//! The contents that people see (`mqtt.md` S3-17 to S3-23, S3-42, Q3-26).
//!
//! Receivers of this dialect get the sender's text; these types are for
//! messages that cross to or from another dialect.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tolerant;

/// Members beside the documented ones, such as `reply` and `mention`.
pub type Ext = Map<String, Value>;

/// TEXT.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Text {
    /// The text.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub text: String,
    /// Further members, written only if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<Ext>,
}

/// IMAGE.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The picture in the file store.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub storage_id: String,
    /// A storage id, an address or a data URI.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub thumbnail: String,
    /// In pixels; 0 is unknown.
    #[serde(default, deserialize_with = "tolerant::integer")]
    pub thumbnail_width: i64,
    /// In pixels; 0 is unknown.
    #[serde(default, deserialize_with = "tolerant::integer")]
    pub thumbnail_height: i64,
    /// As [`Text::ext`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<Ext>,
}

/// AUDIO.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audio {
    /// The sound in the file store.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub storage_id: String,
    /// In seconds.
    #[serde(rename = "duration", default, deserialize_with = "tolerant::integer")]
    pub duration_secs: i64,
    /// As [`Text::ext`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<Ext>,
}

/// VIDEO.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// The film in the file store.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub storage_id: String,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub file_name: String,
    /// Its size in bytes, as digits.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub file_size: String,
    /// In seconds.
    #[serde(rename = "duration", default, deserialize_with = "tolerant::integer")]
    pub duration_secs: i64,
    /// As [`Image::thumbnail`].
    #[serde(default, deserialize_with = "tolerant::text")]
    pub thumbnail: String,
    /// In pixels; 0 is unknown.
    #[serde(default, deserialize_with = "tolerant::integer")]
    pub thumbnail_width: i64,
    /// In pixels; 0 is unknown.
    #[serde(default, deserialize_with = "tolerant::integer")]
    pub thumbnail_height: i64,
    /// As [`Text::ext`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<Ext>,
}

/// FILE.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// The file in the file store.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub storage_id: String,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub file_name: String,
    /// Its size in bytes, as digits.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub file_size: String,
    /// In seconds, for what can be played; else 0.
    #[serde(rename = "duration", default, deserialize_with = "tolerant::integer")]
    pub duration_secs: i64,
    /// Its MIME type; not mandatory.
    #[serde(
        default,
        deserialize_with = "tolerant::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub mime_type: Option<String>,
    /// As [`Text::ext`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<Ext>,
}

/// LOCATION.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Location {
    /// In degrees.
    #[serde(default, deserialize_with = "tolerant::decimal")]
    pub latitude: f64,
    /// In degrees.
    #[serde(default, deserialize_with = "tolerant::decimal")]
    pub longitude: f64,
    /// The place's name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub title: String,
    /// Its address.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub address: String,
    /// As [`Text::ext`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<Ext>,
}

/// NOTICE, and APP, which looks the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The headline.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub title: String,
    /// The text.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub content: String,
    /// What a click does.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub action: String,
    /// The sub-application's id; one word on the wire.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub appid: String,
    /// The sub-application's name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub app_name: String,
    /// The sub-application's picture.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub app_logo: String,
    /// What a click opens.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub url: String,
    /// As [`Text::ext`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<Ext>,
}

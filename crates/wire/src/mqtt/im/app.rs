//! What applications call over HTTP: token, groups, tags, messages
//! (`mqtt.md` S3-64 to S3-69, Q3-28, E.c).

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tolerant;

/// The body of `POST /im/v1/app/token`.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    /// Who.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub app_id: String,
    /// The proof. A secret: `Debug` leaves it out.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub app_secret: String,
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenRequest")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    /// What later requests carry as their bearer token.
    #[serde(deserialize_with = "tolerant::text")]
    pub access_token: String,
    /// How long it is good, in seconds.
    #[serde(rename = "expiresIn", default, deserialize_with = "tolerant::integer")]
    pub expires_in_secs: i64,
}

/// The body of `POST /im/v1/app/groups`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppGroup {
    /// The group.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub group_id: String,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: String,
    /// Its members, as users.
    #[serde(default, deserialize_with = "tolerant::texts")]
    pub members: Vec<String>,
}

/// The body of `POST /im/v1/app/tags`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppTag {
    /// The tag.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub tag: String,
    /// Who has it.
    #[serde(default, deserialize_with = "tolerant::texts")]
    pub users: Vec<String>,
}

/// The body of `POST /im/v1/app/messages`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppMessage {
    /// Whom `target` names; absent or unknown is `None`.
    #[serde(default, deserialize_with = "target_type")]
    pub target_type: Option<TargetType>,
    /// Users, groups or tags; not looked at for everybody.
    #[serde(default, deserialize_with = "tolerant::texts")]
    pub target: Vec<String>,
    /// The message's type, in any form; see
    /// [`TypeValue::from_json`](super::TypeValue::from_json).
    #[serde(rename = "type", default)]
    pub kind: Value,
    /// A content of that type.
    #[serde(default)]
    pub content: Value,
    /// Whether vendors push it to who is away; absent is yes.
    #[serde(
        default,
        deserialize_with = "tolerant::optional_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub push: Option<bool>,
}

/// Whom an application's message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetType {
    /// Users.
    User,
    /// Members of groups.
    Group,
    /// Who has one of the tags.
    Tag,
    /// Everybody.
    All,
}

fn target_type<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TargetType>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(TargetType::deserialize(value).ok())
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppMessageSent {
    /// The message.
    #[serde(deserialize_with = "tolerant::text")]
    pub id: String,
    /// For how many targets it was taken.
    #[serde(default, deserialize_with = "tolerant::integer")]
    pub accepted: i64,
}

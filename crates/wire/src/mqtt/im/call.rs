//! CALL: one step of an audio or video call (`mqtt.md` S3-25 to S3-35, Q3-24).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tolerant;

/// One step of a call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The step; see [`CallStatus::from_name`].
    #[serde(default, deserialize_with = "tolerant::text")]
    pub status: String,
    /// `audio` or `video`.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub av_type: String,
    /// Who invites, for showing.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub uid: String,
    /// The room in which the call takes place.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub room_id: String,
    /// In milliseconds since the Unix epoch.
    #[serde(rename = "timestamp", default, deserialize_with = "tolerant::integer")]
    pub timestamp_ms: i64,
    /// How long the sender says the call took, in seconds.
    #[serde(rename = "useTime", default, deserialize_with = "tolerant::integer")]
    pub use_time_secs: i64,
    /// The key of the media service: any value, passed through.
    #[serde(default)]
    pub agora_key: Value,
    /// What other dialects need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<CallExt>,
}

/// What a call carries for other dialects; each member is written only if it is
/// there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallExt {
    /// The call's id.
    #[serde(
        default,
        deserialize_with = "tolerant::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub call_id: Option<String>,
    /// A session description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp: Option<Value>,
    /// A network candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Value>,
    /// Any other signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Value>,
}

/// The steps of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallStatus {
    /// The caller rings.
    Invite,
    /// The callee answers.
    Answer,
    /// The callee refuses.
    Refuse,
    /// The caller gives up.
    Cancel,
    /// Nobody answered.
    Timeout,
    /// The callee is in another call.
    Busy,
    /// Another device of the callee answered.
    OtherAnswer,
    /// Another device of the callee refused.
    OtherRefuse,
    /// One of them ends the call.
    Hangup,
}

impl CallStatus {
    /// Every step.
    pub const ALL: [CallStatus; 9] = [
        CallStatus::Invite,
        CallStatus::Answer,
        CallStatus::Refuse,
        CallStatus::Cancel,
        CallStatus::Timeout,
        CallStatus::Busy,
        CallStatus::OtherAnswer,
        CallStatus::OtherRefuse,
        CallStatus::Hangup,
    ];

    /// The value of `status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            CallStatus::Invite => "invite",
            CallStatus::Answer => "answer",
            CallStatus::Refuse => "refuse",
            CallStatus::Cancel => "cancel",
            CallStatus::Timeout => "timeout",
            CallStatus::Busy => "busy",
            CallStatus::OtherAnswer => "other_answer",
            CallStatus::OtherRefuse => "other_refuse",
            CallStatus::Hangup => "hangup",
        }
    }

    /// The step with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<CallStatus> {
        CallStatus::ALL
            .into_iter()
            .find(|status| status.name() == name)
    }
}

//! Of messages and what becomes of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Channel, Named};
use crate::http::v1::MessageView;

/// A message that was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageStored)]
pub(in crate::hooks) struct StoredData {
    /// The message, as `GET /v1/messages/{id}` shows it.
    #[serde(flatten)]
    pub(in crate::hooks) message: MessageView,
    /// Where it was said.
    pub(in crate::hooks) channel: Channel,
    /// True of what went to a command log: it is for programs. Absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::hooks) command: bool,
    /// True of what only some may see. Absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::hooks) directed: bool,
}

/// A message that some had no session for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageOffline)]
pub(in crate::hooks) struct OfflineData {
    /// The message, as `message.stored` tells it.
    #[schema(value_type = StoredData)]
    pub(in crate::hooks) message: Value,
    /// Who was not there, at most 1,000; of more there are more events.
    #[schema(max_items = 1000)]
    pub(in crate::hooks) users: Vec<String>,
}

/// A message that somebody has revoked, deleted for all, pinned or unpinned.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageChanged)]
pub(in crate::hooks) struct GoneData {
    /// Where it was said.
    pub(in crate::hooks) channel: Channel,
    /// Which.
    pub(in crate::hooks) message: Named,
    /// By whom; null = the application.
    pub(in crate::hooks) by: Option<String>,
}

/// A message that says something else now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageEdited)]
pub(in crate::hooks) struct EditedData {
    /// Where it was said.
    pub(in crate::hooks) channel: Channel,
    /// Which.
    pub(in crate::hooks) message: Named,
    /// By whom; null = the application.
    pub(in crate::hooks) by: Option<String>,
    /// How often it was edited, with this.
    pub(in crate::hooks) edits: u32,
    /// What it says now.
    #[schema(value_type = Object)]
    pub(in crate::hooks) content: Value,
}

/// Messages whose time is over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageExpired)]
pub(in crate::hooks) struct ExpiredData {
    /// Where they were said.
    pub(in crate::hooks) channel: Channel,
    /// Which.
    pub(in crate::hooks) messages: Vec<Named>,
}

/// A reaction that somebody has put to a message, or has taken away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageReacted)]
pub(in crate::hooks) struct ReactedData {
    /// Where the message was said.
    pub(in crate::hooks) channel: Channel,
    /// To which.
    pub(in crate::hooks) message: Named,
    /// Who.
    pub(in crate::hooks) user: String,
    /// Which.
    pub(in crate::hooks) emoji: String,
    /// It is taken away.
    pub(in crate::hooks) removed: bool,
}

/// Messages of an author that somebody has read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageRead)]
pub(in crate::hooks) struct ReadData {
    /// Where they were said.
    pub(in crate::hooks) channel: Channel,
    /// Who has read.
    pub(in crate::hooks) reader: String,
    /// Whose messages.
    pub(in crate::hooks) author: String,
    /// Everything up to this seq is read.
    pub(in crate::hooks) up_to: u64,
    /// Those that are newly read, newest first; not all if they are many.
    pub(in crate::hooks) messages: Vec<Named>,
}

/// Messages that a user has deleted for themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessageHidden)]
pub(in crate::hooks) struct HiddenData {
    /// Who.
    pub(in crate::hooks) user: String,
    /// Where they were said.
    pub(in crate::hooks) channel: Channel,
    /// Which.
    pub(in crate::hooks) messages: Vec<Named>,
}

/// A channel as the sender names it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookDestination)]
pub(in crate::hooks) struct Destination {
    /// The kind, by name.
    pub(in crate::hooks) kind: &'static str,
    /// Its id; of a direct one the receiver.
    pub(in crate::hooks) id: String,
}

/// A message that a user would send.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookBeforeSend)]
pub(in crate::hooks) struct BeforeSendData {
    /// Who.
    pub(in crate::hooks) from: String,
    /// Where to.
    pub(in crate::hooks) to: Destination,
    /// What it says.
    #[schema(value_type = Object)]
    pub(in crate::hooks) content: Value,
    /// The sender's own number for it; null = none.
    pub(in crate::hooks) client_no: Option<String>,
    /// By which dialect it came; null = by this interface.
    pub(in crate::hooks) dialect: Option<&'static str>,
}

/// What is to become of a message that was asked about. An answer 204 without a body lets it
/// pass, too.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = HookVerdict, example = json!({"action": "deny", "reason": "rude"}))]
pub(in crate::hooks) struct BeforeSendAnswer {
    /// Whether it passes; it does if this is absent.
    #[serde(default)]
    pub(in crate::hooks) action: Action,
    /// Of `deny`: why. It is logged and shown to nobody.
    #[serde(default)]
    pub(in crate::hooks) reason: String,
    /// Of `replace`: what it says instead.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(in crate::hooks) content: Value,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = HookAction)]
pub(in crate::hooks) enum Action {
    /// It passes.
    #[default]
    Allow,
    /// It is refused: `hook_refused`.
    Deny,
    /// It passes and says something else.
    Replace,
}

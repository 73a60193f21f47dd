//! How channels and messages look in JSON, wherever they appear.

use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::im::Viewer;
use crosstalk_core::message::{Gone, Message, Origin};
use crosstalk_gateway::{content_of, signed_for};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::carried::{self, CarriedView};
use super::input;
use super::marks::TallyView;
use super::problem::Problem;
use crate::http::state::ApiState;

/// A channel as callers name it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"kind": "group", "id": "team"}))]
pub(super) struct ChannelName {
    /// The kind: a number (1–12) or a name. Answers have the name.
    #[serde(deserialize_with = "input::kind_in_body", serialize_with = "kind_name")]
    #[schema(value_type = KindName)]
    pub(super) kind: ChannelKind,
    /// The channel's id; of a direct channel the peer's uid.
    pub(super) id: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn kind_name<S: serde::Serializer>(kind: &ChannelKind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(kind.name())
}

/// The kinds of channels by name; their numbers 1 to 12, in this order, are understood too.
#[derive(ToSchema)]
#[schema(as = ChannelKind, rename_all = "snake_case")]
#[allow(dead_code)] // describes the names that core has
pub(super) enum KindName {
    /// Two users.
    Direct,
    /// Members with roles.
    Group,
    /// `visitor|agent`.
    CustomerService,
    /// A community.
    Community,
    /// `community@topic`.
    Topic,
    /// Everybody may write.
    Info,
    /// Data without conversations.
    Data,
    /// Temporary.
    Temporary,
    /// A live room.
    Live,
    /// A visitor and all agents.
    Visitors,
    /// `uid@agent`.
    Agent,
    /// A group of agents.
    AgentGroup,
}

impl ChannelName {
    /// The channel by the id that `viewer` uses for it.
    pub(super) fn seen_by(viewer: &str, key: &ChannelKey) -> Self {
        Self {
            kind: key.kind,
            id: key.id_for(viewer).to_owned(),
        }
    }
}

/// What can be said of a message besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MessageState {
    /// As it was sent.
    Sent,
    /// It says something else since.
    Edited,
    /// Its life is over; the content is gone.
    Expired,
    /// It was taken back; the content is gone.
    Revoked,
    /// It was deleted for everybody; the content is gone.
    Deleted,
    /// It is for others only: of it there is a place and nothing else.
    Concealed,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(
    as = Message,
    example = json!({
        "id": "741200000000000001",
        "to": {"kind": "group", "id": "team"},
        "seq": 1,
        "from": "alice",
        "sent_at": 1_715_000_001_234_i64,
        "content": {"type": "text", "text": "你好"},
        "state": "sent",
        "client_no": "m-1",
    })
)]
pub(crate) struct MessageView {
    /// The server's id, a decimal number.
    id: String,
    /// Where it was sent, as the sender names it: for a direct channel the receiver.
    to: ChannelName,
    /// Its place in the channel, from 1 without gaps.
    seq: u64,
    /// Who sent it; `____system` for the application itself.
    from: String,
    /// When the server accepted it, ms since 1970.
    sent_at: i64,
    /// What it says; null when that is gone.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// What became of it.
    state: MessageState,
    /// The sender's own number for it, if there is one.
    client_no: Option<String>,
    /// When it was edited last, ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<i64>,
    /// How often it was edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<u32>,
    /// Reactions to it, the most frequent first; absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<TallyView>,
    /// It is pinned in its channel; absent if it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
    /// How many have read it; absent unless it asks for receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_count: Option<u64>,
    #[serde(flatten)]
    carried: CarriedView,
}

impl MessageView {
    /// What can be said of a message at `now_ms` besides its content.
    pub(super) fn state_of(now_ms: i64, message: &Message) -> MessageState {
        let is_over = message.expires_at_ms().is_some_and(|end| end <= now_ms);
        match &message.revoked {
            Some(revocation) => match revocation.how {
                Gone::Revoked => MessageState::Revoked,
                Gone::Deleted => MessageState::Deleted,
                Gone::Expired => MessageState::Expired,
            },
            None if message.is_concealed => MessageState::Concealed,
            None if is_over => MessageState::Expired,
            None if message.edited.is_some() => MessageState::Edited,
            None => MessageState::Sent,
        }
    }

    /// A message as it is at `now_ms`.
    pub(super) fn at(now_ms: i64, message: &Message) -> Self {
        let state = Self::state_of(now_ms, message);
        let edit = message.edited.as_deref();
        let body = &message.body;
        Self {
            id: message.id.to_string(),
            to: ChannelName::seen_by(message.sender.uid.as_str(), &message.channel.key),
            seq: message.seq,
            from: message.sender.uid.as_str().to_owned(),
            sent_at: message.sent_at_ms,
            content: matches!(state, MessageState::Sent | MessageState::Edited)
                .then(|| content_of(message)),
            state,
            client_no: (!body.client_no.is_empty()).then(|| body.client_no.to_string()),
            edited_at: edit.map(|edit| edit.at_ms),
            edits: edit.map(|edit| edit.n),
            reactions: Vec::new(),
            pinned: false,
            read_count: None,
            carried: CarriedView::of(message),
        }
    }

    /// Messages as they are now, with what others have put on them, and with what they reply to
    /// as far as the viewer may read it.
    pub(super) async fn all(
        api: &ApiState,
        viewer: &Viewer,
        messages: &[Message],
    ) -> Result<Vec<Self>, Problem> {
        let now_ms = api.im.clock().now_ms();
        let quotes = carried::quotes(api, viewer, messages).await?;
        let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
        let tallies = api.im.tallies(viewer, &ids).await?;
        let states = api.im.states(&ids).await?;
        let views = messages.iter().zip(quotes).zip(tallies);
        let views = views.map(|((message, quoted), tallies)| {
            let mut view = Self::at(now_ms, &signed_for(&api.im, Origin::REST, message));
            view.carried.quote(quoted);
            if !message.is_concealed {
                let state = states.iter().find(|state| state.id == message.id);
                view.reactions = tallies.into_iter().map(TallyView::from).collect();
                view.pinned = state.is_some_and(|state| state.pinned_at_ms > 0);
                let asked = message.body.flags.receipt;
                view.read_count = asked.then(|| state.map_or(0, |state| state.read_count));
            }
            view
        });
        Ok(views.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosstalk_core::channel::{ChannelRef, LogKind};
    use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
    use crosstalk_core::message::{Body, Flags, Revocation};
    use std::sync::Arc;

    fn message() -> Message {
        let uid = |text| Uid::parse(text).expect("a uid");
        let key = ChannelKey::direct(&Realm::default(), &uid("bob"), &uid("alice"));
        Message {
            id: MessageId(7),
            channel: Arc::new(ChannelRef {
                num: ChannelNum(1),
                key,
                log: LogKind::Chat,
            }),
            seq: 3,
            ordinal: 3,
            sender: UserRef {
                num: UserNum(1),
                uid: uid("bob"),
            },
            sent_at_ms: 1000,
            body: Arc::new(Body {
                client_no: "".into(),
                origin: Origin::REST,
                tag: "".into(),
                flags: Flags::default(),
                expire_secs: 2,
                payload: r#"{"type":"text","text":"x"}"#.into(),
                extra: None,
                name: None,
                audience: None,
                carried: None,
            }),
            revoked: None,
            edited: None,
            is_concealed: false,
        }
    }

    fn view(now_ms: i64, message: &Message) -> Value {
        serde_json::to_value(MessageView::at(now_ms, message)).expect("JSON")
    }

    #[test]
    fn a_message_for_others_shows_its_place_alone() {
        let view = view(1500, &message().concealed());
        assert_eq!(
            (&view["state"], &view["content"], &view["seq"]),
            (&"concealed".into(), &Value::Null, &3.into())
        );
    }

    #[test]
    fn a_revoked_message_keeps_its_place_and_loses_its_content() {
        let revocation = Revocation {
            by: None,
            at_ms: 2000,
            ..Revocation::default()
        };
        let tombstone = message().tombstone(revocation);
        // Also when its life is over.
        for now_ms in [2500, 9000] {
            let view = view(now_ms, &tombstone);
            assert_eq!(
                (&view["state"], &view["content"], &view["seq"]),
                (&"revoked".into(), &Value::Null, &3.into())
            );
        }
    }

    #[test]
    fn an_expired_message_keeps_its_place_and_loses_its_content() {
        let message = message();
        let alive = view(2999, &message);
        assert_eq!(
            alive["to"],
            serde_json::json!({"kind": "direct", "id": "alice"})
        );
        assert_eq!(
            (&alive["state"], &alive["client_no"]),
            (&"sent".into(), &Value::Null)
        );
        assert_eq!(alive["content"]["text"], "x");
        let over = view(3000, &message);
        assert_eq!(
            (&over["state"], &over["content"]),
            (&"expired".into(), &Value::Null)
        );
        assert_eq!(over["seq"], 3);
    }
}

//! What hooks are called with, as the webhooks of the interface's document (OpenAPI 3.1): one
//! for each event, and one for the question before a message is accepted.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::path::{Operation, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{
    ContentBuilder, HttpMethod, PathItem, PathsBuilder, Ref, Required, ResponseBuilder, Schema,
};
use utoipa::{OpenApi, ToSchema};

use super::before;
use super::bodies::{
    BeforeSendAnswer, BeforeSendData, BlockedData, ChannelData, ConversationData,
    ConversationReadData, DissolvedData, EditedData, ExpiredData, FriendData, FriendRequestData,
    GoneData, HiddenData, JoinRequestData, MemberChangedData, MembersData, OfflineData,
    ProfileData, ReactedData, ReadData, SessionData, StoredData, TestData,
};

/// What every call has. The headers `Crosstalk-Id`, `Crosstalk-Event`, `Crosstalk-Try` and
/// `Crosstalk-Signature` go with it. A hook with `max_batch` above 1 gets `{"events":[…]}`.
#[derive(Serialize, ToSchema)]
#[schema(as = HookCall)]
pub(super) struct Call<'a> {
    /// The same whenever it is told: receivers tell repetitions by it.
    pub(super) id: &'a str,
    /// What has happened.
    pub(super) event: &'a str,
    /// When, ms since 1970.
    pub(super) at: i64,
    /// The app whose hook it is.
    pub(super) app_id: &'a str,
    /// Where it has happened.
    pub(super) realm: &'a str,
    /// What there is to say of it.
    #[schema(value_type = Object)]
    pub(super) data: &'a Value,
}

/// The schemas of all bodies.
#[derive(OpenApi)]
#[openapi(components(schemas(
    Call<'static>,
    BeforeSendAnswer,
    BeforeSendData,
    BlockedData,
    ChannelData,
    ConversationData,
    ConversationReadData,
    DissolvedData,
    EditedData,
    ExpiredData,
    FriendData,
    FriendRequestData,
    GoneData,
    HiddenData,
    JoinRequestData,
    MemberChangedData,
    MembersData,
    OfflineData,
    ProfileData,
    ReactedData,
    ReadData,
    SessionData,
    StoredData,
    TestData,
)))]
struct Bodies;

fn body<T: ToSchema>() -> String {
    T::name().into_owned()
}

/// The name of the schema of a body.
type NameOf = fn() -> String;

/// Each event: its name, what it says, and the schema of its `data`.
const EVENTS: &[(&str, &str, NameOf)] = &[
    ("channel.created", "A channel was made", body::<ChannelData>),
    (
        "channel.dissolved",
        "A channel is dissolved for good",
        body::<DissolvedData>,
    ),
    (
        "channel.updated",
        "A channel's settings have changed",
        body::<ChannelData>,
    ),
    (
        "conversation.read",
        "A user has read a conversation, or set it to unread",
        body::<ConversationReadData>,
    ),
    (
        "conversation.updated",
        "A user keeps a conversation otherwise",
        body::<ConversationData>,
    ),
    (
        "friend.removed",
        "Somebody is no friend of a user any more",
        body::<FriendData>,
    ),
    (
        "friend.updated",
        "Somebody is a friend of a user, or kept otherwise",
        body::<FriendData>,
    ),
    (
        "friend_request.answered",
        "A request to become a friend is no longer pending",
        body::<FriendRequestData>,
    ),
    (
        "friend_request.created",
        "Somebody asks to become a friend",
        body::<FriendRequestData>,
    ),
    ("hook.test", "A hook is tested", body::<TestData>),
    (
        "join_request.answered",
        "A request to join, or an invitation, is no longer pending",
        body::<JoinRequestData>,
    ),
    (
        "join_request.created",
        "Somebody asks to join a channel, or was invited",
        body::<JoinRequestData>,
    ),
    (
        "member.changed",
        "A member's role, name or muting has changed",
        body::<MemberChangedData>,
    ),
    (
        "member.departed",
        "Users are no members of a channel any more",
        body::<MembersData>,
    ),
    (
        "member.joined",
        "Users are members of a channel now",
        body::<MembersData>,
    ),
    (
        "message.deleted",
        "A message was deleted for everybody",
        body::<GoneData>,
    ),
    (
        "message.edited",
        "A message says something else",
        body::<EditedData>,
    ),
    (
        "message.expired",
        "The time of messages is over",
        body::<ExpiredData>,
    ),
    (
        "message.hidden",
        "A user has deleted messages for themselves",
        body::<HiddenData>,
    ),
    (
        "message.offline",
        "Somebody had no session when a message came",
        body::<OfflineData>,
    ),
    (
        "message.pinned",
        "A message was pinned in its channel",
        body::<GoneData>,
    ),
    (
        "message.reacted",
        "A reaction was put to a message, or taken away",
        body::<ReactedData>,
    ),
    (
        "message.read",
        "Somebody has read messages of an author",
        body::<ReadData>,
    ),
    ("message.revoked", "A message was revoked", body::<GoneData>),
    ("message.stored", "A message was said", body::<StoredData>),
    (
        "message.unpinned",
        "A message is pinned no longer",
        body::<GoneData>,
    ),
    ("session.closed", "A session has ended", body::<SessionData>),
    ("session.opened", "A session has begun", body::<SessionData>),
    ("user.blocked", "A user blocks another", body::<BlockedData>),
    (
        "user.offline",
        "A user's last session has ended",
        body::<SessionData>,
    ),
    (
        "user.online",
        "A user's first session has begun",
        body::<SessionData>,
    ),
    (
        "user.profile",
        "A user's profile has changed",
        body::<ProfileData>,
    ),
    (
        "user.unblocked",
        "A user blocks another no longer",
        body::<BlockedData>,
    ),
];

/// A call whose `event` and `data` are these.
fn schema_of(event: &str, data: &str) -> Schema {
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([event]));
    let own = ObjectBuilder::new()
        .property("event", name)
        .property("data", Ref::from_schema_name(data));
    AllOfBuilder::new()
        .item(Ref::from_schema_name(Call::<'static>::name()))
        .item(own)
        .into()
}

fn operation(event: &str, summary: &str, data: &str) -> OperationBuilder {
    let content = ContentBuilder::new().schema(Some(schema_of(event, data)));
    let request = RequestBodyBuilder::new()
        .content("application/json", content.build())
        .required(Some(Required::True));
    OperationBuilder::new()
        .tag("hooks")
        .summary(Some(summary))
        .request_body(Some(request.build()))
}

fn told(event: &str, summary: &str, data: &str) -> Operation {
    let taken = "It is taken. What answers otherwise, or not in time, is called again.";
    operation(event, summary, data)
        .response("2XX", ResponseBuilder::new().description(taken))
        .build()
}

fn asked() -> Operation {
    let answer =
        ContentBuilder::new().schema(Some(Ref::from_schema_name(BeforeSendAnswer::name())));
    let answer = ResponseBuilder::new()
        .description("What is to become of the message")
        .content("application/json", answer.build());
    let passes = ResponseBuilder::new().description("It passes");
    operation(
        before::EVENT,
        "A user would send a message",
        &body::<BeforeSendData>(),
    )
    .description(Some(
        "Asked of hooks of the kind `before_send`. What answers otherwise, or not in time, \
             has the message pass or refused as the hook's `on_failure` says.",
    ))
    .response("200", answer)
    .response("204", passes)
    .build()
}

/// The webhooks and the schemas of their bodies, put into the interface's document.
pub fn describe(document: &mut utoipa::openapi::OpenApi) {
    let mut webhooks = PathsBuilder::new();
    for (event, summary, data) in EVENTS {
        let item = PathItem::new(HttpMethod::Post, told(event, summary, &data()));
        webhooks = webhooks.path(*event, item);
    }
    let item = PathItem::new(HttpMethod::Post, asked());
    document.webhooks = Some(webhooks.path(before::EVENT, item).build());
    document.merge(Bodies::openapi());
}

#[cfg(test)]
mod tests {
    use super::super::names::NAMES;
    use super::*;

    #[test]
    fn each_event_is_described() {
        let described: Vec<_> = EVENTS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(described, NAMES);
    }
}

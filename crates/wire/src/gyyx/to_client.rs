//! Frames from the server to a client (gyyx.md F.a.2, F.a.3).

use super::frame::{Body, Value};
use super::read::Fields;
use super::room::read_rooms;
use super::{
    Base, Chat, Code, Codes, Field, FieldSet, Friend, Limits, Reason, Receipt, Room, RoomEntry,
    Signal, Waiting,
};

/// A frame for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The common part.
    pub base: Base,
    /// What is said.
    pub body: ToClient,
}

/// What a server can say. Each variant names its code, and behind a bar the
/// one of the prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToClient {
    /// 10.
    ParameterError {
        /// The reason, in a `message` that the table does not have: for apps
        /// that want it (gyyx.md Q4-25).
        detail: Option<String>,
    },
    /// 21.
    HeartbeatAnswer(Chat),
    /// 30.
    ServerReceived(Receipt),
    /// 99; the message is the reason.
    Shutdown(Chat),
    /// 101; the message is `1`.
    Online(Chat),
    /// 131.
    Sent(Chat),
    /// 132, with the fields of the message.
    SignExpired(Chat),
    /// 133, with the fields of the message.
    Sensitive(Chat),
    /// 140 | 40.
    Push(Chat),
    /// 162.
    HistoryMessage(Chat),
    /// 1170.
    FirstMessage(Chat),
    /// 180; the message is the number.
    UnreadTotal(Chat),
    /// 191.
    Recalled(Chat),
    /// 192.
    RecalledByPeer(Chat),
    /// 199.
    ReadDone(Chat),
    /// 252.
    LoggedOut(Chat),
    /// 200.
    FriendOnline(Friend),
    /// 210.
    FriendOffline(Friend),
    /// 301 | 300.
    CallRequested(Signal),
    /// 311 | 301.
    CallAccepted(Signal),
    /// 321 | 302.
    CallEnded(Signal),
    /// 410 | 401: the queue's state, told unasked.
    QueueState(Waiting),
    /// 431: the queue's state, as asked.
    QueueAnswer(Waiting),
    /// 421; the base's user left.
    Left,
    /// 541; the total is the length of the list.
    RoomsAnswer(Vec<RoomEntry>),
    /// 551 | 406: a room, told unasked.
    RoomState(Room),
    /// 551: the room that was asked for.
    RoomAnswer(Room),
    /// A code that no server sends; only decoding makes it.
    Unknown(i64),
}

impl ToClient {
    /// The code it is written with; none for what is unknown.
    #[must_use]
    pub const fn code(&self, codes: Codes) -> Option<Code> {
        let (table, prose) = match self {
            ToClient::ParameterError { .. } => (Code::ParameterError, None),
            ToClient::HeartbeatAnswer(_) => (Code::HeartbeatAnswer, None),
            ToClient::ServerReceived(_) => (Code::ServerReceived, None),
            ToClient::Shutdown(_) => (Code::Shutdown, None),
            ToClient::Online(_) => (Code::Online, None),
            ToClient::Sent(_) => (Code::Sent, None),
            ToClient::SignExpired(_) => (Code::SignExpired, None),
            ToClient::Sensitive(_) => (Code::Sensitive, None),
            ToClient::Push(_) => (Code::Push, Some(Code::ProsePush)),
            ToClient::HistoryMessage(_) => (Code::HistoryMessage, None),
            ToClient::FirstMessage(_) => (Code::FirstMessage, None),
            ToClient::UnreadTotal(_) => (Code::UnreadTotal, None),
            ToClient::Recalled(_) => (Code::Recalled, None),
            ToClient::RecalledByPeer(_) => (Code::RecalledByPeer, None),
            ToClient::ReadDone(_) => (Code::ReadDone, None),
            ToClient::LoggedOut(_) => (Code::LoggedOut, None),
            ToClient::FriendOnline(_) => (Code::FriendOnline, None),
            ToClient::FriendOffline(_) => (Code::FriendOffline, None),
            ToClient::CallRequested(_) => (Code::CallRequested, Some(Code::CallRequest)),
            ToClient::CallAccepted(_) => (Code::CallAccepted, Some(Code::CallRequested)),
            ToClient::CallEnded(_) => (Code::CallEnded, Some(Code::ProseCallEnd)),
            ToClient::QueueState(_) => (Code::QueueState, Some(Code::QueueClaim)),
            ToClient::QueueAnswer(_) => (Code::QueueAnswer, None),
            ToClient::Left => (Code::Left, None),
            ToClient::RoomsAnswer(_) => (Code::RoomsAnswer, None),
            ToClient::RoomState(_) => (Code::RoomInfo, Some(Code::ProseRoom)),
            ToClient::RoomAnswer(_) => (Code::RoomInfo, None),
            ToClient::Unknown(_) => return None,
        };
        match (codes, prose) {
            (Codes::Prose, Some(prose)) => Some(prose),
            _ => Some(table),
        }
    }

    /// Reads a frame that was written in `codes`. A room always counts as one
    /// that was asked for if its code is 551.
    pub(super) fn read(
        number: i64,
        codes: Codes,
        fields: &Fields<'_>,
        limits: &Limits,
    ) -> Result<ToClient, Reason> {
        let Some(code) = Code::of(number) else {
            return Ok(ToClient::Unknown(number));
        };
        let chat = || Chat::read(fields, limits);
        let signal = || Signal::read(fields, limits);
        Ok(match code {
            Code::ParameterError => ToClient::ParameterError {
                detail: match fields.raw(Field::Message) {
                    Some(_) => Some(fields.text(Field::Message)?),
                    None => None,
                },
            },
            Code::HeartbeatAnswer => ToClient::HeartbeatAnswer(chat()?),
            Code::ServerReceived => ToClient::ServerReceived(Receipt::read(fields)?),
            Code::Shutdown => ToClient::Shutdown(chat()?),
            Code::Online => ToClient::Online(chat()?),
            Code::Sent => ToClient::Sent(chat()?),
            Code::SignExpired => ToClient::SignExpired(chat()?),
            Code::Sensitive => ToClient::Sensitive(chat()?),
            Code::Push | Code::ProsePush => ToClient::Push(chat()?),
            Code::HistoryMessage => ToClient::HistoryMessage(chat()?),
            Code::FirstMessage => ToClient::FirstMessage(chat()?),
            Code::UnreadTotal => ToClient::UnreadTotal(chat()?),
            Code::Recalled => ToClient::Recalled(chat()?),
            Code::RecalledByPeer => ToClient::RecalledByPeer(chat()?),
            Code::ReadDone => ToClient::ReadDone(chat()?),
            Code::LoggedOut => ToClient::LoggedOut(chat()?),
            Code::FriendOnline => ToClient::FriendOnline(Friend::read(fields)?),
            Code::FriendOffline => ToClient::FriendOffline(Friend::read(fields)?),
            Code::CallRequest => ToClient::CallRequested(signal()?),
            Code::CallRequested if codes == Codes::Prose => ToClient::CallAccepted(signal()?),
            Code::CallRequested => ToClient::CallRequested(signal()?),
            Code::CallAccepted => ToClient::CallAccepted(signal()?),
            Code::CallEnded | Code::ProseCallEnd => ToClient::CallEnded(signal()?),
            Code::QueueState | Code::QueueClaim => ToClient::QueueState(Waiting::read(fields)?),
            Code::QueueAnswer => ToClient::QueueAnswer(Waiting::read(fields)?),
            Code::Left => ToClient::Left,
            Code::RoomsAnswer => ToClient::RoomsAnswer(read_rooms(fields)?),
            Code::ProseRoom => ToClient::RoomState(Room::read(fields, limits)?),
            Code::RoomInfo => ToClient::RoomAnswer(Room::read(fields, limits)?),
            Code::Heartbeat
            | Code::ClientReceived
            | Code::Unread
            | Code::Send
            | Code::Pushed
            | Code::View
            | Code::History
            | Code::Recall
            | Code::Read
            | Code::Logout
            | Code::CallAccept
            | Code::CallRefuse
            | Code::CallEnd
            | Code::QueueEnter
            | Code::ProseLeave
            | Code::Leave
            | Code::QueueQuery
            | Code::RoomsQuery
            | Code::RoomQuery => ToClient::Unknown(number),
        })
    }
}

impl Body for ToClient {
    fn msg_type(&self, codes: Codes) -> i64 {
        match self {
            ToClient::Unknown(number) => *number,
            known => known.code(codes).map_or(0, Code::number),
        }
    }

    fn fields(&self) -> FieldSet {
        match self {
            ToClient::ParameterError { detail: Some(_) } => FieldSet::BASE.with(&[Field::Message]),
            // A frame has the same fields in either code, and the table has all.
            known => known
                .code(Codes::Table)
                .map_or(FieldSet::BASE, Code::fields),
        }
    }

    fn value(&self, field: Field) -> Option<Value<'_>> {
        match self {
            // Made for the server: no client gets to see another's.
            _ if field == Field::ReceiveSign => Some(Value::Text("")),
            ToClient::ParameterError { detail } => match field {
                Field::Message => detail.as_deref().map(Value::Text),
                _ => None,
            },
            ToClient::HeartbeatAnswer(chat)
            | ToClient::Shutdown(chat)
            | ToClient::Online(chat)
            | ToClient::Sent(chat)
            | ToClient::SignExpired(chat)
            | ToClient::Sensitive(chat)
            | ToClient::Push(chat)
            | ToClient::HistoryMessage(chat)
            | ToClient::FirstMessage(chat)
            | ToClient::UnreadTotal(chat)
            | ToClient::Recalled(chat)
            | ToClient::RecalledByPeer(chat)
            | ToClient::ReadDone(chat)
            | ToClient::LoggedOut(chat) => chat.value(field),
            ToClient::ServerReceived(receipt) => receipt.value(field),
            ToClient::FriendOnline(friend) | ToClient::FriendOffline(friend) => friend.value(field),
            ToClient::CallRequested(signal)
            | ToClient::CallAccepted(signal)
            | ToClient::CallEnded(signal) => signal.value(field),
            ToClient::QueueState(waiting) | ToClient::QueueAnswer(waiting) => waiting.value(field),
            ToClient::RoomsAnswer(rooms) => match field {
                Field::RoomInfoMsgs => Some(Value::Rooms(rooms)),
                Field::Total => Some(Value::Number(
                    i64::try_from(rooms.len()).unwrap_or(i64::MAX),
                )),
                _ => None,
            },
            ToClient::RoomState(room) | ToClient::RoomAnswer(room) => room.value(field),
            ToClient::Left | ToClient::Unknown(_) => None,
        }
    }
}

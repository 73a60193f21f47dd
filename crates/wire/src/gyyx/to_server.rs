//! Frames from a client to the server (gyyx.md F.a.2, F.a.3).

use super::frame::{Body, Value};
use super::read::Fields;
use super::{
    Base, Chat, Code, Codes, Enter, Field, FieldSet, Form, History, Limits, Outgoing, Own, Reason,
    Recall, Receipt, Room, Signal, ToClient,
};

/// A frame as it came from a client. There is always one: what could not be
/// read is told by its body, and the rest is there to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The common part, as far as it could be read.
    pub base: Base,
    /// The code as it was written; none if it could not be read.
    pub msg_type: Option<MsgType>,
    /// What is asked for, or why the frame is to be refused with a 10.
    pub body: Result<ToServer, Reason>,
}

/// `msgType` as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MsgType {
    /// The code.
    pub number: i64,
    /// How it was written: the connection's first frame decides how it is
    /// answered.
    pub form: Form,
}

impl Incoming {
    /// The profile that the frame's code tells of its sender.
    #[must_use]
    pub fn codes(&self) -> Option<Codes> {
        Codes::told_by(self.msg_type?.number)
    }

    /// The frame 30 for this one, with the code as it was received
    /// (gyyx.md Q4-15).
    #[must_use]
    pub fn received(&self, own: Own<'_>, now_ms: i64) -> Outgoing {
        Outgoing {
            base: self.base.answer(own, now_ms),
            body: ToClient::ServerReceived(Receipt {
                receive_msg_type: self.msg_type.map_or(0, |msg_type| msg_type.number),
            }),
        }
    }
}

/// What a client can ask for. Each variant names its code, and behind a bar
/// the one of the prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToServer {
    /// 20.
    Heartbeat(Chat),
    /// 31.
    Received(Receipt),
    /// 102.
    Unread(Chat),
    /// 130 | 30: receiver, content and unique id are there.
    Send(Chat),
    /// 141: message id or peer is there.
    Pushed(Chat),
    /// 160: the peer is there.
    View(Chat),
    /// 161.
    History(History),
    /// 180.
    UnreadTotal(Chat),
    /// 190: the message id is there.
    Recall(Recall),
    /// 198: message id or peer is there.
    Read(Chat),
    /// 251.
    Logout(Chat),
    /// 300.
    CallRequest(Signal),
    /// 310 | 301.
    CallAccept(Signal),
    /// 320.
    CallRefuse(Signal),
    /// 330 | 302.
    CallEnd(Signal),
    /// 400; by the prose, with a staff role, the same as 401.
    QueueEnter(Enter),
    /// 401.
    QueueClaim(Enter),
    /// 420 | 403.
    Leave,
    /// 430.
    QueueQuery,
    /// 540; what its fields say is ignored.
    RoomsQuery,
    /// 550.
    RoomQuery(Room),
    /// A code that no client sends, known or not.
    Unknown(i64),
}

impl ToServer {
    /// The code it is written with; none for what is unknown.
    #[must_use]
    pub const fn code(&self, codes: Codes) -> Option<Code> {
        let (table, prose) = match self {
            ToServer::Heartbeat(_) => (Code::Heartbeat, None),
            ToServer::Received(_) => (Code::ClientReceived, None),
            ToServer::Unread(_) => (Code::Unread, None),
            ToServer::Send(_) => (Code::Send, Some(Code::ServerReceived)),
            ToServer::Pushed(_) => (Code::Pushed, None),
            ToServer::View(_) => (Code::View, None),
            ToServer::History(_) => (Code::History, None),
            ToServer::UnreadTotal(_) => (Code::UnreadTotal, None),
            ToServer::Recall(_) => (Code::Recall, None),
            ToServer::Read(_) => (Code::Read, None),
            ToServer::Logout(_) => (Code::Logout, None),
            ToServer::CallRequest(_) => (Code::CallRequest, None),
            ToServer::CallAccept(_) => (Code::CallAccept, Some(Code::CallRequested)),
            ToServer::CallRefuse(_) => (Code::CallRefuse, None),
            ToServer::CallEnd(_) => (Code::CallEnd, Some(Code::ProseCallEnd)),
            ToServer::QueueEnter(_) => (Code::QueueEnter, None),
            ToServer::QueueClaim(_) => (Code::QueueClaim, Some(Code::QueueEnter)),
            ToServer::Leave => (Code::Leave, Some(Code::ProseLeave)),
            ToServer::QueueQuery => (Code::QueueQuery, None),
            ToServer::RoomsQuery => (Code::RoomsQuery, None),
            ToServer::RoomQuery(_) => (Code::RoomQuery, None),
            ToServer::Unknown(_) => return None,
        };
        match (codes, prose) {
            (Codes::Prose, Some(prose)) => Some(prose),
            _ => Some(table),
        }
    }

    pub(super) fn read(
        number: i64,
        fields: &Fields<'_>,
        base: &Base,
        limits: &Limits,
    ) -> Result<ToServer, Reason> {
        let Some(code) = Code::of(number) else {
            return Ok(ToServer::Unknown(number));
        };
        let chat = || Chat::read(fields, limits);
        // A message is named by its id, or with all others of a peer.
        let chat_of_messages = || {
            let chat = chat()?;
            let names_one = !chat.message_id.is_empty() || !chat.receive_user_id.is_empty();
            fields.demand(Field::MessageId, names_one)?;
            Ok(chat)
        };
        let chat_with_peer = || {
            let chat = chat()?;
            fields.demand(Field::ReceiveUserId, !chat.receive_user_id.is_empty())?;
            Ok(chat)
        };
        let signal = || Signal::read(fields, limits);
        Ok(match code {
            Code::Heartbeat => ToServer::Heartbeat(chat()?),
            Code::ClientReceived => ToServer::Received(Receipt::read(fields)?),
            Code::Unread => ToServer::Unread(chat()?),
            Code::Send | Code::ServerReceived => {
                ToServer::Send(Chat::read_send(fields, base, limits)?)
            }
            Code::Pushed => ToServer::Pushed(chat_of_messages()?),
            Code::View => ToServer::View(chat_with_peer()?),
            Code::History => ToServer::History(History::read(fields)?),
            Code::UnreadTotal => ToServer::UnreadTotal(chat()?),
            Code::Recall => ToServer::Recall(Recall::read(fields)?),
            Code::Read => ToServer::Read(chat_of_messages()?),
            Code::Logout => ToServer::Logout(chat()?),
            Code::CallRequest => ToServer::CallRequest(signal()?),
            Code::CallAccept | Code::CallRequested => ToServer::CallAccept(signal()?),
            Code::CallRefuse => ToServer::CallRefuse(signal()?),
            Code::CallEnd | Code::ProseCallEnd => ToServer::CallEnd(signal()?),
            Code::QueueEnter => ToServer::QueueEnter(Enter::read(fields)?),
            Code::QueueClaim => ToServer::QueueClaim(Enter::read(fields)?),
            Code::Leave | Code::ProseLeave => ToServer::Leave,
            Code::QueueQuery => ToServer::QueueQuery,
            Code::RoomsQuery => ToServer::RoomsQuery,
            Code::RoomQuery => ToServer::RoomQuery(Room::read(fields, limits)?),
            Code::ParameterError
            | Code::HeartbeatAnswer
            | Code::ProsePush
            | Code::Shutdown
            | Code::Online
            | Code::Sent
            | Code::SignExpired
            | Code::Sensitive
            | Code::Push
            | Code::HistoryMessage
            | Code::Recalled
            | Code::RecalledByPeer
            | Code::ReadDone
            | Code::FriendOnline
            | Code::FriendOffline
            | Code::LoggedOut
            | Code::CallAccepted
            | Code::CallEnded
            | Code::ProseRoom
            | Code::QueueState
            | Code::Left
            | Code::QueueAnswer
            | Code::RoomsAnswer
            | Code::RoomInfo
            | Code::FirstMessage => ToServer::Unknown(number),
        })
    }
}

impl Body for ToServer {
    fn msg_type(&self, codes: Codes) -> i64 {
        match self {
            ToServer::Unknown(number) => *number,
            known => known.code(codes).map_or(0, Code::number),
        }
    }

    fn fields(&self) -> FieldSet {
        // A frame has the same fields in either code, and the table has all.
        self.code(Codes::Table).map_or(FieldSet::BASE, Code::fields)
    }

    fn value(&self, field: Field) -> Option<Value<'_>> {
        match self {
            ToServer::Heartbeat(chat)
            | ToServer::Unread(chat)
            | ToServer::Send(chat)
            | ToServer::Pushed(chat)
            | ToServer::View(chat)
            | ToServer::UnreadTotal(chat)
            | ToServer::Read(chat)
            | ToServer::Logout(chat) => chat.value(field),
            ToServer::Received(receipt) => receipt.value(field),
            ToServer::History(history) => history.value(field),
            ToServer::Recall(recall) => recall.value(field),
            ToServer::CallRequest(signal)
            | ToServer::CallAccept(signal)
            | ToServer::CallRefuse(signal)
            | ToServer::CallEnd(signal) => signal.value(field),
            ToServer::QueueEnter(enter) | ToServer::QueueClaim(enter) => enter.value(field),
            ToServer::RoomQuery(room) => room.value(field),
            ToServer::RoomsQuery => match field {
                Field::RoomInfoMsgs => Some(Value::Rooms(&[])),
                Field::Total => Some(Value::Number(0)),
                _ => None,
            },
            ToServer::Leave | ToServer::QueueQuery | ToServer::Unknown(_) => None,
        }
    }
}

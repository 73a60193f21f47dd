//! The 32 fields of the protocol table and the sets that frames are made of
//! (gyyx.md F.a.2).
//!
//! The table writes the fields of every frame in the order of their names, and
//! so do we: [`Field`] is in that order, and a frame is its [`FieldSet`]
//! written from the first to the last.

/// A field, in the order of the names.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// `appId`: the app.
    AppId,
    /// `contentType`: what kind of text `message` is.
    ContentType,
    /// `creator`: who made a room.
    Creator,
    /// `deviceId`: made up by the client.
    DeviceId,
    /// `friendUserId`: the friend who came or went.
    FriendUserId,
    /// `info`: whatever the room's makers put there.
    Info,
    /// `isOnline`: whether the friend is there.
    IsOnline,
    /// `mark`: the client's own, returned as it came.
    Mark,
    /// `message`: the content.
    Message,
    /// `messageId`: the message's id.
    MessageId,
    /// `msgType`: the code.
    MsgType,
    /// `pageIndex`: the page of history, from 1.
    PageIndex,
    /// `pageSize`: messages on a page.
    PageSize,
    /// `receiveMsgType`: the code of what was received.
    ReceiveMsgType,
    /// `receiveSign`: the chat signature.
    ReceiveSign,
    /// `receiveUserId`: the receiver.
    ReceiveUserId,
    /// `requestUserId`: who asks for the call.
    RequestUserId,
    /// `retractTime`: when the client recalled.
    RetractTime,
    /// `role`: customer or staff.
    Role,
    /// `roomId`: the room.
    RoomId,
    /// `roomInfoMsgs`: all rooms.
    RoomInfoMsgs,
    /// `sendTime`: when the message was sent.
    SendTime,
    /// `sendTimeDate`: the same for people.
    SendTimeDate,
    /// `sender`: whose messages are asked for.
    Sender,
    /// `sign`: the signature of a queue request.
    Sign,
    /// `timestamp`: when the frame was made.
    Timestamp,
    /// `total`: how many rooms there are.
    Total,
    /// `unique`: the client's own id of the frame.
    Unique,
    /// `userId`: the user; in relayed frames the sender.
    UserId,
    /// `version`: the client's version.
    Version,
    /// `waitIndex`: the place in the queue.
    WaitIndex,
    /// `waitTotal`: how many wait.
    WaitTotal,
}

/// How many fields there are.
pub(super) const FIELDS: usize = 32;

/// Names in the order of the fields, which is their own.
const NAMES: [&str; FIELDS] = [
    "appId",
    "contentType",
    "creator",
    "deviceId",
    "friendUserId",
    "info",
    "isOnline",
    "mark",
    "message",
    "messageId",
    "msgType",
    "pageIndex",
    "pageSize",
    "receiveMsgType",
    "receiveSign",
    "receiveUserId",
    "requestUserId",
    "retractTime",
    "role",
    "roomId",
    "roomInfoMsgs",
    "sendTime",
    "sendTimeDate",
    "sender",
    "sign",
    "timestamp",
    "total",
    "unique",
    "userId",
    "version",
    "waitIndex",
    "waitTotal",
];

impl Field {
    /// Every field, in order.
    pub const ALL: [Field; FIELDS] = [
        Field::AppId,
        Field::ContentType,
        Field::Creator,
        Field::DeviceId,
        Field::FriendUserId,
        Field::Info,
        Field::IsOnline,
        Field::Mark,
        Field::Message,
        Field::MessageId,
        Field::MsgType,
        Field::PageIndex,
        Field::PageSize,
        Field::ReceiveMsgType,
        Field::ReceiveSign,
        Field::ReceiveUserId,
        Field::RequestUserId,
        Field::RetractTime,
        Field::Role,
        Field::RoomId,
        Field::RoomInfoMsgs,
        Field::SendTime,
        Field::SendTimeDate,
        Field::Sender,
        Field::Sign,
        Field::Timestamp,
        Field::Total,
        Field::Unique,
        Field::UserId,
        Field::Version,
        Field::WaitIndex,
        Field::WaitTotal,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// The place of a name in [`Field::ALL`].
    pub(super) fn place(name: &str) -> Option<usize> {
        NAMES.binary_search(&name).ok()
    }
}

/// Some of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FieldSet(u32);

impl FieldSet {
    /// F0: what every frame has.
    pub const BASE: FieldSet = FieldSet::of(&[
        Field::AppId,
        Field::DeviceId,
        Field::Mark,
        Field::MsgType,
        Field::Timestamp,
        Field::Unique,
        Field::UserId,
        Field::Version,
    ]);
    /// F1: messages, and much else.
    pub const CHAT: FieldSet = FieldSet::BASE.with(&[
        Field::ContentType,
        Field::Message,
        Field::MessageId,
        Field::ReceiveSign,
        Field::ReceiveUserId,
        Field::SendTime,
        Field::SendTimeDate,
    ]);
    /// F2: something was received.
    pub const RECEIPT: FieldSet = FieldSet::BASE.with(&[Field::ReceiveMsgType]);
    /// F3: history is asked for.
    pub const HISTORY: FieldSet =
        FieldSet::BASE.with(&[Field::PageIndex, Field::PageSize, Field::Sender]);
    /// F4: a message is recalled.
    pub const RECALL: FieldSet =
        FieldSet::BASE.with(&[Field::MessageId, Field::ReceiveUserId, Field::RetractTime]);
    /// F5: a friend comes or goes.
    pub const FRIEND: FieldSet = FieldSet::BASE.with(&[Field::FriendUserId, Field::IsOnline]);
    /// F6: the signals of a call.
    pub const SIGNAL: FieldSet = FieldSet::BASE.with(&[Field::Message, Field::RequestUserId]);
    /// F7: a queue is entered or worked on.
    pub const ENTER: FieldSet = FieldSet::BASE.with(&[Field::Role, Field::RoomId, Field::Sign]);
    /// F8: the state of a queue.
    pub const WAITING: FieldSet = FieldSet::BASE.with(&[Field::WaitIndex, Field::WaitTotal]);
    /// F9: all rooms.
    pub const ROOMS: FieldSet = FieldSet::BASE.with(&[Field::RoomInfoMsgs, Field::Total]);
    /// F10: one room.
    pub const ROOM: FieldSet = FieldSet::BASE.with(&[Field::Creator, Field::Info, Field::RoomId]);

    /// The set of these fields.
    #[must_use]
    pub const fn of(fields: &[Field]) -> FieldSet {
        FieldSet(0).with(fields)
    }

    /// This set and these fields.
    #[must_use]
    pub const fn with(mut self, fields: &[Field]) -> FieldSet {
        let mut at = 0;
        while at < fields.len() {
            self.0 |= 1 << fields[at] as u8;
            at += 1;
        }
        self
    }

    /// Whether the field is in the set.
    #[must_use]
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Its fields in the order in which they are written.
    pub fn fields(self) -> impl Iterator<Item = Field> {
        Field::ALL
            .into_iter()
            .filter(move |field| self.contains(*field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_names() {
        assert!(NAMES.is_sorted());
        for (at, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, at);
            assert_eq!(Field::place(field.name()), Some(at));
        }
        for name in ["", "appid", "AppId", "unknown", "zzz"] {
            assert_eq!(Field::place(name), None);
        }
    }

    #[test]
    fn sets_list_their_fields_in_order() {
        let names: Vec<&str> = FieldSet::SIGNAL.fields().map(Field::name).collect();
        assert_eq!(
            names,
            [
                "appId",
                "deviceId",
                "mark",
                "message",
                "msgType",
                "requestUserId",
                "timestamp",
                "unique",
                "userId",
                "version"
            ]
        );
        assert_eq!(FieldSet::CHAT.fields().count(), 15);
    }
}

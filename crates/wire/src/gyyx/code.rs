//! The codes of `msgType`: the 46 of the protocol table, and the four that
//! only its prose uses (gyyx.md F.a.2, F.a.3).
//!
//! A number's meaning depends on who sends it: 30, 300, 301 and 401 come from
//! either side. A [`Code`] is the number; what a frame is, say
//! [`ToServer`](super::ToServer) and [`ToClient`](super::ToClient).

use super::FieldSet;

/// Who sends frames of a code, by the table; for a code that only the prose
/// uses, by the prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Client to server.
    Client,
    /// Server to client.
    Server,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $side:ident, $set:ident, $name:literal;)+) => {
        /// A code of `msgType`.
        #[repr(u16)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant = $number,)+
        }

        impl Code {
            /// Every code, in the order of the numbers.
            pub const ALL: [Code; 50] = [$(Code::$variant,)+];

            /// What the document calls it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)+
                }
            }

            /// Who sends it.
            #[must_use]
            pub const fn side(self) -> Side {
                match self {
                    $(Code::$variant => Side::$side,)+
                }
            }

            /// The fields of its frames when [`Code::side`] sends them.
            #[must_use]
            pub const fn fields(self) -> FieldSet {
                match self {
                    $(Code::$variant => FieldSet::$set,)+
                }
            }
        }
    };
}

codes! {
    /// The request makes no sense, or is refused.
    ParameterError = 10, Server, BASE, "参数错误";
    /// A heartbeat.
    Heartbeat = 20, Client, CHAT, "心跳";
    /// The answer to a heartbeat.
    HeartbeatAnswer = 21, Server, CHAT, "心跳响应";
    /// The server received a frame. From a client, by the prose: a message.
    ServerReceived = 30, Server, RECEIPT, "服务器接收消息成功";
    /// The client received a frame.
    ClientReceived = 31, Client, RECEIPT, "客户端接收消息成功";
    /// Prose only: a message for the client.
    ProsePush = 40, Server, CHAT, "服务器推送";
    /// The server restarts or goes into maintenance.
    Shutdown = 99, Server, CHAT, "服务端重启，维护，通常用于服务端关闭事件通知客户端";
    /// The client is online.
    Online = 101, Server, CHAT, "在线状态";
    /// Unread messages are asked for.
    Unread = 102, Client, CHAT, "获取未读消息";
    /// The client sends a message.
    Send = 130, Client, CHAT, "客户端发送消息";
    /// The message was accepted.
    Sent = 131, Server, CHAT, "客户端推送成功";
    /// The chat signature is wrong or has expired.
    SignExpired = 132, Server, CHAT, "聊天签名过期失效";
    /// The message holds a sensitive word.
    Sensitive = 133, Server, CHAT, "聊天敏感词拦截";
    /// A message for the client.
    Push = 140, Server, CHAT, "服务端推送消息";
    /// The client has the message.
    Pushed = 141, Client, CHAT, "服务端推送成功";
    /// The user looks at somebody's messages.
    View = 160, Client, CHAT, "用户查看某人的消息";
    /// History is asked for.
    History = 161, Client, HISTORY, "用户获取历史聊天消息";
    /// A message of the history.
    HistoryMessage = 162, Server, CHAT, "返回历史聊天消息";
    /// The number of unread messages is asked for, and answered.
    UnreadTotal = 180, Client, CHAT, "获取未读消息总数";
    /// A message is recalled.
    Recall = 190, Client, RECALL, "消息撤回";
    /// Tells the sender that the message is recalled.
    Recalled = 191, Server, CHAT, "通知消息发送人消息撤回成功";
    /// Tells the receiver that the message is recalled.
    RecalledByPeer = 192, Server, CHAT, "通知消息接收人消息撤回成功";
    /// Messages were read.
    Read = 198, Client, CHAT, "消息已读";
    /// Tells reader and sender that messages were read.
    ReadDone = 199, Server, CHAT, "消息已读成功";
    /// A friend came online.
    FriendOnline = 200, Server, FRIEND, "好友上线";
    /// A friend went offline.
    FriendOffline = 210, Server, FRIEND, "好友下线";
    /// The user logs out.
    Logout = 251, Client, CHAT, "用户登出/关闭通讯";
    /// The user is logged out.
    LoggedOut = 252, Server, CHAT, "用户登出成功";
    /// A call is asked for. To a client, by the prose: the same, relayed.
    CallRequest = 300, Client, SIGNAL, "请求发起视频";
    /// Another asks for a call. By the prose: acceptance, from either side.
    CallRequested = 301, Server, SIGNAL, "他人请求发起视频";
    /// Prose only: the call ends, from either side.
    ProseCallEnd = 302, Client, SIGNAL, "视频结束/用户主动结束";
    /// The call is accepted.
    CallAccept = 310, Client, SIGNAL, "接受视频";
    /// The other accepts.
    CallAccepted = 311, Server, SIGNAL, "他人接受视频";
    /// The call is refused.
    CallRefuse = 320, Client, SIGNAL, "拒绝视频";
    /// The other refuses or hangs up.
    CallEnded = 321, Server, SIGNAL, "他人拒绝视频/挂断视频";
    /// The call is ended.
    CallEnd = 330, Client, SIGNAL, "挂断视频";
    /// A queue is entered; by the prose, with a staff role, worked on.
    QueueEnter = 400, Client, ENTER, "进入排队队列";
    /// The first of a queue is taken. To a client, by the prose: the queue's
    /// state.
    QueueClaim = 401, Client, ENTER, "领取排队队列";
    /// Prose only: the user leaves the queue.
    ProseLeave = 403, Client, BASE, "用户主动退出排队";
    /// Prose only: the room that was made, with its key.
    ProseRoom = 406, Server, ROOM, "服务器推送当前房间信息";
    /// The queue's state, told unasked.
    QueueState = 410, Server, WAITING, "排队信息（广播通知）";
    /// The user leaves the room or the queue.
    Leave = 420, Client, BASE, "用户主动离开房间/队列";
    /// A user left the room.
    Left = 421, Server, BASE, "用户离开房间（广播通知）";
    /// The queue's state is asked for.
    QueueQuery = 430, Client, BASE, "获取队列信息";
    /// The queue's state, as asked.
    QueueAnswer = 431, Server, WAITING, "队列信息";
    /// All rooms are asked for.
    RoomsQuery = 540, Client, ROOMS, "请求获取所有房间信息";
    /// All rooms.
    RoomsAnswer = 541, Server, ROOMS, "返回所有房间信息";
    /// The user's room is asked for.
    RoomQuery = 550, Client, ROOM, "请求当前房间信息";
    /// A room.
    RoomInfo = 551, Server, ROOM, "返回房间信息";
    /// A conversation's newest message, at a device's first login. Whether
    /// 170 was meant is not known; 170 is never written (gyyx.md Q4-32).
    FirstMessage = 1170, Server, CHAT, "首次登录，拉取每个用户的首条消息";
}

impl Code {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The code of a number.
    #[must_use]
    pub fn of(number: i64) -> Option<Code> {
        let at = Code::ALL.binary_search_by_key(&number, |code| code.number());
        at.ok().map(|at| Code::ALL[at])
    }
}

/// Which codes a connection is written to in, where table and prose of the
/// document disagree (gyyx.md F.a.3). Inwards both are always understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Codes {
    /// 140, 410, 551, 301, 311, 321.
    #[default]
    Table,
    /// 40, 401, 406, 300, 301, 302.
    Prose,
}

impl Codes {
    /// The profile of this name, as in the parameter `codes` of the URL.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Codes> {
        match name {
            "table" => Some(Codes::Table),
            "prose" => Some(Codes::Prose),
            _ => None,
        }
    }

    /// What a client speaks that sends frames of this number: only some codes
    /// tell (gyyx.md F.a.3).
    #[must_use]
    pub fn told_by(msg_type: i64) -> Option<Codes> {
        match msg_type {
            30 | 301 | 302 | 403 => Some(Codes::Prose),
            130 | 310 | 330 | 401 | 420 => Some(Codes::Table),
            _ => None,
        }
    }
}

/// How `msgType` is written: a client that sent its first one as a string is
/// answered with strings (gyyx.md Q4-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Form {
    /// `20`
    #[default]
    Number,
    /// `"20"`
    Text,
}

/// How a connection is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Style {
    /// Which codes.
    pub codes: Codes,
    /// Their JSON type.
    pub form: Form,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_number() {
        assert!(Code::ALL.is_sorted());
        for code in Code::ALL {
            assert_eq!(Code::of(code.number()), Some(code));
        }
        for number in [0, 11, 170, 9999, -10, i64::MAX, i64::MIN, 65536 + 20] {
            assert_eq!(Code::of(number), None, "{number}");
        }
    }

    #[test]
    fn profiles_are_told_by_the_codes_of_one_reading_only() {
        let told: Vec<(i64, Codes)> = (0..2000)
            .filter_map(|number| Some((number, Codes::told_by(number)?)))
            .collect();
        assert_eq!(
            told,
            [
                (30, Codes::Prose),
                (130, Codes::Table),
                (301, Codes::Prose),
                (302, Codes::Prose),
                (310, Codes::Table),
                (330, Codes::Table),
                (401, Codes::Table),
                (403, Codes::Prose),
                (420, Codes::Table),
            ]
        );
    }
}

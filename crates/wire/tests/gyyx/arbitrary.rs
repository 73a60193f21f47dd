//! Proptest strategies for every frame, as decoding would give it.
//!
//! The larger ones are boxed: a strategy holds all of its parts by value, and
//! together they outgrow a test's stack.

use crosstalk_wire::gyyx::{
    Base, Chat, ContentType, Enter, Friend, History, Outgoing, Recall, Receipt, Room, RoomEntry,
    RoomStatus, Signal, ToClient, ToServer, Unique, Waiting,
};
use crosstalk_wire::lenient::Json;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::json;

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        "[a-z0-9:_]{1,20}",
        "\\PC{0,10}",
        ".{0,5}"
    ]
    .boxed()
}

fn some_text() -> impl Strategy<Value = String> {
    "[a-z0-9\"\\\\]{1,20}"
}

/// A string; one in escapes too.
fn content() -> BoxedStrategy<Json> {
    prop_oneof![
        text().prop_map(|text| Json::string(&text)),
        Just(json(r#""\u0041\ud83d\ude00\/""#)),
    ]
    .boxed()
}

fn some_content() -> impl Strategy<Value = Json> {
    some_text().prop_map(|text| Json::string(&text))
}

fn mark() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::NULL),
        content(),
        any::<i64>().prop_map(|number| json(&number.to_string())),
        Just(json("{\"b\" : [1.50],\"a\":{}}")),
    ]
}

pub(crate) fn base(unique: impl Strategy<Value = String>) -> impl Strategy<Value = Base> {
    let texts = (text(), text(), text(), text());
    (texts, unique, mark(), any::<i64>()).prop_map(|(texts, unique, mark, timestamp_ms)| {
        let (app_id, device_id, user_id, version) = texts;
        Base {
            app_id,
            device_id,
            mark,
            timestamp_ms,
            unique: Unique::from(unique),
            user_id,
            version,
        }
    })
}

fn chat() -> BoxedStrategy<Chat> {
    let texts = (text(), text(), text(), text());
    (texts, content(), any::<(i64, i64)>())
        .prop_map(|(texts, message, numbers)| {
            let (message_id, receive_sign, receive_user_id, send_time_date) = texts;
            Chat {
                content_type: ContentType(numbers.0),
                message,
                message_id,
                receive_sign,
                receive_user_id,
                send_time_ms: numbers.1,
                send_time_date,
            }
        })
        .boxed()
}

/// With receiver and content.
fn send() -> BoxedStrategy<Chat> {
    (chat(), some_text(), some_content())
        .prop_map(|(chat, receive_user_id, message)| Chat {
            receive_user_id,
            message,
            ..chat
        })
        .boxed()
}

/// Without a chat signature, which clients are never sent.
fn unsigned() -> BoxedStrategy<Chat> {
    chat()
        .prop_map(|chat| Chat {
            receive_sign: String::new(),
            ..chat
        })
        .boxed()
}

fn signal() -> BoxedStrategy<Signal> {
    (content(), text())
        .prop_map(|(message, request_user_id)| Signal {
            message,
            request_user_id,
        })
        .boxed()
}

fn room() -> BoxedStrategy<Room> {
    (text(), content(), text())
        .prop_map(|(creator, info, room_id)| Room {
            creator,
            info,
            room_id,
        })
        .boxed()
}

fn entry() -> BoxedStrategy<RoomEntry> {
    (room(), vec(text(), 0..4), any::<(i64, bool)>())
        .prop_map(|(room, members, (created_ms, is_active))| RoomEntry {
            room,
            members,
            created_ms,
            status: match is_active {
                true => RoomStatus::Active,
                false => RoomStatus::Waiting,
            },
        })
        .boxed()
}

fn enter() -> BoxedStrategy<Enter> {
    (some_text(), text(), text())
        .prop_map(|(role, room_id, sign)| Enter {
            role,
            room_id,
            sign,
        })
        .boxed()
}

fn waiting() -> impl Strategy<Value = Waiting> {
    any::<(u32, u32)>().prop_map(|(wait_index, wait_total)| Waiting {
        wait_index,
        wait_total,
    })
}

fn friend() -> impl Strategy<Value = Friend> {
    (text(), any::<bool>()).prop_map(|(friend_user_id, is_online)| Friend {
        friend_user_id,
        is_online,
    })
}

fn receipt() -> impl Strategy<Value = Receipt> {
    any::<i64>().prop_map(|receive_msg_type| Receipt { receive_msg_type })
}

/// Any frame of a client that a server understands.
pub(crate) fn to_server() -> BoxedStrategy<ToServer> {
    let history = (1_u32.., 1_u32..=100, text()).prop_map(|(page_index, page_size, sender)| {
        ToServer::History(History {
            page_index,
            page_size,
            sender,
        })
    });
    let recall = (some_text(), text(), any::<i64>()).prop_map(
        |(message_id, receive_user_id, retract_time_ms)| {
            ToServer::Recall(Recall {
                message_id,
                receive_user_id,
                retract_time_ms,
            })
        },
    );
    prop_oneof![
        prop_oneof![
            chat().prop_map(ToServer::Heartbeat),
            chat().prop_map(ToServer::Unread),
            chat().prop_map(ToServer::UnreadTotal),
            chat().prop_map(ToServer::Logout),
        ],
        prop_oneof![
            send().prop_map(ToServer::Send),
            send().prop_map(ToServer::Pushed),
            send().prop_map(ToServer::View),
            send().prop_map(ToServer::Read),
        ],
        prop_oneof![
            signal().prop_map(ToServer::CallRequest),
            signal().prop_map(ToServer::CallAccept),
            signal().prop_map(ToServer::CallRefuse),
            signal().prop_map(ToServer::CallEnd),
        ],
        receipt().prop_map(ToServer::Received),
        history,
        recall,
        enter().prop_map(ToServer::QueueEnter),
        enter().prop_map(ToServer::QueueClaim),
        room().prop_map(ToServer::RoomQuery),
        prop_oneof![
            Just(ToServer::Leave),
            Just(ToServer::QueueQuery),
            Just(ToServer::RoomsQuery),
            Just(ToServer::Unknown(9999)),
        ],
    ]
    .boxed()
}

/// Any frame of a server.
pub(crate) fn to_client() -> BoxedStrategy<ToClient> {
    prop_oneof![
        proptest::option::of(text()).prop_map(|detail| ToClient::ParameterError { detail }),
        prop_oneof![
            unsigned().prop_map(ToClient::HeartbeatAnswer),
            unsigned().prop_map(ToClient::Shutdown),
            unsigned().prop_map(ToClient::Online),
            unsigned().prop_map(ToClient::Sent),
            unsigned().prop_map(ToClient::SignExpired),
            unsigned().prop_map(ToClient::Sensitive),
            unsigned().prop_map(ToClient::Push),
        ],
        prop_oneof![
            unsigned().prop_map(ToClient::HistoryMessage),
            unsigned().prop_map(ToClient::FirstMessage),
            unsigned().prop_map(ToClient::UnreadTotal),
            unsigned().prop_map(ToClient::Recalled),
            unsigned().prop_map(ToClient::RecalledByPeer),
            unsigned().prop_map(ToClient::ReadDone),
            unsigned().prop_map(ToClient::LoggedOut),
        ],
        receipt().prop_map(ToClient::ServerReceived),
        friend().prop_map(ToClient::FriendOnline),
        friend().prop_map(ToClient::FriendOffline),
        prop_oneof![
            signal().prop_map(ToClient::CallRequested),
            signal().prop_map(ToClient::CallAccepted),
            signal().prop_map(ToClient::CallEnded),
        ],
        waiting().prop_map(ToClient::QueueState),
        waiting().prop_map(ToClient::QueueAnswer),
        vec(entry(), 0..3).prop_map(ToClient::RoomsAnswer),
        room().prop_map(ToClient::RoomState),
        room().prop_map(ToClient::RoomAnswer),
        prop_oneof![Just(ToClient::Left), Just(ToClient::Unknown(9999))],
    ]
    .boxed()
}

pub(crate) fn outgoing() -> impl Strategy<Value = Outgoing> {
    (base(text()), to_client()).prop_map(|(base, body)| Outgoing { base, body })
}

/// A client's base, with an id.
pub(crate) fn client_base() -> impl Strategy<Value = Base> {
    base(some_text())
}

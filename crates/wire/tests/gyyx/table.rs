//! The document's table, copied by script: every code, who sends it, its name
//! and its fields in order.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use crosstalk_wire::gyyx::{
    Base, Chat, Code, Codes, Enter, Field, FieldSet, Friend, History, Outgoing, Recall, Receipt,
    Room, Side, Signal, ToClient, ToServer, Waiting, encode_to_client, encode_to_server,
};
use serde_json::Value;

use crate::{PROSE, TABLE};

/// One row: code, `C` or `S` for who sends it, name, fields.
const DOCUMENT: &str = include_str!("table.tsv");

struct Row {
    number: i64,
    side: Side,
    name: &'static str,
    fields: Vec<&'static str>,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let [number, side, name, fields] = line
            .split('\t')
            .collect::<Vec<_>>()
            .try_into()
            .expect("four columns");
        Row {
            number: number.parse().expect("a number"),
            side: if side == "C" {
                Side::Client
            } else {
                Side::Server
            },
            name,
            fields: fields.split(',').collect(),
        }
    };
    DOCUMENT.lines().map(row).collect()
}

fn names(set: FieldSet) -> Vec<&'static str> {
    set.fields().map(Field::name).collect()
}

/// The members of a frame in the order in which they are written.
fn members(frame: &[u8]) -> Vec<String> {
    let value: Value = serde_json::from_slice(frame).expect("a frame is JSON");
    let mut places: Vec<(usize, String)> = value
        .as_object()
        .expect("a frame is an object")
        .keys()
        .map(|name| {
            let quoted = format!("\"{name}\":");
            let text = std::str::from_utf8(frame).expect("UTF-8");
            (text.find(&quoted).expect("written"), name.clone())
        })
        .collect();
    places.sort();
    places.into_iter().map(|(_, name)| name).collect()
}

/// One frame of every kind that clients send, with the prose's code where
/// that differs.
fn to_server() -> Vec<(ToServer, i64, i64)> {
    let chat = Chat::default;
    let signal = Signal::default;
    vec![
        (ToServer::Heartbeat(chat()), 20, 20),
        (ToServer::Received(Receipt::default()), 31, 31),
        (ToServer::Unread(chat()), 102, 102),
        (ToServer::Send(chat()), 130, 30),
        (ToServer::Pushed(chat()), 141, 141),
        (ToServer::View(chat()), 160, 160),
        (ToServer::History(History::default()), 161, 161),
        (ToServer::UnreadTotal(chat()), 180, 180),
        (ToServer::Recall(Recall::default()), 190, 190),
        (ToServer::Read(chat()), 198, 198),
        (ToServer::Logout(chat()), 251, 251),
        (ToServer::CallRequest(signal()), 300, 300),
        (ToServer::CallAccept(signal()), 310, 301),
        (ToServer::CallRefuse(signal()), 320, 320),
        (ToServer::CallEnd(signal()), 330, 302),
        (ToServer::QueueEnter(Enter::default()), 400, 400),
        (ToServer::QueueClaim(Enter::default()), 401, 400),
        (ToServer::Leave, 420, 403),
        (ToServer::QueueQuery, 430, 430),
        (ToServer::RoomsQuery, 540, 540),
        (ToServer::RoomQuery(Room::default()), 550, 550),
    ]
}

/// One frame of every kind that servers send, likewise.
fn to_client() -> Vec<(ToClient, i64, i64)> {
    let chat = Chat::default;
    let signal = Signal::default;
    vec![
        (ToClient::ParameterError { detail: None }, 10, 10),
        (ToClient::HeartbeatAnswer(chat()), 21, 21),
        (ToClient::ServerReceived(Receipt::default()), 30, 30),
        (ToClient::Shutdown(chat()), 99, 99),
        (ToClient::Online(chat()), 101, 101),
        (ToClient::Sent(chat()), 131, 131),
        (ToClient::SignExpired(chat()), 132, 132),
        (ToClient::Sensitive(chat()), 133, 133),
        (ToClient::Push(chat()), 140, 40),
        (ToClient::HistoryMessage(chat()), 162, 162),
        (ToClient::FirstMessage(chat()), 1170, 1170),
        (ToClient::Recalled(chat()), 191, 191),
        (ToClient::RecalledByPeer(chat()), 192, 192),
        (ToClient::ReadDone(chat()), 199, 199),
        (ToClient::LoggedOut(chat()), 252, 252),
        (ToClient::FriendOnline(Friend::default()), 200, 200),
        (ToClient::FriendOffline(Friend::default()), 210, 210),
        (ToClient::CallRequested(signal()), 301, 300),
        (ToClient::CallAccepted(signal()), 311, 301),
        (ToClient::CallEnded(signal()), 321, 302),
        (ToClient::QueueState(Waiting::default()), 410, 401),
        (ToClient::QueueAnswer(Waiting::default()), 431, 431),
        (ToClient::Left, 421, 421),
        (ToClient::RoomsAnswer(Vec::new()), 541, 541),
        (ToClient::RoomState(Room::default()), 551, 406),
        (ToClient::RoomAnswer(Room::default()), 551, 551),
        // The document has 180 as a question only (Q4-13).
        (ToClient::UnreadTotal(chat()), 180, 180),
    ]
}

#[test]
fn codes_are_those_of_the_document() {
    let rows = rows();
    assert_eq!(rows.len(), 46);
    for row in &rows {
        let code = Code::of(row.number).expect("a code of the document");
        assert_eq!((code.name(), code.side()), (row.name, row.side));
        assert_eq!(names(code.fields()), row.fields, "{code:?}");
    }
    let others: Vec<i64> = Code::ALL
        .map(Code::number)
        .into_iter()
        .filter(|number| rows.iter().all(|row| row.number != *number))
        .collect();
    assert_eq!(others, [40, 302, 403, 406], "only the prose has these");
}

#[test]
fn fields_are_those_of_the_document() {
    let all: std::collections::BTreeSet<_> =
        rows().into_iter().flat_map(|row| row.fields).collect();
    let known: Vec<_> = Field::ALL.map(Field::name).into();
    assert_eq!(all.into_iter().collect::<Vec<_>>(), known);
}

#[test]
fn frames_for_the_server_have_exactly_the_fields_of_their_code() {
    let rows = rows();
    let mut seen = BTreeMap::new();
    for (body, table, prose) in to_server() {
        for (style, number) in [(TABLE, table), (PROSE, prose)] {
            let mut out = BytesMut::new();
            encode_to_server(&Base::default(), &body, style, &mut out);
            assert_eq!(code_in(&out), number);
            let row = rows.iter().find(|row| row.number == table).expect("a row");
            assert_eq!(members(&out), row.fields, "{body:?}");
        }
        seen.insert(table, body);
    }
    let clients = rows.iter().filter(|row| row.side == Side::Client);
    assert!(
        clients
            .map(|row| row.number)
            .eq_by_set(seen.keys().copied())
    );
}

#[test]
fn frames_for_clients_have_exactly_the_fields_of_their_code() {
    let rows = rows();
    let mut seen = BTreeMap::new();
    for (body, table, prose) in to_client() {
        let frame = Outgoing {
            base: Base::default(),
            body,
        };
        for (style, number) in [(TABLE, table), (PROSE, prose)] {
            let mut out = BytesMut::new();
            encode_to_client(&frame, style, &mut out);
            assert_eq!(code_in(&out), number);
            let row = rows.iter().find(|row| row.number == table).expect("a row");
            assert_eq!(members(&out), row.fields, "{frame:?}");
        }
        seen.insert(table, frame);
    }
    assert!(seen.remove(&180).is_some());
    let servers = rows.iter().filter(|row| row.side == Side::Server);
    assert!(
        servers
            .map(|row| row.number)
            .eq_by_set(seen.keys().copied())
    );
}

/// The only field beside the document's: a reason, where an app wants one.
#[test]
fn an_error_has_a_message_only_if_it_is_given_one() {
    let frame = Outgoing {
        base: Base::default(),
        body: ToClient::ParameterError {
            detail: Some(String::new()),
        },
    };
    let mut out = BytesMut::new();
    encode_to_client(&frame, TABLE, &mut out);
    let fields = "appId deviceId mark message msgType timestamp unique userId version";
    assert_eq!(members(&out).join(" "), fields);
}

/// Every row of the document as it is printed there, comma before the brace
/// and all, with a number where it says "number" in Chinese.
#[test]
fn a_sample_that_was_pasted_is_understood() {
    for row in rows() {
        let members: String = row
            .fields
            .iter()
            .map(|name| match *name {
                "msgType" => format!("\"msgType\":\"{}\",", row.number),
                "pageIndex" | "pageSize" | "receiveMsgType" | "waitIndex" | "waitTotal" => {
                    format!("\"{name}\":\"1\",")
                }
                "roomInfoMsgs" => "\"roomInfoMsgs\":[],".to_owned(),
                "contentType" if row.number == 130 => "\"contentType\":\"文本\",".to_owned(),
                "isOnline" => "\"isOnline\":\"true\",".to_owned(),
                _ => format!("\"{name}\":\"说明\","),
            })
            .collect();
        let sample = Bytes::from(format!("{{{members}}}"));
        let limits = crosstalk_wire::gyyx::Limits::default();
        if row.side == Side::Client {
            let incoming = crosstalk_wire::gyyx::decode_to_server(&sample, &limits);
            let body = incoming.body.expect("a well-formed frame");
            assert_eq!(
                body.code(Codes::Table).map(Code::number),
                Some(row.number),
                "{sample:?}"
            );
        } else {
            let frame = crosstalk_wire::gyyx::decode_to_client(&sample, Codes::Table, &limits)
                .expect("a well-formed frame");
            assert_eq!(
                frame.body.code(Codes::Table).map(Code::number),
                Some(row.number)
            );
        }
    }
}

fn code_in(frame: &[u8]) -> i64 {
    let value: Value = serde_json::from_slice(frame).expect("a frame is JSON");
    value["msgType"].as_i64().expect("a number")
}

/// Equality of what two iterators give, in any order.
trait EqBySet: Iterator<Item = i64> + Sized {
    fn eq_by_set(self, other: impl Iterator<Item = i64>) -> bool {
        let mine: std::collections::BTreeSet<i64> = self.collect();
        let theirs: std::collections::BTreeSet<i64> = other.collect();
        assert_eq!(mine, theirs);
        true
    }
}

impl<I: Iterator<Item = i64>> EqBySet for I {}

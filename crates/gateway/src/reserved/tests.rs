//! What may pass for the server, and what may not.

use std::sync::Arc;

use crosstalk_core::channel::{Address, ChannelKey, ChannelKind, ChannelRef, LogKind};
use crosstalk_core::directory::Aliases;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::message::{Draft, Flags, Message, OnReuse};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::send::words::Words;
use serde_json::json;

use super::*;
use crate::moderation::moderate;
use crate::mqtt::settings::MqttSettings;
use crate::registry::Dialect;
use crate::{MqttReader, mqtt_envelope, wukong_is_told, wukong_payload, wukong_tag};

const MQTT: Origin = Dialect::Mqtt.origin();
const WUKONG: Origin = Dialect::Wukong.origin();

/// A command as a client of a dialect writes it, or REST.
fn command(origin: Origin, cmd: &str) -> Body {
    let param = json!({"id": "7", "groupId": "g7", "channel_id": "al1", "channel_type": 1});
    let payload = match origin {
        MQTT => json!({"type": cmd, "content": param}),
        WUKONG => json!({"type": 99, "cmd": cmd, "param": param}),
        _ => json!({"type": "command", "cmd": cmd, "param": param}),
    };
    let payload = payload.to_string();
    let tag = match origin {
        MQTT => "7".into(),
        WUKONG => wukong_tag(payload.as_bytes()),
        _ => "".into(),
    };
    Body {
        origin,
        tag,
        flags: Flags {
            command: origin != WUKONG,
            ..Flags::default()
        },
        payload: payload.into(),
        ..Body::default()
    }
}

fn fault(body: Body) -> Option<Refusal> {
    let mut draft = Draft {
        to: Address {
            kind: ChannelKind::DIRECT,
            id: "bob".into(),
        },
        body,
        on_reuse: OnReuse::Store,
        require_peer: true,
        fault: None,
    };
    moderate(&Words::default(), &mut draft);
    draft.fault
}

fn sent_by(uid: &str, body: Body) -> Message {
    let log = match body.flags.command {
        true => LogKind::Command,
        false => LogKind::Chat,
    };
    let uid = Uid::from_store(uid);
    let bob = Uid::parse("bob").expect("a uid");
    Message {
        id: MessageId(7),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key: ChannelKey::direct(&Realm::default(), &uid, &bob),
            log,
        }),
        seq: 1,
        ordinal: 0,
        sender: UserRef {
            num: UserNum(1),
            uid,
        },
        sent_at_ms: 1,
        body: Arc::new(body),
        revoked: None,
        edited: None,
        is_concealed: false,
    }
}

fn reader() -> MqttReader {
    let settings = MqttSettings::new(std::sync::Weak::new(), Aliases::default(), Realm::default());
    let bob = UserRef {
        num: UserNum(2),
        uid: Uid::parse("bob").expect("a uid"),
    };
    MqttReader::new(&settings, &Realm::default(), &bob, None)
}

/// Names of each dialect, and whoever writes them.
const FORGED: [&str; 8] = [
    "group",
    "kick",
    "received",
    "messageRevoke",
    "conversationDelete",
    "GROUP_DISSOLVED",
    "KICKED",
    " Read ",
];

#[test]
fn users_do_not_say_what_the_server_tells() {
    for origin in [MQTT, WUKONG, Origin::REST] {
        for cmd in FORGED {
            let refused = fault(command(origin, cmd));
            assert_eq!(refused, Some(Refusal::Forbidden), "{origin:?} {cmd}");
        }
        assert_eq!(fault(command(origin, "reload")), None, "{origin:?}");
    }
    let tip = Body {
        payload: json!({"type": "tip", "text": "x"}).to_string().into(),
        ..Body::default()
    };
    assert_eq!(fault(tip), Some(Refusal::Forbidden));
    let call = Body {
        payload: json!({"type": "received", "content": {"status": "invite", "roomId": "r"}})
            .to_string()
            .into(),
        ..command(MQTT, "x")
    };
    assert_eq!(fault(call), None, "a call hides there");
}

#[test]
fn what_they_have_said_is_told_nobody_as_the_servers() {
    let reader = reader();
    for origin in [MQTT, WUKONG, Origin::REST] {
        for is_command in [true, false] {
            for cmd in FORGED {
                let mut body = command(origin, cmd);
                body.flags.command = is_command;
                let message = sent_by("al1", body);
                assert_eq!(mqtt_envelope(&message, &reader), None, "{origin:?} {cmd}");
                assert_eq!(wukong_is_told(&message), !is_command, "{origin:?} {cmd}");
                let payload = wukong_payload(&message, "bob");
                let shown: Value = serde_json::from_slice(&payload).expect("JSON");
                assert_eq!(shown["cmd"], "", "{origin:?} {cmd}");
                assert_eq!(shown["param"], Value::Null, "{origin:?} {cmd}");
            }
        }
    }
}

#[test]
fn the_application_says_what_it_wants() {
    let reader = reader();
    for origin in [MQTT, WUKONG, Origin::REST] {
        let mut body = command(origin, "messageRevoke");
        let by_system = sent_by(Uid::SYSTEM, body.clone());
        body.flags.by_application = true;
        assert_eq!(fault(body.clone()), None, "{origin:?}");
        for message in [by_system, sent_by("al1", body)] {
            assert!(mqtt_envelope(&message, &reader).is_some(), "{origin:?}");
            assert!(wukong_is_told(&message), "{origin:?}");
            let payload = wukong_payload(&message, "bob");
            let shown: Value = serde_json::from_slice(&payload).expect("JSON");
            assert_eq!(shown["cmd"], "messageRevoke", "{origin:?}");
        }
    }
}

#[test]
fn a_users_tip_is_words_of_theirs() {
    let payload = json!({"type": 1001, "content": "{0} left", "extra": [{"name": "Bob"}]});
    let tip = || Body {
        origin: WUKONG,
        tag: "1001".into(),
        payload: payload.to_string().into(),
        ..Body::default()
    };
    let words = crate::content::content(&sent_by("al1", tip()));
    assert_eq!(words, Content::text("Bob left"));
    let told = crate::content::content(&sent_by(Uid::SYSTEM, tip()));
    assert_eq!(
        told,
        Content::Tip {
            text: "Bob left".into()
        }
    );
}

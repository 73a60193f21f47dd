//! Changes as BACKGROUND messages: each is told, with a body that the page on this dialect
//! names.

use std::sync::{Arc, Weak};

use crosstalk_core::channel::{ChannelKind, ChannelRef, LogKind};
use crosstalk_core::contract::changes::one_of_each;
use crosstalk_core::directory::Aliases;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::message::{Flags, Origin};

use super::super::settings::MqttSettings;
use super::*;

fn user(uid: &str, num: i64) -> UserRef {
    UserRef {
        num: UserNum(num),
        uid: Uid::parse(uid).expect("a uid"),
    }
}

fn told(change: &Change) -> Option<Value> {
    told_in("g", change)
}

/// What alice is told of a change in a group.
fn told_in(group: &str, change: &Change) -> Option<Value> {
    let settings = MqttSettings::new(Weak::new(), Aliases::default(), Realm::default());
    let reader = MqttReader::new(&settings, &Realm::default(), &user("alice", 1), None);
    let entry = Message {
        id: MessageId(50),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(5),
            key: ChannelKey {
                realm: Realm::default(),
                kind: ChannelKind::GROUP,
                id: group.into(),
            },
            log: LogKind::Command,
        }),
        seq: 5,
        ordinal: 0,
        sender: user("bob", 2),
        sent_at_ms: 1_715_000_060_000,
        body: Arc::new(Body {
            origin: Origin::CHANGE,
            tag: change.name().into(),
            flags: Flags {
                command: true,
                ..Flags::default()
            },
            payload: serde_json::to_vec(change).expect("JSON").into(),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    };
    let envelope = changed(&entry, change, &reader)?;
    Some(serde_json::from_slice(&envelope).expect("JSON"))
}

#[test]
fn every_change_is_told_and_every_body_is_documented() {
    let page = include_str!("../../../../../docs/dialects/mqtt.md");
    for change in one_of_each() {
        let envelope = told(&change).unwrap_or_else(|| panic!("{} is not told", change.name()));
        assert_eq!(envelope["type"], 7, "{envelope}");
        let content = &envelope["content"];
        let kind = content["type"].as_str().expect("a type");
        let inner = content["content"].as_object().expect("an object");
        let event = inner.get("event").and_then(Value::as_str);
        let name = match event {
            Some(event) => format!("{kind} {event}"),
            None => kind.to_owned(),
        };
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("{name} has no row: {content}"));
        for member in inner.keys() {
            let is_named = member == "event" || row.contains(&format!("`{member}`"));
            assert!(is_named, "{name}: {member}");
        }
    }
}

#[test]
fn people_are_named_by_their_accounts() {
    for change in one_of_each() {
        let told = told(&change).expect("told");
        let content = told["content"].to_string();
        let names_bob = content.contains("\"bob\"") || content.contains("\"carol\"");
        assert!(!names_bob, "{}: {content}", change.name());
    }
}

#[test]
fn no_group_passes_for_the_server_or_a_user() {
    let somebody = Aliases::default().of(&Realm::default(), &user("vic", 3).uid);
    for (group, from) in [
        ("g", "g".to_owned()),
        ("SYSTEM", "group:SYSTEM".to_owned()),
        ("System", "group:System".to_owned()),
        (somebody.as_str(), format!("group:{somebody}")),
    ] {
        let told = told_in(group, &one_of_each()[0]).expect("told");
        assert_eq!(told["from"], from, "{group}");
    }
}

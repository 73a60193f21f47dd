//! docs/hooks.md shows the `data` of every event: it has the members that are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crosstalk_core::change::{Change, ChannelName};
use crosstalk_core::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crosstalk_core::contract::changes::one_of_each;
use crosstalk_core::hook::{HookKind, OnFailure};
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::im::{Credential, OpenSession};
use crosstalk_core::message::{Body, Message, Origin};
use crosstalk_core::session::{Delivery, Offline};
use serde_json::{Value, json};

use super::super::event::of_message;
use super::super::names::NAMES;
use super::{Bed, Receiver, until};

const PAGE: &str = include_str!("../../../../../docs/hooks.md");

/// The examples of the page by the names before them.
fn examples() -> BTreeMap<String, Value> {
    let section = PAGE
        .split("\n## The data of each event")
        .nth(1)
        .expect("it");
    let section = section.split("\n## ").next().expect("its end");
    let mut examples = BTreeMap::new();
    let mut parts = section.split("```json");
    let mut before = parts.next().expect("a beginning");
    for part in parts {
        let (example, after) = part.split_once("```").expect("an end");
        let title = before.lines().rfind(|line| line.starts_with('`'));
        let (names, _) = title.expect("a title").split_once(':').expect("names");
        let example: Value = serde_json::from_str(example).expect(names);
        for name in names.split('`').skip(1).step_by(2) {
            let is_first = examples.insert(name.to_owned(), example.clone()).is_none();
            assert!(is_first, "{name} is there twice");
        }
        before = after;
    }
    examples
}

/// The names of all members, however deep; of a list those of its first.
fn shape(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = format!("{at}.{name}");
                shape(member, &at, found);
                found.insert(at);
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                shape(first, &format!("{at}[]"), found);
            }
        }
        _ => {}
    }
}

fn members_of(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    shape(value, "", &mut found);
    found
}

fn user(uid: &str) -> UserRef {
    UserRef {
        num: UserNum(1),
        uid: Uid::parse(uid).expect("a uid"),
    }
}

/// The entry of a command log that says a change: of the group, or of a user's own.
fn entry(change: &Change, owner: Option<&str>) -> Message {
    let realm = Realm::default();
    let key = match owner {
        Some(owner) => ChannelKey::direct(&realm, &user(owner).uid, &user(owner).uid),
        None => {
            let name = ChannelName {
                kind: ChannelKind::GROUP.0,
                id: "g".to_owned(),
            };
            name.key(&ChannelKey::direct(
                &realm,
                &user("bob").uid,
                &user("bob").uid,
            ))
        }
    };
    Message {
        id: MessageId(50),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key,
            log: LogKind::Command,
        }),
        seq: 1,
        ordinal: 1,
        sender: user("bob"),
        sent_at_ms: 1_715_000_060_000,
        body: Arc::new(Body {
            origin: Origin::CHANGE,
            tag: change.name().into(),
            payload: serde_json::to_vec(change).expect("JSON").into(),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    }
}

/// What is told of a change, from the log that it stands in.
fn told(change: &Change) -> Option<(String, Value)> {
    let owner = match change {
        Change::Read { .. }
        | Change::Unread { .. }
        | Change::Hidden { .. }
        | Change::Conversation { .. }
        | Change::JoinRequest { .. }
        | Change::FriendRequest { .. }
        | Change::Profile { .. } => Some("bob"),
        Change::Friend { .. } | Change::Blocked { .. } | Change::Left { .. } => Some("alice"),
        _ => None,
    };
    let happened = of_message(&entry(change, owner), 0)?;
    Some((happened.name, happened.data))
}

/// The other way round, of a change that is told by two names.
fn turned(mut change: Change) -> Option<Change> {
    match &mut change {
        Change::Pinned { pinned, .. } => *pinned = false,
        Change::Friend { is_friend, .. } => *is_friend = true,
        Change::Blocked { blocked, .. } => *blocked = false,
        Change::JoinRequest { request, .. } => "accepted".clone_into(&mut request.status),
        Change::FriendRequest { request, .. } => "accepted".clone_into(&mut request.status),
        _ => return None,
    }
    Some(change)
}

/// One of each event, as they are told.
async fn all_told() -> BTreeMap<String, Value> {
    let changes = one_of_each();
    let turned = changes.clone().into_iter().filter_map(turned);
    let turned: Vec<Change> = turned.collect();
    let mut all: BTreeMap<_, _> = changes.iter().chain(&turned).filter_map(told).collect();

    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let (hook, _) = bed.hook(receiver.url(), &[]).await;
    bed.hooks
        .test(&Realm::default(), &hook.record.id)
        .await
        .expect("tested");
    let asked = super::HookSettings {
        on_failure: OnFailure::Open,
        ..bed.settings(HookKind::BeforeSend, receiver.url(), &[])
    };
    bed.hook_with(HookKind::BeforeSend, asked).await;
    bed.say("alice", "bob", "hello").await;
    let request = OpenSession {
        credential: Credential::Vouched {
            app: crosstalk_core::directory::AppId::default(),
            uid: user("alice").uid,
            at_ms: bed.im.clock().now_ms(),
        },
        origin: Origin(1),
        device_id: "phone".into(),
        device_flag: 0,
        delivery: Delivery::plain(Offline::Sync, true),
        sync_own: true,
        max_sessions: 0,
        peer: [127, 0, 0, 1].into(),
    };
    let session = bed.im.open_session(request).await.expect("a session");
    let has = |name: &str| {
        receiver
            .calls()
            .iter()
            .any(|call| call.json["event"] == name)
    };
    until(async || has("user.online")).await;
    bed.im.close_session(&session).await;
    until(async || has("user.offline") && has("message.offline")).await;
    for call in receiver.calls() {
        let name = call.json["event"].as_str().expect("a name").to_owned();
        all.insert(name, call.json["data"].clone());
    }
    all
}

#[tokio::test]
async fn the_data_of_every_event_is_documented() {
    let told = all_told().await;
    let examples = examples();
    let mut names: BTreeSet<&str> = NAMES.iter().copied().collect();
    names.insert("message.before_send");
    let documented: BTreeSet<&str> = examples.keys().map(String::as_str).collect();
    assert_eq!(documented, names, "each event has an example");
    for name in names {
        let data = told.get(name).unwrap_or_else(|| panic!("{name} is told"));
        assert_eq!(members_of(&examples[name]), members_of(data), "{name}");
    }
}

#[tokio::test]
async fn the_data_of_every_event_is_described() {
    let mut document = utoipa::openapi::OpenApi::default();
    super::super::describe(&mut document);
    let document = serde_json::to_value(document).expect("JSON");
    for (name, example) in examples() {
        let item = &document["webhooks"][&name]["post"];
        let call = &item["requestBody"]["content"]["application/json"]["schema"]["allOf"][1];
        let event = json!({"type": "string", "enum": [name]});
        assert_eq!(call["properties"]["event"], event);
        let to = call["properties"]["data"]["$ref"].as_str().expect("a body");
        let schema = document.pointer(&to[1..]).expect("its schema");
        // What is another's schema with more beside it has all of that in a list.
        if schema.get("properties").is_none() {
            continue;
        }
        let of = |schema: &Value| -> BTreeSet<String> {
            let members = schema["properties"].as_object().expect("members");
            members.keys().cloned().collect()
        };
        let shown: BTreeSet<String> = example.as_object().expect("it").keys().cloned().collect();
        assert_eq!(shown, of(schema), "{name}");
    }
}

#[test]
fn who_is_muted_for_good_is_shown_no_time() {
    let muted = |until: i64| Change::MemberChanged {
        user: "carol".to_owned(),
        by: None,
        role: None,
        nick: None,
        muted_until_ms: Some(until),
        at_ms: 1000,
    };
    let shown = |until| {
        let (_, data) = told(&muted(until)).expect("told");
        (data["muted"].clone(), data["muted_until_at"].clone())
    };
    assert_eq!(shown(i64::MAX), (json!(true), Value::Null));
    assert_eq!(shown(2000), (json!(true), json!(2000)));
    assert_eq!(shown(0), (json!(false), Value::Null));
}

#[test]
fn no_event_shows_a_time_that_is_none() {
    for mut change in one_of_each() {
        match &mut change {
            Change::ChannelCreated { channel, .. } | Change::ChannelUpdated { channel, .. } => {
                channel.muted_until_ms = i64::MAX;
            }
            Change::Conversation { view, .. } => view.muted_until_ms = i64::MAX,
            Change::MemberChanged { muted_until_ms, .. } => *muted_until_ms = Some(i64::MAX),
            _ => {}
        }
        let Some((name, data)) = told(&change) else {
            continue;
        };
        let text = data.to_string();
        assert!(!text.contains(&i64::MAX.to_string()), "{name}: {text}");
    }
}

//! One event on its way to a hook, and how messages of the log become events.

use std::borrow::Cow;
use std::sync::Arc;

use crosstalk_core::change::{Change, ChannelName};
use crosstalk_core::id::Realm;
use crosstalk_core::message::{Message, Origin};
use crosstalk_core::outbox::Event;
use crosstalk_gateway::Dialect;
use serde_json::{Map, Value};

use super::data;

/// Something that has happened.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    /// The same whenever it is told: receivers tell repetitions by it.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// When, ms since 1970.
    pub(super) at_ms: i64,
    /// Events of the same lane are told in order.
    pub(super) lane: String,
    /// Where.
    pub(super) realm: Realm,
    /// What is to be said of it.
    pub(super) data: Value,
    /// The message, of what is one.
    pub(super) message: Option<Arc<Message>>,
    /// Those who were not there, of `message.offline`.
    pub(super) absent: Vec<String>,
}

/// What a message of the log says has happened; `None` for what is nobody's business outside,
/// or is said by another entry.
pub(super) fn of_message(message: &Message, now_ms: i64) -> Option<Happened> {
    let said = if message.body.origin == Origin::CHANGE {
        data::of_change(&Change::of(message)?, message)?
    } else if message.revoked.is_some() {
        // What was taken back before it was told was never told.
        return None;
    } else {
        Said {
            name: "message.stored".into(),
            channel: ChannelName::of(&message.channel.key),
            at_ms: message.sent_at_ms,
            data: data::of_said(message, now_ms),
        }
    };
    Some(Happened {
        id: message.id.to_string(),
        name: said.name.into_owned(),
        at_ms: said.at_ms,
        lane: format!("{}:{}", said.channel.kind, said.channel.id),
        realm: message.channel.key.realm.clone(),
        data: said.data,
        message: (message.body.origin != Origin::CHANGE).then(|| Arc::new(message.clone())),
        absent: Vec::new(),
    })
}

/// What an entry of the log says, and about which channel.
pub(super) struct Said {
    pub(super) name: Cow<'static, str>,
    pub(super) channel: ChannelName,
    pub(super) at_ms: i64,
    pub(super) data: Value,
}

/// What an entry of the event log says has happened.
pub(super) fn of_event(event: &Event) -> Option<Happened> {
    let what = &event.what;
    let mut data: Map<String, Value> = serde_json::from_slice(&what.body).ok()?;
    let lane = match (&what.channel, data.get("user").and_then(Value::as_str)) {
        (Some(channel), _) => format!("c{channel}"),
        (None, Some(user)) => format!("u{user}"),
        (None, None) => "e".to_owned(),
    };
    if let Some(origin) = data.remove("origin") {
        let number = origin.as_u64().and_then(|number| u8::try_from(number).ok());
        let dialect = number.and_then(|number| Dialect::of(Origin(number)));
        data.insert("dialect".to_owned(), dialect.map(Dialect::name).into());
    }
    Some(Happened {
        id: format!("e{}", event.pos),
        name: what.kind.to_string(),
        at_ms: what.at_ms,
        lane,
        realm: what.realm.clone(),
        data: Value::Object(data),
        message: None,
        absent: Vec::new(),
    })
}

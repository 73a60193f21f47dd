//! Events as `WuKongIM`'s own webhooks have them (protocols/wukong.md §5): `?event=` and a body
//! of its own for each of three events. What it does not have is not told.

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::Parcel;
use super::event::Happened;
use crate::http::wukong_message;

/// Messages in one request.
const NOTIFY: usize = 100;
/// Turns of presence in one request.
const STATUS: usize = 100;
/// The events of the messenger that become one of these.
pub(super) const EVENTS: [&str; 4] = [
    "message.stored",
    "message.offline",
    "session.opened",
    "session.closed",
];

/// The requests for some events, delivered all in order.
pub(super) fn parcels(events: &[Happened]) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    let said: Vec<(&Happened, Value)> = events
        .iter()
        .filter(|event| event.name == "message.stored")
        .filter_map(|event| Some((event, wukong_message(event.message.as_deref()?))))
        .collect();
    for some in said.chunks(NOTIFY) {
        let objects: Vec<&Value> = some.iter().map(|(_, object)| object).collect();
        parcels.push(parcel("msg.notify", some[0].0, &json!(objects)));
    }
    for event in events
        .iter()
        .filter(|event| event.name == "message.offline")
    {
        let Some(message) = event.message.as_deref() else {
            continue;
        };
        let mut object = wukong_message(message);
        if let Value::Object(members) = &mut object {
            members.insert("to_uids".to_owned(), json!(event.absent));
            members.insert("source_id".to_owned(), json!(0));
        }
        parcels.push(parcel("msg.offline", event, &object));
    }
    let turns: Vec<(&Happened, String)> = events
        .iter()
        .filter_map(|event| Some((event, status(event)?)))
        .collect();
    for some in turns.chunks(STATUS) {
        let texts: Vec<&str> = some.iter().map(|(_, text)| text.as_str()).collect();
        parcels.push(parcel("user.onlinestatus", some[0].0, &json!(texts)));
    }
    parcels
}

fn parcel(name: &str, first: &Happened, body: &Value) -> Parcel {
    Parcel {
        event: name.to_owned(),
        id: first.id.clone(),
        query: format!("event={name}"),
        body: Bytes::from(body.to_string()),
        lane: String::new(),
    }
}

/// `uid-deviceFlag-online-connId-onlineCountOfThatFlag-totalOnlineCount`.
fn status(event: &Happened) -> Option<String> {
    let online = match event.name.as_str() {
        "session.opened" => 1,
        "session.closed" => 0,
        _ => return None,
    };
    let member = |name: &str| match event.data.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Some(format!(
        "{}-{}-{online}-{}-{}-{}",
        member("user")?,
        member("device_flag")?,
        member("session")?,
        member("sessions_of_flag")?,
        member("sessions")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosstalk_core::id::Realm;

    #[test]
    fn presence_is_written_as_wukong_does() {
        let mut event = Happened {
            id: "e1".to_owned(),
            name: "session.opened".to_owned(),
            at_ms: 1,
            lane: String::new(),
            realm: Realm::default(),
            data: json!({
                "user": "u-1", "device_flag": 1, "session": "77", "sessions": 3, "sessions_of_flag": 2,
            }),
            message: None,
            absent: Vec::new(),
        };
        assert_eq!(status(&event).as_deref(), Some("u-1-1-1-77-2-3"));
        event.name = "session.closed".to_owned();
        assert_eq!(status(&event).as_deref(), Some("u-1-1-0-77-2-3"));
        event.name = "user.online".to_owned();
        assert_eq!(status(&event), None);
    }
}

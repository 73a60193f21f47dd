//! Events as requests: one event each, or several in one.

use bytes::Bytes;
use serde_json::Value;

use super::call::Parcel;
use super::data::json;
use super::event::Happened;
use super::registry::Hook;
use super::webhooks::Call;

/// The largest body of several events, bytes, unless one alone is larger.
const BATCH_BYTES: usize = 1 << 20;

/// What is said of one event.
pub(super) fn one(hook: &Hook, event: &Happened) -> Value {
    json(&Call {
        id: &event.id,
        event: &event.name,
        at: event.at_ms,
        app_id: hook.record.app.as_str(),
        realm: event.realm.as_str(),
        data: &event.data,
    })
}

/// The requests for some events. With a batch of one they are delivered in order per channel;
/// larger ones all in order.
pub(super) fn parcels(hook: &Hook, events: &[Happened]) -> Vec<Parcel> {
    let most = hook.record.settings.max_batch as usize;
    if most <= 1 {
        let parcel = |event: &Happened| Parcel {
            event: event.name.clone(),
            id: event.id.clone(),
            query: String::new(),
            body: Bytes::from(one(hook, event).to_string()),
            lane: event.lane.clone(),
        };
        return events.iter().map(parcel).collect();
    }
    let mut parcels = Vec::new();
    let mut open: Vec<(&Happened, String)> = Vec::new();
    let mut bytes = 0;
    for event in events {
        let text = one(hook, event).to_string();
        if open.len() >= most || (bytes + text.len() > BATCH_BYTES && !open.is_empty()) {
            parcels.extend(batch(&open));
            open.clear();
            bytes = 0;
        }
        bytes += text.len();
        open.push((event, text));
    }
    parcels.extend(batch(&open));
    parcels
}

fn batch(events: &[(&Happened, String)]) -> Option<Parcel> {
    let (first, _) = events.first()?;
    let texts: Vec<&str> = events.iter().map(|(_, text)| text.as_str()).collect();
    Some(Parcel {
        event: "batch".to_owned(),
        id: format!("b{}", first.id),
        query: String::new(),
        body: Bytes::from(format!("{{\"events\":[{}]}}", texts.join(","))),
        lane: String::new(),
    })
}

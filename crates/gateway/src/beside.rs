//! Whom a message mentions and to what it replies, where each form in which messages are stored
//! says it: that belongs to one message in one place.

use bytes::Bytes;
use crosstalk_core::message::{Body, Origin};
use serde_json::{Map, Value};

use crate::registry;

/// The names of members, each in the one before.
pub(crate) type Path = &'static [&'static str];

/// Where it is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    /// In what is stored beside the payload, and not in it.
    pub(crate) is_extra: bool,
    /// Whom it mentions.
    pub(crate) mentions: &'static [Path],
    /// To what it replies.
    pub(crate) reply: &'static [Path],
}

/// The places in content of REST's.
const REST: Places = Places {
    is_extra: false,
    mentions: &[&["mentions"], &["mention_all"]],
    reply: &[&["reply"]],
};

pub(crate) fn places(origin: Origin) -> Places {
    if origin == Origin::REST {
        return REST;
    }
    registry::beside(origin)
}

/// A payload, and what is stored beside it, that mention nobody and reply to nothing.
pub(crate) fn alone(body: &Body) -> (Bytes, Option<Bytes>) {
    let places = places(body.origin);
    let without = |json: &Bytes| {
        let mut value = serde_json::from_slice(json).ok()?;
        let paths = places.mentions.iter().chain(places.reply);
        let removed = paths.filter(|path| remove(&mut value, path).is_some());
        (removed.count() > 0).then(|| serde_json::to_vec(&value).ok().map(Bytes::from))?
    };
    let (mut payload, mut extra) = (body.payload.clone(), body.extra.clone());
    if places.is_extra {
        if let Some(json) = extra.as_ref().and_then(without) {
            extra = Some(json);
        }
    } else if let Some(json) = without(&payload) {
        payload = json;
    }
    (payload, extra)
}

/// A payload of the same origin as `before` that mentions whom that does and replies to what
/// that does, if it says nothing of either.
pub(crate) fn kept(before: &Body, payload: Bytes) -> Bytes {
    let places = places(before.origin);
    if places.is_extra {
        return payload;
    }
    let json = |bytes: &Bytes| serde_json::from_slice::<Value>(bytes).ok();
    let (Some(before), Some(mut now)) = (json(&before.payload), json(&payload)) else {
        return payload;
    };
    let mut changed = false;
    for paths in [places.mentions, places.reply] {
        if paths.iter().any(|path| find(&now, path).is_some()) {
            continue;
        }
        for path in paths {
            if let Some(value) = find(&before, path) {
                changed |= put(&mut now, path, value.clone());
            }
        }
    }
    let json = changed.then(|| serde_json::to_vec(&now).ok()).flatten();
    json.map_or(payload, Bytes::from)
}

fn find<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(*name))
}

fn remove(value: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents
        .iter()
        .try_fold(value, |value, name| value.get_mut(*name))?;
    parent.as_object_mut()?.remove(*last)
}

/// False if there is no place for it.
fn put(value: &mut Value, path: &[&str], member: Value) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let mut place = value;
    for name in parents {
        let Value::Object(members) = place else {
            return false;
        };
        let next = members.entry(*name).or_insert(Value::Null);
        if next.is_null() {
            *next = Value::Object(Map::new());
        }
        place = next;
    }
    let Value::Object(members) = place else {
        return false;
    };
    members.insert((*last).to_owned(), member);
    true
}

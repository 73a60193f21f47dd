//! Sets F9 and F10: rooms (gyyx.md Q4-18).

use bytes::{BufMut, Bytes, BytesMut};

use crate::lenient::{self, Json, each_element, each_member, put_number, put_text};

use super::frame::Value;
use super::read::Fields;
use super::{Field, Limits, Reason};

/// Rooms in one list at most, when a list is read; more are not.
pub const MAX_ROOMS: usize = 10_000;

/// A room as sets F10 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Who made it.
    pub creator: String,
    /// Whatever its makers put there: a string, or any other JSON, which is
    /// passed on as the string of its text. The room's key is in it
    /// ([`with_room_key`]).
    pub info: Json,
    /// Its id.
    pub room_id: String,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            creator: String::new(),
            info: Json::EMPTY,
            room_id: String::new(),
        }
    }
}

impl Room {
    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::Creator => Value::Text(&self.creator),
            Field::Info => Value::Quoted(&self.info),
            Field::RoomId => Value::Text(&self.room_id),
            _ => return None,
        })
    }

    pub(super) fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Room, Reason> {
        Ok(Room {
            creator: fields.unchecked_text(Field::Creator),
            info: fields.json(Field::Info, limits.message_bytes)?,
            room_id: fields.text(Field::RoomId)?,
        })
    }
}

/// Whether a room is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RoomStatus {
    /// Not all have come.
    #[default]
    Waiting,
    /// In use.
    Active,
}

impl RoomStatus {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RoomStatus::Waiting => "waiting",
            RoomStatus::Active => "active",
        }
    }
}

/// A room as one of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomEntry {
    /// Id, maker and info.
    pub room: Room,
    /// Who is in it.
    pub members: Vec<String>,
    /// When it was made, ms since 1970.
    pub created_ms: i64,
    /// Whether it is in use.
    pub status: RoomStatus,
}

/// Appends the list as a JSON array.
pub(super) fn put_rooms(rooms: &[RoomEntry], out: &mut BytesMut) {
    out.put_u8(b'[');
    for (at, entry) in rooms.iter().enumerate() {
        let opening: &[u8] = if at == 0 { b"{" } else { b",{" };
        out.put_slice(opening);
        out.put_slice(b"\"roomId\":");
        put_text(&entry.room.room_id, out);
        out.put_slice(b",\"creator\":");
        put_text(&entry.room.creator, out);
        out.put_slice(b",\"info\":");
        entry.room.info.put_string(out);
        out.put_slice(b",\"members\":[");
        for (at, member) in entry.members.iter().enumerate() {
            if at > 0 {
                out.put_u8(b',');
            }
            put_text(member, out);
        }
        out.put_slice(b"],\"createTime\":");
        put_number(entry.created_ms, out);
        out.put_slice(b",\"status\":");
        put_text(entry.status.name(), out);
        out.put_u8(b'}');
    }
    out.put_u8(b']');
}

/// Reads a list of rooms, at most [`MAX_ROOMS`] of it.
pub(super) fn read_rooms(fields: &Fields<'_>) -> Result<Vec<RoomEntry>, Reason> {
    let unreadable = Reason::Unreadable(Field::RoomInfoMsgs);
    let mut rooms = Vec::new();
    let Some(raw) = fields.raw(Field::RoomInfoMsgs) else {
        return Ok(rooms);
    };
    let mut is_well_formed = true;
    each_element(raw, |entry| {
        let entry = read_entry(fields.input(), entry);
        is_well_formed = entry.is_some();
        rooms.extend(entry);
        is_well_formed && rooms.len() < MAX_ROOMS
    })
    .map_err(|_| unreadable)?;
    if is_well_formed {
        Ok(rooms)
    } else {
        Err(unreadable)
    }
}

const ENTRY: [&str; 6] = [
    "roomId",
    "creator",
    "info",
    "members",
    "createTime",
    "status",
];

fn read_entry(input: &Bytes, raw: &str) -> Option<RoomEntry> {
    let place = |name: &str| ENTRY.iter().position(|it| *it == name);
    let [room_id, creator, info, members, created, status] =
        lenient::members::<6>(raw, place).ok()?;
    let text = |raw: Option<&str>| match raw {
        Some(raw) => Some(lenient::text(raw).ok()??.into_owned()),
        None => Some(String::new()),
    };
    let mut names = Vec::new();
    if let Some(members) = members {
        let mut all = true;
        each_element(members, |member| {
            let member = text(Some(member));
            all = member.is_some();
            names.extend(member);
            all
        })
        .ok()?;
        all.then_some(())?;
    }
    Some(RoomEntry {
        room: Room {
            creator: text(creator)?,
            info: info.map_or(Json::EMPTY, |raw| Json::within(input, raw)),
            room_id: text(room_id)?,
        },
        members: names,
        created_ms: match created {
            Some(raw) => lenient::integer(raw).ok()?.unwrap_or(0),
            None => 0,
        },
        status: match text(status)?.as_str() {
            "active" => RoomStatus::Active,
            _ => RoomStatus::Waiting,
        },
    })
}

/// The name under which a room's key stands in its info.
const ROOM_KEY: &str = "roomKey";

/// The info of a room with its key in it: the members that the clients put
/// there, untouched, and `roomKey` (gyyx.md Q4-18). Info that is no object,
/// nor a string that holds one, is kept as the member `info`.
#[must_use]
pub fn with_room_key(info: &Json, key: &str) -> Json {
    let text = info.text();
    let mut out = BytesMut::with_capacity(text.len() + key.len() + 16);
    out.put_u8(b'{');
    let mut kept = Vec::new();
    let is_object = each_member(&text, |name, value| {
        if name != ROOM_KEY {
            kept.push((name.to_owned(), value));
        }
    })
    .is_ok();
    if is_object {
        for (name, value) in kept {
            put_text(&name, &mut out);
            out.put_u8(b':');
            out.put_slice(value.as_bytes());
            out.put_u8(b',');
        }
    } else if !text.is_empty() {
        out.put_slice(b"\"info\":");
        put_text(&text, &mut out);
        out.put_u8(b',');
    }
    put_text(ROOM_KEY, &mut out);
    out.put_u8(b':');
    put_text(key, &mut out);
    out.put_u8(b'}');
    Json::parse(&out.freeze()).expect("made of JSON values")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_joins_what_is_there() {
        let info = |text: &str| Json::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap();
        for (before, after) in [
            (r#""""#, r#"{"roomKey":"k\"1"}"#),
            (
                r#""{\"a\":[1.0 ,2]}""#,
                r#"{"a":[1.0 ,2],"roomKey":"k\"1"}"#,
            ),
            (
                r#"{"roomKey":"forged","b":"\u0041"}"#,
                r#"{"b":"\u0041","roomKey":"k\"1"}"#,
            ),
            (r#""hello""#, r#"{"info":"hello","roomKey":"k\"1"}"#),
            ("[1]", r#"{"info":"[1]","roomKey":"k\"1"}"#),
        ] {
            let with_key = with_room_key(&info(before), "k\"1");
            assert_eq!(with_key.as_bytes(), after.as_bytes());
        }
    }
}

//! THE table of dialects: everything that is listed per dialect is listed here once.

use bytes::Bytes;
use crosstalk_core::content::Content;
use crosstalk_core::directory::Alias;
use crosstalk_core::id::Uid;
use crosstalk_core::message::{Body, Origin};

use crate::beside::Places;
use crate::protocol::{Heard, Said};

/// A dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// WuKongIM.
    Wukong,
    /// XuqmGroup IM: STOMP.
    Stomp,
    /// An IM over MQTT.
    Mqtt,
    /// A JSON WebSocket IM with video signalling and service queues.
    Gyyx,
    /// wg-basic instant messages.
    Wg,
}

/// Keeps in a body whose some aliases are.
type Note = fn(&mut Body, &[(Alias, Uid)]);

/// What is listed of a dialect.
struct Row {
    dialect: Dialect,
    name: &'static str,
    /// Stored with messages: never changes. 0 is REST.
    origin: u8,
    heard: Heard,
    said: Said,
    /// WebSocket subprotocols, best first.
    subprotocols: &'static [&'static str],
    /// What a payload of its own means.
    content: Option<fn(&Body) -> Content>,
    /// A text payload of its own that says something else.
    reworded: Option<fn(&Body, &str) -> Option<Bytes>>,
    /// The command that its clients take a payload of its own for.
    command: Option<fn(&Body) -> Option<String>>,
    /// The names by which its clients know what the server tells.
    told: &'static [&'static str],
    /// Its own clients are shown what is stored beside a payload of its own.
    shows_extra: bool,
    /// Where it says whom a message mentions and to what it replies.
    beside: Places,
    /// The aliases by which a payload of its own names users, if its clients know users so.
    named: Option<fn(&Body) -> Vec<Alias>>,
    /// Has a body keep whose they are.
    note: Option<Note>,
}

/// `Some` if the dialect is built in.
macro_rules! built {
    ($feature:literal, $function:path) => {{
        #[cfg(feature = $feature)]
        let function = Some($function as _);
        #[cfg(not(feature = $feature))]
        let function = None;
        function
    }};
}

/// The names of a dialect that is built in; none of one that is not.
macro_rules! names {
    ($feature:literal, $names:path) => {{
        #[cfg(feature = $feature)]
        let names = $names;
        #[cfg(not(feature = $feature))]
        let names = &[];
        names
    }};
}

/// Of a dialect whose messages mention nobody and reply to nothing.
const NOWHERE: Places = Places {
    is_extra: false,
    mentions: &[],
    reply: &[],
};

const TABLE: [Row; 5] = [
    Row {
        dialect: Dialect::Wukong,
        name: "wukong",
        origin: 1,
        heard: Heard::Binary,
        said: Said::Binary,
        subprotocols: &[],
        content: built!("wukong", crate::wukong::map::content),
        reworded: built!("wukong", crate::wukong::map::reworded),
        command: built!("wukong", crate::wukong::told::command),
        told: names!("wukong", crate::wukong::told::NAMES),
        shows_extra: false,
        beside: Places {
            is_extra: false,
            mentions: &[&["mention"]],
            reply: &[&["reply"]],
        },
        named: None,
        note: None,
    },
    Row {
        dialect: Dialect::Stomp,
        name: "stomp",
        origin: 2,
        heard: Heard::Stream,
        said: Said::Text,
        subprotocols: &["v12.stomp", "v11.stomp", "v10.stomp"],
        content: built!("stomp", crate::stomp::map::content),
        reworded: built!("stomp", crate::stomp::map::reworded),
        command: None,
        told: names!("stomp", crate::stomp::told::NAMES),
        shows_extra: true,
        beside: Places {
            is_extra: true,
            mentions: &[&["mentionedUserIds"], &["extra", "mentionAll"]],
            reply: &[&["extra", "quote"]],
        },
        named: None,
        note: None,
    },
    Row {
        dialect: Dialect::Mqtt,
        name: "mqtt",
        origin: 3,
        heard: Heard::Binary,
        said: Said::Binary,
        subprotocols: &["mqtt", "mqttv3.1"],
        content: built!("mqtt", crate::mqtt::map::content),
        reworded: built!("mqtt", crate::mqtt::map::reworded),
        command: built!("mqtt", crate::mqtt::told::command),
        told: names!("mqtt", crate::mqtt::told::NAMES),
        shows_extra: false,
        beside: Places {
            is_extra: false,
            mentions: &[&["ext", "mention"]],
            reply: &[&["ext", "reply"]],
        },
        named: built!("mqtt", crate::mqtt::users::named),
        note: built!("mqtt", crate::mqtt::users::note),
    },
    Row {
        dialect: Dialect::Gyyx,
        name: "gyyx",
        origin: 4,
        heard: Heard::Messages,
        said: Said::Text,
        subprotocols: &[],
        content: built!("gyyx", crate::gyyx::map::content),
        reworded: built!("gyyx", crate::gyyx::map::reworded),
        command: None,
        told: &[],
        shows_extra: true,
        beside: NOWHERE,
        named: None,
        note: None,
    },
    Row {
        dialect: Dialect::Wg,
        name: "wg",
        origin: 5,
        heard: Heard::Messages,
        said: Said::Text,
        subprotocols: &[],
        content: built!("wg", crate::wg::map::content),
        reworded: built!("wg", crate::wg::map::reworded),
        command: None,
        told: &[],
        shows_extra: false,
        beside: NOWHERE,
        named: None,
        note: None,
    },
];

/// The origin number of wukong messages.
pub const WUKONG_ORIGIN: Origin = Dialect::Wukong.origin();

impl Dialect {
    /// All of them, in the order of their origins.
    pub const ALL: [Self; 5] = [Self::Wukong, Self::Stomp, Self::Mqtt, Self::Gyyx, Self::Wg];

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// Its name in configuration, logs and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Its number in stored messages.
    #[must_use]
    pub const fn origin(self) -> Origin {
        Origin(self.row().origin)
    }

    /// How it takes what comes over a transport of messages.
    pub(crate) const fn heard(self) -> Heard {
        self.row().heard
    }

    /// What its messages are made of.
    pub(crate) const fn said(self) -> Said {
        self.row().said
    }

    /// Its WebSocket subprotocols.
    pub(crate) const fn subprotocols(self) -> &'static [&'static str] {
        self.row().subprotocols
    }

    /// The dialect in which a stored message was written, if it is one of ours.
    #[must_use]
    pub fn of(origin: Origin) -> Option<Self> {
        let row = TABLE.iter().find(|row| row.origin == origin.0)?;
        Some(row.dialect)
    }
}

/// What a body means, if it was written in a dialect that is built in.
pub(crate) fn content(body: &Body) -> Option<Content> {
    let content = Dialect::of(body.origin)?.row().content?;
    Some(content(body))
}

/// The payload of a text that says something else.
pub(crate) fn reworded(body: &Body, text: &str) -> Option<Bytes> {
    let reworded = Dialect::of(body.origin)?.row().reworded?;
    reworded(body, text)
}

/// The command that clients of its author's dialect take a body for.
pub(crate) fn command(body: &Body) -> Option<String> {
    let command = Dialect::of(body.origin)?.row().command?;
    command(body)
}

/// The names by which clients of any dialect know what the server tells.
pub(crate) fn told() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|row| row.told).copied()
}

/// Whether clients are shown what is stored beside a body's payload.
pub(crate) fn shows_extra(body: &Body) -> bool {
    Dialect::of(body.origin).is_some_and(|dialect| dialect.row().shows_extra)
}

/// Where messages of an origin say whom they mention and to what they reply.
pub(crate) fn beside(origin: Origin) -> Places {
    Dialect::of(origin).map_or(NOWHERE, |dialect| dialect.row().beside)
}

/// The aliases by which a body names users.
pub(crate) fn named(body: &Body) -> Vec<Alias> {
    let named = Dialect::of(body.origin).and_then(|dialect| dialect.row().named);
    named.map(|named| named(body)).unwrap_or_default()
}

/// Has a body keep whose they are.
pub(crate) fn note(body: &mut Body, users: &[(Alias, Uid)]) {
    if let Some(note) = Dialect::of(body.origin).and_then(|dialect| dialect.row().note) {
        note(body, users);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_row_and_origins_are_distinct() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.row().dialect, dialect);
            assert_eq!(Dialect::of(dialect.origin()), Some(dialect));
        }
        assert_eq!(Dialect::of(Origin::REST), None);
        assert_eq!(Dialect::of(Origin::CHANGE), None);
    }
}

//! What a message looks like to one user of the dialect (interop.md G.2).

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::change::MessageName;
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::message::{Message, Origin};
use crosstalk_wire::gyyx::{Base, Chat, ContentType, Own, Unique, Zone};
use crosstalk_wire::lenient::Json;

use super::map::{self, Extra};
use crate::content::content;
use crate::protocol::Target;
use crate::registry::Dialect;

/// What stands before the id of a group.
const GROUP_PREFIX: &str = "group:";
/// Who says what nobody says.
pub(super) const SYSTEM: &str = "SYSTEM";

/// A message as clients of this dialect see it, the same for everybody but `receiveUserId`,
/// `appId` and, unless its sender is of this dialect, `version`.
pub(super) struct Seen {
    pub(super) base: Base,
    pub(super) chat: Chat,
}

/// A message as `own` sees it; nothing for what is not shown: what was taken back, what is for
/// others only, commands.
pub(super) fn seen(message: &Message, own: Own<'_>, zone: Zone) -> Option<Seen> {
    let body = &*message.body;
    let is_hidden = message.revoked.is_some() || message.is_concealed || body.flags.command;
    if is_hidden || body.origin == Origin::CHANGE {
        return None;
    }
    let extra = Extra::of(body);
    let now = message.shown();
    let (content_type, said) = if map::is_own(now) {
        let number = now.tag.parse().unwrap_or(ContentType::TEXT.0);
        (ContentType(number), Json::parse(&now.payload).ok()?)
    } else {
        map::outward(&content(message))?
    };
    let mark = extra
        .mark
        .map(|raw| Bytes::copy_from_slice(raw.get().as_bytes()));
    let base = Base {
        app_id: own.app_id.to_owned(),
        device_id: extra.device_id.into_owned(),
        mark: mark
            .and_then(|mark| Json::parse(&mark).ok())
            .unwrap_or(Json::NULL),
        timestamp_ms: message.sent_at_ms,
        unique: unique(message),
        // Whatever it looks like: anybody can write what looks like the system's.
        user_id: shown(message.sender.uid.as_str()).to_owned(),
        version: match extra.version.is_empty() {
            true => own.version.to_owned(),
            false => extra.version.into_owned(),
        },
    };
    let chat = Chat {
        content_type,
        message: said,
        message_id: message_id(message.id, body.origin, body.name.as_deref()),
        receive_user_id: receiver(
            &message.channel.key,
            message.sender.uid.as_str(),
            own.user_id,
        ),
        ..Chat::at(message.sent_at_ms, zone)
    };
    Some(Seen { base, chat })
}

/// A user's id as clients are shown it.
pub(super) fn shown(uid: &str) -> &str {
    match uid == Uid::SYSTEM {
        true => SYSTEM,
        false => uid,
    }
}

/// What clients mean by the id of a peer: what [`shown`] shows, or a name that the core
/// resolves.
pub(super) fn target(peer: &Arc<str>) -> Target {
    match &**peer {
        SYSTEM => Target::System,
        _ => Target::Named(Arc::clone(peer)),
    }
}

/// The id by which clients of this dialect know a message: the one that its author gave it, if
/// that was one of them (gyyx.md Q4-10).
pub(super) fn message_id(id: MessageId, origin: Origin, name: Option<&str>) -> String {
    let name = name.filter(|_| origin == Dialect::Gyyx.origin());
    name.map_or_else(|| id.to_string(), str::to_owned)
}

/// The same of a message that a change names.
pub(super) fn named_id(message: &MessageName) -> String {
    message_id(message.id, Origin(message.origin), message.name.as_deref())
}

/// The sender's own id of the frame, if it was one of this dialect.
fn unique(message: &Message) -> Unique {
    let body = &message.body;
    if map::is_own(body) && !body.client_no.is_empty() {
        Unique::from(&*body.client_no)
    } else {
        Unique::from(message.id.to_string())
    }
}

/// Whether the frame of a message has this `unique`.
pub(super) fn has_unique(message: &Message, text: &str) -> bool {
    let body = &message.body;
    if map::is_own(body) && !body.client_no.is_empty() {
        *body.client_no == *text
    } else {
        text.parse() == Ok(message.id.0)
    }
}

/// Whether clients may call a message so: by its own name or the server's id.
pub(super) fn is_called(message: &Message, text: &str) -> bool {
    let body = &message.body;
    let name = body.name.as_deref().filter(|_| map::is_own(body));
    name == Some(text) || text.parse() == Ok(message.id.0)
}

/// `receiveUserId` of what `sender` has sent, as `viewer` sees it.
pub(super) fn receiver(key: &ChannelKey, sender: &str, viewer: &str) -> String {
    match key.kind {
        ChannelKind::DIRECT if sender != viewer => viewer.to_owned(),
        ChannelKind::GROUP => format!("{GROUP_PREFIX}{}", key.id),
        _ => key.id_for(viewer).to_owned(),
    }
}

//! Set F1: messages, and every frame that has a message's fields
//! (gyyx.md F.a.2).

use crate::lenient::{self, Json};

use super::frame::Value;
use super::read::Fields;
use super::{Base, Field, Limits, Reason, Zone};

/// The fields of a message. Most codes have them, whether they need them or
/// not; what is not needed is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// What `message` is.
    pub content_type: ContentType,
    /// The content as its author wrote it: a string, or any other JSON, which
    /// is passed on as the string of its text.
    pub message: Json,
    /// The message's id: the server's in decimal, or the client's own.
    pub message_id: String,
    /// The chat signature. It is for the server only: whatever is in it,
    /// clients are sent an empty one.
    pub receive_sign: String,
    /// The receiver, `group:<gid>` for a group.
    pub receive_user_id: String,
    /// When the message was sent, ms since 1970.
    pub send_time_ms: i64,
    /// The same for people.
    pub send_time_date: String,
}

impl Default for Chat {
    fn default() -> Chat {
        Chat {
            content_type: ContentType::TEXT,
            message: Json::EMPTY,
            message_id: String::new(),
            receive_sign: String::new(),
            receive_user_id: String::new(),
            send_time_ms: 0,
            send_time_date: String::new(),
        }
    }
}

impl Chat {
    /// Empty fields but the time, as answers have them that carry no message.
    #[must_use]
    pub fn at(ms: i64, zone: Zone) -> Chat {
        Chat {
            send_time_ms: ms,
            send_time_date: zone.text(ms),
            ..Chat::default()
        }
    }

    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::ContentType => Value::Number(self.content_type.0),
            Field::Message => Value::Quoted(&self.message),
            Field::MessageId => Value::Text(&self.message_id),
            Field::ReceiveSign => Value::Text(&self.receive_sign),
            Field::ReceiveUserId => Value::Text(&self.receive_user_id),
            Field::SendTime => Value::Number(self.send_time_ms),
            Field::SendTimeDate => Value::Text(&self.send_time_date),
            _ => return None,
        })
    }

    /// Reads a frame for which the content type does not matter.
    pub(super) fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Chat, Reason> {
        Ok(Chat {
            content_type: content_type(fields).unwrap_or(ContentType::TEXT),
            message: fields.message(limits.message_bytes)?,
            message_id: fields.text(Field::MessageId)?,
            receive_sign: fields.text(Field::ReceiveSign)?,
            receive_user_id: fields.text(Field::ReceiveUserId)?,
            send_time_ms: fields.unchecked_integer(Field::SendTime),
            send_time_date: fields.unchecked_text(Field::SendTimeDate),
        })
    }

    /// Reads a message that a client sends: receiver, content and unique id
    /// must be there (gyyx.md Q4-8).
    pub(super) fn read_send(
        fields: &Fields<'_>,
        base: &Base,
        limits: &Limits,
    ) -> Result<Chat, Reason> {
        let mut chat = Chat::read(fields, limits)?;
        chat.content_type = content_type(fields)?;
        fields.demand(Field::ReceiveUserId, !chat.receive_user_id.is_empty())?;
        fields.demand(Field::Message, !chat.message.text().is_empty())?;
        fields.demand(Field::Unique, !base.unique.is_empty())?;
        Ok(chat)
    }
}

fn content_type(fields: &Fields<'_>) -> Result<ContentType, Reason> {
    let Some(raw) = fields.raw(Field::ContentType) else {
        return Ok(ContentType::TEXT);
    };
    if let Ok(number) = lenient::integer(raw) {
        return Ok(number.map_or(ContentType::TEXT, ContentType));
    }
    lenient::string(raw)
        .ok()
        .flatten()
        .and_then(|name| ContentType::of_name(&name))
        .ok_or(Reason::Unreadable(Field::ContentType))
}

/// What the content of a message is (gyyx.md Q4-9). Numbers without a name
/// are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentType(pub i64);

impl ContentType {
    /// `message` is the text itself. In all others it is JSON.
    pub const TEXT: ContentType = ContentType(1);
    /// A picture.
    pub const IMAGE: ContentType = ContentType(2);
    /// Recorded sound.
    pub const AUDIO: ContentType = ContentType(3);
    /// A film.
    pub const VIDEO: ContentType = ContentType(4);
    /// A file.
    pub const FILE: ContentType = ContentType(5);
    /// A place.
    pub const LOCATION: ContentType = ContentType(6);
    /// A link or a card.
    pub const LINK: ContentType = ContentType(7);
    /// A notice.
    pub const NOTICE: ContentType = ContentType(8);
    /// The record of a call.
    pub const CALL: ContentType = ContentType(9);
    /// The app's own.
    pub const CUSTOM: ContentType = ContentType(99);

    /// The type of this name, English or Chinese, in any case.
    #[must_use]
    pub fn of_name(name: &str) -> Option<ContentType> {
        let name = name.trim().to_lowercase();
        Some(match name.as_str() {
            "text" | "文本" => ContentType::TEXT,
            "image" | "图片" => ContentType::IMAGE,
            "audio" | "语音" => ContentType::AUDIO,
            "video" | "视频" => ContentType::VIDEO,
            "file" | "文件" => ContentType::FILE,
            "location" | "位置" => ContentType::LOCATION,
            "link" | "card" | "链接" | "名片" => ContentType::LINK,
            "notice" | "通知" => ContentType::NOTICE,
            "call" | "通话" => ContentType::CALL,
            "custom" | "自定义" => ContentType::CUSTOM,
            _ => return None,
        })
    }
}

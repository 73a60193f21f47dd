//! Between core and wire. A payload is stored as the body was written, one JSON value, and
//! its tag is the message's type.

use bytes::Bytes;
use crosstalk_core::content::Content;
use crosstalk_core::message::Body;
use crosstalk_wire::lenient::Json;
use crosstalk_wire::wg::{Body as _, Kind, NoticeBody, ToClient, Written};

use crate::content::unknown;

/// The type of a stored message.
pub(super) fn kind(body: &Body) -> Option<Kind> {
    body.tag.parse().ok().map(Kind::of)
}

/// What a payload means.
pub(crate) fn content(body: &Body) -> Content {
    let (Some(kind), Ok(json)) = (kind(body), Json::parse(&body.payload)) else {
        return unknown(&body.payload);
    };
    match kind {
        Kind::Text => Content::text(json.text()),
        Kind::Notice | Kind::TargetNotice => match NoticeBody::read(&json) {
            Ok(notice) => Content::Notice {
                title: notice.title,
                msg: notice.msg,
                target: notice.target,
                service_id: notice.service_id,
            },
            Err(_) => unknown(&body.payload),
        },
        Kind::Custom(code) => {
            let text = json.text();
            let data = serde_json::from_str(&text).unwrap_or_else(|_| text.clone().into());
            Content::Custom {
                tag: code.to_string(),
                data,
            }
        }
        Kind::Register | Kind::SendStatus | Kind::ReceiveStatus => unknown(&body.payload),
    }
}

/// A text payload that says something else.
pub(crate) fn reworded(body: &Body, text: &str) -> Option<Bytes> {
    (kind(body) == Some(Kind::Text)).then(|| Json::string(text).bytes())
}

/// The body of a wg message as it was written; `None` if it cannot be one.
pub(super) fn own(body: &Body) -> Option<ToClient> {
    let json = Json::parse(&body.payload).ok()?;
    match kind(body)? {
        Kind::Text => Some(ToClient::Text(json)),
        Kind::Notice => Written::read(json).ok().map(ToClient::Notice),
        Kind::TargetNotice => Written::read(json).ok().map(ToClient::TargetNotice),
        Kind::ReceiveStatus => Written::read(json).ok().map(ToClient::ReceiveStatus),
        Kind::SendStatus => {
            let body = crosstalk_wire::wg::StatusBody::read(&json).ok()?;
            Some(ToClient::SendStatus(body))
        }
        Kind::Custom(code) => Some(ToClient::Custom(code, json)),
        Kind::Register => None,
    }
}

/// What wg clients are shown of content from elsewhere (interop.md G.3); `None` if nothing.
/// `is_claimed` says which types of their own applications use.
pub(super) fn shown(content: &Content, is_claimed: impl Fn(i64) -> bool) -> Option<ToClient> {
    Some(match content {
        Content::Text { text, reply, .. } => match reply {
            Some(reply) => said(&format!("「{}」\n— —\n{text}", reply.text)),
            None => said(text),
        },
        Content::Link {
            title,
            text,
            url,
            app,
            ..
        } => {
            let app = app.as_deref().map(|app| app.id.as_str());
            notice(title, text, Some(url), app.filter(|id| !id.is_empty()))
        }
        Content::Notice {
            title,
            msg,
            target,
            service_id,
        } => notice(title, msg, target.as_deref(), service_id.as_deref()),
        Content::Tip { text } => notice("系统消息", text, None, None),
        Content::Call {
            duration_s: 0,
            action,
            media,
            room,
            ..
        } => call(action, media, room)?,
        Content::Custom { tag, data } => match tag.parse() {
            Ok(code) if is_claimed(code) => {
                let text = data
                    .as_str()
                    .map_or_else(|| data.to_string(), str::to_owned);
                ToClient::Custom(code, Json::string(&text))
            }
            _ => said(&content.fallback_text()),
        },
        Content::Command { .. } => return None,
        Content::Image { .. }
        | Content::Audio { .. }
        | Content::Video { .. }
        | Content::File { .. }
        | Content::Location { .. }
        | Content::Card { .. }
        | Content::Call { .. }
        | Content::Merged { .. }
        | Content::Unknown { .. } => said(&content.fallback_text()),
    })
}

fn said(text: &str) -> ToClient {
    ToClient::Text(Json::string(text))
}

/// A notice: 3003 with a target, 3001 without.
pub(super) fn notice(
    title: &str,
    msg: &str,
    target: Option<&str>,
    service_id: Option<&str>,
) -> ToClient {
    let body = Written::new(NoticeBody {
        title: title.to_owned(),
        msg: msg.to_owned(),
        target: target.map(str::to_owned),
        service_id: service_id.map(str::to_owned),
    });
    if target.is_some() {
        ToClient::TargetNotice(body)
    } else {
        ToClient::Notice(body)
    }
}

/// What is shown of a call that these clients cannot take part in (interop.md G.4).
fn call(action: &str, media: &str, room: &str) -> Option<ToClient> {
    let title = if media == "audio" {
        "语音通话"
    } else {
        "视频通话"
    };
    match action {
        "invite" => {
            let target = format!("call:{room}");
            Some(notice(title, "邀请你通话", Some(&target), Some(room)))
        }
        "cancel" => Some(notice(title, "对方已取消", None, Some(room))),
        "timeout" => Some(notice(title, "未接来电", None, Some(room))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

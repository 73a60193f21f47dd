//! What only the server says: each dialect has names by which its clients know what the server
//! tells them. Users send no commands that are called so, whatever their receivers speak, and
//! what they have sent is never told as if the server said it.

use crosstalk_core::content::Content;
use crosstalk_core::message::{Body, Origin};
use memchr::memmem;
use serde_json::Value;

use crate::content::meaning;
use crate::registry;

/// Whether clients of some dialect know by this name what the server tells. Some do not look
/// at the case.
pub(crate) fn is_reserved(cmd: &str) -> bool {
    registry::told().any(|name| name.eq_ignore_ascii_case(cmd.trim()))
}

/// Whether a body, if a user has sent it, passes for what only the server says, or the
/// application. What names no command is not read.
#[must_use]
pub fn is_the_servers(body: &Body) -> bool {
    if body.flags.by_application || body.origin == Origin::CHANGE {
        return false;
    }
    if body.origin == Origin::REST {
        return match rest(body) {
            Some(Content::Command { cmd, .. }) => is_reserved(&cmd),
            Some(Content::Tip { .. }) => true,
            _ => false,
        };
    }
    registry::command(body).is_some_and(|cmd| is_reserved(&cmd))
}

/// A command or a tip of REST's.
fn rest(body: &Body) -> Option<Content> {
    let says = |kind: &[u8]| memmem::find(&body.payload, kind).is_some();
    (says(b"\"command\"") || says(b"\"tip\"")).then(|| meaning(body))
}

/// Whether a message passes for what the server tells, and a user has sent it.
#[cfg(any(feature = "mqtt", feature = "stomp", feature = "wukong"))]
pub(crate) fn is_forged(message: &crosstalk_core::message::Message) -> bool {
    !message.sender.uid.is_system() && is_the_servers(message.shown())
}

/// What a message means that a user has sent: a tip of theirs is words of theirs, and a command
/// that passes for the server's says nothing.
pub(crate) fn said_by_a_user(content: Content) -> Content {
    match content {
        Content::Tip { text } => Content::text(text),
        Content::Command { cmd, .. } if is_reserved(&cmd) => Content::Command {
            cmd: String::new(),
            param: Value::Null,
        },
        other => other,
    }
}

#[cfg(all(test, feature = "mqtt", feature = "wukong"))]
mod tests;

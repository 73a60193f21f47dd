//! The CMDs by which clients know what the server tells (wukong-client.md Q1-3), and what they
//! take for a CMD.

use crosstalk_core::message::Body;
use memchr::memmem;
use serde_json::Value;

/// The payload type of a CMD.
const CMD: &str = "99";

/// Their names: nobody but the server and the application says them.
pub(crate) const NAMES: &[&str] = &[
    "channelUpdate",
    "conversationDelete",
    "friendAccept",
    "friendDeleted",
    "friendRefuse",
    "friendRequest",
    "groupMemberRequest",
    "memberUpdate",
    "messageDelete",
    "messageRevoke",
    "onlineStatus",
    "syncConversationExtra",
    "syncMessageExtra",
    "syncMessageReaction",
    "syncPinnedMessage",
    "syncReminders",
    "typing",
    "unreadClear",
];

/// The CMD that clients take a payload for: whichever `type` of several they look at, and
/// however its number is written. What has no `cmd` in it, escaped or not, is not read.
pub(crate) fn command(body: &Body) -> Option<String> {
    let payload = &body.payload[..];
    let says = |bytes: &[u8]| memmem::find(payload, bytes).is_some();
    if !says(b"cmd") && !says(b"\\u00") {
        return None;
    }
    let json: Value = serde_json::from_slice(payload).ok()?;
    let cmd = json.get("cmd")?.as_str()?;
    let is_cmd = match json.get("type") {
        Some(Value::Number(kind)) => kind.as_f64() == CMD.parse().ok(),
        Some(Value::String(kind)) => kind.trim() == CMD,
        _ => false,
    };
    (is_cmd || &*body.tag == CMD).then(|| cmd.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: &str, payload: &'static str) -> Option<String> {
        command(&Body {
            tag: tag.into(),
            payload: payload.into(),
            ..Body::default()
        })
    }

    #[test]
    fn a_cmd_is_known_however_it_is_written() {
        for (tag, payload) in [
            ("99", r#"{"type":99,"cmd":"x"}"#),
            ("99.0", r#"{"type":99.0,"cmd":"x"}"#),
            ("99", r#"{"type":"99","cmd":"x"}"#),
            ("1", r#"{"type":1,"type":99,"cmd":"x"}"#),
            ("99", r#"{"type":99,"type":1,"cmd":"x"}"#),
            ("99", r#"{"type":99,"\u0063md":"x"}"#),
        ] {
            assert_eq!(read(tag, payload).as_deref(), Some("x"), "{payload}");
        }
        for (tag, payload) in [
            ("1", r#"{"type":1,"content":"cmd"}"#),
            ("101", r#"{"type":101,"cmd":"x"}"#),
            ("99", r#"{"type":99}"#),
            ("", "cmd"),
        ] {
            assert_eq!(read(tag, payload), None, "{payload}");
        }
    }

    /// Each CMD of the page on this dialect is one.
    #[test]
    fn what_the_server_tells_is_reserved() {
        let page = include_str!("../../../../docs/dialects/wukong.md");
        let (_, table) = page.split_once("| cmd | members").expect("the table");
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let names = rows.filter_map(|row| row.split('`').nth(1));
        let mut count = 0;
        for name in names {
            assert!(NAMES.contains(&name), "{name}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}

//! By which types of BACKGROUND clients know what the server tells (mqtt.md Q3-10, Q3-11), and
//! what they take for one.

use crosstalk_core::message::Body;
use crosstalk_wire::mqtt::im::background::Background;
use crosstalk_wire::mqtt::im::{MsgType, TypeValue, read};

/// Their names: nobody but the server and the application says them. What clients ask the
/// server for may be called the same: it goes to nobody else.
pub(crate) const NAMES: &[&str] = &[
    "conversation",
    "delete",
    "edit",
    "error",
    "friend",
    "group",
    "kick",
    "pin",
    "presence",
    "reaction",
    "read",
    "received",
    "revoke",
    "sync",
    "typing",
];

/// The type of a BACKGROUND that is no call.
pub(crate) fn command(body: &Body) -> Option<String> {
    if TypeValue::from_tag(&body.tag).meaning() != MsgType::Background {
        return None;
    }
    let background: Background = read(&body.payload).ok()?;
    background.as_call().is_none().then_some(background.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each type of the page on this dialect is one.
    #[test]
    fn what_the_server_tells_is_reserved() {
        let page = include_str!("../../../../docs/dialects/mqtt.md");
        let (_, table) = page.split_once("| type (and event)").expect("the table");
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut count = 0;
        for row in rows {
            let name = row.split('`').nth(1).expect("a name");
            let name = name.split(' ').next().unwrap_or_default();
            assert!(NAMES.contains(&name), "{name}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}

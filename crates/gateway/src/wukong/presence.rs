//! Who comes and goes, as the CMD `onlineStatus` (wukong-client.md Q1-3, interop.md G.2). It
//! stands in no log: whoever is away asks when they come.

use std::sync::Arc;

use crosstalk_core::channel::{ChannelKey, ChannelRef, LogKind};
use crosstalk_core::id::ChannelNum;
use crosstalk_core::message::{Body, Flags, Message};
use crosstalk_core::session::{Notice, Session};
use serde_json::{Value, json};

use crate::registry::WUKONG_ORIGIN;

/// The payload type of a CMD.
const CMD: u64 = 99;

/// What a session is told of somebody's presence, as a message of theirs; nothing of what is
/// no presence.
pub(super) fn online_status(notice: &Notice, to: &Session) -> Option<Message> {
    let Notice::Presence {
        user,
        is_online,
        status,
        device_flag,
        id,
        at_ms,
        ..
    } = notice
    else {
        return None;
    };
    let param = param(user.uid.as_str(), *is_online, *device_flag, status);
    let payload = json!({"type": CMD, "cmd": "onlineStatus", "param": param});
    Some(Message {
        id: *id,
        channel: Arc::new(ChannelRef {
            num: ChannelNum(0),
            key: ChannelKey::direct(&to.realm, &to.user.uid, &user.uid),
            log: LogKind::Command,
        }),
        seq: 0,
        ordinal: 0,
        sender: user.clone(),
        sent_at_ms: *at_ms,
        body: Arc::new(Body {
            origin: WUKONG_ORIGIN,
            flags: Flags {
                no_persist: true,
                command: true,
                by_application: true,
                ..Flags::default()
            },
            payload: serde_json::to_vec(&payload).unwrap_or_default().into(),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    })
}

/// Clients of the ecosystem read `online` with the device, or `all_offline`, which is only
/// there when nobody is, with the main device.
fn param(uid: &str, is_online: bool, device_flag: u8, status: &str) -> Value {
    let mut param = json!({
        "uid": uid,
        "online": u8::from(is_online),
        "device_flag": device_flag,
        "main_device_flag": device_flag,
        "status": status,
    });
    if !is_online {
        param["all_offline"] = 1.into();
    }
    param
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_documented() {
        let page = include_str!("../../../../docs/dialects/wukong.md");
        let row = page
            .lines()
            .find(|line| line.starts_with("| `onlineStatus`"))
            .expect("a row");
        for is_online in [true, false] {
            let param = param("bob", is_online, 0, "");
            for member in param.as_object().expect("an object").keys() {
                assert!(row.contains(&format!("`{member}`")), "{member}");
            }
        }
    }
}

//! Messages on their way out.

use std::sync::atomic::{AtomicU64, Ordering};

use crosstalk_wire::wukong::binary::{Flags, Setting};
use serde_json::json;

/// A message to send. Sending the same value again is a re-send: it keeps its client number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The channel; in direct chats the peer's uid.
    pub channel_id: String,
    /// The kind of channel.
    pub channel_type: u8,
    /// The client's idempotency id.
    pub client_msg_no: String,
    /// Header flags.
    pub flags: Flags,
    /// Setting byte.
    pub setting: Setting,
    /// Lifetime in seconds, 0 for ever.
    pub expire_secs: u32,
    /// On the wire only with the topic bit.
    pub topic: String,
    /// What is said, before encryption.
    pub payload: Vec<u8>,
}

impl Outgoing {
    /// Bytes to a channel, with a client number of their own, counting as unread.
    #[must_use]
    pub fn bytes(channel_id: &str, channel_type: u8, payload: impl Into<Vec<u8>>) -> Outgoing {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Outgoing {
            channel_id: channel_id.to_owned(),
            channel_type,
            client_msg_no: format!("no-{number}"),
            flags: Flags {
                red_dot: true,
                ..Flags::default()
            },
            setting: Setting::default(),
            expire_secs: 0,
            topic: String::new(),
            payload: payload.into(),
        }
    }

    /// A text to a channel, as SDKs write it.
    #[must_use]
    pub fn text(channel_id: &str, channel_type: u8, text: &str) -> Outgoing {
        let payload = json!({"type": 1, "content": text}).to_string();
        Outgoing::bytes(channel_id, channel_type, payload)
    }

    /// A text to a user.
    #[must_use]
    pub fn direct(uid: &str, text: &str) -> Outgoing {
        Outgoing::text(uid, 1, text)
    }

    /// A text to a group.
    #[must_use]
    pub fn group(id: &str, text: &str) -> Outgoing {
        Outgoing::text(id, 2, text)
    }

    /// The same under another client number.
    #[must_use]
    pub fn numbered(mut self, client_msg_no: &str) -> Outgoing {
        client_msg_no.clone_into(&mut self.client_msg_no);
        self
    }

    /// The same, not to be stored.
    #[must_use]
    pub fn no_persist(mut self) -> Outgoing {
        self.flags.no_persist = true;
        self
    }

    /// The same, not counting as unread.
    #[must_use]
    pub fn no_red_dot(mut self) -> Outgoing {
        self.flags.red_dot = false;
        self
    }

    /// The same with a setting byte.
    #[must_use]
    pub fn setting(mut self, bits: u8) -> Outgoing {
        self.setting = Setting(bits);
        self
    }
}

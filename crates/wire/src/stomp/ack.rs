//! Acknowledgements: what a subscription asks for, and what an ACK or NACK
//! names, which each version does differently (stomp-sockjs-wire.md §1.7).

use super::{Command, Frame, FrameError, Headers, Version};

/// The `ack` header of SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AckMode {
    /// A message that was written counts as taken.
    #[default]
    Auto,
    /// An ACK takes its message and all before it.
    Client,
    /// An ACK takes its message only.
    ClientIndividual,
}

impl AckMode {
    /// The mode as SUBSCRIBE writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            AckMode::Auto => "auto",
            AckMode::Client => "client",
            AckMode::ClientIndividual => "client-individual",
        }
    }

    /// The mode that SUBSCRIBE writes as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<AckMode> {
        [AckMode::Auto, AckMode::Client, AckMode::ClientIndividual]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }

    /// Whether messages of such a subscription wait for an ACK.
    #[must_use]
    pub const fn waits(self) -> bool {
        !matches!(self, AckMode::Auto)
    }
}

/// Which message an ACK or NACK is about.
///
/// A server that gives every MESSAGE of an acknowledging subscription its
/// `message-id` as `ack` too finds it by one key in all versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AckKey {
    /// 1.2: the value of the MESSAGE's `ack`.
    Ack(String),
    /// 1.0 and 1.1: the MESSAGE's `message-id`; in 1.1 also the subscription
    /// that it came by.
    MessageId {
        /// The MESSAGE's `message-id`.
        message_id: String,
        /// The subscription; always there in 1.1.
        subscription: Option<String>,
    },
}

impl AckKey {
    /// Reads what an ACK or NACK of `version` names. Headers of other
    /// versions are passed over: clients of 1.2 send `subscription` too.
    ///
    /// # Errors
    ///
    /// When a header is missing.
    pub fn read(
        command: Command,
        headers: &Headers,
        version: Version,
    ) -> Result<AckKey, FrameError> {
        let need = |header| {
            headers
                .get(header)
                .map(str::to_owned)
                .ok_or(FrameError::MissingHeader { command, header })
        };
        Ok(match version {
            Version::V1_2 => AckKey::Ack(need("id")?),
            Version::V1_1 => AckKey::MessageId {
                message_id: need("message-id")?,
                subscription: Some(need("subscription")?),
            },
            Version::V1_0 => AckKey::MessageId {
                message_id: need("message-id")?,
                subscription: headers.get("subscription").map(str::to_owned),
            },
        })
    }

    /// The key for acknowledging a MESSAGE with these headers; `None` where
    /// the version's header is missing, which in 1.2 means that nothing waits
    /// for an ACK.
    #[must_use]
    pub fn of_message(headers: &Headers, version: Version) -> Option<AckKey> {
        let get = |name| headers.get(name).map(str::to_owned);
        Some(match version {
            Version::V1_2 => AckKey::Ack(get("ack")?),
            Version::V1_1 => AckKey::MessageId {
                message_id: get("message-id")?,
                subscription: Some(get("subscription")?),
            },
            Version::V1_0 => AckKey::MessageId {
                message_id: get("message-id")?,
                subscription: get("subscription"),
            },
        })
    }

    /// The id that the server gave the message, whatever header carried it.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            AckKey::Ack(id) => id,
            AckKey::MessageId { message_id, .. } => message_id,
        }
    }

    /// The subscription, where the version names it.
    #[must_use]
    pub fn subscription(&self) -> Option<&str> {
        match self {
            AckKey::Ack(_) => None,
            AckKey::MessageId { subscription, .. } => subscription.as_deref(),
        }
    }

    pub(super) fn write(&self, frame: Frame) -> Frame {
        match self {
            AckKey::Ack(id) => frame.with("id", id),
            AckKey::MessageId {
                message_id,
                subscription,
            } => frame
                .with_some("subscription", subscription.as_deref())
                .with("message-id", message_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().copied().collect()
    }

    #[test]
    fn each_version_names_the_message_its_own_way() {
        let all = headers(&[("id", "a"), ("message-id", "m"), ("subscription", "s")]);
        let key =
            |version| AckKey::read(Command::Ack, &all, version).expect("all headers are there");
        let old = AckKey::MessageId {
            message_id: "m".into(),
            subscription: Some("s".into()),
        };
        assert_eq!(key(Version::V1_2), AckKey::Ack("a".into()));
        assert_eq!(key(Version::V1_1), old);
        assert_eq!(key(Version::V1_0), old);
        assert_eq!((old.id(), old.subscription()), ("m", Some("s")));
        assert_eq!(key(Version::V1_2).id(), "a");
    }

    #[test]
    fn each_version_requires_its_own_headers() {
        let missing = |header| {
            Err(FrameError::MissingHeader {
                command: Command::Nack,
                header,
            })
        };
        let read = |pairs: &[_], version| {
            AckKey::read(Command::Nack, &headers(pairs), version).map(|key| key.id().to_owned())
        };
        let message_id = ("message-id", "m");
        assert_eq!(read(&[message_id], Version::V1_2), missing("id"));
        assert_eq!(read(&[message_id], Version::V1_1), missing("subscription"));
        assert_eq!(read(&[("id", "a")], Version::V1_1), missing("message-id"));
        assert_eq!(read(&[("id", "a")], Version::V1_0), missing("message-id"));
        assert_eq!(read(&[message_id], Version::V1_0), Ok("m".into()));
    }

    #[test]
    fn the_key_of_a_message_is_the_key_of_its_ack() {
        let message = headers(&[("subscription", "s"), ("message-id", "m"), ("ack", "a")]);
        for version in Version::ALL {
            let key = AckKey::of_message(&message, version).expect("the message has an ack");
            let frame = key.write(Frame::new(Command::Ack));
            let read = AckKey::read(frame.command, &frame.headers, version);
            assert_eq!(read, Ok(key));
        }
        assert_eq!(AckKey::of_message(&headers(&[]), Version::V1_2), None);
    }

    #[test]
    fn every_mode_is_found_by_its_name() {
        for mode in [AckMode::Auto, AckMode::Client, AckMode::ClientIndividual] {
            assert_eq!(AckMode::parse(mode.as_str()), Some(mode));
            assert_eq!(mode.waits(), mode != AckMode::default());
        }
        assert_eq!(AckMode::parse("Client"), None);
    }
}

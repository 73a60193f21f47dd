//! Writing: every frame that leaves goes through here (S4-5), and lists leave in portions.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use crosstalk_core::message::Message;
use crosstalk_wire::gyyx::{Chat, Outgoing, Style, ToClient, encode_to_client, list};

use crate::protocol::Out;

/// Frames of lists that are written in one go, bytes; and what an array holds at most, beside
/// one frame.
pub(super) const PORTION_BYTES: usize = 256 * 1024;

/// Writes a frame.
pub(super) fn say(frame: &Outgoing, style: Style, out: &mut Out) {
    let written = out.frame(|bytes| {
        encode_to_client(frame, style, bytes);
        Ok::<(), Infallible>(())
    });
    match written {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// What the messages of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 140.
    Push,
    /// 162.
    History,
    /// 1170.
    First,
}

impl Kind {
    /// A frame's content.
    pub(super) fn body(self, chat: Chat) -> ToClient {
        match self {
            Self::Push => ToClient::Push(chat),
            Self::History => ToClient::HistoryMessage(chat),
            Self::First => ToClient::FirstMessage(chat),
        }
    }
}

/// A list on its way to the client.
pub(super) struct List {
    pub(super) kind: Kind,
    /// The `unique` of all of its frames.
    pub(super) unique: Arc<str>,
    pub(super) messages: VecDeque<Arc<Message>>,
    /// What follows it.
    pub(super) end: Option<Outgoing>,
}

/// Frames as the `message` of one, whose other fields are those of the first (gyyx.md Q4-12).
pub(super) fn array(frames: &[Outgoing], style: Style, kind: Kind) -> Option<Outgoing> {
    let first = frames.first()?;
    let message = list(frames, style);
    let chat = match &first.body {
        ToClient::Push(chat) | ToClient::HistoryMessage(chat) | ToClient::FirstMessage(chat) => {
            chat.clone()
        }
        _ => Chat::default(),
    };
    Some(Outgoing {
        base: first.base.clone(),
        body: kind.body(Chat { message, ..chat }),
    })
}

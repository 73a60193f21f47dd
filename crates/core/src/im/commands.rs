//! Command logs for clients that ask instead of being told: what a reader has not taken yet of
//! the logs that its user may read. How far a reader is, is kept like what a device was given.

use super::Im;
use crate::channel::LogKind;
use crate::delivered::{
    DeviceKey, Given, OFFERED_MS, PER_LOG, Stretch, WaitingQuery, position_before,
};
use crate::id::MessageId;
use crate::message::Message;
use crate::refusal::Refusal;

/// Entries that are read at once.
const PAGE: u32 = 500;
/// Their bytes, and those of an answer, which may have one entry more.
const PAGE_BYTES: usize = 4 << 20;
/// Pages that one question reads at most; it is answered with what was found by then.
const MAX_PAGES: usize = 32;

/// Entries of command logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// Ascending by id, over all of the user's channels.
    pub messages: Vec<Message>,
    /// Whoever takes these has everything up to here.
    pub through: MessageId,
}

impl Im {
    /// The oldest entries of command logs that a reader has not taken, at most `limit` of those
    /// that are wanted: from the user's own log and those of their channels, as far as they
    /// may read them, for 30 days. They stay until they are taken
    /// ([`take_commands`](Self::take_commands)).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn commands(
        &self,
        reader: &DeviceKey,
        limit: u32,
        wanted: impl Fn(&Message) -> bool + Send,
    ) -> Result<Commands, Refusal> {
        let limit = limit.max(1) as usize;
        let given = self.stores.devices.given(reader).await?.unwrap_or_default();
        let head = self.parts.positions.head();
        let mut found = Commands {
            messages: Vec::new(),
            through: position_before(self.parts.clock.now_ms() - OFFERED_MS),
        };
        let (mut bytes, mut passed_over) = (0, 0);
        for _ in 0..MAX_PAGES {
            let missing = given.missing(found.through, head);
            let Some(last) = missing.last().map(|last| last.hi) else {
                found.through = found.through.max(head);
                break;
            };
            let query = WaitingQuery {
                per_log: PER_LOG,
                messages: PAGE,
                bytes: PAGE_BYTES,
                only: Some(LogKind::Command),
            };
            let page = self
                .stores
                .devices
                .waiting(reader.user, missing, query)
                .await?;
            for message in page.messages {
                if !wanted(&message) {
                    passed_over += 1;
                    continue;
                }
                if found.messages.len() == limit || bytes > PAGE_BYTES {
                    // What was passed over behind the last one is passed over again.
                    found.through = found.messages.last().map_or(found.through, |last| last.id);
                    return Ok(found);
                }
                bytes += message.weight();
                found.messages.push(message);
            }
            found.through = if page.through >= last {
                head
            } else {
                page.through
            };
        }
        // Nobody takes what is nothing; it is not to be passed over each time.
        if found.messages.is_empty() && passed_over >= PAGE {
            self.take_commands(reader, found.through).await?;
        }
        Ok(found)
    }

    /// A reader has everything up to a position. Durable when it returns.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take_commands(
        &self,
        reader: &DeviceKey,
        through: MessageId,
    ) -> Result<(), Refusal> {
        let all = Stretch {
            lo: MessageId(1),
            hi: through,
        };
        let taken = vec![(reader.clone(), Given::stretch(all, []))];
        Ok(self.stores.devices.absorb(taken).await?)
    }
}

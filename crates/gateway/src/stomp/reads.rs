//! Reading: what authors are shown of it, and the reader's own other sessions (stomp.md Q2-22,
//! Q2-30).

use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::change::MessageName;
use crosstalk_core::channel::{Address, ChannelKey};
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::im::HistoryQuery;
use crosstalk_core::message::Message;
use crosstalk_wire::stomp::im::{Event, ReceiptKind, ReceiptNotice, Status};

use super::live::Live;
use super::render::{conversation, named_id};
use super::requests::Asked;
use super::subscriptions::Queue;
use crate::protocol::{Ask, Out, Target, Turn};

/// Readings whose messages are looked up at once; of further ones only the receipt is told.
const MAX_LOOKED_UP: usize = 32;
/// Readings of the session's own that are remembered, and that are held back.
const MAX_OWN: usize = 16;

/// Messages that somebody has read.
pub(super) struct ReadBy {
    messages: Vec<MessageId>,
}

/// That a conversation is read up to a seq, and how much of it is unread.
type Position = (ChannelKey, u64, u64);

/// Readings by this session itself: it is not told of them. The core tells a user's reading to
/// all of their sessions, before or after it answers.
#[derive(Default)]
pub(super) struct OwnReads {
    /// Answered, and not told yet.
    answered: VecDeque<Position>,
    /// Told while an answer was due, with the time, ms since 1970.
    held: Vec<(Position, i64)>,
}

impl Live {
    /// Somebody has read what the user sent.
    pub(super) fn read_by(
        &mut self,
        key: &ChannelKey,
        reader: &str,
        messages: &[MessageName],
        at_ms: i64,
        turn: &mut Turn,
    ) {
        for name in messages.iter().rev() {
            let receipt = ReceiptNotice {
                kind: ReceiptKind::Read,
                message_id: &named_id(name),
                user_id: reader,
                at: at_ms,
            };
            self.tell(Queue::Receipts, &receipt, &mut turn.out);
        }
        let asked: Vec<&MessageName> = messages.iter().filter(|name| name.receipt).collect();
        let seqs = || asked.iter().map(|name| name.seq);
        let (Some(from), Some(to)) = (seqs().min(), seqs().max()) else {
            return;
        };
        let Some(address) = address(key, &self.user.uid) else {
            return;
        };
        if self.requests.asked.len() >= MAX_LOOKED_UP {
            return;
        }
        let query = HistoryQuery {
            from,
            to,
            limit: u32::try_from(to - from + 1).unwrap_or(u32::MAX).min(1_000),
            newest: true,
        };
        let ask = Ask::History(Target::Address(address), query);
        let id = self.requests.ask(ask, turn);
        let messages = asked.iter().map(|name| name.id).collect();
        self.requests
            .asked
            .insert(id, Asked::Read(ReadBy { messages }));
    }

    /// Shows the author what was read.
    pub(super) fn show_read(&mut self, by: &ReadBy, messages: &[Message], out: &mut Out) {
        for message in messages {
            if by.messages.contains(&message.id) {
                self.status(message, Status::Read, out);
            }
        }
    }

    /// The user has read a conversation somewhere.
    pub(super) fn user_read(&mut self, position: Position, at_ms: i64, out: &mut Out) {
        let own = &mut self.own_reads;
        if let Some(at) = own.answered.iter().position(|it| *it == position) {
            own.answered.remove(at);
        } else if self.requests.is_reading() && own.held.len() < MAX_OWN {
            own.held.push((position, at_ms));
        } else {
            self.tell_read(&position, at_ms, out);
        }
    }

    /// The session's own reading is answered.
    pub(super) fn own_read(&mut self, row: Option<&ConversationRow>, out: &mut Out) {
        let own = row.map(|row| (row.channel.key.clone(), row.read_seq, row.unread()));
        let mut is_told = false;
        for (position, at_ms) in std::mem::take(&mut self.own_reads.held) {
            if own.as_ref() == Some(&position) {
                is_told = true;
            } else {
                self.tell_read(&position, at_ms, out);
            }
        }
        let answered = &mut self.own_reads.answered;
        if !is_told && let Some(own) = own {
            answered.push_back(own);
            if answered.len() > MAX_OWN {
                answered.pop_front();
            }
        }
    }

    fn tell_read(&mut self, (key, seq, unread): &Position, at_ms: i64, out: &mut Out) {
        let event = Event::Read {
            conversation_id: conversation(key, &self.user.uid),
            seq: *seq,
            unread: *unread,
        };
        self.event(event, at_ms, out);
    }
}

/// How a user addresses a channel.
fn address(key: &ChannelKey, user: &Uid) -> Option<Address> {
    match key.peer_of(user.as_str()) {
        Some(peer) => Some(Address::direct(&Uid::parse(peer).ok()?)),
        None => Some(Address {
            kind: key.kind,
            id: Arc::clone(&key.id),
        }),
    }
}

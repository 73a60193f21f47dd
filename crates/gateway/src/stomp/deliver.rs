//! What the core tells a session, as MESSAGEs (stomp.md Q2-12, Q2-20, Q2-22, Q2-30).

use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::change::Change;
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::message::Message;
use crosstalk_core::session::Event;
use crosstalk_wire::stomp::im::group_topic;

use super::live::Live;
use super::outbox::To;
use super::personal::Route;
use super::subscriptions::{Place, Queue};
use crate::protocol::Turn;

/// By which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Via {
    /// The topic of its group, if the client has subscribed to it.
    Topic,
    /// The personal queue.
    Personal,
}

impl Live {
    /// Tells everything that waits for the session.
    pub(super) fn deliver(&mut self, events: &mut VecDeque<Event>, turn: &mut Turn) {
        for event in events.drain(..) {
            match event {
                Event::Message(message) => {
                    let id = message.id;
                    let is_own = message.sender.num == self.user.num;
                    self.give(message, turn);
                    if is_own {
                        self.echoed(id, &mut turn.out);
                    }
                }
                Event::Notice(notice) => self.notice(&notice, &mut turn.out),
            }
        }
        // Commands of this turn run when what it says is written.
        self.acknowledge_had(turn);
    }

    /// Gives one message.
    pub(super) fn give(&mut self, message: Arc<Message>, turn: &mut Turn) {
        self.give_via(message, Via::Topic, turn);
    }

    /// Gives one message by a way.
    pub(super) fn give_via(&mut self, message: Arc<Message>, via: Via, turn: &mut Turn) {
        let had = self.give_one(message, via, turn);
        self.had.extend(had);
    }

    /// Gives one message; hands back what the client has with that, or has no use for.
    fn give_one(
        &mut self,
        message: Arc<Message>,
        via: Via,
        turn: &mut Turn,
    ) -> Option<Arc<Message>> {
        if message.is_concealed {
            return Some(message);
        }
        match Change::of(&message) {
            Some(change) => self.change(change, message, via, turn),
            None if message.body.flags.command => {
                self.command(&message, &mut turn.out);
                Some(message)
            }
            None => self.post(message, None, via, turn),
        }
    }

    /// Writes a message where it belongs.
    pub(super) fn post(
        &mut self,
        message: Arc<Message>,
        body: Option<&[u8]>,
        via: Via,
        turn: &mut Turn,
    ) -> Option<Arc<Message>> {
        let key = &message.channel.key;
        if via == Via::Topic && key.kind == ChannelKind::GROUP {
            let place = Place::Group(Arc::clone(&key.id));
            if let Some(subscription) = self.subscriptions.at(&place) {
                let destination = group_topic(&key.id);
                let to = To::Subscription(subscription);
                let out = &mut turn.out;
                let waits = self.outbox.message(&message, body, &destination, to, out);
                return (waits != Some(true)).then_some(message);
            }
        }
        let route = self.personal_route();
        let to = match self.subscriptions.queue(Queue::Messages) {
            Some(subscription) => To::Subscription(subscription),
            None => To::Implicit,
        };
        if matches!(route, Route::Explicit | Route::Implicit) {
            let destination = Queue::Messages.destination();
            let out = &mut turn.out;
            let waits = self.outbox.message(&message, body, destination, to, out);
            if route == Route::Explicit {
                // What cannot be written would only come again.
                return (waits != Some(true)).then_some(message);
            }
        }
        // What has no place yet comes as what was written to the implicit subscription does.
        self.not_for_good(message, route != Route::Nowhere)
    }

    /// What is not stored is gone with this; the rest is kept.
    fn not_for_good(&mut self, message: Arc<Message>, is_written: bool) -> Option<Arc<Message>> {
        if message.seq == 0 {
            return Some(message);
        }
        self.keep(message, is_written);
        None
    }

    /// True while it is not clear where the personal queue goes.
    pub(super) fn is_undecided(&self) -> bool {
        self.personal_route() == Route::Later
    }
}

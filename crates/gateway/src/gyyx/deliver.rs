//! What is pushed: messages as 140, changes as 192 and 199, friends as 200 and 210
//! (gyyx.md Q4-8, Q4-17, Q4-24, Q4-28).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use crosstalk_core::change::{Change, ChannelName, EditedBody, MessageName};
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::message::Message;
use crosstalk_core::session::{Event, Notice};
use crosstalk_wire::gyyx::{
    Base, Chat, ContentType, Field, FieldSet, Fill, Friend, Outgoing, Shared, ToClient, Zone,
};
use crosstalk_wire::lenient::Json;

use super::live::Live;
use super::outbox::{PORTION_BYTES, say};
use super::unacked::Given;
use super::view::{named_id, receiver, seen, shown};
use crate::content::meaning;
use crate::protocol::{Command, Now, Turn};

/// What is not the same for all receivers of a message. The version is each receiver's own
/// only where the message has none.
const HOLES: FieldSet = FieldSet::of(&[Field::AppId, Field::ReceiveUserId]);

thread_local! {
    /// The message that this thread has pushed last, ready for its next receiver.
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

struct Last {
    message: Arc<Message>,
    zone: Zone,
    frame: Option<Shared>,
}

impl Live {
    /// Takes events for the client. What it is not shown counts as given.
    pub(super) fn deliver(&mut self, events: &mut VecDeque<Event>, now: Now, turn: &mut Turn) {
        let mut done = Vec::new();
        for event in events.drain(..) {
            match event {
                Event::Message(message) => {
                    if let Some(change) = Change::of(&message) {
                        self.changed(&message, &change, now, turn);
                        done.push(message);
                    } else if self.push(&message, turn) && message.seq > 0 {
                        let unique = None;
                        self.unacked.given(Given { message, unique }, now.mono_ms);
                    } else {
                        done.push(message);
                    }
                }
                Event::Notice(notice) => self.noticed(&notice, now, turn),
            }
        }
        if !done.is_empty() {
            turn.commands.push(Command::Acknowledge(done));
        }
    }

    /// Writes a message as a 140; false if it is nothing for this client.
    fn push(&self, message: &Arc<Message>, turn: &mut Turn) -> bool {
        let own = self.own();
        let zone = self.behaviour.zone;
        let receive_user_id = receiver(
            &message.channel.key,
            message.sender.uid.as_str(),
            own.user_id,
        );
        let fill = Fill {
            style: self.style,
            app_id: own.app_id,
            receive_user_id: &receive_user_id,
            version: own.version,
            ..Fill::default()
        };
        LAST.with_borrow_mut(|last| {
            let is_it = |last: &Last| Arc::ptr_eq(&last.message, message) && last.zone == zone;
            if !last.as_ref().is_some_and(is_it) {
                *last = Some(Last {
                    message: Arc::clone(message),
                    zone,
                    frame: shared(message, zone),
                });
            }
            let Some(frame) = last.as_ref().and_then(|last| last.frame.as_ref()) else {
                return false;
            };
            let written = turn.out.frame(|out| {
                frame.put(&fill, out);
                Ok::<(), Infallible>(())
            });
            match written {
                Ok(()) => true,
                Err(never) => match never {},
            }
        })
    }

    /// Gives again what is due, as much as is written in one go; the rest stays due.
    pub(super) fn push_again(&mut self, now: Now, turn: &mut Turn) {
        while turn.out.bytes().len() < PORTION_BYTES
            && let Some(Given { message, unique }) = self.unacked.due(now.mono_ms)
        {
            let Some(unique) = unique else {
                self.push(&message, turn);
                continue;
            };
            if let Some(mut seen) = seen(&message, self.own(), self.behaviour.zone) {
                seen.base.unique = (&*unique).into();
                let frame = Outgoing {
                    base: seen.base,
                    body: ToClient::Push(seen.chat),
                };
                say(&frame, self.style, &mut turn.out);
            }
        }
    }

    fn changed(&mut self, message: &Message, change: &Change, now: Now, turn: &mut Turn) {
        let beside = &message.channel.key;
        match change {
            Change::Revoked { message, by, at_ms } | Change::Deleted { message, by, at_ms } => {
                self.unacked.taken_back(message.id);
                self.requests.forget(message.id);
                let base = self.unasked(now);
                self.revoked(base, beside, message, (by.as_deref(), *at_ms), turn);
            }
            Change::Read {
                channel,
                reader,
                messages,
                at_ms,
                ..
            } => {
                let Some(newest) = messages.first() else {
                    return;
                };
                let chat = Chat {
                    message_id: named_id(newest),
                    receive_user_id: self.author_of(beside, channel),
                    ..self.blank(*at_ms)
                };
                let mut base = self.unasked(now);
                base.user_id.clone_from(reader);
                self.say(base, ToClient::ReadDone(chat), turn);
            }
            Change::Expired { messages, at_ms } => {
                for message in messages {
                    self.unacked.taken_back(message.id);
                    self.requests.forget(message.id);
                    let base = self.unasked(now);
                    self.revoked(base, beside, message, (None, *at_ms), turn);
                }
            }
            Change::Edited {
                message: name,
                body,
                at_ms,
                ..
            } => self.edited(message, name, body, *at_ms, turn),
            // The user's own devices ask for totals by themselves.
            Change::Unread { .. } | Change::Conversation { .. } => {}
            // The dialect has no words for these; of members, tips tell (interop.md G.2, G.6).
            Change::Left { .. }
            | Change::Reacted { .. }
            | Change::Pinned { .. }
            | Change::Typing { .. }
            | Change::Hidden { .. }
            | Change::ChannelCreated { .. }
            | Change::ChannelUpdated { .. }
            | Change::ChannelDissolved { .. }
            | Change::Joined { .. }
            | Change::Departed { .. }
            | Change::MemberChanged { .. }
            | Change::JoinRequest { .. }
            | Change::FriendRequest { .. }
            | Change::Friend { .. }
            | Change::Blocked { .. }
            | Change::Profile { .. } => {}
        }
    }

    /// A 140 of its own says what a message says now (interop.md G.2).
    fn edited(
        &self,
        entry: &Message,
        name: &MessageName,
        body: &EditedBody,
        at_ms: i64,
        turn: &mut Turn,
    ) {
        if body.payload.is_empty() {
            // The message is gone: another entry says so.
            return;
        }
        let own = self.own();
        let said = meaning(&body.shown(name));
        let key = &entry.channel.key;
        let base = Base {
            app_id: own.app_id.to_owned(),
            timestamp_ms: at_ms,
            unique: entry.id.to_string().into(),
            user_id: shown(&name.sender).to_owned(),
            version: own.version.to_owned(),
            ..Base::default()
        };
        let chat = Chat {
            content_type: ContentType::TEXT,
            message: Json::string(&format!("[编辑] {}", said.fallback_text())),
            message_id: named_id(name),
            receive_user_id: receiver(key, &name.sender, own.user_id),
            ..Chat::at(at_ms, self.behaviour.zone)
        };
        self.say(base, ToClient::Push(chat), turn);
    }

    /// `receiveUserId` of a 199 for the author of what was read: the author, or the group.
    fn author_of(&self, beside: &ChannelKey, channel: &ChannelName) -> String {
        let own = self.user.uid.as_str();
        let key = channel.key(beside);
        receiver(&key, "", own)
    }

    /// 192; 191 for the author of what somebody else has taken back. Who does it is answered.
    fn revoked(
        &self,
        mut base: Base,
        key: &ChannelKey,
        message: &MessageName,
        (by, at_ms): (Option<&str>, i64),
        turn: &mut Turn,
    ) {
        let own = self.user.uid.as_str();
        let is_author = message.sender == own;
        if is_author && by == Some(own) {
            return;
        }
        let chat = Chat {
            message_id: named_id(message),
            receive_user_id: receiver(key, &message.sender, own),
            ..self.blank(at_ms)
        };
        if is_author {
            return self.say(base, ToClient::Recalled(chat), turn);
        }
        base.user_id = shown(&message.sender).to_owned();
        self.say(base, ToClient::RecalledByPeer(chat), turn);
    }

    fn noticed(&mut self, notice: &Notice, now: Now, turn: &mut Turn) {
        // The others were not asked for.
        let Notice::Presence {
            user,
            is_online,
            is_turn: true,
            ..
        } = notice
        else {
            return;
        };
        let friend = Friend {
            friend_user_id: user.uid.as_str().to_owned(),
            is_online: *is_online,
        };
        let base = self.unasked(now);
        let body = match is_online {
            true => ToClient::FriendOnline(friend),
            false => ToClient::FriendOffline(friend),
        };
        self.say(base, body, turn);
    }
}

/// A message for all of its receivers; nothing if it is not shown.
fn shared(message: &Message, zone: Zone) -> Option<Shared> {
    let seen = seen(message, crosstalk_wire::gyyx::Own::default(), zone)?;
    let holes = match seen.base.version.is_empty() {
        true => HOLES.with(&[Field::Version]),
        false => HOLES,
    };
    let frame = Outgoing {
        base: seen.base,
        body: ToClient::Push(seen.chat),
    };
    Some(Shared::new(&frame, holes))
}

//! Messages of the client's: 130, and the 131, 132, 133 or 10 that answers each (gyyx.md Q4-8,
//! Q4-10, Q4-11).

use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::message::Accepted;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Refused, SendReply, Ticket};
use crosstalk_wire::gyyx::{Chat, ChatRight, Code, ToClient};

use super::live::{Asked, Live};
use super::map;
use super::reasons::send_code;
use super::view::message_id;
use crate::protocol::{Answer, Ask, Command, Now, Turn};

/// A message that waits for the core's word.
pub(super) struct Sent {
    ticket: Ticket,
    asked: Asked,
    chat: Chat,
    /// Its chat signature counts, or is not asked for.
    has_right: bool,
    /// The client gave it a name.
    is_named: bool,
}

/// A message that was accepted, whose name is looked up.
pub(super) struct Unnamed {
    asked: Asked,
    chat: Chat,
    accepted: Accepted,
}

impl Live {
    /// 130: the core decides.
    pub(super) fn send(&mut self, mut asked: Asked, mut chat: Chat, now: Now, turn: &mut Turn) {
        let has_right = self.has_right(&chat, now);
        let draft = match map::draft(&asked.base, &chat, has_right) {
            Ok(draft) => draft,
            Err(why) => return self.refuse(&asked, why, now, turn),
        };
        asked.shrink(Some(&mut chat.message));
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        let to: Arc<str> = chat.receive_user_id.as_str().into();
        self.sends.push_back(Sent {
            ticket,
            asked,
            chat,
            has_right,
            is_named: draft.body.name.is_some(),
        });
        turn.commands.push(Command::SendTo(ticket, to, draft));
    }

    /// Whether the chat signature counts, or is not asked for (gyyx.md Q4-11).
    fn has_right(&self, chat: &Chat, now: Now) -> bool {
        let Some(secret) = &self.chat_secret else {
            return true;
        };
        let right = ChatRight {
            app_id: &self.app_id,
            user_id: self.user.uid.as_str(),
            receive_user_id: &chat.receive_user_id,
        };
        let now_secs = now.wall_ms.div_euclid(1000);
        right
            .check(secret.as_bytes(), &chat.receive_sign, now_secs)
            .is_ok()
    }

    /// The core's word on a message.
    pub(super) fn reply(&mut self, ticket: Ticket, reply: SendReply, now: Now, turn: &mut Turn) {
        let Some(sent) = self.sends.pop_front() else {
            return;
        };
        debug_assert_eq!(
            sent.ticket, ticket,
            "answers come in the order of the commands"
        );
        if self.sends.is_empty() {
            self.sends = VecDeque::new();
        }
        match reply {
            // Whether it has the name that was asked for, the core knows; and a retry has the
            // name that it had the first time.
            Ok(accepted) if sent.is_named || !accepted.is_new => {
                let name = accepted.id.to_string();
                let id = self.requests.look_up(Unnamed {
                    asked: sent.asked,
                    chat: sent.chat,
                    accepted,
                });
                let ask = Ask::Find { name, within: None };
                turn.commands.push(Command::Ask(id, ask));
            }
            Ok(accepted) => {
                let id = accepted.id.to_string();
                self.sent(
                    &sent.asked,
                    self.as_sent(sent.chat, id, accepted),
                    now,
                    turn,
                );
            }
            Err(refused) => self.not_sent(sent, refused, now, turn),
        }
        self.flow(now, turn);
    }

    /// What a message is called that was accepted.
    pub(super) fn named(&mut self, unnamed: Unnamed, answer: Answer, now: Now, turn: &mut Turn) {
        let Unnamed {
            asked,
            chat,
            accepted,
        } = unnamed;
        let id = match answer {
            Answer::Message(Ok(message)) => {
                let body = &message.body;
                message_id(message.id, body.origin, body.name.as_deref())
            }
            _ => accepted.id.to_string(),
        };
        self.sent(&asked, self.as_sent(chat, id, accepted), now, turn);
    }

    /// A message with what the server has given it.
    fn as_sent(&self, chat: Chat, message_id: String, accepted: Accepted) -> Chat {
        Chat {
            message_id,
            send_time_ms: accepted.sent_at_ms,
            send_time_date: self.behaviour.zone.text(accepted.sent_at_ms),
            ..chat
        }
    }

    /// 30 and 131.
    fn sent(&self, asked: &Asked, chat: Chat, now: Now, turn: &mut Turn) {
        self.received_first(asked, now, turn);
        self.answer(asked, ToClient::Sent(chat), now, turn);
    }

    /// 132, 133 or 10. The first two have the fields of the request.
    fn not_sent(&mut self, sent: Sent, refused: Refused, now: Now, turn: &mut Turn) {
        let Sent {
            asked,
            chat,
            has_right,
            ..
        } = sent;
        let chat = Chat {
            send_time_ms: now.wall_ms,
            send_time_date: self.behaviour.zone.text(now.wall_ms),
            ..chat
        };
        // The only fault that is found here.
        if !has_right && refused.why == Refusal::Forbidden {
            return self.answer(&asked, ToClient::SignExpired(chat), now, turn);
        }
        match send_code(refused.why) {
            Code::Sensitive => self.answer(&asked, ToClient::Sensitive(chat), now, turn),
            _ => self.refuse(&asked, refused.why, now, turn),
        }
    }
}

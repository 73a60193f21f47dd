//! Small bodies on the user's own queues: errors, events, receipts (stomp.md Q2-11, Q2-22,
//! Q2-30).

use crosstalk_core::content::Content;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Notice;
use crosstalk_wire::stomp::im::{
    Code, Event, FailedSend, QueueError, ReceiptKind, ReceiptNotice, Status, Submitted, Timed,
};
use serde::Serialize;

use super::live::Live;
use super::outbox::To;
use super::reasons::failure;
use super::render::{conversation, message_id, view};
use super::subscriptions::Queue;
use crate::content::content;
use crate::protocol::{Now, Out};
use crate::reserved::is_forged;

impl Live {
    /// Writes a body to a queue, if the client has subscribed to it.
    pub(super) fn tell<T: Serialize>(&mut self, queue: Queue, body: &T, out: &mut Out) {
        let Some(subscription) = self.subscriptions.queue(queue).cloned() else {
            return;
        };
        match serde_json::to_vec(body) {
            Ok(body) => {
                self.outbox
                    .body(queue, To::Subscription(&subscription), &body, out);
            }
            Err(error) => tracing::error!(%error, "a body of our own is no JSON"),
        }
    }

    /// Tells of an event.
    pub(super) fn event(&mut self, event: Event<'_>, at_ms: i64, out: &mut Out) {
        self.tell(Queue::Events, &Timed { event, at: at_ms }, out);
    }

    /// Tells that a request was refused.
    pub(super) fn error(&mut self, error: &QueueError<'_>, out: &mut Out) {
        self.tell(Queue::Errors, error, out);
    }

    /// Gives a message back that was refused (stomp.md Q2-11).
    pub(super) fn failed(
        &mut self,
        submitted: &Submitted,
        code: Code,
        reason: &str,
        now: Now,
        out: &mut Out,
    ) {
        let failed = FailedSend {
            submitted,
            app_id: &self.app,
            from_id: self.user.uid.as_str(),
            at_ms: now.wall_ms,
            code,
            reason,
        };
        let body = failed.message().to_json();
        self.personal(body, out);
        let error = QueueError {
            code,
            message: reason,
            destination: None,
        };
        self.error(&error, out);
    }

    /// As [`failed`](Self::failed), for a reason of the core's.
    pub(super) fn refused(&mut self, submitted: &Submitted, why: Refusal, now: Now, out: &mut Out) {
        let (code, reason) = failure(why);
        self.failed(submitted, code, reason, now, out);
    }

    /// Tells what is told of to those who are there.
    pub(super) fn notice(&mut self, notice: &Notice, out: &mut Out) {
        match notice {
            Notice::Delivered { message, by, at_ms } => {
                let receipt = ReceiptNotice {
                    kind: ReceiptKind::Delivered,
                    message_id: &message_id(message),
                    user_id: by.uid.as_str(),
                    at: *at_ms,
                };
                self.tell(Queue::Receipts, &receipt, out);
                if message.body.flags.receipt {
                    self.status(message, Status::Delivered, out);
                }
            }
            Notice::Presence {
                user,
                is_online,
                status,
                at_ms,
                ..
            } => {
                let user_id = user.uid.as_str();
                let event = if *is_online {
                    Event::Online { user_id, status }
                } else {
                    Event::Offline { user_id }
                };
                self.event(event, *at_ms, out);
            }
            // The dialect has no words for these: a NACK is the receiver's own affair.
            Notice::Rejected { .. } | Notice::Handed { .. } => {}
        }
    }

    /// Shows the author a message again, with what has become of it (stomp.md Q2-22).
    pub(super) fn status(&mut self, message: &Message, status: Status, out: &mut Out) {
        if message.revoked.is_some() {
            return;
        }
        let app = self.app.clone();
        let mut view = view(message, &app);
        view.status = status;
        let body = view.to_json();
        self.personal(body, out);
    }

    /// A command of another dialect's, as an event (interop.md G.3). What is no command is
    /// nothing to this dialect.
    pub(super) fn command(&mut self, message: &Message, out: &mut Out) {
        let Content::Command { cmd, param } = content(message) else {
            return;
        };
        if is_forged(message) {
            return;
        }
        let body = serde_json::json!({
            "event": cmd,
            "at": message.sent_at_ms,
            "fromId": super::render::shown(message.sender.uid.as_str()),
            "conversationId": conversation(&message.channel.key, &self.user.uid),
            "param": param,
        });
        self.tell(Queue::Events, &body, out);
    }
}

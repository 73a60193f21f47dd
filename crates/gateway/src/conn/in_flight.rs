//! Commands that wait for their answer, so that answers leave in the order of the commands.

use std::collections::VecDeque;

use crosstalk_core::session::{SendReply, Ticket};

/// Commands in flight, oldest first.
#[derive(Default)]
pub(crate) struct InFlight {
    waiting: VecDeque<(Ticket, Option<SendReply>)>,
}

impl InFlight {
    /// Notes a command; its ticket is the last one's successor.
    pub(crate) fn issued(&mut self, ticket: Ticket) {
        self.waiting.push_back((ticket, None));
    }

    /// Notes an answer.
    pub(crate) fn answered(&mut self, ticket: Ticket, reply: SendReply) {
        let Some((first, _)) = self.waiting.front() else {
            return;
        };
        let at = usize::try_from(ticket.0.wrapping_sub(first.0)).unwrap_or(usize::MAX);
        if let Some(slot) = self.waiting.get_mut(at) {
            slot.1 = Some(reply);
        }
    }

    /// The next answer in order, if it is there.
    pub(crate) fn next(&mut self) -> Option<(Ticket, SendReply)> {
        let (ticket, reply) = *self.waiting.front()?;
        let reply = reply?;
        self.waiting.pop_front();
        Some((ticket, reply))
    }

    /// How many commands wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosstalk_core::id::MessageId;
    use crosstalk_core::message::Accepted;

    #[test]
    fn answers_leave_in_the_order_of_the_commands() {
        let ok = |seq| {
            Ok(Accepted {
                id: MessageId(1),
                seq,
                sent_at_ms: 0,
                is_new: true,
            })
        };
        let mut flight = InFlight::default();
        (5..8).for_each(|n| flight.issued(Ticket(n)));
        flight.answered(Ticket(6), ok(6));
        assert_eq!(flight.next(), None);
        flight.answered(Ticket(5), ok(5));
        assert_eq!(flight.next(), Some((Ticket(5), ok(5))));
        assert_eq!(flight.next(), Some((Ticket(6), ok(6))));
        assert_eq!(flight.next(), None);
        flight.answered(Ticket(99), ok(9));
        assert_eq!(flight.len(), 1);
    }
}

//! What a client has asked for.

use super::*;
use crate::session::{Delivery, Notice, Offline};

fn puller(limits: MailboxLimits) -> Mailbox {
    let delivery = Delivery::plain(Offline::Pull, true);
    Mailbox::new(limits, delivery, Unwritten::new(usize::MAX))
}

fn handed(count: usize) -> Notice {
    Notice::Handed {
        count,
        more: false,
        through: None,
    }
}

#[test]
fn what_is_handed_comes_in_order_with_the_notice_behind_it() {
    let mailbox = puller(MailboxLimits::default());
    let log = channel(1);
    let page: Vec<_> = [5, 6].map(|id| placed(&log, id, 1)).into();
    mailbox.inner.lock().record.pulled(&page);
    let messages: Vec<_> = page.into_iter().map(Arc::new).collect();
    mailbox.hand(&messages, handed(2));
    let drained = mailbox.drain(false);
    let told: Vec<_> = drained
        .events
        .iter()
        .map(|event| match event {
            Event::Message(message) => message.id.0,
            Event::Notice(_) => 0,
        })
        .collect();
    assert_eq!(told, [5, 6, 0]);
    // Each is to be acknowledged once, though it was pulled and handed.
    mailbox.acknowledge(&[MessageId(5), MessageId(6)]);
    assert_eq!(mailbox.given(MessageId(9)).unacked().count(), 0);
}

#[test]
fn who_does_not_take_what_it_was_handed_is_handed_no_more() {
    let mailbox = puller(MailboxLimits {
        items: 2,
        ..MailboxLimits::default()
    });
    assert!(mailbox.may_be_handed());
    let log = channel(1);
    let messages: Vec<_> = (1..=3).map(|id| Arc::new(placed(&log, id, 1))).collect();
    mailbox.hand(&messages, handed(3));
    assert!(!mailbox.may_be_handed());
    assert_eq!(
        mailbox.drain(false).events.len(),
        4,
        "nothing of it is lost"
    );
    assert!(mailbox.may_be_handed());
    mailbox.close();
    assert!(!mailbox.may_be_handed());
    mailbox.hand(&messages, handed(3));
    assert!(mailbox.drain(false).events.is_empty());
}

#[test]
fn what_is_not_wanted_yet_is_kept_for_another_question_within_bounds() {
    let mailbox = puller(MailboxLimits::default());
    let (one, other) = (channel(1), channel(2));
    let mixed = [(&one, 1), (&other, 2), (&one, 3), (&one, 4)];
    mailbox.set_aside(mixed.map(|(log, id)| Arc::new(placed(log, id, 1))).into());
    let of = |log: &Arc<ChannelRef>, limit| {
        let num = log.num;
        let (taken, more) = mailbox.take_aside(limit, |message| message.channel.num == num);
        let ids: Vec<_> = taken.iter().map(|message| message.id.0).collect();
        (ids, more)
    };
    assert_eq!(of(&one, 2), (vec![1, 3], true));
    assert_eq!(of(&one, 2), (vec![4], false));
    assert_eq!(of(&one, 2), (vec![], false));
    assert_eq!(of(&other, 2), (vec![2], false));
    let many = (0..2_000).map(|id| Arc::new(placed(&one, id, 1)));
    mailbox.set_aside(many.collect());
    assert_eq!(of(&one, usize::MAX).0.len(), 1_000, "the oldest stay");
    assert_eq!(mailbox.inner.lock().aside.bytes(), 0);
}

//! How a session gets what was sent while its device was away, and goes over to live
//! messages.

use super::*;
use crate::delivered::Waiting;

const ROOMY: MailboxLimits = MailboxLimits {
    items: 64,
    bytes: 1 << 20,
    gaps: 4,
};

/// A session to which things are pushed, from position 10 on.
fn pushed() -> Mailbox {
    let mailbox = mailbox(ROOMY, true, Offline::Push);
    let cursor = Cursor {
        given: Arc::default(),
        floor: MessageId(10),
        at: MessageId(10),
    };
    mailbox.begin_backlog(cursor, false);
    mailbox
}

fn cursor(mailbox: &Mailbox) -> Cursor {
    match mailbox.backlog() {
        Backlog::At(cursor) => cursor,
        other => panic!("no place: {other:?}"),
    }
}

fn page(channel: &Arc<ChannelRef>, ids: impl IntoIterator<Item = i64>, through: i64) -> Waiting {
    let message = |id: i64| placed(channel, id, id.unsigned_abs());
    Waiting {
        messages: ids.into_iter().map(message).collect(),
        through: MessageId(through),
    }
}

fn given(mailbox: &Mailbox, through: i64) -> (Vec<(i64, i64)>, Vec<i64>) {
    shown(&mailbox.given(MessageId(through)))
}

#[test]
fn live_messages_follow_what_was_sent_before() {
    let (mailbox, one, two) = (pushed(), channel(1), channel(2));
    assert_eq!(
        give(&mailbox, &one, 31, 31),
        Push::Missed,
        "it is in the log"
    );
    assert!(mailbox.drain(false).behind);
    assert!(mailbox.wants_page());
    assert!(mailbox.join());
    // Sent while the log is read: one is in the page as well, the other after it.
    assert_eq!(give(&mailbox, &one, 32, 32), Push::Queued);
    assert_eq!(give(&mailbox, &two, 34, 1), Push::Queued);
    let unseen = mailbox.drain(false);
    assert!(unseen.behind && unseen.events.is_empty());
    let read = cursor(&mailbox);
    mailbox.push_page(&read, page(&one, [20, 31, 32], 33), Some(MessageId(33)));
    // Handed out late by another lane; it stands in the page.
    assert_eq!(give(&mailbox, &one, 32, 32), Push::Queued);
    let drained = mailbox.drain(false);
    assert_eq!(ids(&drained), [20, 31, 32, 34]);
    assert!(!drained.behind && !mailbox.wants_page());
    assert_eq!(give(&mailbox, &two, 35, 2), Push::Queued);
    assert_eq!(ids(&mailbox.drain(false)), [35]);
    mailbox.acknowledge(&[20, 31, 34].map(MessageId));
    assert_eq!(given(&mailbox, 40), (vec![(11, 40)], vec![32, 35]));
    assert_eq!(given(&mailbox, 5), (vec![(11, 33)], vec![32]));
}

#[test]
fn a_page_that_is_not_the_last_leaves_live_messages_to_the_next() {
    let (mailbox, one) = (pushed(), channel(1));
    assert!(mailbox.join());
    let _ = give(&mailbox, &one, 40, 40);
    let passing = placed(&one, 41, 0);
    let _ = mailbox.push(Event::Message(Arc::new(passing)));
    let read = cursor(&mailbox);
    mailbox.push_page(&read, page(&one, [20, 21], 21), None);
    assert_eq!(given(&mailbox, 50), (vec![(11, 21)], vec![20, 21]));
    let drained = mailbox.drain(false);
    assert_eq!(
        ids(&drained),
        [20, 21, 41],
        "what is not stored is not in the log"
    );
    assert!(drained.behind);
    // A page for a place that was left is not for the next one.
    mailbox.push_page(&read, page(&one, [20, 21], 21), None);
    assert!(mailbox.drain(false).events.is_empty());
    assert!(mailbox.join());
    let read = cursor(&mailbox);
    mailbox.push_page(&read, page(&one, [40], 40), Some(MessageId(40)));
    assert_eq!(ids(&mailbox.drain(false)), [40]);
    assert_eq!(given(&mailbox, 50).0, [(11, 50)]);
}

#[test]
fn joining_waits_for_the_lanes_and_can_begin_anew() {
    let (mailbox, one) = (pushed(), channel(1));
    mailbox.expect(1);
    assert!(!mailbox.join());
    assert_eq!(give(&mailbox, &one, 30, 30), Push::Missed);
    mailbox.entered(MessageId(29));
    assert!(mailbox.join());
    let _ = give(&mailbox, &one, 31, 31);
    // Whoever read the page went away.
    assert!(mailbox.drain(false).behind);
    assert!(mailbox.join());
    let _ = give(&mailbox, &one, 32, 32);
    let read = cursor(&mailbox);
    mailbox.push_page(&read, page(&one, [30, 31], 31), Some(MessageId(31)));
    assert_eq!(ids(&mailbox.drain(false)), [30, 31, 32]);
    assert_eq!(given(&mailbox, 40).0, [(11, 40)]);
}

#[test]
fn a_join_that_failed_holds_again() {
    let (mailbox, one) = (pushed(), channel(1));
    assert!(mailbox.join());
    let _ = give(&mailbox, &one, 30, 30);
    mailbox.hold();
    assert_eq!(give(&mailbox, &one, 31, 31), Push::Missed);
    assert!(mailbox.drain(false).events.is_empty());
    assert_eq!(given(&mailbox, 40).0, []);
}

#[test]
fn what_the_session_sends_meanwhile_is_not_given_to_it() {
    let (mailbox, one) = (pushed(), channel(1));
    let accepted = |id, seq| Accepted {
        id: MessageId(id),
        seq,
        sent_at_ms: 0,
        is_new: true,
    };
    mailbox.reply(Ticket(1), Ok(accepted(21, 21)));
    assert!(mailbox.join());
    let read = cursor(&mailbox);
    let read_page = page(&one, [20, 21, 22], 22);
    mailbox.push_page(&read, read_page, Some(MessageId(22)));
    assert_eq!(ids(&mailbox.drain(false)), [20, 22]);
}

#[test]
fn what_overflows_while_joining_is_read_once() {
    let limits = MailboxLimits { items: 2, ..ROOMY };
    let mailbox = mailbox(limits, true, Offline::Push);
    let one = channel(1);
    let start = Cursor {
        given: Arc::default(),
        floor: MessageId(0),
        at: MessageId(0),
    };
    mailbox.begin_backlog(start, true);
    assert!(mailbox.join());
    for id in 1..=4 {
        let _ = push(&mailbox, &one, id);
    }
    let read = cursor(&mailbox);
    mailbox.push_page(&read, page(&one, [1, 2, 3], 3), Some(MessageId(3)));
    assert_eq!(given(&mailbox, 9), (vec![(1, 3)], vec![1, 2, 3]));
    let drained = mailbox.drain(false);
    assert_eq!(ids(&drained), [1, 2, 3]);
    assert!(drained.behind);
    let gap = mailbox.next_gap().expect("a gap");
    assert_eq!((gap.next, gap.last), (3, 4));
    let read = vec![message(&one, 3), message(&one, 4)];
    mailbox.fill_gap(&gap, read, 5);
    assert_eq!(ids(&mailbox.drain(false)), [4]);
    assert_eq!(given(&mailbox, 9), (vec![(1, 9)], vec![1, 2, 3, 4]));
}

#[test]
fn what_is_pulled_counts_as_given() {
    let mailbox = mailbox(ROOMY, true, Offline::Pull);
    let one = channel(1);
    mailbox.begin(MessageId(50));
    let start = Cursor {
        given: Arc::default(),
        floor: MessageId(10),
        at: MessageId(10),
    };
    mailbox.begin_backlog(start, true);
    let _ = give(&mailbox, &one, 60, 60);
    let _ = mailbox.drain(false);
    let first = page(&one, [20, 21], 21);
    let read = cursor(&mailbox);
    assert!(mailbox.pulled_page(&read, &first.messages, first.through, false));
    assert!(!mailbox.pulled_page(&read, &first.messages, first.through, false));
    assert_eq!(
        given(&mailbox, 60),
        (vec![(11, 21), (51, 60)], vec![20, 21, 60])
    );
    let read = cursor(&mailbox);
    assert!(mailbox.pulled_page(&read, &[], MessageId(50), true));
    mailbox.acknowledge(&[MessageId(20)]);
    assert_eq!(given(&mailbox, 60), (vec![(11, 60)], vec![21, 60]));
    assert!(matches!(mailbox.backlog(), Backlog::Read));
}

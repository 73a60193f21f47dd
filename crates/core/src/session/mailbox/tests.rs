//! Mailboxes: bounds, gaps, healing.

mod backlog;
mod handed;
mod record;

use bytes::Bytes;

use super::*;
use crate::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crate::delivered::Given;
use crate::id::{Realm, Uid, UserNum, UserRef};
use crate::message::{Body, Flags, Origin};

fn channel(num: i64) -> Arc<ChannelRef> {
    let id = format!("g{num}").into();
    let key = ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id,
    };
    Arc::new(ChannelRef {
        num: ChannelNum(num),
        key,
        log: LogKind::Chat,
    })
}

fn message(channel: &Arc<ChannelRef>, seq: u64) -> Message {
    let sender = UserRef {
        num: UserNum(1),
        uid: Uid::from_store("a"),
    };
    let body = Body {
        client_no: "".into(),
        origin: Origin(1),
        tag: "".into(),
        flags: Flags {
            no_persist: seq == 0,
            ..Flags::default()
        },
        expire_secs: 0,
        payload: Bytes::from_static(b"x"),
        extra: None,
        name: None,
        audience: None,
        carried: None,
    };
    Message {
        id: MessageId(i64::try_from(seq).expect("a small number")),
        channel: Arc::clone(channel),
        seq,
        ordinal: seq,
        sender,
        sent_at_ms: 0,
        body: Arc::new(body),
        revoked: None,
        edited: None,
        is_concealed: false,
    }
}

/// A message with an id that is not its seq.
fn placed(channel: &Arc<ChannelRef>, id: i64, seq: u64) -> Message {
    Message {
        id: MessageId(id),
        ..message(channel, seq)
    }
}

fn give(mailbox: &Mailbox, channel: &Arc<ChannelRef>, id: i64, seq: u64) -> Push {
    mailbox.push(Event::Message(Arc::new(placed(channel, id, seq))))
}

fn ids(drained: &Drained) -> Vec<i64> {
    let id = |event: &Event| {
        let Event::Message(message) = event else {
            panic!("a notice");
        };
        message.id.0
    };
    drained.events.iter().map(id).collect()
}

/// Ranges and unacknowledged ids.
fn shown(given: &Given) -> (Vec<(i64, i64)>, Vec<i64>) {
    let ranges = given.ranges().iter().map(|r| (r.lo.0, r.hi.0)).collect();
    (ranges, given.unacked().map(|id| id.0).collect())
}

fn push(mailbox: &Mailbox, channel: &Arc<ChannelRef>, seq: u64) -> Push {
    mailbox.push(Event::Message(Arc::new(message(channel, seq))))
}

fn seqs(drained: &Drained) -> Vec<u64> {
    let seq = |event: &Event| {
        let Event::Message(message) = event else {
            panic!("a notice");
        };
        message.seq
    };
    drained.events.iter().map(seq).collect()
}

fn mailbox(limits: MailboxLimits, acks: bool, offline: Offline) -> Mailbox {
    let delivery = Delivery {
        stable_device: true,
        ..Delivery::plain(offline, acks)
    };
    let mailbox = Mailbox::new(limits, delivery, Unwritten::new(usize::MAX));
    mailbox.begin(MessageId(0));
    mailbox.entered(MessageId(0));
    mailbox
}

fn small() -> Mailbox {
    let limits = MailboxLimits {
        items: 2,
        bytes: 1 << 20,
        gaps: 2,
    };
    mailbox(limits, true, Offline::Pull)
}

#[test]
fn what_does_not_fit_is_read_back_in_order() {
    let (mailbox, one) = (small(), channel(1));
    assert_eq!(push(&mailbox, &one, 1), Push::Queued);
    assert_eq!(push(&mailbox, &one, 2), Push::Queued);
    assert_eq!(push(&mailbox, &one, 3), Push::Missed);
    let drained = mailbox.drain(false);
    assert_eq!(seqs(&drained), [1, 2]);
    assert!(drained.behind);
    // Live messages of this channel stay behind those that were missed.
    assert_eq!(push(&mailbox, &one, 4), Push::Missed);
    let gap = mailbox.next_gap().expect("a gap");
    assert_eq!((gap.next, gap.last), (3, 4));
    assert_eq!(push(&mailbox, &one, 5), Push::Missed);
    mailbox.fill_gap(
        &mailbox.next_gap().expect("a gap"),
        vec![message(&one, 3), message(&one, 4)],
        5,
    );
    let drained = mailbox.drain(false);
    assert_eq!(seqs(&drained), [3, 4]);
    assert!(drained.behind, "5 came meanwhile");
    mailbox.fill_gap(
        &mailbox.next_gap().expect("a gap"),
        vec![message(&one, 5)],
        6,
    );
    assert_eq!(push(&mailbox, &one, 6), Push::Queued, "healed");
    let drained = mailbox.drain(false);
    assert_eq!(seqs(&drained), [5, 6]);
    assert!(!drained.behind);
}

#[test]
fn bytes_are_bounded_too() {
    let limits = MailboxLimits {
        items: 100,
        bytes: 300,
        gaps: 1,
    };
    let mailbox = mailbox(limits, true, Offline::Pull);
    let one = channel(1);
    assert_eq!(push(&mailbox, &one, 1), Push::Queued);
    assert_eq!(push(&mailbox, &one, 2), Push::Missed);
}

#[test]
fn unstored_messages_that_do_not_fit_leave_no_gap() {
    let (mailbox, one) = (small(), channel(1));
    for _ in 0..2 {
        let _ = push(&mailbox, &one, 0);
    }
    assert_eq!(push(&mailbox, &one, 0), Push::Missed);
    assert!(!mailbox.is_behind());
}

#[test]
fn own_sends_are_left_out_of_what_is_read_back() {
    let (mailbox, one) = (small(), channel(1));
    for seq in 1..=3 {
        let _ = push(&mailbox, &one, seq);
    }
    mailbox.note_own(&message(&one, 4));
    let _ = push(&mailbox, &one, 5);
    let _ = mailbox.drain(false);
    mailbox.fill_gap(
        &mailbox.next_gap().expect("a gap"),
        (3..=5).map(|seq| message(&one, seq)).collect(),
        6,
    );
    assert_eq!(seqs(&mailbox.drain(false)), [3, 5]);
}

#[test]
fn a_forgotten_gap_is_not_filled_by_what_was_read_for_it() {
    let (mailbox, one) = (small(), channel(1));
    for seq in 1..=3 {
        let _ = push(&mailbox, &one, seq);
    }
    let _ = mailbox.drain(false);
    let read = mailbox.next_gap().expect("a gap");
    mailbox.forget_gap(one.num);
    mailbox.fill_gap(&read, vec![message(&one, 3)], 4);
    assert!(
        seqs(&mailbox.drain(false)).is_empty(),
        "it left the channel"
    );
    // It comes back and falls behind again: the old page is not for the new gap.
    for seq in 10..=12 {
        let _ = push(&mailbox, &one, seq);
    }
    mailbox.fill_gap(&read, vec![message(&one, 3)], 4);
    assert_eq!(seqs(&mailbox.drain(false)), [10, 11]);
}

#[test]
fn too_many_gaps_end_the_session() {
    let mailbox = small();
    let channels: Vec<_> = (1..=4).map(channel).collect();
    let _ = push(&mailbox, &channels[0], 1);
    let _ = push(&mailbox, &channels[0], 2);
    for channel in &channels[1..] {
        assert_eq!(push(&mailbox, channel, 1), Push::Missed);
    }
    assert_eq!(mailbox.drain(false).ending, Some(Ending::TooSlow));
}

#[test]
fn a_held_mailbox_gives_answers_but_no_events() {
    let (mailbox, one) = (small(), channel(1));
    let _ = push(&mailbox, &one, 1);
    mailbox.reply(
        Ticket(1),
        Err(Refused {
            id: MessageId(1),
            why: Refusal::Blocked,
        }),
    );
    let drained = mailbox.drain(true);
    assert_eq!((drained.replies.len(), drained.events.len()), (1, 0));
    assert_eq!(seqs(&mailbox.drain(false)), [1]);
}

#[test]
fn a_closed_mailbox_takes_nothing() {
    let (mailbox, one) = (small(), channel(1));
    mailbox.end(Ending::Kicked);
    mailbox.end(Ending::ShuttingDown);
    assert_eq!(
        mailbox.drain(false).ending,
        Some(Ending::Kicked),
        "the first one counts"
    );
    mailbox.close();
    assert_eq!(push(&mailbox, &one, 1), Push::Closed);
    assert!(mailbox.next_gap().is_none());
}

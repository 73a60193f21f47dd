//! What a session's device was given through it.

use std::time::Duration;

use tokio::time::timeout;

use super::*;

const ROOMY: MailboxLimits = MailboxLimits {
    items: 1024,
    bytes: 1 << 20,
    gaps: 4,
};

fn acking() -> Mailbox {
    mailbox(ROOMY, true, Offline::Pull)
}

fn given(mailbox: &Mailbox, through: i64) -> (Vec<(i64, i64)>, Vec<i64>) {
    shown(&mailbox.given(MessageId(through)))
}

fn ack(mailbox: &Mailbox, ids: &[i64]) {
    let ids: Vec<_> = ids.iter().copied().map(MessageId).collect();
    mailbox.acknowledge(&ids);
}

#[test]
fn what_waits_and_what_is_not_acknowledged_is_not_delivered() {
    let (mailbox, one) = (acking(), channel(1));
    for seq in 1..=3 {
        let _ = push(&mailbox, &one, seq);
    }
    assert_eq!(given(&mailbox, 3), (vec![(1, 3)], vec![1, 2, 3]));
    let _ = mailbox.drain(false);
    assert_eq!(given(&mailbox, 3), (vec![(1, 3)], vec![1, 2, 3]));
    let _ = push(&mailbox, &one, 4);
    ack(&mailbox, &[2, 77, 2]);
    assert_eq!(given(&mailbox, 9), (vec![(1, 9)], vec![1, 3, 4]));
    // What was not handed out to everybody is not claimed, whatever came of it here.
    assert_eq!(given(&mailbox, 2), (vec![(1, 2)], vec![1]));
    ack(&mailbox, &[3, 1]);
    assert_eq!(given(&mailbox, 9), (vec![(1, 9)], vec![4]));
}

#[test]
fn without_acknowledgements_what_was_written_is_delivered() {
    let (mailbox, one) = (mailbox(ROOMY, false, Offline::Pull), channel(1));
    let _ = push(&mailbox, &one, 1);
    let _ = mailbox.drain(false);
    assert_eq!(given(&mailbox, 1), (vec![(1, 1)], vec![1]), "perhaps lost");
    let _ = push(&mailbox, &one, 2);
    let _ = mailbox.drain(false);
    assert_eq!(given(&mailbox, 2), (vec![(1, 2)], vec![2]));
    mailbox.written();
    assert_eq!(given(&mailbox, 2), (vec![(1, 2)], vec![]));
    let acking = acking();
    let _ = push(&acking, &one, 1);
    let _ = acking.drain(false);
    acking.written();
    assert_eq!(given(&acking, 1), (vec![(1, 1)], vec![1]));
}

#[test]
fn what_is_presumed_delivered_is_so_once_the_session_ends() {
    let (mailbox, one) = (acking(), channel(1));
    for seq in 1..=3 {
        let _ = push(&mailbox, &one, seq);
    }
    let _ = mailbox.drain(false);
    mailbox.presume(true);
    let _ = push(&mailbox, &one, 4);
    let _ = mailbox.drain(false);
    // To whoever takes the device over it is given; written down is only what is certain.
    assert_eq!(given(&mailbox, 4), (vec![(1, 4)], vec![4]));
    let written = mailbox.take_unwritten(MessageId(4)).expect("something");
    assert_eq!(shown(&written), (vec![(1, 4)], vec![1, 2, 3, 4]));
    ack(&mailbox, &[2]);
    assert_eq!(given(&mailbox, 4), (vec![(1, 4)], vec![4]));
    mailbox.settle();
    let written = mailbox.take_unwritten(MessageId(4)).expect("something");
    assert_eq!(
        shown(&written),
        (vec![(1, 4)], vec![4]),
        "4 was not written"
    );
}

#[test]
fn who_acknowledges_after_all_is_not_presumed_to_have_anything() {
    let (mailbox, one) = (acking(), channel(1));
    for seq in 1..=3 {
        let _ = push(&mailbox, &one, seq);
    }
    let _ = mailbox.drain(false);
    mailbox.presume(true);
    mailbox.presume(false);
    ack(&mailbox, &[1]);
    mailbox.settle();
    assert_eq!(given(&mailbox, 3), (vec![(1, 3)], vec![2, 3]));
}

#[test]
fn behind_nothing_is_claimed_from_the_first_that_was_missed() {
    let (mailbox, one, two) = (small(), channel(1), channel(2));
    let _ = give(&mailbox, &one, 10, 1);
    let _ = give(&mailbox, &one, 11, 2);
    assert_eq!(give(&mailbox, &one, 14, 3), Push::Missed);
    let _ = mailbox.drain(false);
    // Another lane was later; its message is there and yet above what is claimed.
    assert_eq!(give(&mailbox, &two, 15, 1), Push::Queued);
    assert_eq!(given(&mailbox, 20), (vec![(1, 13)], vec![10, 11]));
    // One that was handed out late is missed, too, and stands before the first.
    assert_eq!(give(&mailbox, &two, 16, 2), Push::Queued);
    assert_eq!(give(&mailbox, &channel(3), 13, 1), Push::Missed);
    assert_eq!(given(&mailbox, 20), (vec![(1, 12)], vec![10, 11]));
    let _ = mailbox.drain(false);
    for _ in 0..2 {
        let gap = mailbox.next_gap().expect("a gap");
        let (id, next) = if gap.next == 3 { (14, 4) } else { (13, 2) };
        let read = vec![placed(&gap.channel, id, gap.next)];
        mailbox.fill_gap(&gap, read, next);
    }
    assert_eq!(given(&mailbox, 20).0, [(1, 20)], "healed");
    assert_eq!(given(&mailbox, 20).1, [10, 11, 13, 14, 15, 16]);
}

#[test]
fn what_no_gap_remembers_is_never_claimed() {
    let mailbox = small();
    let channels: Vec<_> = (1..=4).map(channel).collect();
    let _ = give(&mailbox, &channels[0], 1, 1);
    let _ = give(&mailbox, &channels[0], 2, 2);
    for (id, channel) in (3..).zip(&channels[1..]) {
        assert_eq!(give(&mailbox, channel, id, 1), Push::Missed);
    }
    let _ = mailbox.drain(false);
    mailbox.forget_gap(ChannelNum(2));
    mailbox.forget_gap(ChannelNum(3));
    assert_eq!(given(&mailbox, 9).0, [(1, 2)]);
}

#[test]
fn nothing_is_claimed_before_the_lanes_know_the_session() {
    let delivery = Delivery {
        stable_device: true,
        ..Delivery::plain(Offline::Pull, true)
    };
    let mailbox = Mailbox::new(ROOMY, delivery, Unwritten::new(usize::MAX));
    mailbox.begin(MessageId(50));
    mailbox.expect(2);
    let _ = give(&mailbox, &channel(1), 52, 1);
    mailbox.entered(MessageId(0));
    mailbox.entered(MessageId(55));
    assert_eq!(given(&mailbox, 60).0, []);
    mailbox.entered(MessageId(53));
    assert_eq!(given(&mailbox, 60).0, [(56, 60)]);
}

#[test]
fn only_what_changed_is_written() {
    let (mailbox, one) = (acking(), channel(1));
    let take = |through| mailbox.take_unwritten(MessageId(through));
    assert_eq!(take(9), None, "nothing was given");
    let _ = push(&mailbox, &one, 1);
    assert_eq!(take(9), None, "it only waits");
    let _ = mailbox.drain(false);
    assert_eq!(shown(&take(9).expect("given")), (vec![(1, 9)], vec![1]));
    assert_eq!(take(9), None);
    ack(&mailbox, &[1]);
    assert_eq!(shown(&take(9).expect("acked")), (vec![(1, 9)], vec![]));
    // What is not covered yet comes with the next one.
    let _ = give(&mailbox, &one, 20, 2);
    let _ = mailbox.drain(false);
    ack(&mailbox, &[20]);
    assert_eq!(shown(&take(15).expect("given")).0, [(1, 15)]);
    assert_eq!(shown(&take(20).expect("not covered")).0, [(1, 20)]);
    assert_eq!(take(20), None);
    mailbox.note_own(&placed(&one, 30, 3));
    assert_eq!(shown(&take(30).expect("sent")).0, [(1, 30)]);
    let _ = give(&mailbox, &one, 31, 4);
    let _ = mailbox.drain(false);
    mailbox.close();
    ack(&mailbox, &[31]);
    assert!(!mailbox.is_unwritten());
    assert_eq!(
        given(&mailbox, 40).0,
        [],
        "what was not acknowledged is forgotten"
    );
}

#[test]
fn of_a_dialect_that_syncs_nothing_is_kept() {
    let (mailbox, one) = (mailbox(ROOMY, true, Offline::Sync), channel(1));
    let _ = push(&mailbox, &one, 1);
    let _ = mailbox.drain(false);
    mailbox.note_own(&message(&one, 2));
    assert!(!mailbox.is_unwritten());
    assert!(given(&mailbox, 1).1.is_empty());
}

#[tokio::test]
async fn many_sessions_with_something_to_write_are_noticed() {
    let unwritten = Unwritten::new(2);
    let delivery = Delivery {
        stable_device: true,
        ..Delivery::plain(Offline::Pull, true)
    };
    let all = [1, 2, 3].map(|_| Mailbox::new(ROOMY, delivery, Arc::clone(&unwritten)));
    let noticed = || async {
        let waiting = timeout(Duration::ZERO, unwritten.too_many());
        waiting.await.is_ok()
    };
    let give = |mailbox: &Mailbox| {
        let _ = push(mailbox, &channel(1), 1);
        let _ = mailbox.drain(false);
    };
    give(&all[0]);
    give(&all[0]);
    assert!(!noticed().await);
    all[0].close();
    give(&all[1]);
    assert!(!noticed().await);
    give(&all[2]);
    assert!(noticed().await);
}

#[test]
fn who_never_acknowledges_is_remembered_within_bounds() {
    let (mailbox, one) = (acking(), channel(1));
    for id in 1..=5000_i64 {
        let _ = give(&mailbox, &one, id, id.unsigned_abs());
        let _ = mailbox.drain(false);
    }
    // 904 had to be forgotten; of the rest the oldest thousand can be remembered.
    let (ranges, unacked) = given(&mailbox, 5000);
    assert_eq!(ranges, [(905, 1904)]);
    assert_eq!(unacked, (905..=1904).collect::<Vec<_>>());
}

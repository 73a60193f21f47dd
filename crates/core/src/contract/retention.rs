//! The log: messages that are dropped because they are old.

use std::sync::Arc;

use super::{EVERYTHING, LogBed, append, group, numbered, store, text};
use crate::channel::{ChannelRef, LogKind};
use crate::id::{MessageId, UserRef};
use crate::log::{AppendOutcome, Head, Retained, RevokeOutcome};
use crate::message::{Body, Flags};

/// Takes steps until nothing is left to do. Returns how many messages went.
///
/// # Panics
/// When a step drops more than it may or does not go on.
async fn retain(bed: &LogBed, before: MessageId, limit: u32) -> u64 {
    let (mut dropped, mut from) = (0, MessageId(0));
    loop {
        let step = bed.log.retain(from, before, limit).await.expect("a step");
        assert!(step.dropped <= u64::from(limit));
        dropped += step.dropped;
        match step.next {
            Some(next) => {
                assert!(next > from || step.dropped == 0, "it goes on");
                from = next;
            }
            None => return dropped,
        }
    }
}

async fn seqs(bed: &LogBed, log: &Arc<ChannelRef>) -> Vec<u64> {
    let found = bed.log.page(log, EVERYTHING).await.expect("a page");
    found.iter().map(|message| message.seq).collect()
}

/// Says something in turn in each log, `rounds` times; every third does not count.
async fn talk(bed: &LogBed, logs: &[&Arc<ChannelRef>], who: &UserRef, rounds: usize) {
    let body = |n: usize| Body {
        flags: Flags {
            counts: !n.is_multiple_of(3),
            ..Flags::default()
        },
        ..numbered(&format!("n-{n}"), "x")
    };
    let batch = (0..rounds).flat_map(|n| logs.iter().map(move |log| append(log, who, body(n))));
    store(&*bed.log, batch.collect()).await;
}

/// Every log loses what is older, and nothing else; heads do not move.
pub async fn what_is_old_goes_from_the_front(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let one = bed.names.channel(&group("one"), LogKind::Chat).await;
    let two = bed.names.channel(&group("two"), LogKind::Chat).await;
    let command = bed.names.channel(&group("one"), LogKind::Command).await;
    talk(bed, &[&one, &two, &command], &alice, 10).await;
    let heads = bed.log.heads(&[one.num, two.num, command.num]).await;
    let heads = heads.expect("heads");
    let all = bed.log.page(&one, EVERYTHING).await.expect("a page");
    // The seventh of the first log stays, and so does all after it: 6 × 3 are older.
    assert_eq!(retain(bed, all[6].id, 4).await, 18);
    for log in [&one, &two, &command] {
        assert_eq!(seqs(bed, log).await, [7, 8, 9, 10]);
    }
    let found = bed.log.page(&one, EVERYTHING).await.expect("a page");
    assert_eq!(found, all[6..]);
    for (message, is_there) in all.iter().zip((0..10).map(|at| at >= 6)) {
        let by_id = bed.log.by_id(message.id).await.expect("by id");
        assert_eq!(by_id.is_some(), is_there, "seq {}", message.seq);
    }
    let still = bed.log.heads(&[one.num, two.num, command.num]).await;
    assert_eq!(still.expect("heads"), heads);
    assert_eq!(retain(bed, all[6].id, 4).await, 0, "nothing is left to do");
    let wanted = [(Arc::clone(&one), 1), (Arc::clone(&two), 9)];
    let newest = bed.log.newest(&wanted, 100).await.expect("newest");
    let newest: Vec<Vec<u64>> = newest
        .iter()
        .map(|found| found.iter().map(|message| message.seq).collect())
        .collect();
    assert_eq!(newest, [vec![7, 8, 9, 10], vec![9, 10]]);
}

/// A log that has lost everything has its head, and goes on from it.
pub async fn an_emptied_log_goes_on(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let silent = bed.names.channel(&group("silent"), LogKind::Chat).await;
    talk(bed, &[&log], &alice, 5).await;
    let last = bed.log.page(&log, EVERYTHING).await.expect("a page")[4].clone();
    let head = Head {
        seq: 5,
        ordinal: last.ordinal,
    };
    assert_eq!(retain(bed, MessageId(last.id.0 + 1), 100).await, 5);
    assert!(seqs(bed, &log).await.is_empty());
    let heads = bed.log.heads(&[log.num, silent.num]).await.expect("heads");
    assert_eq!(heads, [head, Head::default()]);
    let outcome = store(&*bed.log, vec![append(&log, &alice, text("next"))]).await[0];
    let AppendOutcome::Stored {
        id, seq, ordinal, ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!((seq, ordinal), (6, head.ordinal + 1));
    assert!(id > last.id);
    assert_eq!(seqs(bed, &log).await, [6]);
}

/// Number and tombstone of what was dropped are forgotten with it.
pub async fn what_was_dropped_is_forgotten(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let item = |number| append(&log, &alice, numbered(number, "a"));
    store(&*bed.log, vec![item("1"), item("2"), item("3")]).await;
    let all = bed.log.page(&log, EVERYTHING).await.expect("a page");
    for message in &all[..2] {
        bed.log.revoke(message.id, None).await.expect("revoked");
    }
    assert_eq!(retain(bed, all[1].id, 100).await, 1);
    let gone = bed.log.revoke(all[0].id, None).await.expect("an answer");
    assert_eq!(gone, RevokeOutcome::NoMessage);
    let there = bed.log.revoke(all[1].id, None).await.expect("an answer");
    assert!(matches!(there, RevokeOutcome::Before(_)));
    let again = store(&*bed.log, vec![item("1"), item("2"), item("3")]).await;
    assert!(matches!(again[0], AppendOutcome::Stored { seq: 4, .. }));
    assert!(matches!(again[1], AppendOutcome::Duplicate { seq: 2, .. }));
    assert!(matches!(again[2], AppendOutcome::Duplicate { seq: 3, .. }));
}

/// Where there is nothing to drop, it says so at once.
pub async fn nothing_old_nothing_dropped(bed: &LogBed) {
    let done = Retained {
        dropped: 0,
        next: None,
    };
    let first = MessageId(0);
    let empty = bed.log.retain(first, MessageId(i64::MAX), 10).await;
    assert_eq!(empty.expect("a step"), done);
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    talk(bed, &[&log], &alice, 3).await;
    let all = bed.log.page(&log, EVERYTHING).await.expect("a page");
    let nothing = bed.log.retain(first, all[0].id, 10).await;
    assert_eq!(nothing.expect("a step"), done);
    assert_eq!(seqs(bed, &log).await, [1, 2, 3]);
}

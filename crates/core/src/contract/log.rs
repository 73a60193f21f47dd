//! The log: order, contiguity, paging.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::{EVERYTHING, LogBed, append, group, numbered, store, text};
use crate::channel::{ChannelRef, LogKind};
use crate::id::{ChannelNum, MessageId, UserRef};
use crate::log::{Append, AppendOutcome, Head, Log, Page};
use crate::message::{Body, Flags, Message, Naming, Origin};

/// The log's cases (with those of [`retries`](super::retries), [`naming`](super::naming),
/// [`revoking`](super::revoking) and [`retention`](super::retention)), one test each; `make` gives a [`LogBed`].
#[macro_export]
macro_rules! log_contract {
    ($make:path) => {
        $crate::contract_tests!($make, log:
            seqs_are_contiguous_and_ids_rise,
            what_was_written_is_read_back,
            pages_have_two_ends,
            the_newest_of_many_logs_come_at_once,
            heads_come_in_the_order_asked,
            batches_of_one_caller_keep_their_order,
            an_empty_batch_is_answered,
            nobody_has_to_wait_for_the_answer,
            concurrent_appends_lose_nothing,
        );
        $crate::contract_tests!($make, retries:
            the_table_of_reused_numbers,
            retries_in_one_batch,
            one_of_many_concurrent_retries_is_stored,
            many_numbers_are_told_apart,
        );
        $crate::contract_tests!($make, naming:
            names_are_unique_in_their_realm,
            a_retry_keeps_the_name_of_the_first,
            a_number_of_another_sender_is_taken,
            messages_are_found_by_what_they_are_called,
            a_tombstone_keeps_its_name,
            a_directed_message_takes_no_ordinal,
        );
        $crate::contract_tests!($make, revoking:
            a_revoked_message_is_a_tombstone,
            revoking_again_changes_nothing,
            what_is_not_there_is_not_revoked,
            a_retry_of_a_revoked_message_is_a_retry,
        );
        $crate::contract_tests!($make, retention:
            what_is_old_goes_from_the_front,
            an_emptied_log_goes_on,
            what_was_dropped_is_forgotten,
            nothing_old_nothing_dropped,
        );
        $crate::contract_tests!($make, scanning:
            all_logs_are_scanned_in_order,
            a_scan_gives_what_is_there_now,
        );
    };
}

async fn all(log: &dyn Log, channel: &Arc<ChannelRef>) -> Vec<Message> {
    log.page(channel, EVERYTHING).await.expect("a page")
}

/// Each log counts for itself from 1; ids rise over all logs in the order of appending;
/// only counting messages raise the ordinal.
pub async fn seqs_are_contiguous_and_ids_rise(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let command = bed.names.channel(&group("g"), LogKind::Command).await;
    let other = bed.names.channel(&group("h"), LogKind::Chat).await;
    let silent = || Body {
        flags: Flags::default(),
        ..text("silent")
    };
    let mut last = MessageId(0);
    let mut heads: HashMap<ChannelNum, Head> = HashMap::new();
    for round in 0..5 {
        let mut batch = Vec::new();
        for n in 0..7 {
            let log = [&chat, &command, &other][n % 3];
            let body = if (n + round) % 2 == 0 {
                text("counts")
            } else {
                silent()
            };
            batch.push(append(log, &alice, body));
        }
        let outcomes = store(&*bed.log, batch.clone()).await;
        for (item, outcome) in batch.iter().zip(outcomes) {
            let AppendOutcome::Stored {
                id, seq, ordinal, ..
            } = outcome
            else {
                panic!("not stored: {outcome:?}");
            };
            assert!(id > last, "ids rise");
            last = id;
            let head = heads.entry(item.channel.num).or_default();
            let counted = head.ordinal + u64::from(item.body.takes_ordinal());
            *head = Head {
                seq: head.seq + 1,
                ordinal: counted,
            };
            assert_eq!((seq, ordinal), (head.seq, head.ordinal));
        }
    }
    for log in [&chat, &command, &other] {
        let seqs: Vec<u64> = all(&*bed.log, log).await.iter().map(|m| m.seq).collect();
        assert_eq!(seqs, (1..=heads[&log.num].seq).collect::<Vec<_>>());
        let found = bed.log.heads(&[log.num]).await.expect("heads");
        assert_eq!(found, [heads[&log.num]]);
    }
}

/// Every part of a message survives, also where it is empty, long or odd.
pub async fn what_was_written_is_read_back(bed: &LogBed) {
    let zoe = bed.names.user("张三.z-1").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let bodies = [
        text(""),
        Body {
            extra: Some(Bytes::new()),
            ..numbered("n-1", "with empty extra")
        },
        Body {
            origin: Origin(255),
            tag: "类型".into(),
            flags: Flags {
                counts: true,
                receipt: true,
                ..Flags::default()
            },
            expire_secs: 86_400,
            extra: Some(Bytes::from_static(b"{\"a\":1}")),
            ..numbered("号码 \u{1F600}", "x")
        },
        Body {
            payload: Bytes::from(vec![0xff; 300_000]),
            ..text("")
        },
        Body {
            expire_secs: u32::MAX,
            ..text("\0\u{7f}")
        },
    ];
    let batch = bodies
        .iter()
        .map(|body| append(&log, &zoe, body.clone()))
        .collect();
    let outcomes = store(&*bed.log, batch).await;
    let found = all(&*bed.log, &log).await;
    assert_eq!(found.len(), bodies.len());
    for ((message, body), outcome) in found.iter().zip(&bodies).zip(outcomes) {
        let Message {
            id,
            seq,
            ordinal,
            sent_at_ms,
            ..
        } = *message;
        assert_eq!(
            outcome,
            AppendOutcome::Stored {
                id,
                seq,
                ordinal,
                sent_at_ms,
                naming: Naming::default(),
            }
        );
        assert_eq!(*message.body, *body);
        assert_eq!(message.sender, zoe);
        assert_eq!(message.channel, log);
        let again = bed.log.by_id(id).await.expect("by id");
        assert_eq!(again.as_ref(), Some(message));
    }
    assert_eq!(bed.log.by_id(MessageId(1)).await.expect("by id"), None);
}

/// Of each log its own newest, in the order asked; the same log may be asked for twice.
pub async fn the_newest_of_many_logs_come_at_once(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let mut logs = Vec::new();
    for (n, id) in ["none", "one", "many", "some"].into_iter().enumerate() {
        let log = bed.names.channel(&group(id), LogKind::Chat).await;
        let say = |_| append(&log, &alice, text(id));
        store(&*bed.log, (0..[0, 1, 300, 5][n]).map(say).collect()).await;
        logs.push(log);
    }
    let ask = |at: usize, from| (Arc::clone(&logs[at]), from);
    let wanted = [
        ask(3, 1),
        ask(0, 1),
        ask(2, 299),
        ask(1, 1),
        ask(2, 0),
        ask(3, 6),
    ];
    for (limit, expected) in [
        (
            2,
            [
                vec![4, 5],
                vec![],
                vec![299, 300],
                vec![1],
                vec![299, 300],
                vec![],
            ],
        ),
        (1, [vec![5], vec![], vec![300], vec![1], vec![300], vec![]]),
        (0, [vec![], vec![], vec![], vec![], vec![], vec![]]),
    ] {
        let found = bed.log.newest(&wanted, limit).await.expect("newest");
        let seqs = found.iter().map(|of| of.iter().map(|m| m.seq).collect());
        assert_eq!(seqs.collect::<Vec<Vec<u64>>>(), expected, "limit {limit}");
        for ((log, _), messages) in wanted.iter().zip(&found) {
            assert!(messages.iter().all(|message| message.channel == *log));
        }
    }
    let whole = bed
        .log
        .newest(&[ask(2, 1)], u32::MAX)
        .await
        .expect("newest");
    assert_eq!(whole, [all(&*bed.log, &logs[2]).await]);
    assert!(bed.log.newest(&[], 5).await.expect("newest").is_empty());
    // As many as a user may have conversations.
    let many: Vec<_> = (0..2000).map(|n| ask(n % 4, 1)).collect();
    let found = bed.log.newest(&many, 1).await.expect("newest");
    let seqs = found.iter().map(|of| of.last().map_or(0, |m| m.seq));
    assert!(seqs.eq((0..2000).map(|n| [0, 1, 300, 5][n % 4])));
}

/// Pages at and beyond both ends.
pub async fn pages_have_two_ends(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let neighbour = bed.names.channel(&group("h"), LogKind::Chat).await;
    let batch = (0..10)
        .flat_map(|_| [&log, &neighbour])
        .map(|log| append(log, &alice, text("x")));
    store(&*bed.log, batch.collect()).await;
    let cases: &[(u64, u64, u32, bool, &[u64])] = &[
        (1, 10, 3, false, &[1, 2, 3]),
        (1, 10, 3, true, &[8, 9, 10]),
        (0, u64::MAX, 2, true, &[9, 10]),
        (0, u64::MAX, 2, false, &[1, 2]),
        (4, 6, 100, false, &[4, 5, 6]),
        (4, 6, 100, true, &[4, 5, 6]),
        (5, 5, 1, true, &[5]),
        (6, 4, 10, false, &[]),
        (11, 20, 10, false, &[]),
        (9, 20, 10, true, &[9, 10]),
        (1, 10, 0, true, &[]),
        (u64::MAX, u64::MAX, 1, false, &[]),
    ];
    for (from, to, limit, newest, expected) in cases {
        let page = Page {
            from: *from,
            to: *to,
            limit: *limit,
            newest: *newest,
        };
        let found = bed.log.page(&log, page).await.expect("a page");
        let seqs: Vec<u64> = found.iter().map(|m| m.seq).collect();
        assert_eq!(seqs, *expected, "{page:?}");
    }
    let empty = bed.names.channel(&group("empty"), LogKind::Chat).await;
    assert!(all(&*bed.log, &empty).await.is_empty());
}

/// Heads of logs with and without messages, also asked for twice.
pub async fn heads_come_in_the_order_asked(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let one = bed.names.channel(&group("one"), LogKind::Chat).await;
    let two = bed.names.channel(&group("two"), LogKind::Chat).await;
    let none = bed.names.channel(&group("none"), LogKind::Chat).await;
    let silent = Body {
        flags: Flags::default(),
        ..text("")
    };
    let batch = vec![
        append(&one, &alice, text("x")),
        append(&two, &alice, text("x")),
        append(&two, &alice, silent),
    ];
    store(&*bed.log, batch).await;
    let asked = [two.num, none.num, one.num, two.num];
    let found = bed.log.heads(&asked).await.expect("heads");
    let head = |seq, ordinal| Head { seq, ordinal };
    assert_eq!(found, [head(2, 1), head(0, 0), head(1, 1), head(2, 1)]);
    assert!(bed.log.heads(&[]).await.expect("heads").is_empty());
}

/// A caller need not wait for one batch before handing over the next.
pub async fn batches_of_one_caller_keep_their_order(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let mut pending = Vec::new();
    for n in 0..50 {
        let batch = (0..3).map(|m| append(&log, &alice, text(&format!("{}", n * 3 + m))));
        pending.push(
            bed.log
                .append(batch.collect())
                .await
                .expect("the batch is taken"),
        );
    }
    // Whoever waits for the last one first gets it as well.
    for pending in pending.into_iter().rev() {
        assert!(pending.await.iter().all(Result::is_ok));
    }
    let found = all(&*bed.log, &log).await;
    let texts: Vec<_> = found.iter().map(|m| m.body.payload.clone()).collect();
    assert_eq!(
        texts,
        (0..150)
            .map(|n| Bytes::from(n.to_string()))
            .collect::<Vec<_>>()
    );
}

/// No messages, no outcomes.
pub async fn an_empty_batch_is_answered(bed: &LogBed) {
    assert!(store(&*bed.log, Vec::new()).await.is_empty());
}

/// A batch that was taken is appended although its caller has gone.
pub async fn nobody_has_to_wait_for_the_answer(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    drop(
        bed.log
            .append(vec![append(&log, &alice, text("unheard"))])
            .await,
    );
    store(&*bed.log, vec![append(&log, &alice, text("heard"))]).await;
    assert_eq!(all(&*bed.log, &log).await.len(), 2);
}

/// Several writers on the same logs, with readers beside them: each log is contiguous at
/// every moment, ids rise with seqs, each writer's messages keep their order, none is lost.
pub async fn concurrent_appends_lose_nothing(bed: &LogBed) {
    const WRITERS: usize = 6;
    const BATCHES: usize = 30;
    const LOGS: usize = 4;
    let mut logs = Vec::new();
    for n in 0..LOGS {
        logs.push(
            bed.names
                .channel(&group(&format!("g{n}")), LogKind::Chat)
                .await,
        );
    }
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| tokio::spawn(watch(Arc::clone(&bed.log), logs.clone(), Arc::clone(&done))))
        .collect();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let user = bed.names.user(&format!("user{writer}")).await;
        writers.push(tokio::spawn(write(
            Arc::clone(&bed.log),
            logs.clone(),
            user,
            BATCHES,
        )));
    }
    let mut written = 0;
    for writer in writers {
        written += writer.await.expect("a writer");
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.expect("a reader");
    }
    let mut found = 0;
    for log in &logs {
        let messages = all(&*bed.log, log).await;
        found += messages.len();
        let seqs = messages.iter().map(|m| m.seq);
        assert!(seqs.eq(1..=messages.len() as u64), "contiguous from 1");
        assert!(
            messages.is_sorted_by(|a, b| a.id < b.id),
            "ids rise with seqs"
        );
        let mut turns: HashMap<_, Vec<u64>> = HashMap::new();
        for message in &messages {
            let turn = String::from_utf8_lossy(&message.body.payload)
                .parse()
                .expect("a turn");
            turns.entry(message.sender.num).or_default().push(turn);
        }
        assert!(turns.values().all(|turns| turns.is_sorted_by(|a, b| a < b)));
    }
    assert_eq!(found, written);
}

async fn write(
    log: Arc<dyn Log>,
    logs: Vec<Arc<ChannelRef>>,
    user: UserRef,
    batches: usize,
) -> usize {
    let mut turn = 0_usize;
    for batch in 0..batches {
        let size = 1 + (batch * 7) % 20;
        let items: Vec<Append> = (0..size)
            .map(|n| {
                turn += 1;
                append(
                    &logs[(turn + n * n) % logs.len()],
                    &user,
                    text(&turn.to_string()),
                )
            })
            .collect();
        store(&*log, items).await;
    }
    turn
}

async fn watch(log: Arc<dyn Log>, logs: Vec<Arc<ChannelRef>>, done: Arc<AtomicBool>) {
    let mut seen = vec![0; logs.len()];
    while !done.load(Ordering::SeqCst) {
        for (channel, seen) in logs.iter().zip(&mut seen) {
            let head = log.heads(&[channel.num]).await.expect("heads")[0];
            let messages = all(&*log, channel).await;
            assert!(
                messages.iter().map(|m| m.seq).eq(1..=messages.len() as u64),
                "contiguous"
            );
            assert!(
                messages.len() as u64 >= head.seq && head.seq >= *seen,
                "heads never fall"
            );
            *seen = head.seq;
        }
        // A log in memory never waits: without this the writers might get no turn.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod memory {
    use crate::clock::ManualClock;
    use crate::contract::LogBed;
    use crate::id::Snowflake;
    use crate::log::MemoryLog;
    use std::sync::Arc;

    async fn make() -> LogBed {
        let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
        let ids = Arc::new(Snowflake::new(clock.clone(), 1));
        LogBed::alone(Arc::new(MemoryLog::new(ids, clock)))
    }

    crate::log_contract!(make);
}

//! The log: client numbers that come again (data-model.md §4).

use std::sync::Arc;

use super::{LogBed, append, group, numbered, store};
use crate::channel::LogKind;
use crate::log::{Append, AppendOutcome, Page};
use crate::message::{Body, OnReuse, Origin};

/// In order: log, sender, client number (`-` = none), origin, tag (`-` = none), content, what
/// to do with a reused number, what becomes of it. `retry 1` = of the message stored as the
/// first of the table.
const TABLE: &str = "
    chat     alice  1  1  -  a  store   stored
    chat     alice  1  1  -  a  store   retry 1
    chat     alice  1  1  -  a  refuse  retry 1
    chat     alice  1  1  -  b  refuse  conflict
    chat     alice  1  1  -  b  store   stored
    chat     alice  1  1  -  b  store   retry 5
    chat     alice  1  1  -  a  refuse  retry 1
    chat     alice  1  1  t  a  store   stored
    chat     alice  1  1  u  a  refuse  conflict
    chat     alice  1  9  -  a  store   stored
    chat     bob    1  1  -  a  refuse  stored
    chat     bob    1  1  -  a  refuse  retry 11
    other    alice  1  1  -  a  refuse  stored
    command  alice  1  1  -  a  refuse  stored
    chat     alice  2  1  -  a  refuse  stored
    chat     alice  N  1  -  a  refuse  stored
    chat     alice  n  1  -  a  refuse  stored
    chat     alice  -  1  -  a  refuse  stored
    chat     alice  -  1  -  a  refuse  stored
";

/// A number counts within its sender and log, and together with kind and content.
pub async fn the_table_of_reused_numbers(bed: &LogBed) {
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let command = bed.names.channel(&group("g"), LogKind::Command).await;
    let other = bed.names.channel(&group("h"), LogKind::Chat).await;
    let mut places = Vec::new();
    for row in TABLE.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let [
            log,
            sender,
            number,
            origin,
            tag,
            content,
            on_reuse,
            becomes @ ..,
        ] = &columns[..]
        else {
            panic!("{row}");
        };
        let some = |text: &str| {
            if text == "-" {
                String::new()
            } else {
                text.to_owned()
            }
        };
        let body = Body {
            origin: Origin(origin.parse().expect("a number")),
            tag: some(tag).into(),
            ..numbered(&some(number), content)
        };
        let channel = match *log {
            "chat" => &chat,
            "command" => &command,
            _ => &other,
        };
        let mut item = append(channel, &bed.names.user(sender).await, body);
        if *on_reuse == "refuse" {
            item.on_reuse = OnReuse::Refuse;
        }
        let outcome = store(&*bed.log, vec![item]).await[0];
        let (became, place) = match outcome {
            AppendOutcome::Stored {
                id,
                seq,
                sent_at_ms,
                ..
            } => ("stored".to_owned(), Some((id, seq, sent_at_ms))),
            AppendOutcome::Duplicate {
                id,
                seq,
                sent_at_ms,
            } => {
                let first = places
                    .iter()
                    .position(|place| *place == Some((id, seq, sent_at_ms)));
                (format!("retry {}", first.map_or(0, |at| at + 1)), None)
            }
            AppendOutcome::Conflict => ("conflict".to_owned(), None),
        };
        assert_eq!(became, becomes.join(" "), "{row}");
        places.push(place);
    }
}

/// The first of a batch is the one that its retries in the same batch are answered with.
pub async fn retries_in_one_batch(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let mut strict = append(&log, &alice, numbered("1", "other"));
    strict.on_reuse = OnReuse::Refuse;
    let batch = vec![
        append(&log, &alice, numbered("1", "a")),
        append(&log, &alice, numbered("1", "a")),
        strict,
        append(&log, &alice, numbered("2", "a")),
    ];
    let outcomes = store(&*bed.log, batch).await;
    let AppendOutcome::Stored {
        id,
        seq: 1,
        sent_at_ms,
        ..
    } = outcomes[0]
    else {
        panic!("{outcomes:?}");
    };
    assert_eq!(
        outcomes[1],
        AppendOutcome::Duplicate {
            id,
            seq: 1,
            sent_at_ms
        }
    );
    assert_eq!(outcomes[2], AppendOutcome::Conflict);
    assert!(matches!(
        outcomes[3],
        AppendOutcome::Stored {
            seq: 2,
            ordinal: 2,
            ..
        }
    ));
}

/// However many try at once, one is stored and all hear the same.
pub async fn one_of_many_concurrent_retries_is_stored(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let channel = bed.names.channel(&group("g"), LogKind::Chat).await;
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let (log, item) = (
                Arc::clone(&bed.log),
                append(&channel, &alice, numbered("1", "a")),
            );
            tokio::spawn(async move { store(&*log, vec![item]).await[0] })
        })
        .collect();
    let (mut stored, mut ids) = (0, Vec::new());
    for one in tries {
        match one.await.expect("a try") {
            AppendOutcome::Stored { id, .. } => {
                stored += 1;
                ids.push(id);
            }
            AppendOutcome::Duplicate { id, .. } => ids.push(id),
            AppendOutcome::Conflict => panic!("the content was the same"),
        }
    }
    assert_eq!(stored, 1);
    assert!(ids.iter().all(|id| *id == ids[0]));
}

/// Thousands of numbers, then each of them again.
pub async fn many_numbers_are_told_apart(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let channel = bed.names.channel(&group("g"), LogKind::Chat).await;
    let batch = || -> Vec<Append> {
        let body = |n| numbered(&format!("no-{n}"), "a");
        (0..2000)
            .map(|n| append(&channel, &alice, body(n)))
            .collect()
    };
    let first = store(&*bed.log, batch()).await;
    let again = store(&*bed.log, batch()).await;
    for (first, again) in first.iter().zip(again) {
        let AppendOutcome::Stored {
            id,
            seq,
            sent_at_ms,
            ..
        } = *first
        else {
            panic!("{first:?}")
        };
        assert_eq!(
            again,
            AppendOutcome::Duplicate {
                id,
                seq,
                sent_at_ms
            }
        );
    }
    let page = Page {
        from: 1,
        to: u64::MAX,
        limit: 5000,
        newest: false,
    };
    assert_eq!(
        bed.log.page(&channel, page).await.expect("a page").len(),
        2000
    );
}

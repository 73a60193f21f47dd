//! The log: reading it as a whole, in the order in which it was written.

use super::{LogBed, append, group, store, text};
use crate::channel::LogKind;
use crate::id::MessageId;
use crate::log::AppendOutcome;

/// All logs at once, ascending by id, from any point on; each page goes on after the last.
pub async fn all_logs_are_scanned_in_order(bed: &LogBed) {
    assert!(
        bed.log
            .scan(MessageId(0), 9)
            .await
            .expect("a scan")
            .is_empty()
    );
    assert_eq!(bed.log.last_id().await.expect("an id"), MessageId(0));
    let alice = bed.names.user("alice").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let command = bed.names.channel(&group("g"), LogKind::Command).await;
    let other = bed.names.channel(&group("h"), LogKind::Chat).await;
    let logs = [&chat, &other, &command];
    let batch: Vec<_> = (0..20)
        .map(|n| append(logs[n % 3], &alice, text(&n.to_string())))
        .collect();
    let mut expected = Vec::new();
    for outcome in store(&*bed.log, batch.clone()).await {
        let AppendOutcome::Stored { id, .. } = outcome else {
            panic!("not stored: {outcome:?}");
        };
        expected.push(id);
    }
    let (mut found, mut after) = (Vec::new(), MessageId(0));
    loop {
        let page = bed.log.scan(after, 7).await.expect("a scan");
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        after = last.id;
        found.extend(page);
    }
    let ids: Vec<_> = found.iter().map(|message| message.id).collect();
    assert_eq!(ids, expected);
    for (message, item) in found.iter().zip(&batch) {
        assert_eq!(
            (&message.channel, &message.body),
            (&item.channel, &item.body)
        );
    }
    assert_eq!(bed.log.last_id().await.expect("an id"), after);
    assert!(bed.log.scan(after, 7).await.expect("a scan").is_empty());
    let none = bed.log.scan(MessageId(0), 0).await;
    assert!(none.expect("a scan").is_empty());
    let tail = bed.log.scan(expected[17], u32::MAX).await.expect("a scan");
    assert_eq!(tail.len(), 2);
}

/// A revoked message is scanned as the tombstone that it is; what was dropped is not scanned.
pub async fn a_scan_gives_what_is_there_now(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let batch = (0..3).map(|n| append(&log, &alice, text(&n.to_string())));
    store(&*bed.log, batch.collect()).await;
    let all = bed.log.scan(MessageId(0), 9).await.expect("a scan");
    bed.log.revoke(all[1].id, None).await.expect("revoked");
    let mut from = Some(MessageId(0));
    while let Some(at) = from {
        from = bed.log.retain(at, all[1].id, 9).await.expect("a step").next;
    }
    let left = bed.log.scan(MessageId(0), 9).await.expect("a scan");
    let ids: Vec<_> = left.iter().map(|message| message.id).collect();
    assert_eq!(ids, [all[1].id, all[2].id]);
    assert!(left[0].revoked.is_some() && left[0].body.payload.is_empty());
    assert_eq!(left[1], all[2]);
}

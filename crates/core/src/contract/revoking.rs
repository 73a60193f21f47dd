//! The log: messages that are revoked.

use std::sync::Arc;

use bytes::Bytes;

use super::{EVERYTHING, LogBed, append, group, numbered, store, text};
use crate::channel::{ChannelRef, LogKind};
use crate::id::{MessageId, UserRef};
use crate::log::{AppendOutcome, RevokeOutcome};
use crate::message::{Body, Flags, Message, OnReuse, Origin, Revocation};

/// Three messages, of which the second has everything that a message can have.
async fn three(bed: &LogBed, log: &Arc<ChannelRef>, sender: &UserRef) -> Vec<Message> {
    let rich = Body {
        origin: Origin(9),
        tag: "kind".into(),
        flags: Flags {
            counts: true,
            receipt: true,
            ..Flags::default()
        },
        expire_secs: 77,
        extra: Some(Bytes::from_static(b"{\"secret\":1}")),
        ..numbered("n-2", "secret")
    };
    let bodies = [numbered("n-1", "first"), rich, text("third")];
    let batch = bodies.map(|body| append(log, sender, body)).into();
    store(&*bed.log, batch).await;
    bed.log.page(log, EVERYTHING).await.expect("a page")
}

async fn revoke(bed: &LogBed, id: MessageId, by: Option<&UserRef>) -> RevokeOutcome {
    bed.log.revoke(id, by).await.expect("the log answers")
}

/// What was said is gone from every answer; all else is as it was.
pub async fn a_revoked_message_is_a_tombstone(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let bob = bed.names.user("bob").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let before = three(bed, &log, &alice).await;
    let outcome = revoke(bed, before[1].id, Some(&bob)).await;
    let RevokeOutcome::Revoked(revocation) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(revocation.by.as_ref(), Some(&bob));
    assert!(revocation.at_ms >= before[1].sent_at_ms);
    let expected = Message {
        body: Arc::new(Body {
            payload: Bytes::new(),
            extra: None,
            ..Body::clone(&before[1].body)
        }),
        revoked: Some(Box::new(revocation.clone())),
        ..before[1].clone()
    };
    assert_eq!(before[1].tombstone(revocation), expected);
    let found = bed.log.page(&log, EVERYTHING).await.expect("a page");
    assert_eq!(
        found,
        [before[0].clone(), expected.clone(), before[2].clone()]
    );
    let by_id = bed.log.by_id(expected.id).await.expect("by id");
    assert_eq!(by_id.as_ref(), Some(&expected));
    let wanted = [(Arc::clone(&log), 2)];
    let newest = bed.log.newest(&wanted, 9).await.expect("newest");
    assert_eq!(newest, [vec![expected, before[2].clone()]]);
    // The log goes on behind it as if nothing had happened.
    let next = store(&*bed.log, vec![append(&log, &alice, text("x"))]).await[0];
    let place = match next {
        AppendOutcome::Stored { seq, ordinal, .. } => (seq, ordinal),
        other => panic!("{other:?}"),
    };
    assert_eq!(place, (4, 4));
}

/// The first one stays what it was, whoever comes second.
pub async fn revoking_again_changes_nothing(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let messages = three(bed, &log, &alice).await;
    let first = revoke(bed, messages[0].id, None).await;
    let RevokeOutcome::Revoked(revocation) = first else {
        panic!("{first:?}")
    };
    assert_eq!(revocation.by, None, "by the application");
    let found = bed.log.page(&log, EVERYTHING).await.expect("a page");
    let again = revoke(bed, messages[0].id, Some(&alice)).await;
    assert_eq!(again, RevokeOutcome::Before(Revocation::clone(&revocation)));
    let unchanged = bed.log.page(&log, EVERYTHING).await.expect("a page");
    assert_eq!(unchanged, found);
}

/// Ids that nobody has, below, between and above those there are.
pub async fn what_is_not_there_is_not_revoked(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let messages = three(bed, &log, &alice).await;
    for id in [0, messages[0].id.0 - 1, messages[2].id.0 + 1, i64::MAX] {
        let outcome = revoke(bed, MessageId(id), None).await;
        assert_eq!(outcome, RevokeOutcome::NoMessage, "{id}");
    }
    let unchanged = bed.log.page(&log, EVERYTHING).await.expect("a page");
    assert_eq!(unchanged, messages);
}

/// What is erased still tells a retry from a reused number.
pub async fn a_retry_of_a_revoked_message_is_a_retry(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let log = bed.names.channel(&group("g"), LogKind::Chat).await;
    let messages = three(bed, &log, &alice).await;
    let first = &messages[0];
    revoke(bed, first.id, Some(&alice)).await;
    let retry = AppendOutcome::Duplicate {
        id: first.id,
        seq: first.seq,
        sent_at_ms: first.sent_at_ms,
    };
    for on_reuse in [OnReuse::Store, OnReuse::Refuse] {
        let mut item = append(&log, &alice, numbered("n-1", "first"));
        item.on_reuse = on_reuse;
        assert_eq!(store(&*bed.log, vec![item]).await, [retry]);
    }
    let mut item = append(&log, &alice, numbered("n-1", ""));
    item.on_reuse = OnReuse::Refuse;
    assert_eq!(
        store(&*bed.log, vec![item]).await,
        [AppendOutcome::Conflict],
        "what is erased is not what was sent"
    );
}

//! What a restart, a crash or a failing store leaves.

use super::*;
use crate::pubsub::Detach;

#[tokio::test]
async fn what_waits_survives_a_crash() {
    let mut bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    let options = SubscriptionOptions {
        subscription_id: Some(3),
        ..UP_TO_2
    };
    bed.subscribe(&a, "t/#", options).await;
    for (n, qos) in [
        (1, Qos::ExactlyOnce),
        (2, Qos::AtLeastOnce),
        (3, Qos::ExactlyOnce),
    ] {
        bed.say(text("t/x", &n.to_string(), qos)).await;
    }
    let given = bed.take_some(&a, 2).await;
    assert!(bed.settle(&a, &given[0], Settled::Received).await);
    assert!(bed.topics.note_received(&a, 7).await.unwrap());
    bed.crash().await;
    let next = bed.attach(durable("a")).await;
    assert!(next.present);
    assert_eq!(next.subscriptions, [subscription("t/#", options)]);
    let next = next.attachment;
    let again = bed.take(&next).await;
    assert_eq!(payloads(&again), ["1", "2", "3"]);
    assert_eq!(ids(&again)[..2], ids(&given)[..], "the same numbers");
    assert_eq!(stages(&again)[0], Stage::Received);
    assert_eq!(&*again[2].subscription_ids, &[3]);
    assert!(!bed.topics.note_received(&next, 7).await.unwrap());
    // It goes on where it was.
    for delivery in &again {
        assert!(bed.settle(&next, delivery, Settled::Done).await);
    }
    bed.say(text("t/x", "4", Qos::AtLeastOnce)).await;
    assert_eq!(payloads(&bed.take(&next).await), ["4"]);
}

#[tokio::test]
async fn what_was_settled_is_written_down_at_a_stop() {
    let mut bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    for n in 0..3 {
        bed.say(text("t", &n.to_string(), Qos::AtLeastOnce)).await;
    }
    let given = bed.take_some(&a, 2).await;
    assert!(bed.settle(&a, &given[0], Settled::Done).await);
    bed.restart().await;
    let late = bed.topics.settle(&a, ids(&given)[1], Settled::Done).await;
    assert!(late.is_ok(), "it does no harm");
    let a = bed.attach(durable("a")).await.attachment;
    let again = bed.take(&a).await;
    assert_eq!(payloads(&again), ["1", "2"]);
    assert_eq!(stages(&again), [Stage::Sent, Stage::Queued]);
    assert_eq!(bed.store.messages(), 2);
}

#[tokio::test]
async fn a_stopped_service_says_so() {
    let bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.topics.stop().await;
    let late = bed
        .topics
        .publish(&a, text("t", "m", Qos::AtMostOnce))
        .await;
    assert!(matches!(late, Err(TopicError::Stopped)));
    bed.topics.stop().await;
}

#[tokio::test]
async fn sessions_without_expiry_do_not_survive() {
    let mut bed = Bed::new().await;
    let a = bed.attach(passing("a")).await.attachment;
    bed.subscribe(&a, "t", UP_TO_2).await;
    // A session that went on with a connection that ends it.
    let b = bed.attach(durable("b")).await.attachment;
    bed.topics.detach(&b, Detach::Clean, None).await.unwrap();
    let last = Attach {
        expiry_secs: 0,
        ..durable("b")
    };
    let b = bed.attach(last).await;
    assert!(b.present);
    bed.crash().await;
    bed.topics.sweep().await.unwrap();
    assert!(!bed.attach(durable("b")).await.present);
    assert!(!bed.attach(durable("a")).await.present);
}

#[tokio::test]
async fn retained_messages_survive() {
    let mut bed = Bed::new().await;
    bed.say(retained("t/a", "kept", Qos::AtMostOnce)).await;
    bed.say(retained("t/b", "gone", Qos::AtMostOnce)).await;
    bed.say(retained("t/b", "", Qos::AtMostOnce)).await;
    let short = Publication {
        expiry_secs: Some(10),
        ..retained("t/c", "expires", Qos::AtMostOnce)
    };
    bed.say(short).await;
    bed.crash().await;
    let a = bed.attach(passing("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    assert_eq!(payloads(&bed.take(&a).await), ["kept", "expires"]);
    bed.pass_secs(10).await;
    bed.crash().await;
    let a = bed.attach(passing("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    assert_eq!(payloads(&bed.take(&a).await), ["kept"]);
}

#[tokio::test]
async fn wills_are_published_on_time_across_restarts() {
    let mut bed = Bed::new().await;
    let watcher = bed.attach(durable("w")).await.attachment;
    bed.subscribe(&watcher, "t/will", UP_TO_2).await;
    let with = |client_id: &str, delay| Attach {
        will: Some(will(client_id, delay)),
        ..durable(client_id)
    };
    // Lost before the server is, and due while it is down.
    let a = bed.attach(with("away", 5)).await.attachment;
    bed.topics.detach(&a, Detach::Lost, None).await.unwrap();
    // Lost with the server.
    let _b = bed.attach(with("with the server", 5)).await.attachment;
    bed.crash().await;
    bed.clock.advance_ms(4_999);
    bed.crash().await;
    let watcher = bed.attach(durable("w")).await.attachment;
    bed.topics.sweep().await.unwrap();
    assert!(bed.take(&watcher).await.is_empty());
    bed.pass_secs(1).await;
    let mut got = payloads(&bed.take(&watcher).await);
    got.sort();
    assert_eq!(got, ["away", "with the server"]);
    // And only once.
    bed.crash().await;
    bed.pass_secs(4_000).await;
    let again = bed.attach(durable("w")).await;
    assert!(!again.present, "its own time was over");
    let c = bed.attach(with("down", 5)).await.attachment;
    bed.subscribe(&again.attachment, "t/will", UP_TO_2).await;
    bed.topics.detach(&c, Detach::Lost, None).await.unwrap();
    bed.clock.advance_ms(60_000);
    bed.crash().await;
    bed.topics.sweep().await.unwrap();
    let watcher = bed.attach(durable("w")).await.attachment;
    assert_eq!(payloads(&bed.take(&watcher).await), ["down"]);
}

#[tokio::test]
async fn nothing_is_answered_that_is_not_stored() {
    let mut bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    bed.store.fail(true);
    for _ in 0..2 {
        let failed = bed
            .topics
            .publish(&a, text("t", "1", Qos::AtLeastOnce))
            .await;
        assert!(matches!(failed, Err(TopicError::Store(_))));
        assert!(bed.take(&a).await.is_empty());
    }
    let failed = bed.topics.attach(durable("b")).await;
    assert!(matches!(failed, Err(TopicError::Store(_))));
    // Without a need to store anything it would work, but for what is owed.
    bed.store.fail(false);
    bed.say(text("t", "2", Qos::AtLeastOnce)).await;
    // The first of both may have come over, once, and in order.
    assert_eq!(payloads(&bed.take(&a).await), ["1", "2"]);
    bed.crash().await;
    let a = bed.attach(durable("a")).await.attachment;
    assert_eq!(payloads(&bed.take(&a).await), ["1", "2"]);
}

#[tokio::test]
async fn a_connection_that_was_refused_leaves_no_will() {
    let bed = Bed::new().await;
    let watcher = bed.attach(passing("w")).await.attachment;
    bed.subscribe(&watcher, "#", UP_TO_2).await;
    bed.store.fail(true);
    let with_will = Attach {
        will: Some(will("no", 0)),
        ..durable("a")
    };
    let failed = bed.topics.attach(with_will).await;
    assert!(matches!(failed, Err(TopicError::Store(_))));
    bed.store.fail(false);
    bed.topics.sweep().await.unwrap();
    assert!(bed.take(&watcher).await.is_empty());
    let next = bed.attach(durable("a")).await;
    assert!(next.attachment.drain(1).ending.is_none());
}

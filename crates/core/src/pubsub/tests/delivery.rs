//! Who gets what, and how.

use super::*;
use crate::pubsub::{RetainHandling, SubscribeRefusal};

#[tokio::test]
async fn a_subscriber_gets_the_lower_guarantee() {
    let bed = Bed::new().await;
    let a = bed.attach(passing("a")).await.attachment;
    let b = bed.attach(durable("b")).await.attachment;
    for (to, filter, qos) in [(&a, "t/+", Qos::AtMostOnce), (&b, "t/#", Qos::ExactlyOnce)] {
        bed.subscribe(to, filter, SubscriptionOptions::up_to(qos))
            .await;
    }
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        assert_eq!(bed.say(text("t/x", "hello", qos)).await, 2);
    }
    assert_eq!(bed.say(text("other", "hello", Qos::AtLeastOnce)).await, 0);
    let got: Vec<_> = bed.take(&a).await.iter().map(|d| (d.qos, d.id)).collect();
    assert_eq!(got, [(Qos::AtMostOnce, None); 3]);
    let got = bed.take(&b).await;
    let qos: Vec<_> = got.iter().map(|d| d.qos.level()).collect();
    assert_eq!(qos, [0, 1, 2]);
    assert_eq!(ids(&got).len(), 2);
    let message = &got[1].message;
    assert_eq!(
        (&*message.payload, &*message.properties),
        (&b"hello"[..], &b"p"[..])
    );
    assert!(!got[1].retain && message.topic.as_str() == "t/x");
    for delivery in &got[1..] {
        assert!(bed.settle(&b, delivery, Settled::Done).await);
        assert!(!bed.settle(&b, delivery, Settled::Done).await, "it is over");
    }
    assert!(bed.take(&b).await.is_empty());
    bed.topics.sweep().await.unwrap();
    assert_eq!(bed.store.messages(), 0);
}

#[tokio::test]
async fn overlapping_subscriptions_bring_one_message_with_all_numbers() {
    let bed = Bed::new().await;
    let a = bed.attach(passing("a")).await.attachment;
    for (filter, qos, id) in [("t/+", 0, Some(5)), ("t/#", 2, Some(9)), ("t/x", 1, None)] {
        let options = SubscriptionOptions {
            subscription_id: id,
            ..SubscriptionOptions::up_to(Qos::from_level(qos).unwrap())
        };
        bed.subscribe(&a, filter, options).await;
    }
    assert_eq!(bed.say(text("t/x", "m", Qos::ExactlyOnce)).await, 1);
    let got = bed.take(&a).await;
    let mut numbers = got[0].subscription_ids.to_vec();
    numbers.sort_unstable();
    assert_eq!((got.len(), got[0].qos), (1, Qos::ExactlyOnce));
    assert_eq!(numbers, [5, 9]);
}

#[tokio::test]
async fn realms_are_apart() {
    let bed = Bed::new().await;
    let other = Realm::parse("other").unwrap();
    let there = Attach {
        realm: other.clone(),
        user: UserNum(2),
        ..passing("a")
    };
    let a = bed.attach(passing("a")).await.attachment;
    let b = bed.attach(there).await.attachment;
    for to in [&a, &b] {
        bed.subscribe(to, "#", UP_TO_2).await;
    }
    assert_eq!(
        bed.publish(&b, retained("t/x", "m", Qos::AtLeastOnce))
            .await
            .matched,
        1
    );
    assert!(bed.take(&a).await.is_empty());
    assert_eq!(bed.take(&b).await.len(), 1);
    bed.subscribe(&a, "t/x", UP_TO_2).await;
    assert!(bed.take(&a).await.is_empty());
}

#[tokio::test]
async fn no_local_leaves_out_ones_own() {
    let bed = Bed::new().await;
    let a = bed.attach(passing("a")).await.attachment;
    let b = bed.attach(passing("b")).await.attachment;
    let not_own = SubscriptionOptions {
        no_local: true,
        ..UP_TO_2
    };
    for to in [&a, &b] {
        bed.subscribe(to, "t/x", not_own).await;
    }
    assert_eq!(
        bed.publish(&a, text("t/x", "m", Qos::AtLeastOnce))
            .await
            .matched,
        1
    );
    assert!(bed.take(&a).await.is_empty());
    assert_eq!(bed.take(&b).await.len(), 1);
    // Another subscription of its own asks for it.
    bed.subscribe(&a, "t/+", UP_TO_2).await;
    assert_eq!(
        bed.publish(&a, text("t/x", "m", Qos::AtLeastOnce))
            .await
            .matched,
        2
    );
}

#[tokio::test]
async fn retained_messages_come_with_a_subscription() {
    let bed = Bed::new().await;
    let a = bed.attach(passing("a")).await.attachment;
    bed.say(retained("t/a", "old", Qos::AtLeastOnce)).await;
    bed.say(retained("t/a", "new", Qos::AtLeastOnce)).await;
    bed.say(retained("t/b", "zero", Qos::AtMostOnce)).await;
    bed.say(retained("t/c", "gone", Qos::AtMostOnce)).await;
    bed.say(retained("t/c", "", Qos::AtMostOnce)).await;
    let with = |retain_handling, retain_as_published| SubscriptionOptions {
        retain_handling,
        retain_as_published,
        ..UP_TO_2
    };
    let first = with(RetainHandling::SendIfNew, true);
    bed.subscribe(&a, "t/+", first).await;
    let mut got = bed.take(&a).await;
    got.sort_by_key(|delivery| delivery.message.topic.clone());
    assert_eq!(payloads(&got), ["new", "zero"]);
    assert!(got.iter().all(|delivery| delivery.retain));
    assert_eq!(ids(&got).len(), 1);
    bed.subscribe(&a, "t/+", first).await;
    assert!(bed.take(&a).await.is_empty(), "it is not new");
    bed.subscribe(&a, "#", with(RetainHandling::DoNotSend, false))
        .await;
    bed.subscribe(&a, "$share/g/#", UP_TO_2).await;
    assert!(bed.take(&a).await.is_empty());
    bed.subscribe(&a, "t/+", with(RetainHandling::Send, false))
        .await;
    assert_eq!(bed.take(&a).await.len(), 2);
    // The mark of later ones is as asked for.
    let b = bed.attach(passing("b")).await.attachment;
    bed.subscribe(&b, "x", with(RetainHandling::Send, true))
        .await;
    bed.subscribe(&a, "x", UP_TO_2).await;
    bed.say(retained("x", "m", Qos::AtMostOnce)).await;
    let marks = |got: Vec<Delivery>| got.iter().map(|d| d.retain).collect::<Vec<_>>();
    assert_eq!(marks(bed.take(&b).await), [true]);
    assert_eq!(marks(bed.take(&a).await).pop(), Some(false));
}

#[tokio::test]
async fn a_realm_has_room_for_so_many_retained() {
    let bed = Bed::with(TopicLimits {
        retained_items: 1,
        ..TopicLimits::default()
    })
    .await;
    let a = bed.attach(passing("a")).await.attachment;
    bed.say(retained("t/a", "1", Qos::AtMostOnce)).await;
    bed.say(retained("t/a", "2", Qos::AtMostOnce)).await;
    let more = bed
        .topics
        .publish(&a, retained("t/b", "3", Qos::AtMostOnce));
    assert!(matches!(more.await, Err(TopicError::Quota)));
    bed.say(retained("t/a", "", Qos::AtMostOnce)).await;
    bed.say(retained("t/b", "3", Qos::AtMostOnce)).await;
}

#[tokio::test]
async fn a_group_shares_and_prefers_who_is_there() {
    let bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    let b = bed.attach(durable("b")).await.attachment;
    for to in [&a, &b] {
        bed.subscribe(to, "$share/g/t/+", UP_TO_2).await;
    }
    for n in 0..4 {
        let matched = bed.say(text("t/x", &n.to_string(), Qos::AtLeastOnce)).await;
        assert_eq!(matched, 1);
    }
    let (of_a, of_b) = (bed.take(&a).await, bed.take(&b).await);
    assert_eq!(payloads(&of_a), ["0", "2"]);
    assert_eq!(payloads(&of_b), ["1", "3"]);
    let gone = crate::pubsub::Detach::Clean;
    bed.topics.detach(&a, gone, None).await.unwrap();
    for n in 4..6 {
        bed.say(text("t/x", &n.to_string(), Qos::AtLeastOnce)).await;
    }
    assert_eq!(payloads(&bed.take(&b).await), ["4", "5"]);
    // When nobody is there it waits for one of them.
    bed.topics.detach(&b, gone, None).await.unwrap();
    bed.say(text("t/x", "6", Qos::AtLeastOnce)).await;
    let a = bed.attach(durable("a")).await.attachment;
    let b = bed.attach(durable("b")).await.attachment;
    let all = [bed.take(&a).await, bed.take(&b).await].concat();
    let new: Vec<_> = all
        .into_iter()
        .filter(|d| d.stage == Stage::Queued)
        .collect();
    assert_eq!(payloads(&new), ["6"]);
}

#[tokio::test]
async fn subscriptions_are_refused_one_by_one() {
    let bed = Bed::with(TopicLimits {
        subscriptions: 2,
        subscription_bytes: 10,
        ..TopicLimits::default()
    })
    .await;
    let a = bed.attach(passing("a")).await.attachment;
    let not_own = SubscriptionOptions {
        no_local: true,
        ..UP_TO_2
    };
    let list = vec![
        subscription("$share/g/x", not_own),
        subscription("1", UP_TO_2),
        subscription("ten/bytes!", UP_TO_2),
        subscription("2", UP_TO_2),
        subscription("3", UP_TO_2),
        subscription("1", UP_TO_2),
    ];
    let outcomes = bed.topics.subscribe(&a, list).await.unwrap();
    let wanted = [
        Err(SubscribeRefusal::NoLocalShared),
        Ok(Qos::ExactlyOnce),
        Err(SubscribeRefusal::Quota),
        Ok(Qos::ExactlyOnce),
        Err(SubscribeRefusal::Quota),
        Ok(Qos::ExactlyOnce),
    ];
    assert_eq!(outcomes, wanted);
    let list = ["1", "3"].map(|text| Filter::parse(text).unwrap());
    let outcomes = bed.topics.unsubscribe(&a, list.to_vec()).await.unwrap();
    assert_eq!(outcomes, [true, false]);
    assert_eq!(bed.say(text("1", "m", Qos::AtLeastOnce)).await, 0);
    assert_eq!(bed.say(text("2", "m", Qos::AtLeastOnce)).await, 1);
}

#[tokio::test]
async fn what_is_too_much_is_left_out_and_counted() {
    use std::sync::atomic::Ordering::Relaxed;
    let bed = Bed::with(TopicLimits {
        queue_items: 3,
        outbox_items: 2,
        ..TopicLimits::default()
    })
    .await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    for n in 0..5 {
        bed.say(text("t", &n.to_string(), Qos::AtLeastOnce)).await;
        bed.say(text("t", &n.to_string(), Qos::AtMostOnce)).await;
    }
    let got = bed.take(&a).await;
    assert_eq!(payloads(&got), ["0", "1", "0", "1", "2"]);
    let counters = bed.topics.counters();
    let dropped = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    assert_eq!(dropped(&counters.dropped_full), 2);
    assert_eq!(dropped(&counters.dropped_slow), 3);
    // Room comes with what is settled.
    assert!(bed.settle(&a, &got[2], Settled::Done).await);
    bed.say(text("t", "5", Qos::AtLeastOnce)).await;
    assert_eq!(payloads(&bed.take(&a).await), ["5"]);
}

#[tokio::test]
async fn more_than_the_window_comes_in_order() {
    let bed = Bed::with(TopicLimits {
        window_items: 3,
        ..TopicLimits::default()
    })
    .await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    let wanted: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    for n in &wanted {
        bed.say(text("t", n, Qos::AtLeastOnce)).await;
    }
    let first = bed.take_some(&a, 2).await;
    assert_eq!(payloads(&first), ["0", "1"]);
    // Somebody who reads slowly gets all of it, too, and each once.
    let mut got = payloads(&first);
    while got.len() < 20 {
        for delivery in bed.take_some(&a, 4).await {
            got.push(payloads(std::slice::from_ref(&delivery)).remove(0));
            assert!(bed.settle(&a, &delivery, Settled::Done).await);
        }
    }
    assert_eq!(got, wanted);
    assert!(bed.take(&a).await.is_empty());
}

#[tokio::test]
async fn a_message_expires_wherever_it_waits() {
    let bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    let short = |publication| Publication {
        expiry_secs: Some(10),
        ..publication
    };
    bed.say(short(retained("t", "1", Qos::AtLeastOnce))).await;
    bed.say(short(text("t", "0", Qos::AtMostOnce))).await;
    bed.say(text("t", "stays", Qos::AtLeastOnce)).await;
    bed.clock.advance_ms(9_001);
    let b = bed.attach(passing("b")).await.attachment;
    bed.subscribe(&b, "#", UP_TO_2).await;
    let got = bed.take(&b).await;
    assert_eq!(got[0].message.remaining_secs(bed.clock.now_ms()), Some(1));
    bed.pass_secs(1).await;
    assert_eq!(payloads(&bed.take(&a).await), ["stays"]);
    bed.subscribe(&b, "t", UP_TO_2).await;
    assert!(bed.take(&b).await.is_empty());
}

#[tokio::test]
async fn what_expires_in_a_stored_queue_makes_room() {
    let bed = Bed::with(TopicLimits {
        queue_items: 2,
        ..TopicLimits::default()
    })
    .await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    let away = crate::pubsub::Detach::Clean;
    bed.topics.detach(&a, away, None).await.unwrap();
    for n in 0..2 {
        let short = Publication {
            expiry_secs: Some(10),
            ..text("t", &n.to_string(), Qos::AtLeastOnce)
        };
        bed.say(short).await;
    }
    bed.pass_secs(10).await;
    bed.say(text("t", "2", Qos::AtLeastOnce)).await;
    let a = bed.attach(durable("a")).await.attachment;
    assert_eq!(payloads(&bed.take(&a).await), ["2"]);
    assert_eq!(bed.store.messages(), 1);
}

#[tokio::test]
async fn publications_keep_the_order_of_their_submission() {
    let bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    let mut pending = Vec::new();
    for n in 0..50 {
        let next = text("t", &n.to_string(), Qos::AtLeastOnce);
        pending.push(bed.topics.submit(&a, next).await.unwrap());
    }
    for next in pending.into_iter().rev() {
        assert_eq!(next.done().await.unwrap().matched, 1);
    }
    let wanted: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    assert_eq!(payloads(&bed.take(&a).await), wanted);
}

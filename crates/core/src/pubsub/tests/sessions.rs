//! Sessions: what goes on and what ends.

use super::*;
use crate::pubsub::{AttachmentEnd, Detach};

#[tokio::test]
async fn a_session_goes_on_if_it_may() {
    let bed = Bed::new().await;
    let first = bed.attach(durable("a")).await;
    assert!(!first.present);
    bed.subscribe(&first.attachment, "t", UP_TO_2).await;
    bed.topics
        .detach(&first.attachment, Detach::Clean, None)
        .await
        .unwrap();
    assert_eq!(bed.say(text("t", "m", Qos::AtMostOnce)).await, 1);
    assert_eq!(bed.say(text("t", "1", Qos::AtLeastOnce)).await, 1);
    let second = bed.attach(durable("a")).await;
    assert!(second.present);
    assert_eq!(second.subscriptions, [subscription("t", UP_TO_2)]);
    assert_eq!(payloads(&bed.take(&second.attachment).await), ["1"]);
    let clean = Attach {
        clean: true,
        ..durable("a")
    };
    let third = bed.attach(clean).await;
    assert!(!third.present && third.subscriptions.is_empty());
    assert_eq!(bed.say(text("t", "2", Qos::AtLeastOnce)).await, 0);
    assert_eq!(bed.store.messages(), 0);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let bed = Bed::new().await;
    let attach = |expiry_secs| Attach {
        expiry_secs,
        ..durable("a")
    };
    for (expiry, new_expiry, secs, goes_on) in [
        (10, None, 9, true),
        (10, None, 10, false),
        (10, Some(20), 19, true),
        (10, Some(0), 0, false),
        (0, None, 0, false),
        (u32::MAX, None, 1 << 33, true),
    ] {
        let clean = Attach {
            clean: true,
            ..attach(expiry)
        };
        let a = bed.attach(clean).await.attachment;
        bed.topics
            .detach(&a, Detach::Lost, new_expiry)
            .await
            .unwrap();
        bed.pass_secs(secs).await;
        let next = bed.attach(attach(10)).await;
        assert_eq!(next.present, goes_on, "{expiry} {new_expiry:?} {secs}");
    }
    // It has ended even if nobody has looked yet.
    let a = bed.attach(attach(10)).await.attachment;
    bed.topics.detach(&a, Detach::Lost, None).await.unwrap();
    bed.clock.advance_ms(10_000);
    assert!(!bed.attach(attach(10)).await.present);
}

#[tokio::test]
async fn the_newer_connection_takes_over() {
    let bed = Bed::new().await;
    let old = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&old, "t", UP_TO_2).await;
    bed.say(text("t", "1", Qos::ExactlyOnce)).await;
    bed.say(text("t", "2", Qos::AtLeastOnce)).await;
    bed.say(text("t", "3", Qos::AtLeastOnce)).await;
    let given = bed.take_some(&old, 2).await;
    assert!(bed.settle(&old, &given[0], Settled::Received).await);
    let new = bed.attach(durable("a")).await;
    assert!(new.present);
    let new = new.attachment;
    old.ready().await;
    assert_eq!(old.drain(9).ending, Some(AttachmentEnd::TakenOver));
    let late = bed.topics.settle(&old, ids(&given)[1], Settled::Done).await;
    assert!(matches!(late, Err(TopicError::Superseded)));
    let late = bed
        .topics
        .subscribe(&old, vec![subscription("x", UP_TO_2)])
        .await;
    assert!(matches!(late, Err(TopicError::Superseded)));
    // Its going changes nothing for the newer one.
    bed.topics
        .detach(&old, Detach::Lost, Some(0))
        .await
        .unwrap();
    drop(old);
    bed.topics.sweep().await.unwrap();
    let again = bed.take(&new).await;
    assert_eq!(payloads(&again), ["1", "2", "3"]);
    assert_eq!(
        stages(&again),
        [Stage::Received, Stage::Sent, Stage::Queued]
    );
    assert_eq!(ids(&again)[..2], ids(&given)[..]);
    // Another user's client may have the same id.
    let other = Attach {
        user: UserNum(2),
        ..durable("a")
    };
    assert!(!bed.attach(other).await.present);
    assert!(new.drain(9).ending.is_none());
}

#[tokio::test]
async fn wills_are_published_when_a_connection_is_lost() {
    let bed = Bed::new().await;
    let watcher = bed.attach(passing("w")).await.attachment;
    bed.subscribe(&watcher, "t/will", UP_TO_2).await;
    let with = |client: Attach, payload: &str, delay| Attach {
        will: Some(will(payload, delay)),
        ..client
    };
    // (who, how, what the clock shows when it is published)
    let cases = [
        (with(passing("a"), "at once", 0), Detach::Lost, Some(0)),
        (with(passing("a"), "session end", 5), Detach::Lost, Some(0)),
        (
            with(passing("a"), "asked for", 0),
            Detach::WithWill,
            Some(0),
        ),
        (with(passing("a"), "agreed", 0), Detach::Clean, None),
        (with(durable("a"), "delayed", 5), Detach::Lost, Some(5)),
        (with(durable("a"), "no delay", 0), Detach::Lost, Some(0)),
        (with(durable("a"), "agreed", 5), Detach::Clean, None),
        (
            with(durable("a"), "long", 10_000),
            Detach::WithWill,
            Some(3600),
        ),
    ];
    for (attach, how, due) in cases {
        let name = format!("{attach:?} {how:?}");
        let clean = Attach {
            clean: true,
            ..attach.clone()
        };
        let a = bed.attach(clean).await.attachment;
        bed.topics.detach(&a, how, None).await.unwrap();
        let mut passed = 0;
        for at in [0, 4, 5, 3599, 3600, 4000] {
            bed.pass_secs(at - passed).await;
            passed = at;
            let got = payloads(&bed.take(&watcher).await);
            let wanted = attach.will.as_ref().filter(|_| due == Some(at));
            let wanted: Vec<String> = wanted
                .map(|will| String::from_utf8_lossy(&will.payload).into_owned())
                .into_iter()
                .collect();
            assert_eq!(got, wanted, "{name} at {at}");
        }
    }
}

#[tokio::test]
async fn coming_back_in_time_keeps_a_will_from_being_published() {
    let bed = Bed::new().await;
    let watcher = bed.attach(passing("w")).await.attachment;
    bed.subscribe(&watcher, "t/will", UP_TO_2).await;
    let with = |payload: &str, delay, clean| Attach {
        will: Some(will(payload, delay)),
        clean,
        ..durable("a")
    };
    let a = bed.attach(with("1", 5, false)).await.attachment;
    bed.topics.detach(&a, Detach::Lost, None).await.unwrap();
    bed.pass_secs(4).await;
    let a = bed.attach(with("2", 5, false)).await.attachment;
    bed.pass_secs(10).await;
    assert!(bed.take(&watcher).await.is_empty());
    // Taken over: the older connection is lost, but the session goes on.
    let _b = bed.attach(with("3", 0, false)).await.attachment;
    assert!(bed.take(&watcher).await.is_empty());
    let _c = bed.attach(with("4", 5, false)).await.attachment;
    assert_eq!(payloads(&bed.take(&watcher).await), ["3"]);
    // The session ends: no reason to wait.
    let d = bed.attach(with("5", 5, true)).await.attachment;
    assert_eq!(payloads(&bed.take(&watcher).await), ["4"]);
    // Lost without a word.
    drop((a, d));
    bed.topics.sweep().await.unwrap();
    bed.pass_secs(5).await;
    assert_eq!(payloads(&bed.take(&watcher).await), ["5"]);
}

#[tokio::test]
async fn a_user_has_room_for_so_many_subscribers() {
    let bed = Bed::with(TopicLimits {
        subscribers_per_user: 2,
        ..TopicLimits::default()
    })
    .await;
    let a = bed.attach(durable("a")).await.attachment;
    let b = bed.attach(durable("b")).await.attachment;
    let third = bed.topics.attach(durable("c")).await;
    assert!(matches!(third, Err(TopicError::Quota)));
    bed.topics.detach(&b, Detach::Clean, None).await.unwrap();
    bed.clock.advance_ms(1);
    bed.topics.detach(&a, Detach::Clean, None).await.unwrap();
    let c = bed.attach(durable("c")).await.attachment;
    assert!(bed.attach(durable("a")).await.present, "b was away longer");
    drop(c);
}

#[tokio::test]
async fn sessions_are_ended_from_outside() {
    let bed = Bed::new().await;
    let with_will = Attach {
        will: Some(will("no", 0)),
        ..durable("a")
    };
    let watcher = Attach {
        user: UserNum(2),
        ..passing("w")
    };
    let watcher = bed.attach(watcher).await.attachment;
    bed.subscribe(&watcher, "#", UP_TO_2).await;
    let a = bed.attach(with_will).await.attachment;
    let b = bed.attach(durable("b")).await.attachment;
    assert_eq!(
        bed.topics
            .end_sessions(UserNum(1), Some("x"))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        bed.topics
            .end_sessions(UserNum(1), Some("a"))
            .await
            .unwrap(),
        1
    );
    assert_eq!(a.drain(9).ending, Some(AttachmentEnd::SessionEnded));
    assert_eq!(b.drain(9).ending, None);
    assert_eq!(bed.topics.end_sessions(UserNum(1), None).await.unwrap(), 1);
    assert!(!bed.attach(durable("a")).await.present);
    assert!(bed.take(&watcher).await.is_empty());
}

#[tokio::test]
async fn a_publication_counts_once() {
    let bed = Bed::new().await;
    let a = bed.attach(durable("a")).await.attachment;
    bed.subscribe(&a, "#", UP_TO_2).await;
    let once = |payload: &str| Publication {
        once: Some(7),
        ..text("t", payload, Qos::ExactlyOnce)
    };
    assert!(bed.publish(&a, once("1")).await.is_new);
    let again = bed.publish(&a, once("1")).await;
    assert_eq!((again.is_new, again.matched), (false, 0));
    assert!(!bed.topics.note_received(&a, 7).await.unwrap());
    assert!(bed.topics.note_received(&a, 8).await.unwrap());
    assert!(bed.topics.release(&a, 7).await.unwrap());
    assert!(!bed.topics.release(&a, 7).await.unwrap());
    assert!(bed.publish(&a, once("2")).await.is_new);
    assert_eq!(payloads(&bed.take(&a).await), ["1", "2"]);
}

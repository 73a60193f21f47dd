//! Messages that are to be sent later.

use bytes::Bytes;

use super::user;
use crate::carried::Carried;
use crate::channel::ChannelKind;
use crate::directory::AppId;
use crate::id::{MessageId, Realm, UserRef};
use crate::im::Stores;
use crate::refusal::Refusal;
use crate::schedule::{Change, Closed, Saying, Scheduled, ScheduledQuery, State};

/// The cases of scheduled messages, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! schedule_contract {
    ($make:path) => {
        $crate::contract_tests!($make, schedule:
            one_is_kept_as_it_was,
            a_sender_may_not_have_too_many,
            they_are_due_in_order,
            what_is_over_stays_so_and_says_nothing,
            lists_are_paged_by_whose_and_what,
            old_ones_are_forgotten,
        );
    };
}

fn item(id: i64, sender: &UserRef, send_at_ms: i64) -> Scheduled {
    Scheduled {
        id: MessageId(id),
        realm: Realm::default(),
        sender: sender.clone(),
        app: Some(AppId::default()),
        by_application: false,
        kind: ChannelKind::GROUP,
        to: "g".into(),
        saying: Saying {
            payload: Bytes::from_static(b"{\"type\":\"text\"}"),
            is_silent: true,
            asks_receipt: true,
            expire_secs: 60,
            carried: Carried {
                mentions: vec![sender.clone()],
                ..Carried::default()
            }
            .packed(),
        },
        send_at_ms,
        created_at_ms: 5,
        state: State::Open,
        done_at_ms: 0,
    }
}

async fn put(stores: &Stores, item: &Scheduled) {
    assert!(stores.schedule.schedule(item, 1000).await.expect("noted"));
}

async fn get(stores: &Stores, id: i64) -> Option<Scheduled> {
    let found = stores.schedule.scheduled(MessageId(id)).await;
    found.expect("read")
}

/// With everything that it says and carries, also after a change.
pub async fn one_is_kept_as_it_was(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let mut first = item(1, &alice, 100);
    put(stores, &first).await;
    assert_eq!(get(stores, 1).await.as_ref(), Some(&first));
    assert_eq!(get(stores, 2).await, None);
    first.send_at_ms = 300;
    first.saying.payload = Bytes::from_static(b"{}");
    first.saying.carried = None;
    let change = Change {
        send_at_ms: Some(300),
        saying: Some(first.saying.clone()),
    };
    let changed = stores.schedule.reschedule(MessageId(1), change).await;
    assert_eq!(
        changed.expect("changed"),
        Closed::Is(Box::new(first.clone()))
    );
    assert_eq!(get(stores, 1).await, Some(first));
    let nothing = stores.schedule.reschedule(MessageId(9), Change::default());
    assert_eq!(nothing.await.expect("looked"), Closed::Nothing);
}

/// The application's in the same name are counted apart; what is over does not count.
pub async fn a_sender_may_not_have_too_many(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let schedule = &stores.schedule;
    let put = async |item: Scheduled| schedule.schedule(&item, 2).await.expect("answered");
    assert!(put(item(1, &alice, 100)).await);
    assert!(put(item(2, &alice, 100)).await);
    assert!(!put(item(3, &alice, 100)).await);
    assert!(put(item(4, &bob, 100)).await);
    let by_application = Scheduled {
        by_application: true,
        ..item(5, &alice, 100)
    };
    assert!(put(by_application).await);
    let closed = schedule
        .close_scheduled(MessageId(1), State::Cancelled, 7)
        .await;
    closed.expect("closed");
    assert!(put(item(6, &alice, 100)).await);
}

/// By time, then by id; only those whose time has come.
pub async fn they_are_due_in_order(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    for (id, at) in [(1, 300), (2, 100), (3, 200), (4, 100)] {
        put(stores, &item(id, &alice, at)).await;
    }
    let due = async |now, after| {
        let due = stores.schedule.scheduled_due(now, after, 2).await;
        let due = due.expect("looked");
        due.iter().map(|item| item.id.0).collect::<Vec<_>>()
    };
    assert_eq!(due(99, None).await, [0_i64; 0]);
    assert_eq!(due(250, None).await, [2, 4]);
    assert_eq!(due(250, Some((100, MessageId(4)))).await, [3]);
    assert_eq!(due(999, Some((100, MessageId(4)))).await, [3, 1]);
}

/// The first word on it is the last, and its content is gone.
pub async fn what_is_over_stays_so_and_says_nothing(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let states = [
        State::Cancelled,
        State::Failed(Refusal::Muted),
        State::Sent {
            message: MessageId(70),
            seq: 7,
        },
    ];
    for (id, state) in (1..).zip(states) {
        put(stores, &item(id, &alice, 100)).await;
        let close = async |state| {
            let closed = stores.schedule.close_scheduled(MessageId(id), state, 9);
            closed.await.expect("closed")
        };
        let expected = Scheduled {
            state,
            done_at_ms: 9,
            saying: Saying::default(),
            ..item(id, &alice, 100)
        };
        let Closed::Is(closed) = close(state).await else {
            panic!("{state:?}");
        };
        assert_eq!((closed.state, closed.done_at_ms), (state, 9));
        let Closed::Over(after) = close(State::Failed(Refusal::Internal)).await else {
            panic!("{state:?} is over");
        };
        assert_eq!(after.state, state);
        let change = Change {
            send_at_ms: Some(1),
            saying: None,
        };
        let changed = stores.schedule.reschedule(MessageId(id), change).await;
        assert!(matches!(changed.expect("looked"), Closed::Over(_)));
        let kept = get(stores, id).await.expect("kept");
        assert!(kept.saying.payload.is_empty() && kept.saying.carried.is_none());
        assert_eq!((kept.state, kept.send_at_ms), (expected.state, 100));
    }
    let due = stores.schedule.scheduled_due(i64::MAX, None, 10).await;
    assert_eq!(due.expect("looked"), []);
}

/// Of a realm, of a user, those that wait and those that are over.
pub async fn lists_are_paged_by_whose_and_what(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    for (id, who) in [(1, &alice), (2, &bob), (3, &alice), (4, &alice)] {
        put(stores, &item(id, who, 100)).await;
    }
    let closed = stores
        .schedule
        .close_scheduled(MessageId(3), State::Cancelled, 7);
    closed.await.expect("closed");
    let list = async |sender: Option<&UserRef>, open, after, realm: &str| {
        let query = ScheduledQuery {
            realm: Realm::parse(realm).expect("a realm"),
            sender: sender.map(|user| user.num),
            open,
            after: MessageId(after),
            limit: 2,
        };
        let items = stores.schedule.scheduled_of(query).await.expect("listed");
        items.iter().map(|item| item.id.0).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, 0, "default").await, [1, 2]);
    assert_eq!(list(None, None, 2, "default").await, [3, 4]);
    assert_eq!(list(Some(&alice), None, 0, "default").await, [1, 3]);
    assert_eq!(list(Some(&alice), Some(true), 0, "default").await, [1, 4]);
    assert_eq!(list(Some(&alice), Some(false), 0, "default").await, [3]);
    assert_eq!(list(None, None, 0, "other").await, [0_i64; 0]);
}

/// Only those that were over before, and not all at once.
pub async fn old_ones_are_forgotten(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    for id in 1..=4 {
        put(stores, &item(id, &alice, 100)).await;
        if id < 4 {
            let closed = stores
                .schedule
                .close_scheduled(MessageId(id), State::Cancelled, id);
            closed.await.expect("closed");
        }
    }
    let forget = async |before, limit| {
        let forgotten = stores.schedule.forget_scheduled(before, limit).await;
        forgotten.expect("forgotten")
    };
    assert_eq!(forget(3, 1).await, 1);
    assert_eq!(forget(3, 9).await, 1);
    assert_eq!(forget(3, 9).await, 0);
    assert!(get(stores, 3).await.is_some() && get(stores, 4).await.is_some());
    assert!(get(stores, 1).await.is_none());
}

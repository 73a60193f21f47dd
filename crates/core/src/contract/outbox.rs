//! The outbox: events and where consumers are.

use bytes::Bytes;

use crate::id::{ChannelNum, MessageId, Realm};
use crate::im::Stores;
use crate::outbox::{NewEvent, Place};

/// The cases of the outbox, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! outbox_contract {
    ($make:path) => {
        $crate::contract_tests!($make, outbox:
            events_are_read_back_in_order,
            positions_rise_when_events_were_dropped,
            places_are_kept_moved_and_forgotten,
        );
    };
}

fn event(n: i64) -> NewEvent {
    NewEvent {
        realm: Realm::parse("other").expect("a realm"),
        kind: format!("kind.{n}").into(),
        channel: (n % 2 == 0).then_some(ChannelNum(n)),
        at_ms: 1000 + n,
        body: Bytes::from(format!("{{\"名\":{n}}}")),
    }
}

/// Every part survives; pages go on where the last one ended.
pub async fn events_are_read_back_in_order(stores: &Stores) {
    let outbox = &stores.outbox;
    assert_eq!(outbox.last_event().await.expect("the last"), 0);
    assert!(outbox.events(0, 9).await.expect("events").is_empty());
    let all: Vec<NewEvent> = (0..7).map(event).collect();
    outbox.append_events(&all[..3]).await.expect("appended");
    outbox.append_events(&[]).await.expect("appended");
    outbox.append_events(&all[3..]).await.expect("appended");
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = outbox.events(after, 3).await.expect("events");
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        assert!(page.is_sorted_by(|a, b| a.pos < b.pos) && page[0].pos > after);
        after = last.pos;
        found.extend(page.into_iter().map(|event| event.what));
    }
    assert_eq!(found, all);
    assert_eq!(outbox.last_event().await.expect("the last"), after);
}

/// A consumer that has seen everything misses nothing that comes.
pub async fn positions_rise_when_events_were_dropped(stores: &Stores) {
    let outbox = &stores.outbox;
    let all: Vec<NewEvent> = (0..5).map(event).collect();
    outbox.append_events(&all).await.expect("appended");
    let last = outbox.last_event().await.expect("the last");
    assert_eq!(outbox.drop_events(last, 2).await.expect("dropped"), 2);
    let left = outbox.events(0, 9).await.expect("events");
    assert_eq!(left.len(), 3);
    assert_eq!(left[0].what, all[2], "the oldest go first");
    assert_eq!(outbox.drop_events(last, 9).await.expect("dropped"), 3);
    assert_eq!(outbox.drop_events(last, 9).await.expect("dropped"), 0);
    assert_eq!(outbox.last_event().await.expect("the last"), last);
    outbox.append_events(&all[..1]).await.expect("appended");
    let new = outbox.events(last, 9).await.expect("events");
    assert_eq!(new.len(), 1);
    assert!(new[0].pos > last);
}

/// Each consumer has its own, which may go back.
pub async fn places_are_kept_moved_and_forgotten(stores: &Stores) {
    let outbox = &stores.outbox;
    let place = |message, event| Place {
        message: MessageId(message),
        event,
    };
    assert_eq!(outbox.place("a").await.expect("a place"), None);
    for at in [place(5, 6), place(i64::MAX, 7), place(1, 0)] {
        outbox.put_place("a", at).await.expect("put");
        assert_eq!(outbox.place("a").await.expect("a place"), Some(at));
    }
    outbox.put_place("名", place(9, 9)).await.expect("put");
    outbox.forget_place("a").await.expect("forgotten");
    outbox.forget_place("a").await.expect("forgotten");
    assert_eq!(outbox.place("a").await.expect("a place"), None);
    let other = outbox.place("名").await.expect("a place");
    assert_eq!(other, Some(place(9, 9)));
}

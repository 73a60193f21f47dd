//! Sessions that come and go, as events of the event log.

use std::time::Duration;

use crosstalk_core::session::MailboxLimits;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::world::{PATIENCE, PUSHED, World};

/// Waits for so many events; their names and what they say.
async fn events(world: &World, count: usize) -> Vec<(String, Value)> {
    let waiting = async {
        loop {
            let events = world.im().events(0, 99).await.expect("events");
            if events.len() >= count {
                return events;
            }
            // wait: until they are written down
            sleep(Duration::from_millis(1)).await;
        }
    };
    let events = timeout(PATIENCE, waiting).await.expect("in time");
    let said = events.into_iter().map(|event| {
        let body = serde_json::from_slice(&event.what.body).expect("JSON");
        (event.what.kind.to_string(), body)
    });
    said.collect()
}

#[tokio::test]
async fn sessions_and_users_come_and_go_once_somebody_wants_to_know() {
    let world = World::with(MailboxLimits::default(), |stores| stores).await;
    let unseen = world.client("carol", "c", PUSHED).await;
    world.im().record_comings(true);
    let one = world.client("alice", "one", PUSHED).await;
    assert_eq!(events(&world, 2).await.len(), 2);
    let two = world.client("alice", "two", PUSHED).await;
    assert_eq!(events(&world, 3).await.len(), 3);
    world.close(one).await;
    assert_eq!(events(&world, 4).await.len(), 4);
    world.close(two).await;
    let all = events(&world, 6).await;
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "session.opened",
            "user.online",
            "session.opened",
            "session.closed",
            "session.closed",
            "user.offline",
        ]
    );
    let counts: Vec<_> = all
        .iter()
        .map(|(_, said)| said["sessions"].clone())
        .collect();
    assert_eq!(counts, [1, 1, 2, 1, 0, 0]);
    assert!(all.iter().all(|(_, said)| said["user"] == "alice"));
    assert_eq!(all[2].1["device_id"], "two");
    world.im().record_comings(false);
    world.close(unseen).await;
    assert_eq!(events(&world, 6).await.len(), 6);
}

#[tokio::test]
async fn what_was_not_written_down_is_when_everything_stops() {
    let mut world = World::with(MailboxLimits::default(), |stores| stores).await;
    world.im().record_comings(true);
    let client = world.client("alice", "one", PUSHED).await;
    world.close(client).await;
    world.restart().await;
    let names: Vec<String> = events(&world, 2).await.into_iter().map(|it| it.0).collect();
    // Whether there was a user for that moment may have been seen or not.
    assert_eq!(names.first().map(String::as_str), Some("session.opened"));
    assert!(names.contains(&"session.closed".to_owned()));
}

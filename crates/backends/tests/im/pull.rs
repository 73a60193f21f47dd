//! A device that asks for what was sent while it was away.

use crosstalk_core::id::MessageId;
use crosstalk_core::session::{Delivery, Offline};

use super::world::{Client, PULLING, PUSHED, World, ids, to_group, to_user};

async fn world() -> World {
    let world = World::new().await;
    for uid in ["alice", "bob"] {
        world.join("g", uid).await;
    }
    world.settle("bob", "desk").await;
    world
}

async fn says(world: &World, count: usize) -> Vec<MessageId> {
    let mut said = Vec::new();
    for n in 0..count {
        let to = if n % 3 == 2 {
            to_user("bob")
        } else {
            to_group("g")
        };
        let id = world.say("alice", to).await;
        // Live messages of different channels are handed out beside each other.
        world.handed_out(id).await;
        said.push(id);
    }
    said
}

async fn pull(world: &World, client: &Client, limit: u32) -> (Vec<MessageId>, bool) {
    let pulled = world
        .im()
        .pull(&client.session, limit)
        .await
        .expect("pulled");
    let ids = pulled.messages.iter().map(|message| message.id).collect();
    (ids, pulled.more)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_in_order_and_end() {
    let mut world = world().await;
    let missed = says(&world, 25).await;
    let desk = world.client("bob", "desk", PULLING).await;
    let live = says(&world, 3).await;
    assert_eq!(
        ids(&desk.take(&world).await),
        live,
        "live messages come at once"
    );
    let mut pulled = Vec::new();
    for expected in [10, 10, 5] {
        let (page, more) = pull(&world, &desk, 10).await;
        assert_eq!((page.len(), more), (expected, pulled.len() < 20));
        pulled.extend(page);
    }
    assert_eq!(pulled, missed);
    assert_eq!(pull(&world, &desk, 10).await, (vec![], false));
    desk.ack(&world, missed.iter().chain(&live).copied());
    world.write().await;
    world.crash().await;
    let desk = world.client("bob", "desk", PULLING).await;
    assert_eq!(pull(&world, &desk, 1000).await, (vec![], false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_and_not_acknowledged_comes_to_the_next_session() {
    let world = world().await;
    let missed = says(&world, 6).await;
    let desk = world.client("bob", "desk", PULLING).await;
    assert_eq!(pull(&world, &desk, 4).await, (missed[..4].to_vec(), true));
    desk.ack(&world, [missed[1], missed[2]]);
    let live = says(&world, 2).await;
    desk.take(&world).await;
    desk.ack(&world, [live[0]]);
    world.close(desk).await;
    let desk = world.client("bob", "desk", PULLING).await;
    let waits = [missed[0], missed[3], missed[4], missed[5], live[1]];
    assert_eq!(pull(&world, &desk, 3).await, (waits[..3].to_vec(), true));
    assert_eq!(pull(&world, &desk, 3).await, (waits[3..].to_vec(), false));
    desk.ack(&world, waits);
    world.close(desk).await;
    let desk = world.client("bob", "desk", PULLING).await;
    assert_eq!(pull(&world, &desk, 3).await, (vec![], false));
}

/// Who never pulls keeps what waits; its live stretches do not hide what is below them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_never_asked_for_waits() {
    let world = world().await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        waits.extend(says(&world, 2).await);
        let desk = world.client("bob", "desk", PULLING).await;
        let live = says(&world, 2).await;
        assert_eq!(desk.take_and_ack(&world).await, live);
        world.close(desk).await;
    }
    let desk = world.client("bob", "desk", PULLING).await;
    assert_eq!(pull(&world, &desk, 1000).await, (waits, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_acknowledgements_what_was_written_is_delivered() {
    let world = world().await;
    let unacked = Delivery {
        acks: false,
        ..PULLING
    };
    let missed = says(&world, 4).await;
    let desk = world.client("bob", "desk", unacked).await;
    assert_eq!(pull(&world, &desk, 2).await, (missed[..2].to_vec(), true));
    desk.session.mailbox.written();
    assert_eq!(pull(&world, &desk, 1).await, (missed[2..3].to_vec(), true));
    // The connection fails while that is written.
    world.close(desk).await;
    let desk = world.client("bob", "desk", unacked).await;
    assert_eq!(pull(&world, &desk, 9).await, (missed[2..].to_vec(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_ask_at_once_get_each_message_once() {
    let world = world().await;
    let missed = says(&world, 30).await;
    let desk = world.client("bob", "desk", PULLING).await;
    let (one, other) = tokio::join!(pull(&world, &desk, 15), pull(&world, &desk, 15));
    let mut both = [one.0, other.0].concat();
    both.sort_unstable();
    assert_eq!(both, missed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_nothing_to_pull_where_it_is_pushed_or_synced() {
    let world = world().await;
    says(&world, 3).await;
    let sync = Delivery {
        offline: Offline::Sync,
        ..PULLING
    };
    for delivery in [PUSHED, sync] {
        let client = world.client("bob", "other", delivery).await;
        assert_eq!(pull(&world, &client, 9).await, (vec![], false));
        world.close(client).await;
    }
}

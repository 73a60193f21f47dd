//! A device to which what was sent while it was away is pushed.

use crosstalk_core::contract::text;
use crosstalk_core::delivered::Devices;
use crosstalk_core::id::MessageId;
use crosstalk_core::message::{Body, Flags};
use crosstalk_core::session::Delivery;

use super::world::{PUSHED, World, ids, to_group, to_user};

async fn world() -> World {
    let world = World::new().await;
    for uid in ["alice", "bob"] {
        world.join("g", uid).await;
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_meanwhile_comes_once_and_in_order() {
    let world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let first = says(&world, 5).await;
    assert_eq!(phone.take_and_ack(&world).await, first);
    world.close(phone).await;
    let missed = says(&world, 700).await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let live = says(&world, 5).await;
    assert_eq!(phone.take_and_ack(&world).await, [missed, live].concat());
    let live = says(&world, 5).await;
    assert_eq!(phone.take_and_ack(&world).await, live);
    world.close(phone).await;
    let phone = world.client("bob", "phone", PUSHED).await;
    assert!(
        phone.take(&world).await.is_empty(),
        "all of it was acknowledged"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_acknowledged_comes_again() {
    let world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let said = says(&world, 10).await;
    assert_eq!(ids(&phone.take(&world).await), said);
    phone.ack(&world, [said[0], said[3], said[9]]);
    let waits = says(&world, 2).await;
    world.close(phone).await;
    let again = [&said[1..3], &said[4..9], &waits].concat();
    let phone = world.client("bob", "phone", PUSHED).await;
    assert_eq!(ids(&phone.take(&world).await), again);
    // Not even closed: the same device comes back on another connection.
    phone.ack(&world, [again[0]]);
    let second = world.client("bob", "phone", PUSHED).await;
    assert_eq!(second.take_and_ack(&world).await, again[1..]);
    world.close(phone).await;
    world.close(second).await;
    let phone = world.client("bob", "phone", PUSHED).await;
    assert!(phone.take(&world).await.is_empty());
}

/// Written down or not, asked while it is written or after: it is known to the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_restart_repeats_nothing() {
    let mut world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    let said = says(&world, 10).await;
    assert_eq!(phone.take_and_ack(&world).await, said);
    assert_eq!(ids(&tablet.take(&world).await), said);
    tablet.ack(&world, said[..4].iter().copied());
    world.close(phone).await;
    // The tablet is still connected when the server stops.
    world.restart().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    assert!(phone.take(&world).await.is_empty());
    let tablet = world.client("bob", "tablet", PUSHED).await;
    assert_eq!(tablet.take_and_ack(&world).await, said[4..]);
    world.restart().await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    assert!(tablet.take(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_of_one_user_are_independent() {
    let world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    let first = says(&world, 3).await;
    assert_eq!(phone.take_and_ack(&world).await, first);
    assert_eq!(tablet.take_and_ack(&world).await, first);
    world.close(tablet).await;
    let second = says(&world, 3).await;
    assert_eq!(phone.take_and_ack(&world).await, second);
    world.close(phone).await;
    let third = says(&world, 3).await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    assert_eq!(
        tablet.take_and_ack(&world).await,
        [second, third.clone()].concat()
    );
    let phone = world.client("bob", "phone", PUSHED).await;
    assert_eq!(phone.take_and_ack(&world).await, third);
    // Without a stable id they are one.
    let shared = Delivery {
        stable_device: false,
        ..PUSHED
    };
    let one = world.client("bob", "a", shared).await;
    one.take_and_ack(&world).await;
    world.close(one).await;
    let fourth = says(&world, 3).await;
    let other = world.client("bob", "b", shared).await;
    assert_eq!(other.take_and_ack(&world).await, fourth);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_half_way_goes_on_from_there() {
    let world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    phone.take(&world).await;
    world.close(phone).await;
    let mut missed = says(&world, 900).await;
    let mut rounds = 0;
    while !missed.is_empty() {
        rounds += 1;
        assert!(rounds < 10, "it goes on");
        let phone = world.client("bob", "phone", PUSHED).await;
        // One part, and then the connection is gone.
        let mut taken = phone.drain().0;
        while taken.is_empty() {
            phone.resync(&world).await;
            taken = phone.drain().0;
        }
        let taken = ids(&taken);
        assert_eq!(taken, missed[..taken.len()]);
        phone.ack(&world, taken.iter().copied());
        missed.drain(..taken.len());
        world.close(phone).await;
        world.write().await;
    }
    assert!(rounds > 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_device_gets_the_newest_thousand() {
    let world = world().await;
    says(&world, 40).await;
    world.clock.advance_ms(31 * 86_400_000);
    let old = says(&world, 30).await;
    let phone = world.client("bob", "phone", PUSHED).await;
    assert_eq!(
        phone.take_and_ack(&world).await,
        old,
        "not what is older than 30 days"
    );
    let more = says(&world, 1020).await;
    assert_eq!(phone.take_and_ack(&world).await, more);
    world.close(phone).await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    let all = [old, more].concat();
    assert_eq!(tablet.take_and_ack(&world).await, all[50..]);
    world.close(tablet).await;
    // What it was not offered is not offered later either.
    let tablet = world.client("bob", "tablet", PUSHED).await;
    assert!(tablet.take(&world).await.is_empty());
    // One that was away for too long, likewise.
    world.close(tablet).await;
    says(&world, 5).await;
    world.clock.advance_ms(31 * 86_400_000);
    let recent = says(&world, 5).await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    assert_eq!(tablet.take_and_ack(&world).await, recent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_left_gets_nothing_more() {
    let world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    phone.take(&world).await;
    world.close(phone).await;
    let g = world.say("alice", to_group("g")).await;
    let direct = world.say("alice", to_user("bob")).await;
    world.leave("g", "bob").await;
    world.say("alice", to_group("g")).await;
    world.join("g", "bob").await;
    let after = world.say("alice", to_group("g")).await;
    world.handed_out(after).await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let taken = phone.take_and_ack(&world).await;
    assert_eq!(taken, [direct, after]);
    assert!(!taken.contains(&g));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_come_too_and_what_is_not_stored_does_not() {
    let world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    phone.take(&world).await;
    world.close(phone).await;
    let command = Body {
        flags: Flags {
            command: true,
            ..Flags::default()
        },
        ..text("do")
    };
    let passing = Body {
        flags: Flags {
            no_persist: true,
            ..Flags::default()
        },
        ..text("now")
    };
    let chat = world.say("alice", to_group("g")).await;
    let sent = world
        .send("alice", to_group("g"), command)
        .await
        .expect("sent");
    world
        .send("alice", to_group("g"), passing)
        .await
        .expect("sent");
    world.handed_out(sent).await;
    let phone = world.client("bob", "phone", PUSHED).await;
    assert_eq!(phone.take_and_ack(&world).await, [chat, sent]);
}

/// The session's own messages are not given back to it, and its claims hold them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_messages_come_to_the_other_device_only() {
    use crosstalk_core::session::Ticket;

    let world = world().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    phone.take(&world).await;
    tablet.take(&world).await;
    world.close(tablet).await;
    let draft = super::world::draft(to_group("g"), text("mine"));
    world.im().send(&phone.session, Ticket(1), draft).await;
    let said = loop {
        let drained = phone.session.mailbox.drain(false);
        if let Some((_, reply)) = drained.replies.front() {
            break reply.expect("accepted").id;
        }
        phone.session.mailbox.ready().await;
    };
    world.handed_out(said).await;
    assert!(phone.take(&world).await.is_empty());
    world.close(phone).await;
    let tablet = world.client("bob", "tablet", PUSHED).await;
    assert_eq!(tablet.take_and_ack(&world).await, [said]);
    let phone = world.client("bob", "phone", PUSHED).await;
    assert!(phone.take(&world).await.is_empty());
    world.write().await;
    let key = phone.session.device_key();
    let given = world.store().given(&key).await.expect("devices");
    assert!(given.expect("known").is_delivered(said));
}

//! Where a device begins that was never seen, if that is with its first session.

use crosstalk_core::session::{Beginning, Delivery};

use super::world::{PUSHED, World, to_group, to_user};

const QUEUED: Delivery = Delivery {
    begins: Beginning::Opening,
    ..PUSHED
};

async fn world() -> World {
    let world = World::new().await;
    for uid in ["alice", "bob"] {
        world.join("g", uid).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_before_the_first_session_is_history() {
    let world = world().await;
    world.say("alice", to_group("g")).await;
    let before = world.say("alice", to_user("bob")).await;
    world.handed_out(before).await;
    let phone = world.client("bob", "phone", QUEUED).await;
    // Before the client takes anything, and after.
    let mut said = vec![world.say("alice", to_user("bob")).await];
    world.handed_out(said[0]).await;
    assert_eq!(phone.take_and_ack(&world).await, said);
    said = vec![world.say("alice", to_group("g")).await];
    world.handed_out(said[0]).await;
    assert_eq!(phone.take_and_ack(&world).await, said);
    world.close(phone).await;
    let missed = [
        world.say("alice", to_group("g")).await,
        world.say("alice", to_user("bob")).await,
    ];
    world.handed_out(missed[1]).await;
    let phone = world.client("bob", "phone", QUEUED).await;
    assert_eq!(phone.take_and_ack(&world).await, missed);
    world.close(phone).await;
    let phone = world.client("bob", "phone", QUEUED).await;
    assert!(phone.take(&world).await.is_empty());
}

/// The client goes before it takes anything, the server before it writes anything down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_after_it_is_not_missed_after_a_crash_either() {
    for is_quiet in [false, true] {
        let mut world = world().await;
        let before = world.say("alice", to_user("bob")).await;
        world.handed_out(before).await;
        if is_quiet {
            // Nothing at all in the time that is offered.
            world.clock.advance_ms(31 * 86_400_000);
        }
        let phone = world.client("bob", "phone", QUEUED).await;
        let first = world.say("alice", to_user("bob")).await;
        world.close(phone).await;
        let second = world.say("alice", to_group("g")).await;
        world.crash().await;
        let third = world.say("alice", to_user("bob")).await;
        world.handed_out(third).await;
        let phone = world.client("bob", "phone", QUEUED).await;
        let taken = phone.take_and_ack(&world).await;
        assert_eq!(taken, [first, second, third], "quiet: {is_quiet}");
    }
}

/// Sessions that open while others write: whatever is sent after one is open reaches it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_opens_amid_messages_misses_none_of_those_that_follow() {
    let world = world().await;
    for n in 0..20 {
        let device = format!("phone{n}");
        let (phone, before) = tokio::join!(
            world.client("bob", &device, QUEUED),
            world.say("alice", to_group("g"))
        );
        let after = world.say("alice", to_user("bob")).await;
        world.handed_out(after).await;
        let mut taken = phone.take_and_ack(&world).await;
        taken.retain(|id| *id != before);
        assert_eq!(taken, [after]);
        world.close(phone).await;
    }
}

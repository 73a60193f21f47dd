//! What a crash may repeat, and that it loses nothing.

use std::collections::{BTreeSet, HashMap};

use crosstalk_core::delivered::Devices;
use crosstalk_core::id::{ChannelNum, MessageId};

use super::world::{PUSHED, World, to_group, to_user};

/// A client that stops reading falls behind, the server crashes, and the client comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_session_loses_nothing_in_a_crash() {
    let mut world = World::small(8).await;
    for group in ["g", "h", "left"] {
        for uid in ["alice", "bob"] {
            world.join(group, uid).await;
        }
    }
    let phone = world.client("bob", "phone", PUSHED).await;
    phone.take(&world).await;
    let mut said = Vec::new();
    for n in 0..60 {
        let to = match n % 3 {
            0 => to_group("g"),
            1 => to_group("h"),
            _ => to_user("bob"),
        };
        said.push(world.say("alice", to).await);
    }
    let unseen = world.say("alice", to_group("left")).await;
    world.handed_out(unseen).await;
    // It takes what its mailbox has, acknowledges some of it, and reads nothing back.
    let (taken, behind) = phone.drain();
    assert!(behind && taken.len() == 8);
    phone.ack(&world, taken[..3].iter().map(|message| message.id));
    let later = world.say("alice", to_user("bob")).await;
    said.push(later);
    world.handed_out(later).await;
    world.write().await;
    // Nothing from the first that was missed on is written down.
    let key = phone.session.device_key();
    let given = world
        .store()
        .given(&key)
        .await
        .expect("devices")
        .expect("known");
    assert!(given.is_delivered(said[2]) && !given.is_delivered(said[3]));
    assert!(said[8..].iter().all(|id| !given.is_delivered(*id)));
    world.leave("left", "bob").await;
    world.crash().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    let messages = phone.take(&world).await;
    let mut last: HashMap<ChannelNum, u64> = HashMap::new();
    for message in &messages {
        let seq = last.entry(message.channel.num).or_default();
        assert!(*seq < message.seq, "in order");
        *seq = message.seq;
    }
    let again: BTreeSet<MessageId> = messages.iter().map(|message| message.id).collect();
    assert_eq!(again, said[3..].iter().copied().collect());
}

/// What was acknowledged since the last writing is repeated, and no more than that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_repeats_what_was_not_written_down() {
    let mut world = World::new().await;
    world.join("g", "bob").await;
    let phone = world.client("bob", "phone", PUSHED).await;
    phone.take(&world).await;
    let mut said = Vec::new();
    for _ in 0..4 {
        said.push(world.say("alice", to_user("bob")).await);
    }
    world.handed_out(said[3]).await;
    phone.take_and_ack(&world).await;
    world.write().await;
    for _ in 0..4 {
        said.push(world.say("alice", to_user("bob")).await);
    }
    world.handed_out(said[7]).await;
    phone.take_and_ack(&world).await;
    world.close(phone).await;
    world.crash().await;
    let phone = world.client("bob", "phone", PUSHED).await;
    assert_eq!(phone.take_and_ack(&world).await, said[4..]);
}

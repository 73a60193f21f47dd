//! Temporary.
use std::time::Instant;
use crosstalk_core::delivered::{DeviceKey, Devices, Given, Stretch, WaitingQuery};
use crosstalk_core::id::{MessageId, UserNum};
use crosstalk_core::message::Origin;
use super::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure() {
    let world = World::new().await;
    let store = world.store();
    for round in 0..3 {
        let t = Instant::now();
        let mut worst = std::time::Duration::ZERO;
        for slice in 0..40 {
            let batch = (0..256).map(|n| {
                let key = DeviceKey { user: UserNum(slice * 256 + n), origin: Origin(3), id: "phone".into() };
                (key, Given::stretch(Stretch { lo: MessageId(1000), hi: MessageId(2000 + round) }, [MessageId(1500 + round), MessageId(1501), MessageId(1502)]))
            }).collect();
            let t = Instant::now();
            store.absorb(batch).await.unwrap();
            worst = worst.max(t.elapsed());
        }
        println!("round {round}: {:?} per device, worst slice {worst:?}", t.elapsed() / 10240);
    }
    // a user with 500 groups
    for g in 0..500 { world.join(&format!("g{g}"), "bob").await; }
    let mut last = MessageId(0);
    let mut first = None;
    for n in 0..3000 {
        last = world.say("alice", to_user(&format!("x{}", n % 7))).await;
        if n == 0 { first = Some(last); }
    }
    for g in 0..500 { world.join(&format!("g{g}"), "alice").await; }
    for n in 0..2000 { last = world.say("alice", to_group(&format!("g{}", (n * 7) % 50))).await; }
    let bob = world.user("bob").await;
    for (lo, hi) in [(first.unwrap().0, last.0), (last.0 - 3, last.0), (1, last.0)] {
        let q = WaitingQuery { per_log: 10_000, messages: 256, bytes: 1 << 20, only: None };
        let t = Instant::now();
        let mut n = 0;
        for _ in 0..20 {
            n = store.waiting(bob.num, vec![Stretch { lo: MessageId(lo), hi: MessageId(hi) }], q).await.unwrap().messages.len();
        }
        println!("page of {n}: {:?}", t.elapsed() / 20);
    }
    let t = Instant::now();
    store.newest(bob.num, MessageId(1), 1000).await.unwrap();
    println!("newest: {:?}", t.elapsed());
    // push + drain
    let client = world.client("bob", "d", PULLING).await;
    let _ = client.drain();
}

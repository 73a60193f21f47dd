//! First contacts: many at once, and none for a draft that is refused.

use std::collections::BTreeMap;

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::contract::text;
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Ticket;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::world::{PATIENCE, PULLING, World, draft, to_user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_contacts_keep_their_order() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let client = world.client("alice", "phone", PULLING).await;
    // More than one batch of each lane, several messages for each new channel.
    for n in 0..1200 {
        let draft = draft(to_user(&format!("friend{}", n % 300)), text(&n.to_string()));
        world.im().send(&client.session, Ticket(n), draft).await;
    }
    let mut answers = BTreeMap::new();
    while answers.len() < 1200 {
        let ready = timeout(PATIENCE, client.session.mailbox.ready());
        ready.await.expect("an answer");
        let replies = client.session.mailbox.drain(true).replies;
        answers.extend(replies.into_iter().map(|(ticket, reply)| (ticket.0, reply)));
    }
    for (n, answer) in answers {
        assert_eq!(answer.expect("accepted").seq, n / 300 + 1, "the {n}th");
    }
    let there = world
        .im()
        .conversations(&alice)
        .await
        .expect("conversations");
    assert_eq!(there.len(), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_faulty_draft_makes_no_name_known() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let kinds = [
        (ChannelKind::DIRECT, "nobody1", "nobody1"),
        (ChannelKind::CUSTOMER_SERVICE, "nobody2|desk", "nobody2"),
        (ChannelKind::VISITORS, "nobody3", "nobody3"),
        (ChannelKind::AGENT, "nobody4@agent", "nobody4"),
    ];
    for fault in [Some(Refusal::InvalidArgument), None] {
        for (kind, id, name) in kinds {
            let mut draft = draft(Address::parse(kind, id).expect("an address"), text("x"));
            draft.fault = fault;
            let sender = Sender::User(alice.clone());
            let sent = world.im().send_as(&Realm::default(), sender, draft).await;
            let name = Uid::parse(name).expect("a uid");
            let found = world.im().find_user(&Realm::default(), &name).await;
            let is_known = found.expect("an answer").is_some();
            match fault {
                Some(why) => {
                    assert_eq!(sent.expect_err("refused").why, why);
                    assert!(!is_known, "{kind:?}");
                }
                // Otherwise it has to be: whoever is named may be let in.
                None => assert!(is_known, "{kind:?}"),
            }
        }
    }
}

/// A faulty draft among good ones for the same new channel is refused alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_draft_is_judged_for_itself() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let sends = (0..9).map(|n| {
        let mut draft = draft(to_user("bob"), text("x"));
        draft.fault = (n % 3 == 0).then_some(Refusal::InvalidArgument);
        draft.require_peer = n % 3 == 1;
        let (im, sender) = (world.im(), Sender::User(alice.clone()));
        async move { im.send_as(&Realm::default(), sender, draft).await }
    });
    let answers = join_all(sends).await;
    let seqs: Vec<_> = answers
        .into_iter()
        .map(|answer| {
            answer
                .map(|accepted| accepted.seq)
                .map_err(|refused| refused.why)
        })
        .collect();
    let stored: Vec<_> = seqs.iter().filter_map(|seq| seq.ok()).collect();
    assert_eq!(stored, [1, 2, 3]);
    for (n, seq) in seqs.iter().enumerate() {
        match n % 3 {
            0 => assert_eq!(*seq, Err(Refusal::InvalidArgument)),
            1 => assert_eq!(*seq, Err(Refusal::NoSuchUser)),
            _ => assert!(seq.is_ok()),
        }
    }
}

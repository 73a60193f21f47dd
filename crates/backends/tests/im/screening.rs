//! Somebody has a last look at what users send: only what the same session sends waits for
//! it, and keeps its order.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::contract::text;
use crosstalk_core::id::{Realm, UserRef};
use crosstalk_core::message::Body;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::send::screen::{Screen, Verdict};
use crosstalk_core::session::{MailboxLimits, Session, Ticket};
use tokio::sync::Semaphore;

use super::world::{PUSHED, World, draft, to_group, until};

/// Looks at what says "slow" until it is let; refuses what says "bad"; has "rough" say
/// "smooth".
struct Looking {
    looks: Semaphore,
    may_go: Semaphore,
}

#[async_trait]
impl Screen for Looking {
    fn looks_at(&self, realm: &Realm) -> bool {
        *realm == Realm::default()
    }

    async fn look(&self, _sender: &UserRef, _to: &ChannelKey, body: &Body) -> Verdict {
        match &body.payload[..] {
            b"slow" => {
                self.looks.add_permits(1);
                self.may_go.acquire().await.expect("open").forget();
                Verdict::Allow
            }
            b"bad" => Verdict::Deny,
            b"unsure" => Verdict::Unanswered,
            b"rough" => Verdict::Replace(Box::new(Body {
                payload: "smooth".into(),
                ..body.clone()
            })),
            _ => Verdict::Allow,
        }
    }
}

async fn world() -> (World, Arc<Looking>) {
    let world = World::with(MailboxLimits::default(), |stores| stores).await;
    for uid in ["alice", "bob", "carol"] {
        world.join("g", uid).await;
    }
    let looking = Arc::new(Looking {
        looks: Semaphore::new(0),
        may_go: Semaphore::new(0),
    });
    world.im().set_screen(Some(Arc::clone(&looking) as _));
    (world, looking)
}

async fn send(world: &World, session: &Arc<Session>, n: u64, payload: &str) {
    let draft = draft(to_group("g"), text(payload));
    world.im().send(session, Ticket(n), draft).await;
}

#[tokio::test]
async fn only_the_same_session_waits_and_in_order() {
    let (world, looking) = world().await;
    let alice = world.client("alice", "a", PUSHED).await;
    let carol = world.client("carol", "c", PUSHED).await;
    let bob = world.client("bob", "b", PUSHED).await;
    for (n, payload) in [(1, "slow"), (2, "bad"), (3, "rough"), (4, "last")] {
        send(&world, &alice.session, n, payload).await;
    }
    looking.looks.acquire().await.expect("open").forget();
    // The lane is free meanwhile.
    send(&world, &carol.session, 1, "other").await;
    let mut heard = Vec::new();
    let hears = async |heard: &mut Vec<String>| {
        let messages = bob.take(&world).await;
        let payload = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        heard.extend(messages.iter().map(|it| payload(&it.body.payload)));
    };
    while heard.is_empty() {
        hears(&mut heard).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(heard, ["other"]);
    looking.may_go.add_permits(1);
    while heard.len() < 4 {
        hears(&mut heard).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(heard, ["other", "slow", "smooth", "last"]);
    let mut replies = Vec::new();
    while replies.len() < 4 {
        replies.extend(alice.session.mailbox.drain(false).replies);
        tokio::task::yield_now().await;
    }
    replies.sort_by_key(|(ticket, _)| ticket.0);
    let why = replies
        .into_iter()
        .map(|(_, reply)| reply.err().map(|refused| refused.why));
    let expected = [None, Some(Refusal::HookRefused), None, None];
    assert_eq!(why.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_callers_send_is_looked_at_and_nothing_once_nobody_looks() {
    let (world, _) = world().await;
    let say = async |payload| {
        let sent = world.send("alice", to_group("g"), text(payload)).await;
        sent.err()
    };
    assert_eq!(say("bad").await, Some(Refusal::HookRefused));
    assert_eq!(say("unsure").await, Some(Refusal::Unavailable));
    assert_eq!(say("fine").await, None);
    world.im().set_screen(None);
    assert_eq!(say("bad").await, None);
}

#[tokio::test]
async fn what_waits_when_everything_stops_is_answered() {
    let (mut world, looking) = world().await;
    let alice = world.client("alice", "a", PUSHED).await;
    send(&world, &alice.session, 1, "slow").await;
    send(&world, &alice.session, 2, "x").await;
    looking.looks.acquire().await.expect("open").forget();
    looking.may_go.add_permits(1);
    world.restart().await;
    until(|| looking.may_go.available_permits() == 0).await;
    let replies = alice.session.mailbox.drain(false).replies;
    assert_eq!(replies.len(), 2, "each is answered");
}

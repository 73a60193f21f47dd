//! Who is told of whom when what they have decided about each other changes, or what they say.

use std::sync::Arc;

use crosstalk_core::directory::{PrivacyChange, SeenBy, UserChange};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{KeepFriend, PresenceChange};
use crosstalk_core::relation::friend::{Answer, FriendChange, Sides};
use crosstalk_core::session::{Delivery, Notice, Offline};

use super::world::{Client, PATIENCE, PULLING, World, to_user};

const LISTENING: Delivery = Delivery {
    presence: true,
    ..Delivery::plain(Offline::Sync, true)
};

fn uid(text: &str) -> Uid {
    Uid::parse(text).expect("a uid")
}

fn realm() -> Realm {
    Realm::default()
}

/// Waits for the next notice: who it is of, whether they are there, and what they say.
async fn comes(client: &Client) -> (String, bool, String) {
    let waiting = async {
        loop {
            let notices = client.notices();
            assert!(notices.len() < 2, "{notices:?}");
            if let Some(notice) = notices.first() {
                return Arc::clone(notice);
            }
            client.session.mailbox.ready().await;
        }
    };
    let notice = tokio::time::timeout(PATIENCE, waiting).await;
    let notice = notice.expect("in time");
    let Notice::Presence {
        user,
        is_online,
        status,
        ..
    } = &*notice
    else {
        panic!("{notice:?}")
    };
    (user.uid.as_str().to_owned(), *is_online, status.to_string())
}

fn of(user: &str, is_online: bool) -> (String, bool, String) {
    (user.to_owned(), is_online, String::new())
}

async fn shows(world: &World, user: &str, presence: SeenBy) {
    world.user(user).await;
    let change = UserChange {
        privacy: PrivacyChange {
            presence: Some(presence),
            ..PrivacyChange::default()
        },
        ..UserChange::default()
    };
    let put = world.im().put_user(&realm(), &uid(user), &change).await;
    put.expect("put");
}

async fn block(world: &World, user: &str, other: &str, blocked: bool) {
    let (user, other) = (uid(user), uid(other));
    let done = world.im().block(&realm(), &user, &other, blocked).await;
    done.expect("done");
}

async fn unfriend(world: &World, user: &str, other: &str) {
    let other = [uid(other)];
    let im = world.im();
    let ended = im.unfriend(&realm(), &uid(user), &other, Sides::Both).await;
    assert_eq!(ended, Ok(vec![true]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_learn_at_once_what_they_may_see_and_others_no_longer() {
    let world = World::new().await;
    for user in ["alice", "bob"] {
        shows(&world, user, SeenBy::Friends).await;
    }
    let alice = world.client("alice", "a", LISTENING).await;
    let bob = world.client("bob", "b", LISTENING).await;
    let ask = KeepFriend::default();
    for _ in 0..2 {
        let (from, to) = (uid("alice"), uid("bob"));
        let asked = world.im().ask_friend(&realm(), &from, &to, &ask).await;
        let id = asked.expect("asked").request.id;
        let accept = Answer::Accept(FriendChange::default());
        let answered = world.im().answer_friend(&realm(), &to, id, accept).await;
        answered.expect("answered");
        assert_eq!(comes(&alice).await, of("bob", true));
        assert_eq!(comes(&bob).await, of("alice", true));

        unfriend(&world, "bob", "alice").await;
        assert_eq!(comes(&alice).await, of("bob", false));
        assert_eq!(comes(&bob).await, of("alice", false));
    }
    // Whoever was let in by the application is told, too, and whoever is blocked meanwhile.
    let pairs = [(uid("alice"), uid("bob"))];
    let made = world.im().befriend(&realm(), &pairs, Sides::One).await;
    made.expect("the store answers")[0].expect("friends");
    assert_eq!(comes(&bob).await, of("alice", true));
    block(&world, "alice", "bob", true).await;
    assert_eq!(comes(&bob).await, of("alice", false));
    block(&world, "alice", "bob", false).await;
    assert_eq!(comes(&bob).await, of("alice", true));
    assert!(alice.notices().is_empty(), "bob never let alice in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_talks_with_somebody_is_told_when_they_are_blocked() {
    let world = World::new().await;
    for peer in ["bob", "carol"] {
        let last = world.say("alice", to_user(peer)).await;
        world.handed_out(last).await;
    }
    let bob = world.client("bob", "b", LISTENING).await;
    let carol = world.client("carol", "c", LISTENING).await;
    let alice = world.client("alice", "a", PULLING).await;
    assert_eq!(comes(&bob).await, of("alice", true));
    assert_eq!(comes(&carol).await, of("alice", true));
    block(&world, "alice", "carol", true).await;
    assert_eq!(comes(&carol).await, of("alice", false));
    // That they become friends, or not, changes nothing for who is told anyway.
    let pairs = [(uid("alice"), uid("bob"))];
    let made = world.im().befriend(&realm(), &pairs, Sides::Both).await;
    made.expect("the store answers")[0].expect("friends");
    unfriend(&world, "alice", "bob").await;
    world.close(alice).await;
    assert_eq!(comes(&bob).await, of("alice", false));
    assert!(carol.notices().is_empty(), "it was told already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_says_is_told_to_those_who_see_them() {
    let world = World::new().await;
    world.user("alice").await;
    world.user("bob").await;
    let pairs = [(uid("alice"), uid("bob"))];
    let made = world.im().befriend(&realm(), &pairs, Sides::Both).await;
    made.expect("the store answers")[0].expect("friends");
    let bob = world.client("bob", "b", LISTENING).await;
    let eve = world.client("eve", "e", LISTENING).await;
    let says = async |status: &str| {
        let change = PresenceChange {
            status: Some(status.to_owned()),
            invisible: None,
        };
        let im = world.im();
        let changed = im.change_presence(&realm(), &uid("alice"), change).await;
        changed.expect("changed");
    };
    let busy = ("alice".to_owned(), true, "busy".to_owned());
    // Of who is away nothing is told until they come.
    says("busy").await;
    let alice = world.client("alice", "a", PULLING).await;
    assert_eq!(comes(&bob).await, busy);
    for status in ["", "busy"] {
        says(status).await;
        let told = comes(&bob).await;
        assert_eq!(told, ("alice".to_owned(), true, status.to_owned()));
        // The same again is no news.
        says(status).await;
    }
    world.close(alice).await;
    assert_eq!(comes(&bob).await, of("alice", false));
    assert!(eve.notices().is_empty());
}

//! Friends and those who are none: who may write to whom, who is told what, who sees whom come
//! and go, and that all of it is there after a restart.

use std::sync::Arc;

use crosstalk_core::change::Change;
use crosstalk_core::contract::text;
use crosstalk_core::directory::{
    PrivacyChange, Profile, ProfileChange, SeenBy, Strangers, UserChange,
};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{KeepFriend, PresenceChange, WantedRequests};
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{
    Answer, Asked, FriendChange, RequestStatus, Sides, WhichFriends,
};
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

async fn ask(world: &World, from: &str, to: &str) -> Result<Asked, Refusal> {
    for user in [from, to] {
        world.user(user).await;
    }
    let ask = KeepFriend::default();
    let im = world.im();
    im.ask_friend(&realm(), &uid(from), &uid(to), &ask).await
}

async fn befriend(world: &World, one: &str, other: &str, sides: Sides) {
    for user in [one, other] {
        world.user(user).await;
    }
    let pairs = [(uid(one), uid(other))];
    let made = world.im().befriend(&realm(), &pairs, sides).await;
    made.expect("the store answers")[0].expect("friends");
}

async fn privacy(world: &World, user: &str, privacy: PrivacyChange) {
    let change = UserChange {
        privacy,
        ..UserChange::exists()
    };
    let put = world.im().put_user(&realm(), &uid(user), &change).await;
    put.expect("put");
}

async fn strangers(world: &World, user: &str, strangers: Strangers) {
    let change = PrivacyChange {
        strangers: Some(strangers),
        ..PrivacyChange::default()
    };
    privacy(world, user, change).await;
}

async fn says(world: &World, from: &str, to: &str) -> Result<(), Refusal> {
    let sent = world.send(from, to_user(to), text("x")).await;
    sent.map(|_| ())
}

/// Waits for the next changes that a client is told of.
async fn told(world: &World, client: &Client) -> Vec<Change> {
    let of = |messages: Vec<Arc<Message>>| {
        let changes = messages.iter().filter_map(|m| Change::of(m));
        changes.collect::<Vec<_>>()
    };
    let waiting = async {
        loop {
            let found = of(client.take(world).await);
            if !found.is_empty() {
                return found;
            }
            client.session.mailbox.ready().await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, waiting).await;
    told.expect("in time")
}

/// Waits until a client was told of so many changes.
async fn all_told(world: &World, client: &Client, count: usize) -> Vec<Change> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(told(world, client).await);
    }
    all
}

const OFF: Strangers = Strangers::Deny;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_write_where_they_may_and_it_holds_for_the_next_message() {
    let world = World::new().await;
    world.user("alice").await;
    let refused = Err(Refusal::NotAllowListed);
    assert_eq!(says(&world, "eve", "alice").await, Ok(()));
    strangers(&world, "alice", OFF).await;
    assert_eq!(says(&world, "eve", "alice").await, refused);
    assert_eq!(says(&world, "alice", "eve").await, Ok(()));

    // Whom she keeps as a friend may; that somebody keeps her is not enough.
    befriend(&world, "eve", "alice", Sides::One).await;
    assert_eq!(says(&world, "eve", "alice").await, refused);
    befriend(&world, "alice", "eve", Sides::One).await;
    assert_eq!(says(&world, "eve", "alice").await, Ok(()));
    let im = world.im();
    let eve = [uid("eve")];
    let ended = im.unfriend(&realm(), &uid("alice"), &eve, Sides::One).await;
    assert_eq!(ended, Ok(vec![true]));
    assert_eq!(says(&world, "eve", "alice").await, refused);
    let asked = ask(&world, "alice", "eve").await.expect("asked");
    assert_eq!(asked.request.status, RequestStatus::Accepted);
    assert_eq!(says(&world, "eve", "alice").await, Ok(()));

    // A block goes before everything.
    let block = async |blocked| {
        let (alice, eve) = (uid("alice"), uid("eve"));
        im.block(&realm(), &alice, &eve, blocked).await
    };
    block_is(block(true).await);
    assert_eq!(says(&world, "eve", "alice").await, Err(Refusal::Blocked));
    block_is(block(false).await);
    strangers(&world, "alice", Strangers::Inherit).await;
    assert_eq!(says(&world, "mallory", "alice").await, Ok(()));
}

fn block_is(done: Result<(), Refusal>) {
    done.expect("done");
}

#[allow(clippy::too_many_lines, reason = "one story")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_are_told_of_requests_and_friends_and_find_them_after_a_restart() {
    let mut world = World::new().await;
    let alice = world.client("alice", "a", PULLING).await;
    let bob = world.client("bob", "b", PULLING).await;
    let asked = ask(&world, "alice", "bob").await.expect("asked");
    for client in [&alice, &bob] {
        let [Change::FriendRequest { request, .. }] = &told(&world, client).await[..] else {
            panic!("one request")
        };
        assert_eq!(request.id, asked.request.id.to_string());
        assert_eq!(
            (&*request.from, &*request.to, &*request.status),
            ("alice", "bob", "pending")
        );
    }
    let again = ask(&world, "alice", "bob").await.expect("asked");
    assert!(!again.is_new);

    drop((alice, bob));
    world.restart().await;
    let alice = world.client("alice", "a", PULLING).await;
    let bob = world.client("bob", "b2", PULLING).await;
    let (here, his) = (realm(), uid("bob"));
    let wanted = WantedRequests {
        incoming: true,
        status: None,
        before: None,
        limit: 9,
    };
    let incoming = world.im().friend_requests(&here, &his, wanted);
    let incoming = incoming.await.expect("requests");
    assert_eq!(incoming, std::slice::from_ref(&asked.request));
    let keep = FriendChange {
        remark: Some("Al".to_owned()),
        group: None,
    };
    let accept = Answer::Accept(keep);
    let id = asked.request.id;
    let answer = world.im().answer_friend(&here, &his, id, accept);
    assert_eq!(
        answer.await.expect("accepted").status,
        RequestStatus::Accepted
    );
    let hers = all_told(&world, &alice, 2).await;
    assert!(
        matches!(&hers[..], [
            Change::FriendRequest { request, .. },
            Change::Friend { user, is_friend: true, remark, .. },
        ] if request.status == "accepted" && user == "bob" && remark.is_empty()),
        "{hers:?}"
    );
    let his = all_told(&world, &bob, 2).await;
    assert!(
        matches!(&his[..], [
            Change::FriendRequest { .. },
            Change::Friend { user, is_friend: true, remark, .. },
        ] if user == "alice" && remark == "Al"),
        "{his:?}"
    );

    drop((alice, bob));
    world.restart().await;
    let (here, bobs, alices) = (realm(), uid("bob"), uid("alice"));
    let friends = world.im().friends(&here, &bobs, WhichFriends::Since(0), 9);
    let friends = friends.await.expect("friends");
    assert_eq!(friends.len(), 1);
    assert_eq!(friends[0].remark, "Al");
    let bob = world.client("bob", "b3", PULLING).await;
    let bobs = [bobs];
    let ended = world.im().unfriend(&here, &alices, &bobs, Sides::Both);
    assert_eq!(ended.await, Ok(vec![true]));
    let his = told(&world, &bob).await;
    assert!(
        matches!(&his[..], [Change::Friend { user, is_friend: false, .. }] if user == "alice"),
        "{his:?}"
    );
    let block = |on| {
        let im = Arc::clone(world.im());
        async move { im.block(&realm(), &uid("bob"), &uid("alice"), on).await }
    };
    for (on, is_told) in [(true, true), (true, false), (false, true), (false, false)] {
        block_is(block(on).await);
        if is_told {
            let his = told(&world, &bob).await;
            assert!(
                matches!(&his[..], [Change::Blocked { user, blocked, .. }]
                    if user == "alice" && *blocked == on),
                "{his:?}"
            );
        }
    }
    assert!(bob.take(&world).await.is_empty());
    assert_eq!(
        block_of(&world, "bob", "nobody").await,
        Err(Refusal::NoSuchUser)
    );
}

async fn block_of(world: &World, user: &str, other: &str) -> Result<(), Refusal> {
    let im = world.im();
    im.block(&realm(), &uid(user), &uid(other), true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_who_are_there_see_a_new_profile_without_what_is_private() {
    let world = World::new().await;
    let desk = world.client("alice", "a", PULLING).await;
    let bob = world.client("bob", "b", PULLING).await;
    let eve = world.client("eve", "e", PULLING).await;
    befriend(&world, "alice", "bob", Sides::Both).await;
    for client in [&desk, &bob] {
        assert_eq!(told(&world, client).await.len(), 1);
    }
    let members: ProfileChange =
        serde_json::from_str(r#"{"name":"Alice","phone":"12345"}"#).expect("a change");
    let change = UserChange {
        members,
        ..UserChange::default()
    };
    let put = async || {
        let im = world.im();
        im.change_user(&realm(), &uid("alice"), &change).await
    };
    put().await.expect("changed");
    let seen = |changes: Vec<Change>| {
        let [Change::Profile { user, profile, .. }] = &changes[..] else {
            panic!("{changes:?}")
        };
        assert_eq!(user, "alice");
        let profile: Profile = serde_json::from_value(profile.clone()).expect("a profile");
        (profile.name, profile.phone)
    };
    let name = Some("Alice".to_owned());
    let phone = Some("12345".to_owned());
    assert_eq!(seen(told(&world, &desk).await), (name.clone(), phone));
    assert_eq!(seen(told(&world, &bob).await), (name, None));
    // What is as it was is no news.
    put().await.expect("changed");
    let last = world.say("bob", to_user("eve")).await;
    world.handed_out(last).await;
    assert!(desk.take(&world).await.is_empty());
    let eves = eve.take(&world).await;
    assert!(eves.iter().all(|message| Change::of(message).is_none()));
}

/// Waits for the next notice of presence.
async fn comes(client: &Client) -> (String, bool) {
    let waiting = async {
        loop {
            for notice in client.notices() {
                if let Notice::Presence {
                    user, is_online, ..
                } = &*notice
                {
                    return (user.uid.as_str().to_owned(), *is_online);
                }
            }
            client.session.mailbox.ready().await;
        }
    };
    let comes = tokio::time::timeout(PATIENCE, waiting).await;
    comes.expect("in time")
}

async fn shown(world: &World, viewer: Option<&str>, user: &str) -> (bool, bool) {
    let viewer = match viewer {
        Some(viewer) => Some(world.user(viewer).await),
        None => None,
    };
    let (here, of) = (realm(), [uid(user)]);
    let shown = world.im().presence(&here, viewer.as_ref(), &of);
    let shown = &shown.await.expect("presence")[0];
    (shown.online, shown.last_seen_at_ms > 0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence_is_seen_by_whom_the_user_lets() {
    let world = World::new().await;
    befriend(&world, "alice", "bob", Sides::Both).await;
    let last = world.say("alice", to_user("eve")).await;
    world.handed_out(last).await;
    let bob = world.client("bob", "b", LISTENING).await;
    let eve = world.client("eve", "e", LISTENING).await;
    let alice = world.client("alice", "a", PULLING).await;
    let (is, is_not) = (("alice".to_owned(), true), ("alice".to_owned(), false));
    assert_eq!(comes(&bob).await, is);
    assert_eq!(comes(&eve).await, is);
    assert_eq!(shown(&world, Some("eve"), "alice").await, (true, true));

    // Each sees the change, and those alone whom it concerns.
    let lets = |presence| PrivacyChange {
        presence: Some(presence),
        ..PrivacyChange::default()
    };
    privacy(&world, "alice", lets(SeenBy::Friends)).await;
    assert_eq!(comes(&eve).await, is_not);
    assert_eq!(shown(&world, Some("eve"), "alice").await, (false, false));
    assert_eq!(shown(&world, Some("bob"), "alice").await, (true, true));
    let hide = |invisible| PresenceChange {
        status: Some("busy".to_owned()),
        invisible: Some(invisible),
    };
    let change = async |change| {
        let im = world.im();
        im.change_presence(&realm(), &uid("alice"), change).await
    };
    assert!(change(hide(true)).await.expect("hidden").invisible);
    assert_eq!(comes(&bob).await, is_not);
    assert_eq!(shown(&world, Some("bob"), "alice").await, (false, false));
    assert_eq!(shown(&world, Some("alice"), "alice").await, (true, true));
    assert_eq!(shown(&world, None, "alice").await, (true, true));
    assert_eq!(change(hide(false)).await.expect("shown").status, "busy");
    assert_eq!(comes(&bob).await, is);

    // Whoever is gone was there until now.
    world.close(alice).await;
    assert_eq!(comes(&bob).await, is_not);
    assert!(eve.notices().is_empty());
    let seen = world.im().presence(&realm(), None, &[uid("alice")]).await;
    let seen = &seen.expect("presence")[0];
    assert!(!seen.online);
    assert_eq!(
        seen.last_seen_at_ms,
        crosstalk_core::clock::Clock::now_ms(&*world.clock)
    );
    assert_eq!(shown(&world, Some("eve"), "alice").await, (false, false));
}

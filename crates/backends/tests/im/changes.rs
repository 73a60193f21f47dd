//! What is told of changes: by command logs to everybody concerned, there or away; by notices
//! to those who are there.

use std::sync::Arc;

use crosstalk_core::change::Change;
use crosstalk_core::channel::{ChannelKey, MemberChange, MemberRole};
use crosstalk_core::contract::text;
use crosstalk_core::deliver::{Operator, Sender};
use crosstalk_core::id::{MessageId, Realm, Uid};
use crosstalk_core::im::Viewer;
use crosstalk_core::message::{Message, Origin};
use crosstalk_core::relation::RelationChange;
use crosstalk_core::session::{Delivery, Echo, Ending, Notice, Offline, Ticket};

use super::world::{
    Client, PATIENCE, PULLING, World, draft, key, request, to_group, to_user, until,
};

const LISTENING: Delivery = Delivery {
    receipts: true,
    presence: true,
    ..Delivery::plain(Offline::Sync, true)
};

fn direct(one: &str, other: &str) -> ChannelKey {
    let uid = |text| Uid::parse(text).expect("a uid");
    ChannelKey::direct(&Realm::default(), &uid(one), &uid(other))
}

async fn revoke(world: &World, id: MessageId, by: &str) {
    let by = Operator::User(world.user(by).await);
    let taken = world.im().revoke(&Realm::default(), id, by).await;
    assert!(taken.expect("revoked").is_new);
}

fn changes(messages: &[Arc<Message>]) -> Vec<Change> {
    messages.iter().filter_map(|m| Change::of(m)).collect()
}

/// Waits for the next changes that a client is told of.
async fn told(world: &World, client: &Client) -> Vec<Change> {
    let waiting = async {
        loop {
            let found = changes(&client.take(world).await);
            if !found.is_empty() {
                return found;
            }
            client.session.mailbox.ready().await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, waiting).await;
    told.expect("in time")
}

/// Waits for the next notices.
async fn noticed(client: &Client) -> Vec<Arc<Notice>> {
    let waiting = async {
        loop {
            let found = client.notices();
            if !found.is_empty() {
                return found;
            }
            client.session.mailbox.ready().await;
        }
    };
    let noticed = tokio::time::timeout(PATIENCE, waiting).await;
    noticed.expect("in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_message_is_told_to_all_devices_there_or_away() {
    let world = World::new().await;
    world.join("g", "alice").await;
    world.join("g", "bob").await;
    world.settle("bob", "phone").await;
    let desk = world.client("bob", "desk", PULLING).await;
    let phone = world.client("bob", "phone", PULLING).await;
    let said = world.say("alice", to_group("g")).await;
    world.handed_out(said).await;
    desk.take_and_ack(&world).await;
    phone.take_and_ack(&world).await;
    world.close(phone).await;

    revoke(&world, said, "alice").await;
    let there = told(&world, &desk).await;
    let Change::Revoked { message, by, .. } = &there[0] else {
        panic!("{there:?}");
    };
    assert_eq!(
        (message.id, message.seq, &*message.sender),
        (said, 1, "alice")
    );
    assert_eq!(by.as_deref(), Some("alice"));

    let phone = world.client("bob", "phone", PULLING).await;
    let pulled = world.im().pull(&phone.session, 10).await.expect("pulled");
    let away: Vec<_> = pulled.messages.iter().filter_map(Change::of).collect();
    assert_eq!(away, there);
    assert_eq!(pulled.messages[0].body.origin, Origin::CHANGE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peer_of_a_direct_channel_learns_what_is_read_and_other_devices_do() {
    let world = World::new().await;
    let alice = world.client("alice", "a", LISTENING).await;
    let bob = world.client("bob", "b", LISTENING).await;
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(world.say("alice", to_user("bob")).await);
    }
    let reader = world.user("bob").await;
    let channel = direct("alice", "bob");
    let row = world.im().read(&reader, &channel, Some(2)).await;
    assert_eq!(row.expect("read").unread(), 1);
    let author = told(&world, &alice).await;
    let Change::Read {
        reader: who,
        up_to,
        messages,
        ..
    } = &author[0]
    else {
        panic!("{author:?}");
    };
    assert_eq!((&**who, *up_to), ("bob", 2));
    let named: Vec<_> = messages.iter().map(|message| message.id).collect();
    assert_eq!(named, [said[1], said[0]], "newest first");
    let own = told(&world, &bob).await;
    assert!(
        matches!(
            own[0],
            Change::Unread {
                unread: 1,
                read_seq: 2,
                ..
            }
        ),
        "{own:?}"
    );

    // Nothing is told twice.
    world
        .im()
        .read(&reader, &channel, Some(2))
        .await
        .expect("read");
    let last = world.say("bob", to_user("alice")).await;
    world.handed_out(last).await;
    assert_eq!(changes(&alice.take(&world).await), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_answered_can_still_say_that_they_have_read() {
    let world = World::new().await;
    let alice = world.client("alice", "a", LISTENING).await;
    let said = world.say("alice", to_user("bob")).await;
    let reply = world.say("bob", to_user("alice")).await;
    world.handed_out(reply).await;
    let (reader, channel) = (world.user("bob").await, direct("alice", "bob"));
    for asked in [1, 1] {
        let read = world.im().read(&reader, &channel, Some(asked)).await;
        read.expect("read");
    }
    let last = world.say("bob", to_user("alice")).await;
    world.handed_out(last).await;
    let heard = told(&world, &alice).await;
    let [Change::Read { messages, .. }] = &heard[..] else {
        panic!("once: {heard:?}");
    };
    assert_eq!(messages.iter().map(|m| m.id).collect::<Vec<_>>(), [said]);
    // And again after the next answer, also for the whole conversation.
    let more = world.say("alice", to_user("bob")).await;
    world.say("bob", to_user("alice")).await;
    world
        .im()
        .read(&reader, &channel, None)
        .await
        .expect("read");
    let heard = told(&world, &alice).await;
    let [Change::Read { messages, .. }] = &heard[..] else {
        panic!("once: {heard:?}");
    };
    assert_eq!(messages.iter().map(|m| m.id).collect::<Vec<_>>(), [more]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_groups_only_those_who_asked_learn_what_is_read() {
    let world = World::new().await;
    for uid in ["alice", "bob", "carol"] {
        world.join("g", uid).await;
    }
    let alice = world.client("alice", "a", LISTENING).await;
    let carol = world.client("carol", "c", LISTENING).await;
    let mut asking = text("who reads this?");
    asking.flags.receipt = true;
    let asked = world
        .send("alice", to_group("g"), asking)
        .await
        .expect("sent");
    let other = world.say("carol", to_group("g")).await;
    world.handed_out(other).await;
    let bob = world.user("bob").await;
    world.im().read(&bob, &key("g"), None).await.expect("read");
    let told = told(&world, &alice).await;
    let Change::Read { messages, .. } = &told[0] else {
        panic!("{told:?}");
    };
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].id, messages[0].receipt), (asked, true));
    let changed = world
        .im()
        .changed(&Viewer::User(bob.clone()), &key("g"), 0, 10)
        .await
        .expect("changed");
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].state.read_count, changed[0].readers), (1, 2));
    let later = world.say("bob", to_group("g")).await;
    world.handed_out(later).await;
    assert_eq!(changes(&carol.take(&world).await), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_what_others_may_not_see_do_not_end_the_list() {
    let world = World::new().await;
    for uid in ["alice", "bob", "carol"] {
        world.join("g", uid).await;
    }
    let mut secret = text("for bob");
    secret.audience = Some([world.user("bob").await.num].into());
    for body in [secret, text("for all")] {
        let said = world.send("alice", to_group("g"), body).await;
        revoke(&world, said.expect("sent"), "alice").await;
    }
    for (uid, seqs) in [("carol", vec![2]), ("bob", vec![1])] {
        let viewer = Viewer::User(world.user(uid).await);
        let changed = world.im().changed(&viewer, &key("g"), 0, 1).await;
        let changed = changed.expect("changed");
        let seen: Vec<_> = changed.iter().map(|changed| changed.message.seq).collect();
        assert_eq!(seen, seqs, "{uid}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_message_for_some_is_told_to_them_and_its_author() {
    let world = World::new().await;
    for uid in ["alice", "bob", "carol"] {
        world.join("g", uid).await;
    }
    let boss = MemberChange::Join(world.user("boss").await, MemberRole::Administrator);
    let joined = world.im().change_members(&key("g"), vec![boss]).await;
    joined.expect("joined");
    let mut clients = Vec::new();
    for uid in ["alice", "bob", "carol"] {
        clients.push(world.client(uid, "d", LISTENING).await);
    }
    let mut secret = text("for bob");
    secret.audience = Some([world.user("bob").await.num].into());
    let said = world.send("alice", to_group("g"), secret).await;
    revoke(&world, said.expect("sent"), "boss").await;
    let last = world.say("boss", to_group("g")).await;
    world.handed_out(last).await;
    for (client, is_told) in clients.iter().zip([true, true, false]) {
        let mut told = changes(&client.take(&world).await);
        told.retain(|change| matches!(change, Change::Revoked { .. }));
        assert_eq!(told.len(), usize::from(is_told), "{:?}", client.session);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_left_does_not_learn_who_reads() {
    let world = World::new().await;
    for uid in ["alice", "bob", "carol"] {
        world.join("g", uid).await;
    }
    let alice = world.client("alice", "a", LISTENING).await;
    let carol = world.client("carol", "c", LISTENING).await;
    for uid in ["alice", "carol"] {
        let mut asking = text("who reads this?");
        asking.flags.receipt = true;
        world.send(uid, to_group("g"), asking).await.expect("sent");
    }
    world.leave("g", "alice").await;
    let bob = world.user("bob").await;
    world.im().read(&bob, &key("g"), None).await.expect("read");
    assert_eq!(told(&world, &carol).await.len(), 1);
    // Her own log is in order: what comes now comes after all that she was told.
    let mut command = text("x");
    command.flags.command = true;
    let last = world.send("alice", to_user("alice"), command).await;
    world.handed_out(last.expect("sent")).await;
    assert_eq!(changes(&alice.take(&world).await), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_is_not_told_who_reads_what_it_says() {
    let world = World::new().await;
    let (im, realm) = (world.im(), Realm::default());
    let bob = world.client("bob", "b", LISTENING).await;
    let system = im.ensure_user(&realm, &Uid::system()).await;
    let sender = Sender::Application(system.expect("a user"));
    let said = draft(to_user("bob"), text("welcome"));
    im.send_as(&realm, sender, said).await.expect("sent");
    let channel = ChannelKey::direct(&realm, &Uid::system(), &bob.session.user.uid);
    let read = im.read(&bob.session.user, &channel, None).await;
    assert_eq!(read.expect("read").unread(), 0);
    assert_eq!(told(&world, &bob).await.len(), 1);
    // What is stored: what was said, and what his other devices are told.
    let last = world.say("bob", to_user("alice")).await;
    world.handed_out(last).await;
    let stored = &im.counters().stored;
    assert_eq!(stored.load(std::sync::atomic::Ordering::Relaxed), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sender_learns_once_that_a_receiver_has_it() {
    let world = World::new().await;
    let alice = world.client("alice", "a", LISTENING).await;
    let devices = [
        world.client("bob", "b1", PULLING).await,
        world.client("bob", "b2", PULLING).await,
    ];
    let said = world.say("alice", to_user("bob")).await;
    world.handed_out(said).await;
    for device in &devices {
        let messages = device.take(&world).await;
        world.im().received(&device.session, &messages).await;
    }
    let notices = noticed(&alice).await;
    let [notice] = &notices[..] else {
        panic!("{notices:?}");
    };
    let Notice::Delivered { message, by, .. } = &**notice else {
        panic!("{notice:?}");
    };
    assert_eq!((message.id, by.uid.as_str()), (said, "bob"));
    assert!(alice.notices().is_empty());

    // Own devices are no receivers, and whoever does not want to know is not told.
    let quiet = world.client("bob", "b3", PULLING).await;
    let said = world.say("bob", to_user("alice")).await;
    world.handed_out(said).await;
    let messages = quiet.take(&world).await;
    world.im().received(&quiet.session, &messages).await;
    let messages = alice.take(&world).await;
    world.im().received(&alice.session, &messages).await;
    assert!(quiet.notices().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partners_learn_who_comes_and_goes_and_strangers_do_not() {
    let world = World::new().await;
    let last = world.say("alice", to_user("bob")).await;
    world.handed_out(last).await;
    let bob = world.client("bob", "b", LISTENING).await;
    let eve = world.client("eve", "e", LISTENING).await;
    let phone = world.client("alice", "a1", PULLING).await;
    let is_presence = |notice: &Notice, online: bool| {
        matches!(notice, Notice::Presence { user, is_online, .. }
            if user.uid.as_str() == "alice" && *is_online == online)
    };
    let come = noticed(&bob).await;
    assert!(come.len() == 1 && is_presence(&come[0], true), "{come:?}");
    let desk = world.client("alice", "a2", PULLING).await;
    world.close(phone).await;
    world.close(desk).await;
    let gone = noticed(&bob).await;
    assert!(gone.len() == 1 && is_presence(&gone[0], false), "{gone:?}");
    assert!(eve.notices().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_blocked_does_not_learn_who_comes() {
    let world = World::new().await;
    let uid = |text| Uid::parse(text).expect("a uid");
    for peer in ["bob", "eve"] {
        let last = world.say("alice", to_user(peer)).await;
        world.handed_out(last).await;
    }
    let block = RelationChange {
        blocked: Some(true),
        allowed: None,
    };
    let blocked = world
        .im()
        .relate(&Realm::default(), &uid("alice"), &uid("eve"), block)
        .await;
    blocked.expect("blocked");
    let bob = world.client("bob", "b", LISTENING).await;
    let eve = world.client("eve", "e", LISTENING).await;
    // By the second time everybody was told of the first, whoever comes first.
    for _ in 0..2 {
        let phone = world.client("alice", "a", PULLING).await;
        assert_eq!(noticed(&bob).await.len(), 1);
        world.close(phone).await;
        assert_eq!(noticed(&bob).await.len(), 1);
    }
    assert!(eve.notices().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_read_one_by_one_are_told_once_and_only_to_those_who_asked() {
    let world = World::new().await;
    for uid in ["alice", "bob", "carol"] {
        world.join("g", uid).await;
    }
    let alice = world.client("alice", "a", LISTENING).await;
    let carol = world.client("carol", "c", LISTENING).await;
    let mut asking = text("who reads this?");
    asking.flags.receipt = true;
    let asked = world.send("alice", to_group("g"), asking).await;
    let asked = asked.expect("sent");
    let other = world.say("carol", to_group("g")).await;
    world.handed_out(other).await;
    let bob = world.user("bob").await;
    let mut messages = Vec::new();
    for id in [asked, other] {
        messages.push(world.im().message(id).await.expect("a message"));
    }
    for _ in 0..2 {
        let read = world.im().read_messages(&bob, &messages).await;
        read.expect("read");
    }
    // Each author's own log is in order: what comes now comes after all that was told.
    for uid in ["alice", "carol"] {
        let last = world.say(uid, to_user(uid)).await;
        world.handed_out(last).await;
        let mut command = text("x");
        command.flags.command = true;
        let last = world.send(uid, to_user(uid), command).await;
        world.handed_out(last.expect("sent")).await;
    }
    let told = changes(&alice.take(&world).await);
    let [Change::Read { messages, .. }] = &told[..] else {
        panic!("told once: {told:?}");
    };
    assert_eq!(messages[0].id, asked);
    assert_eq!(changes(&carol.take(&world).await), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wants_an_echo_gets_it_in_its_place() {
    let world = World::new().await;
    let all = Delivery {
        echo: Echo::Always,
        ..PULLING
    };
    let notes = Delivery {
        echo: Echo::Notes,
        ..PULLING
    };
    let loud = world.client("alice", "loud", all).await;
    let own = world.client("carol", "own", notes).await;
    let sends = |client: &Client, ticket, to| {
        let session = Arc::clone(&client.session);
        let draft = draft(to, text("x"));
        let im = Arc::clone(world.im());
        async move { im.send(&session, Ticket(ticket), draft).await }
    };
    sends(&loud, 0, to_user("bob")).await;
    sends(&own, 0, to_user("bob")).await;
    sends(&own, 1, to_user("carol")).await;
    let last = world.say("bob", to_user("alice")).await;
    world.handed_out(last).await;
    let heard: Vec<_> = loud.take(&world).await.iter().map(|m| m.seq).collect();
    assert_eq!(heard, [1, 2], "its own message, then the answer");
    until(|| {
        world
            .im()
            .counters()
            .stored
            .load(std::sync::atomic::Ordering::Relaxed)
            == 4
    })
    .await;
    let heard = own.take(&world).await;
    assert_eq!(heard.len(), 1);
    assert!(heard[0].channel.key.is_notes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_of_too_many_sessions_gives_way_and_so_does_a_device_met_again() {
    let world = World::new().await;
    let mut open = Vec::new();
    for n in 0..3 {
        let mut request = request("alice", &format!("d{n}"), PULLING);
        request.max_sessions = 2;
        open.push(world.im().open_session(request).await.expect("a session"));
    }
    let ended = |n: usize| open[n].mailbox.drain(false).ending;
    assert!(matches!(ended(0), Some(Ending::Displaced(_))));
    assert_eq!((ended(1), ended(2)), (None, None));

    let im = world.im();
    assert!(im.meet_device(&open[1], "phone").await.expect("met"));
    assert!(
        !im.meet_device(&open[2], "phone").await.expect("met"),
        "seen before"
    );
    assert!(matches!(ended(1), Some(Ending::Displaced(_))));
    assert_eq!(ended(2), None);
}

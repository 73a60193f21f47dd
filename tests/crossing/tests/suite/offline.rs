//! Who was away gets it once when they are back (G.7, G.8 TG-12).

use crosstalk_crossing::{Clients, Heard, Peer, World};
use crosstalk_gateway::Dialect;
use crosstalk_tests::eventually;
use serde_json::json;

use crate::cast::{direct, group, is_text, others, peer_of, text_by};

/// Messages of each author.
const EACH: usize = 3;

/// What each author says to the group.
const TO_ALL: &str = "to all while you were away";

fn label(at: usize) -> String {
    format!("while away {at}")
}

async fn back(reader: &mut Peer, world: &World) -> bool {
    reader.connect(world).await;
    reader.fetch().await
}

/// Everything that others wrote, in their order, exactly once.
async fn hears_what_waited(reader: &Peer, authors: &[(Dialect, String)]) {
    for (dialect, uid) in authors {
        let is_theirs = |heard: &Heard| heard.from == *uid && heard.place == group("g-1");
        let heard = reader.log().expect(uid, 1, is_theirs).await;
        assert_eq!(heard.len(), 1, "{uid} at {}: {heard:?}", reader.uid);
        let is_it = is_text(&heard[0], *dialect, reader.dialect, TO_ALL);
        assert!(is_it, "{uid} at {}: {heard:?}", reader.uid);

        let is_theirs = |heard: &Heard| heard.from == *uid && heard.place == direct(uid);
        let heard = reader
            .log()
            .expect(format!("message of {uid}"), EACH, is_theirs)
            .await;
        assert_eq!(heard.len(), EACH, "{uid} at {}: {heard:?}", reader.uid);
        for (at, heard) in heard.iter().enumerate() {
            let is_it = is_text(heard, *dialect, reader.dialect, &label(at));
            assert!(is_it, "{uid} at {}: {heard:?}", reader.uid);
        }
    }
}

/// wukong pushes nothing: its clients ask for conversations and history.
async fn finds_in_history(world: &World, reader: &Peer, author: &str) {
    let ask = json!({
        "login_uid": reader.uid, "channel_id": author, "channel_type": 1,
        "start_message_seq": 0, "end_message_seq": 0, "limit": 100, "pull_mode": 0,
    });
    let api = world.server().wukong_api();
    let answer = api.post("/channel/messagesync", ask).await.ok();
    let rows = answer["messages"].as_array().expect("messages");
    let theirs = rows.iter().filter(|row| row["from_uid"] == author);
    assert_eq!(theirs.count(), EACH, "{author} at {}: {answer}", reader.uid);
    let ask = json!({
        "login_uid": reader.uid, "channel_id": "g-1", "channel_type": 2,
        "start_message_seq": 0, "end_message_seq": 0, "limit": 100, "pull_mode": 0,
    });
    let answer = api.post("/channel/messagesync", ask).await.ok();
    let rows = answer["messages"].as_array().expect("messages");
    let theirs = rows.iter().filter(|row| row["from_uid"] == author);
    assert_eq!(theirs.count(), 1, "{author} in g-1: {answer}");
    let ask = json!({"uid": reader.uid, "version": 0, "last_msg_seqs": "", "msg_count": 1});
    let rows = api.post("/conversation/sync", ask).await.ok();
    let rows = rows.as_array().expect("conversations");
    let row = rows.iter().find(|row| row["channel_id"] == author);
    assert_eq!(
        row.expect("a conversation")["unread"],
        EACH,
        "{author} at {}",
        reader.uid
    );
}

async fn each_comes_back(world: World) {
    let mut world = world;
    let members: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    world.add_group("g-1", &members).await;
    for absent in Dialect::ALL {
        let mut peers = world.peers().await;
        let at = peers.iter().position(|peer| peer.dialect == absent);
        let mut reader = peers.swap_remove(at.expect("a peer of each dialect"));
        // The device is known and has nothing left to fetch.
        reader.fetch().await;
        reader.disconnect().await;
        eventually("the end of the session", async || {
            let path = format!("/v1/users/{}/sessions", reader.uid);
            let sessions = world.server().admin().get(&path).await.ok();
            sessions["items"].as_array()?.is_empty().then_some(())
        })
        .await;

        for author in &peers {
            for at in 0..EACH {
                let written = text_by(author.dialect, &label(at));
                author.send(&direct(&reader.uid), &written).await;
            }
            let written = text_by(author.dialect, TO_ALL);
            author.send(&group("g-1"), &written).await;
        }
        let authors: Vec<_> = peers
            .iter()
            .map(|peer| (peer.dialect, peer.uid.clone()))
            .collect();
        if !back(&mut reader, &world).await {
            for (_, author) in &authors {
                finds_in_history(&world, &reader, author).await;
            }
            continue;
        }
        hears_what_waited(&reader, &authors).await;

        // Read, and back once more: nothing comes but what is new.
        for (_, uid) in &authors {
            for place in [direct(uid), group("g-1")] {
                let is_theirs = |heard: &Heard| heard.from == *uid && heard.place == place;
                let theirs = reader.log().messages(is_theirs);
                reader.read(theirs.last().expect("messages")).await;
            }
        }
        reader.disconnect().await;
        back(&mut reader, &world).await;
        let author = &peers[0];
        author
            .send(&direct(&reader.uid), &text_by(author.dialect, "new"))
            .await;
        reader.log().expect("new message", 1, |_| true).await;
        let heard = reader.log().messages(|_| true);
        assert_eq!(heard.len(), 1, "{}: {heard:?}", reader.uid);
        reader.disconnect().await;
        drop(peers);
    }
}

#[tokio::test]
async fn what_waited_comes_once() {
    each_comes_back(World::start().await).await;
}

#[tokio::test]
async fn the_same_with_sockjs_and_paho() {
    each_comes_back(World::start().await.with(Clients::Others)).await;
}

#[tokio::test]
async fn what_was_taken_back_in_the_meantime_is_not_shown() {
    let world = World::start().await;
    let mut peers = world.peers().await;
    let author = peer_of(&peers, Dialect::Stomp);
    let mut sent = Vec::new();
    for uid in others(&peers, author).map(|peer| peer.uid.clone()) {
        sent.push(direct(&uid));
    }
    for peer in &mut peers {
        if peer.dialect != Dialect::Stomp {
            peer.fetch().await;
            peer.disconnect().await;
        }
    }
    let author = peer_of(&peers, Dialect::Stomp);
    for place in &sent {
        let revoked = author
            .send(place, &text_by(author.dialect, "a secret"))
            .await;
        author
            .send(place, &text_by(author.dialect, "the rest"))
            .await;
        author.revoke(&revoked).await;
    }
    for peer in &mut peers {
        if peer.dialect == Dialect::Stomp || !back(peer, &world).await {
            continue;
        }
        let heard = peer.log().expect("message", 1, |heard| {
            heard.shown.to_string().contains("the rest")
        });
        heard.await;
        peer.log().look(|events| {
            let said = format!("{events:?}");
            assert!(!said.contains("a secret"), "{}: {said}", peer.uid);
        });
    }
}

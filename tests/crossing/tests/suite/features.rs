//! What a backend does through REST, as clients of each dialect learn of it, and that it is
//! found again after a restart.

use crosstalk_crossing::{Event, Peer, World};
use crosstalk_gateway::Dialect;
use serde_json::{Value, json};

use crate::cast::{group, peer_of, text_by};

const GROUP: &str = "g-1";
const IN_GROUP: &str = "/v1/channels/group/g-1";

/// Everything that an event says, as text: what stands in it is looked for there.
fn text_of(event: &Event) -> String {
    match event {
        Event::Other(raw) | Event::Revoked { raw, .. } => raw.to_string(),
        Event::Heard(heard) => json!({
            "id": heard.id, "from": heard.from, "shown": heard.shown,
        })
        .to_string(),
        Event::Answered { key, .. } => key.clone(),
        Event::Read { id, .. } => format!("read {id}"),
    }
    // What is JSON in a text is read like the rest.
    .replace("\\\"", "\"")
    .replace("\\\\", "\\")
}

/// Waits until the client has said something with all of these.
async fn learns(peer: &Peer, what: &str, parts: &[&str]) {
    peer.log()
        .wait(format!("{what}: {parts:?}"), |events| {
            let has_all = |event: &Event| {
                let text = text_of(event);
                parts.iter().all(|part| text.contains(part))
            };
            events.iter().any(has_all).then_some(())
        })
        .await;
}

/// What clients of the dialects say of something; nothing where the dialect has no words.
struct Words<'w> {
    wukong: &'w [&'w str],
    stomp: &'w [&'w str],
    mqtt: &'w [&'w str],
    gyyx: &'w [&'w str],
    wg: &'w [&'w str],
}

impl Words<'_> {
    fn of(&self, dialect: Dialect) -> &[&str] {
        match dialect {
            Dialect::Wukong => self.wukong,
            Dialect::Stomp => self.stomp,
            Dialect::Mqtt => self.mqtt,
            Dialect::Gyyx => self.gyyx,
            Dialect::Wg => self.wg,
        }
    }

    async fn reach(&self, peers: &[Peer], what: &str) {
        for peer in peers {
            let parts = self.of(peer.dialect);
            if !parts.is_empty() {
                learns(peer, what, parts).await;
            }
        }
    }
}

/// A world in which everybody is in one group.
async fn together() -> World {
    let mut world = World::start().await;
    let members: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    world.add_group(GROUP, &members).await;
    world
}

/// A message of the stomp user's to the group, heard by all others: its id.
async fn said(world: &World, peers: &[Peer], text: &str) -> String {
    let author = peer_of(peers, Dialect::Stomp);
    author
        .send(&group(GROUP), &text_by(Dialect::Stomp, text))
        .await;
    for peer in peers.iter().filter(|peer| peer.uid != author.uid) {
        learns(peer, "the message", &[text]).await;
    }
    let rows = world.server().admin();
    let rows = rows.get(&format!("{IN_GROUP}/messages?limit=1")).await.ok();
    rows["items"][0]["id"].as_str().expect("an id").to_owned()
}

async fn message(world: &World, id: &str) -> Value {
    let found = world.server().admin().get(&format!("/v1/messages/{id}"));
    found.await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_a_message_is_told_and_kept() {
    let mut world = together().await;
    let peers = world.peers().await;
    let admin = world.server().admin();
    let author = &peer_of(&peers, Dialect::Stomp).uid;
    let reader = &peer_of(&peers, Dialect::Gyyx).uid;
    let id = said(&world, &peers, "first words").await;

    let edit = json!({"content": {"type": "text", "text": "second words"}, "operator": author});
    admin.patch(&format!("/v1/messages/{id}"), edit).await.ok();
    Words {
        wukong: &["syncMessageExtra", &id],
        stomp: &["second words", "editedAt"],
        mqtt: &["\"edit\"", "second words"],
        gyyx: &["[编辑] second words"],
        wg: &["消息编辑", "second words"],
    }
    .reach(&peers, "the edit")
    .await;

    let path = format!("/v1/messages/{id}/reactions/%F0%9F%91%8D?user={reader}");
    admin.put(&path, json!({})).await.ok();
    Words {
        wukong: &["syncMessageReaction", &id],
        stomp: &["REACTION", "👍"],
        mqtt: &["\"reaction\"", "👍"],
        gyyx: &[],
        wg: &[],
    }
    .reach(&peers, "the reaction")
    .await;

    admin
        .put(&format!("/v1/messages/{id}/pin"), json!({}))
        .await
        .ok();
    Words {
        wukong: &["syncPinnedMessage", &id],
        stomp: &["MESSAGE_PINNED", "\"pinned\":true"],
        mqtt: &["\"pin\"", "\"pinned\":true"],
        gyyx: &[],
        wg: &[],
    }
    .reach(&peers, "the pin")
    .await;

    let typing = json!({"operator": reader});
    admin.post(&format!("{IN_GROUP}/typing"), typing).await.ok();
    for (dialect, word) in [
        (Dialect::Wukong, "\"typing\""),
        (Dialect::Stomp, "TYPING"),
        (Dialect::Mqtt, "\"typing\""),
    ] {
        learns(peer_of(&peers, dialect), "typing", &[word]).await;
    }

    let gone = said(&world, &peers, "words to be deleted").await;
    admin
        .delete(&format!("/v1/messages/{gone}?scope=all"))
        .await
        .ok();
    Words {
        wukong: &["syncMessageExtra", &gone],
        stomp: &["REVOKED"],
        mqtt: &["\"revoke\""],
        gyyx: &["192"],
        wg: &["消息撤回"],
    }
    .reach(&peers, "the deletion")
    .await;

    drop(peers);
    world.restart().await;
    let kept = message(&world, &id).await;
    assert_eq!(kept["content"]["text"], "second words", "{kept}");
    let admin = world.server().admin();
    let versions = admin.get(&format!("/v1/messages/{id}/versions")).await.ok();
    let texts: Vec<_> = versions["items"]
        .as_array()
        .expect("versions")
        .iter()
        .filter_map(|version| version["content"]["text"].as_str())
        .collect();
    assert!(texts.contains(&"first words"), "{versions}");
    let reactions = admin
        .get(&format!("/v1/messages/{id}/reactions"))
        .await
        .ok();
    assert!(reactions.to_string().contains("👍"), "{reactions}");
    let pins = admin.get(&format!("{IN_GROUP}/pins")).await.ok();
    assert!(pins.to_string().contains(&id), "{pins}");
    let history = admin.get(&format!("{IN_GROUP}/messages")).await.ok();
    assert!(
        !history.to_string().contains("words to be deleted"),
        "{history}"
    );
}

//! What a backend does through REST, as clients of each dialect learn of it, and that it is
//! found again after a restart.

#![allow(clippy::too_many_lines, reason = "each is one story")]

use crosstalk_crossing::{Answer, Event, Peer, World};
use crosstalk_gateway::Dialect;
use serde_json::{Value, json};

use crate::cast::{group, peer_of, text_by};

pub(crate) const GROUP: &str = "g-1";
const IN_GROUP: &str = "/v1/channels/group/g-1";

/// Everything that an event says, as text: what stands in it is looked for there.
pub(crate) fn text_of(event: &Event) -> String {
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
pub(crate) async fn learns(peer: &Peer, what: &str, parts: &[&str]) {
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
pub(crate) async fn together() -> World {
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
    let admin = world.server().admin();
    admin.get(&format!("/v1/messages/{id}")).await.ok()
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

    let typing = json!({"user": reader});
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
    assert!(
        texts.iter().any(|text| text.ends_with("first words")),
        "{versions}"
    );
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_a_group_is_told_and_kept() {
    let mut world = together().await;
    let peers = world.peers().await;
    let admin = world.server().admin();
    let promoted = &peer_of(&peers, Dialect::Gyyx).uid;
    admin
        .put("/v1/users/zoe", json!({"name": "Zoe"}))
        .await
        .ok();

    let change = json!({"name": "Renamed", "announcement": "read this", "tips": true});
    admin.patch(IN_GROUP, change).await.ok();
    Words {
        wukong: &["channelUpdate", GROUP],
        stomp: &["GROUP_UPDATED", "Renamed", "read this"],
        mqtt: &["\"group\"", "updated", "Renamed"],
        gyyx: &[],
        wg: &[],
    }
    .reach(&peers, "the new name")
    .await;

    let members = format!("{IN_GROUP}/members");
    admin.post(&members, json!({"members": ["zoe"]})).await.ok();
    Words {
        wukong: &["memberUpdate", "zoe"],
        stomp: &["GROUP_MEMBER_JOINED", "zoe"],
        mqtt: &["\"joined\"", "\"count\":1"],
        // What a tip says.
        gyyx: &["Zoe", "\"from\":\"SYSTEM\""],
        wg: &["Zoe", "\"from\":\"SYSTEM\""],
    }
    .reach(&peers, "the newcomer")
    .await;

    let role = json!({"role": "administrator"});
    admin
        .patch(&format!("{members}/{promoted}"), role)
        .await
        .ok();
    Words {
        wukong: &["memberUpdate", promoted],
        stomp: &["GROUP_ROLE", promoted],
        mqtt: &["\"member\"", "administrator"],
        gyyx: &[],
        wg: &[],
    }
    .reach(&peers, "the role")
    .await;

    admin.patch(IN_GROUP, json!({"muted": true})).await.ok();
    learns(
        peer_of(&peers, Dialect::Stomp),
        "all are muted",
        &["GROUP_MUTED"],
    )
    .await;
    for peer in &peers {
        let id = format!("muted-{}", peer.dialect.name());
        let text = text_by(peer.dialect, "may I?");
        let answer = peer.try_send(&group(GROUP), &id, &text).await;
        let is_refused = matches!(answer, Answer::Refused { .. });
        assert_eq!(
            is_refused,
            peer.uid != *promoted,
            "{}: {answer:?}",
            peer.uid
        );
    }
    admin.patch(IN_GROUP, json!({"muted": false})).await.ok();

    admin.delete(&format!("{members}/zoe")).await.ok();
    Words {
        wukong: &["memberUpdate", "zoe"],
        stomp: &["GROUP_KICKED", "zoe"],
        mqtt: &["\"removed\"", "\"count\":1"],
        gyyx: &[],
        wg: &[],
    }
    .reach(&peers, "that one was removed")
    .await;

    drop(peers);
    world.restart().await;
    let admin = world.server().admin();
    let kept = admin.get(IN_GROUP).await.ok();
    assert_eq!(kept["name"], "Renamed", "{kept}");
    assert!(kept.to_string().contains("read this"), "{kept}");
    let role = admin
        .get(&format!("{members}/{}", world.uid(Dialect::Gyyx)))
        .await
        .ok();
    assert_eq!(role["role"], "administrator", "{role}");

    let peers = world.peers().await;
    admin.delete(IN_GROUP).await.ok();
    Words {
        wukong: &["channelUpdate", "disband"],
        stomp: &["GROUP_DISSOLVED", GROUP],
        mqtt: &["\"dissolved\"", GROUP],
        gyyx: &[],
        wg: &[],
    }
    .reach(&peers, "the end of the group")
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_concerns_one_user_is_told_and_kept() {
    let mut world = together().await;
    let peers = world.peers().await;
    let admin = world.server().admin();
    admin
        .put("/v1/users/zoe", json!({"name": "Zoe"}))
        .await
        .ok();
    said(&world, &peers, "something to keep").await;
    for peer in &peers {
        let one = std::slice::from_ref(peer);
        let own = format!("/v1/users/{}", peer.uid);
        let request = json!({"to": peer.uid, "message": "hello there"});
        let request = admin
            .post("/v1/users/zoe/friend-requests", request)
            .await
            .ok();
        Words {
            wukong: &["friendRequest", "zoe", "hello there"],
            stomp: &["FRIEND_REQUEST", "zoe", "hello there"],
            mqtt: &["\"friend\"", "request", "hello there"],
            gyyx: &[],
            wg: &[],
        }
        .reach(one, "the request")
        .await;

        let id = request["id"].as_str().expect("an id");
        let accept = format!("{own}/friend-requests/{id}/accept");
        admin.post(&accept, json!({})).await.ok();
        Words {
            wukong: &["friendAccept", "zoe"],
            stomp: &["FRIEND_ACCEPTED", "zoe"],
            mqtt: &["\"friend\"", "accepted"],
            gyyx: &[],
            wg: &[],
        }
        .reach(one, "the new friend")
        .await;

        admin
            .put(&format!("{own}/blacklist/zoe"), json!({}))
            .await
            .ok();
        Words {
            wukong: &["channelUpdate", "\"blacklist\":true"],
            stomp: &["BLACKLIST", "\"blocked\":true"],
            mqtt: &["\"friend\"", "\"blocked\""],
            gyyx: &[],
            wg: &[],
        }
        .reach(one, "the block")
        .await;

        let keep = json!({"pinned": true, "draft": "half a sent"});
        let conversation = format!("{own}/conversations/group/{GROUP}");
        admin.patch(&conversation, keep).await.ok();
        Words {
            wukong: &["syncConversationExtra", "half a sent"],
            stomp: &["CONVERSATION_UPDATED", "half a sent"],
            mqtt: &["\"conversation\"", "half a sent"],
            gyyx: &[],
            wg: &[],
        }
        .reach(one, "how the conversation is kept")
        .await;

        admin
            .patch(
                &format!("{own}/profile"),
                json!({"signature": "carpe diem"}),
            )
            .await
            .ok();
        Words {
            wukong: &["channelUpdate", &peer.uid],
            stomp: &["PROFILE", "carpe diem"],
            mqtt: &["\"profile\"", "carpe diem"],
            gyyx: &[],
            wg: &[],
        }
        .reach(one, "the profile")
        .await;
    }

    drop(peers);
    world.restart().await;
    let admin = world.server().admin();
    for uid in world.uids() {
        let own = format!("/v1/users/{uid}");
        let friend = admin.get(&format!("{own}/friends/zoe")).await.ok();
        assert_eq!(friend["uid"], "zoe", "{friend}");
        let conversation = format!("{own}/conversations/group/{GROUP}");
        let kept = admin.get(&conversation).await.ok();
        assert_eq!(
            (&kept["pinned"], &kept["draft"]),
            (&json!(true), &json!("half a sent"))
        );
        let profile = admin.get(&format!("{own}/profile")).await.ok();
        assert_eq!(profile["signature"], "carpe diem", "{profile}");
        let blocked = admin.get(&format!("{own}/blacklist")).await.ok();
        assert!(blocked.to_string().contains("zoe"), "{blocked}");
    }
}

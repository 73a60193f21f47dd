//! Taking back, from each dialect that can (G.5, G.8 TG-8).

use crosstalk_crossing::{Event, Heard, Peer, World};
use crosstalk_gateway::Dialect;
use serde_json::json;

use crate::cast::{direct, group, others, peer_of, text_by};

/// Waits for the message, and then for the word that it was taken back.
async fn sees_it_go(reader: &Peer, author: &Peer, label: &str) {
    let is_it = |heard: &Heard| heard.from == author.uid && heard.shown.to_string().contains(label);
    let heard = reader.log().expect(label, 1, is_it).await;
    let id = heard[0].id.clone();
    let raw = reader.log().wait(format!("that {id} is gone"), |events| {
        events.iter().find_map(|event| match event {
            Event::Revoked { id: of, raw } if *of == id => Some(raw.clone()),
            _ => None,
        })
    });
    let raw = raw.await;
    assert!(!raw.to_string().contains(label), "{}: {raw}", reader.uid);
    if reader.dialect == Dialect::Wg {
        let said = raw["body"].as_str().expect("a body");
        assert!(said.contains("撤回了一条消息"), "{raw}");
    }
}

/// No history has the words any more.
async fn is_gone_from_history(world: &World, viewer: &str, channel: &str, kind: u8, label: &str) {
    let ask = json!({
        "login_uid": viewer, "channel_id": channel, "channel_type": kind,
        "start_message_seq": 0, "end_message_seq": 0, "limit": 100, "pull_mode": 0,
    });
    let server = world.server();
    let rows = server
        .wukong_api()
        .post("/channel/messagesync", ask)
        .await
        .ok();
    let payloads = rows["messages"].as_array().expect("messages").iter();
    for row in payloads {
        assert!(!decoded(&row["payload"]).contains(label), "{viewer}: {row}");
    }
    let token = server.user_token(viewer).await;
    let kind = if kind == 1 { "direct" } else { "group" };
    let path = format!("/v1/channels/{kind}/{channel}/messages");
    let rest = server.rest().bearer(&token).get(&path).await;
    assert!(
        rest.status == 200 && !rest.text().contains(label),
        "{viewer}: {}",
        rest.text()
    );
}

/// A payload of WuKongIM's API: base64 of JSON.
fn decoded(payload: &serde_json::Value) -> String {
    use base64::Engine as _;
    let text = payload.as_str().expect("a payload");
    let bytes = base64::prelude::BASE64_STANDARD
        .decode(text)
        .expect("base64");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn each_reader_sees_a_direct_message_go() {
    let world = World::start().await;
    let peers = world.peers().await;
    for author in &peers {
        for reader in others(&peers, author) {
            let label = format!("secret of {} for {}", author.uid, reader.uid);
            let sent = author
                .send(&direct(&reader.uid), &text_by(author.dialect, &label))
                .await;
            let is_it = |heard: &Heard| heard.shown.to_string().contains(&label);
            reader.log().expect(&label, 1, is_it).await;
            let sides = [(reader, direct(&author.uid)), (author, direct(&reader.uid))];
            for (viewer, place) in &sides {
                let history = viewer.history(place).await;
                let has_it = history.is_none_or(|history| history.contains(&label));
                assert!(has_it, "{}: {label} is not there", viewer.uid);
            }
            if !author.revoke(&sent).await {
                assert_eq!(author.dialect, Dialect::Wg, "only wg's clients cannot");
                continue;
            }
            sees_it_go(reader, author, &label).await;
            is_gone_from_history(&world, &reader.uid, &author.uid, 1, &label).await;
            is_gone_from_history(&world, &author.uid, &reader.uid, 1, &label).await;
            for (viewer, place) in &sides {
                let history = viewer.history(place).await.unwrap_or_default();
                assert!(!history.contains(&label), "{}: {history}", viewer.uid);
            }
        }
    }
}

#[tokio::test]
async fn all_members_see_a_group_message_go() {
    let mut world = World::start().await;
    let members: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    world.add_group("g-1", &members).await;
    let peers = world.peers().await;
    for author in peers.iter().filter(|peer| peer.dialect != Dialect::Wg) {
        let label = format!("secret of {}", author.uid);
        let sent = author
            .send(&group("g-1"), &text_by(author.dialect, &label))
            .await;
        for reader in others(&peers, author) {
            let is_it = |heard: &Heard| heard.shown.to_string().contains(&label);
            reader.log().expect(&label, 1, is_it).await;
        }
        assert!(author.revoke(&sent).await);
        for reader in others(&peers, author) {
            sees_it_go(reader, author, &label).await;
        }
        let viewer = peer_of(&peers, Dialect::Wg);
        is_gone_from_history(&world, &viewer.uid, "g-1", 2, &label).await;
    }
}

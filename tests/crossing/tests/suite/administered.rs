//! What an application and its moderators do, as clients of each dialect see it, and that it
//! is found again after a restart: word lists, files, messages that are sent later, broadcasts,
//! bans.

use std::time::{SystemTime, UNIX_EPOCH};

use crosstalk_crossing::{Peer, World};
use crosstalk_gateway::Dialect;
use crosstalk_tests::eventually;
use serde_json::{Value, json};

use crate::cast::{group, peer_of, text_by};
use crate::features::{GROUP, learns, text_of, together};

const BOUNDARY: &str = "b0undary";
const WORDS_OF_FILE: &str = "what stands in the file";

/// Asks until the answer is as wished.
async fn until(world: &World, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let admin = world.server().admin();
    eventually(path, async || {
        Some(admin.get(path).await.ok()).filter(&is_so)
    })
    .await
}

/// Uploads a text file in a user's name; its id.
async fn upload(world: &World, uid: &str) -> String {
    let http = world.server().rest();
    let http = http.bearer(&world.server().user_token(uid).await);
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n{WORDS_OF_FILE}\r\n--{BOUNDARY}--\r\n"
    );
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let file = http.send("POST", "/v1/files", Some((&kind, body.into())));
    let file = file.await.ok();
    file["id"].as_str().expect("an id").to_owned()
}

/// What a client gets that fetches a file it was shown, as clients of its dialect do.
async fn fetched(world: &World, peer: &Peer, file: &str) -> String {
    let http = world.server().rest();
    if peer.dialect == Dialect::Mqtt {
        learns(peer, "the file", &["\"storageId\"", file]).await;
        let http = http.bearer(&world.server().user_token(&peer.uid).await);
        return http.get(&format!("/im/v1/files/{file}")).await.text();
    }
    let found = peer.log().wait(format!("the address of {file}"), |events| {
        events.iter().find_map(|event| {
            let text = text_of(event);
            let at = text.find(&format!("/f/{file}?"))?;
            let end = text[at..].find(|c: char| "\"\\ \n'".contains(c));
            Some(text[at..end.map_or(text.len(), |end| at + end)].to_owned())
        })
    });
    http.get(&found.await).await.text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_application_does_reaches_everybody_and_is_kept() {
    let mut world = together().await;
    let peers = world.peers().await;
    let admin = world.server().admin();
    let author = peer_of(&peers, Dialect::Stomp);

    // A word of a list is masked, whichever client sends it.
    let words = json!({"words": ["darnation"], "action": "mask"});
    admin.post("/v1/moderation/words", words).await.ok();
    for sender in &peers {
        let said = format!("darnation, says {}", sender.uid);
        let written = text_by(sender.dialect, &said);
        sender.send(&group(GROUP), &written).await;
        let masked = format!("*********, says {}", sender.uid);
        for peer in peers.iter().filter(|peer| peer.uid != sender.uid) {
            learns(peer, "the masked words", &[&masked]).await;
        }
    }

    // A file is for those to whom it is shown, by an address that holds by itself.
    let file = upload(&world, &author.uid).await;
    let content = json!({"type": "file", "url": format!("/v1/files/{file}"), "name": "a.txt"});
    let message = json!({
        "to": {"kind": "group", "id": GROUP}, "from": author.uid, "content": content,
    });
    let shown = admin.post("/v1/messages", message).await.ok();
    for peer in peers.iter().filter(|peer| peer.uid != author.uid) {
        assert_eq!(fetched(&world, peer, &file).await, WORDS_OF_FILE);
    }

    // What is to be sent later is sent then.
    let later = now_ms() + 3000;
    let message = json!({
        "to": {"kind": "group", "id": GROUP}, "from": author.uid, "send_at": later,
        "content": {"type": "text", "text": "said in good time"},
    });
    admin.post("/v1/scheduled-messages", message).await.ok();
    for peer in peers.iter().filter(|peer| peer.uid != author.uid) {
        learns(peer, "what was scheduled", &["said in good time"]).await;
    }

    // What is for everybody reaches each.
    let cast = json!({"to": "all", "content": {"type": "text", "text": "hear, hear"}});
    let cast = admin.post("/v1/broadcasts", cast).await.ok();
    for peer in &peers {
        learns(peer, "the broadcast", &["hear, hear"]).await;
    }
    let path = format!("/v1/broadcasts/{}", id(&cast));
    until(&world, &path, |cast| cast["state"] == "done").await;

    // What was said is found by its words.
    let path = "/v1/search/messages?q=good+time";
    let found = until(&world, path, |found| found["items"][0].is_object()).await;
    assert!(found.to_string().contains("said in good time"), "{found}");

    // Who is banned is not there any more, whichever client they use.
    for peer in &peers {
        let ban = json!({"user": peer.uid, "reason": "rude"});
        admin.post("/v1/bans", ban).await.ok();
        let sessions = format!("/v1/users/{}/sessions", peer.uid);
        until(&world, &sessions, |open| open["items"] == json!([])).await;
    }

    drop(peers);
    world.restart().await;
    let admin = world.server().admin();
    let words = admin.get("/v1/moderation/words").await.ok();
    assert!(words.to_string().contains("darnation"), "{words}");
    let kept = admin
        .get(&format!("/v1/messages/{}", id(&shown)))
        .await
        .ok();
    assert!(kept["content"].to_string().contains(&file), "{kept}");
    let got = admin.get(&format!("/v1/files/{file}")).await;
    assert_eq!(got.text(), WORDS_OF_FILE);
    let cast = admin
        .get(&format!("/v1/broadcasts/{}", id(&cast)))
        .await
        .ok();
    assert_eq!(cast["state"], "done");
    let found = admin.get(path).await.ok();
    assert!(found.to_string().contains("said in good time"), "{found}");
    let bans = admin.get("/v1/bans").await.ok();
    for uid in world.uids() {
        let is_it = |ban: &Value| ban["user"] == uid;
        let bans = bans["items"].as_array().expect("bans");
        assert!(bans.iter().any(is_it), "{uid} is banned");
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.expect("after 1970").as_millis();
    i64::try_from(ms).expect("not that late")
}

fn id(of: &Value) -> &str {
    of["id"].as_str().expect("an id")
}

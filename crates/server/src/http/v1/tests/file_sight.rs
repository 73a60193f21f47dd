//! Who may read a file, and for how long: by the messages that show it.

use super::files::{get, give, id};
use super::*;
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::message::{Body as Said, Draft, OnReuse};
use crosstalk_gateway::WUKONG_ORIGIN;

#[tokio::test]
async fn who_may_see_a_message_may_read_its_file() {
    let rest = Rest::start().await;
    let (alice, bob, carol) = (
        rest.user("alice").await,
        rest.user("bob").await,
        rest.user("carol").await,
    );
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    let path = format!("/v1/files/{}", id(&file));
    let status = async |bearer: &str| get(&rest, bearer, &path, &[]).await.status;
    assert_eq!((status(&alice).await, status(&bob).await), (200, 404));
    let say = async |from: &str, to: &str| {
        let content = json!({"type": "file", "url": file["url"], "name": "a.txt"});
        let message = json!({"to": {"kind": "direct", "id": to}, "content": content});
        rest.call(from, "POST", "/v1/messages", message).await.ok()
    };
    // Who knows no more than the id gains nothing by saying it.
    say(&carol, "carol").await;
    say(&bob, "carol").await;
    assert_eq!((status(&bob).await, status(&carol).await), (404, 404));
    let sent = say(&alice, "bob").await;
    assert_eq!((status(&bob).await, status(&carol).await), (200, 404));
    let delete = rest.call(&bob, "DELETE", &path, Value::Null).await;
    assert_eq!(delete.problem(), (403, "forbidden".to_owned()));
    // Who may read it may pass it on.
    say(&bob, "carol").await;
    assert_eq!(status(&carol).await, 200);
    let revoke = format!("/v1/messages/{}/revoke", id(&sent));
    rest.call(&alice, "POST", &revoke, json!({})).await.ok();
    assert_eq!(
        status(&bob).await,
        200,
        "bob's own message to carol names it"
    );
    assert_eq!(status(rest.app.secret.as_ref()).await, 200);
    // Another realm has nothing of it.
    let other = json!({"app_id": "elsewhere", "realm": "other"});
    let other = rest.call(ADMIN, "POST", "/v1/apps", other).await.ok();
    assert_eq!(
        status(other["app_secret"].as_str().expect("a secret")).await,
        404
    );
}

/// Says something as a client of another dialect; the message's id.
async fn say_as(rest: &Rest, from: &str, to: &str, payload: &Value) -> String {
    let (realm, from) = (Realm::default(), Uid::parse(from).expect("a uid"));
    let from = rest.im.user(&realm, &from).await.expect("a user");
    let draft = Draft {
        to: Address::parse(ChannelKind::DIRECT, to).expect("an address"),
        body: Said {
            origin: WUKONG_ORIGIN,
            payload: payload.to_string().into(),
            ..Said::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sender = Sender::User(from.record.user.clone());
    let sent = rest.im.send_as(&realm, sender, draft).await;
    sent.expect("sent").id.to_string()
}

/// The address in what a reader is shown of a message that was written in another dialect.
async fn shown_address(rest: &Rest, reader: &str, channel: &str) -> Option<String> {
    let path = format!("/v1/channels/{channel}/messages");
    let page = rest.call(reader, "GET", &path, Value::Null).await.ok();
    let shown = page["items"].as_array()?.last()?.to_string();
    let (_, local) = shown.split_once("http://im.example")?;
    local.split('"').next().map(str::to_owned)
}

#[tokio::test]
async fn an_address_in_a_message_opens_what_the_message_shows_and_while_it_does() {
    let rest = Rest::start().await;
    let (alice, bob, carol) = (
        rest.user("alice").await,
        rest.user("bob").await,
        rest.user("carol").await,
    );
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    // As a client of another dialect says it: its own route, which nobody else may use.
    let say = async |from: &str, to: &str| {
        let url = format!("/api/file/{}", id(&file));
        let payload = json!({"type": 8, "url": url, "name": "a.txt", "size": 5});
        say_as(&rest, from, to, &payload).await
    };
    say("carol", "carol").await;
    let address = shown_address(&rest, &carol, "direct/carol").await;
    let address = address.expect("an address");
    let opened = async |address: &str| get(&rest, "", address, &[]).await.status;
    assert_eq!(
        opened(&address).await,
        403,
        "carol knows no more than the id"
    );
    let sent = say("alice", "bob").await;
    let address = shown_address(&rest, &bob, "direct/alice").await;
    let address = address.expect("an address");
    assert_eq!(opened(&address).await, 200);
    let revoke = format!("/v1/messages/{sent}/revoke");
    rest.call(&alice, "POST", &revoke, json!({})).await.ok();
    assert_eq!(opened(&address).await, 403);
}

#[tokio::test]
async fn an_edit_shows_its_files_and_those_of_before_no_more() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let (one, two) = (
        give(&rest, &alice, "1.txt", b"one", &[]).await.ok(),
        give(&rest, &alice, "2.txt", b"two", &[]).await.ok(),
    );
    let seen = async || {
        let mut seen = Vec::new();
        for file in [&one, &two] {
            let path = format!("/v1/files/{}", id(file));
            seen.push(get(&rest, &bob, &path, &[]).await.status);
        }
        seen
    };
    let text = format!("see {}", id(&one));
    let sent = rest.text("alice", "direct", "bob", &text).await;
    assert_eq!(seen().await, [200, 404]);
    let edit = format!("/v1/messages/{}", id(&sent));
    for (text, expected) in [
        (format!("no, {}", id(&two)), [404, 200]),
        ("nothing".to_owned(), [404, 404]),
    ] {
        let content = json!({"content": {"type": "text", "text": text}});
        rest.call(&alice, "PATCH", &edit, content).await.ok();
        assert_eq!(seen().await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_message_taken_back_shows_its_file_no_more() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    let path = format!("/v1/files/{}", id(&file));
    let text = format!("see {}", id(&file));
    let sent = rest.text("alice", "direct", "bob", &text).await;
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 200);
    let revoke = format!("/v1/messages/{}/revoke", id(&sent));
    rest.call(&alice, "POST", &revoke, json!({})).await.ok();
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 404);
    // Those who left a group, too.
    let team = json!({"owner": "alice", "members": ["alice", "bob"]});
    rest.put("/v1/channels/group/team", team).await;
    rest.text("alice", "group", "team", &text).await;
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 200);
    let left = "/v1/channels/group/team/members/bob";
    rest.app("DELETE", left, Value::Null).await.ok();
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 404);
}

#[tokio::test]
async fn an_address_made_by_right_of_a_message_ends_with_it() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    let text = format!("see {}", id(&file));
    let sent = rest.text("alice", "direct", "bob", &text).await;
    let path = format!("/v1/files/{}/url", id(&file));
    let make = async |bearer: &str| {
        let made = rest.call(bearer, "POST", &path, json!({"ttl_secs": 3600}));
        let made = made.await.ok();
        let url = made["url"].as_str().expect("an address");
        let local = url.strip_prefix("http://im.example");
        local.expect("the public address").to_owned()
    };
    let (hers, his) = (make(&alice).await, make(&bob).await);
    let apps = make(rest.app.secret.as_ref()).await;
    let opened = async |address: &str| get(&rest, "", address, &[]).await.status;
    for address in [&hers, &his, &apps] {
        assert_eq!(opened(address).await, 200, "{address}");
    }
    let (bare, _) = his.rsplit_once("&m=").expect("it names its message");
    assert_eq!(opened(bare).await, 403, "without its message");
    let revoke = format!("/v1/messages/{}/revoke", id(&sent));
    rest.call(&alice, "POST", &revoke, json!({})).await.ok();
    assert_eq!(opened(&his).await, 403);
    for address in [&hers, &apps] {
        assert_eq!(opened(address).await, 200, "{address}");
    }
}

#[tokio::test]
async fn who_deleted_a_message_for_themselves_reads_its_file_no_more() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    let path = format!("/v1/files/{}", id(&file));
    let status = async || get(&rest, &bob, &path, &[]).await.status;
    let say = async || {
        let text = format!("see {}", id(&file));
        let sent = rest.text("alice", "direct", "bob", &text).await;
        id(&sent).to_owned()
    };
    let (first, second) = (say().await, say().await);
    for (message, expected) in [(second, 200), (first, 404)] {
        let hide = format!("/v1/messages/{message}?scope=me");
        rest.call(&bob, "DELETE", &hide, Value::Null).await.ok();
        assert_eq!(status().await, expected);
    }
    say().await;
    assert_eq!(status().await, 200);
    let clear = "/v1/users/bob/conversations/direct/alice/clear";
    rest.call(&bob, "POST", clear, json!({})).await.ok();
    assert_eq!(status().await, 404, "its history was cleared");
}

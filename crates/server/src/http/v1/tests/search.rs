//! Finding messages.

use super::*;
use crate::consumers::search::fill;

const SEARCH: &str = "/v1/search/messages";

/// A group of alice and bob, and words in it and between them.
async fn started() -> (Rest, String) {
    let rest = Rest::start().await;
    for uid in ["alice", "carol"] {
        rest.user(uid).await;
    }
    let bob = rest.user("bob").await;
    let team = json!({"name": "Blue Team", "members": ["alice", "bob"]});
    rest.put("/v1/channels/group/team", team).await;
    rest.clock.advance_ms(1000);
    rest.text("alice", "group", "team", "Lunch at noon?").await;
    rest.clock.advance_ms(1000);
    rest.text("bob", "direct", "alice", "明天中午一起吃lunch")
        .await;
    rest.clock.advance_ms(1000);
    rest.text("alice", "direct", "carol", "lunch without bob")
        .await;
    index(&rest).await;
    (rest, bob)
}

async fn index(rest: &Rest) {
    fill(&rest.im, |_| {}).await.expect("indexed");
}

/// The texts that somebody finds.
async fn found(rest: &Rest, bearer: &str, query: &str) -> Vec<String> {
    let path = format!("{SEARCH}?{query}");
    let page = rest.call(bearer, "GET", &path, Value::Null).await.ok();
    each(&page["items"], "/text")
}

#[tokio::test]
async fn users_find_what_they_may_see_with_what_fits_marked() {
    let (rest, bob) = started().await;
    let page = rest
        .call(&bob, "GET", &format!("{SEARCH}?q=lunch"), Value::Null)
        .await
        .ok();
    let texts = each(&page["items"], "/text");
    assert_eq!(texts, ["明天中午一起吃lunch", "Lunch at noon?"]);
    assert_eq!(
        page["items"][0]["highlights"],
        json!([{"start": 7, "len": 5}])
    );
    assert_eq!(
        page["items"][1]["highlights"],
        json!([{"start": 0, "len": 5}])
    );
    assert_eq!(
        page["items"][1]["message"]["to"],
        json!({"kind": "group", "id": "team"})
    );
    assert_eq!(page["next_cursor"], Value::Null);
    for (query, count) in [
        ("q=%E4%B8%AD%E5%8D%88", 1), // 中午
        ("q=%E5%8D%88", 1),          // 午
        ("q=noo", 1),
        ("q=noon%20lunch", 1),
        ("q=noon%20dinner", 0),
        ("q=lunch&from=bob", 1),
        ("q=lunch&from=nobody", 0),
        ("from=alice", 1),
        ("type=text", 2),
        ("q=lunch&type=file", 0),
        ("q=lunch&kind=group&id=team", 1),
        ("q=lunch&kind=direct&id=alice", 1),
    ] {
        assert_eq!(found(&rest, &bob, query).await.len(), count, "{query}");
    }
    let secret = rest.app.secret.to_string();
    assert_eq!(
        found(&rest, &secret, "q=lunch").await.len(),
        3,
        "the whole realm"
    );
    assert_eq!(found(&rest, &secret, "q=lunch&user=bob").await.len(), 2);
    assert_eq!(found(&rest, &secret, "q=lunch&user=carol").await.len(), 1);
    let start = rest.clock_ms();
    assert_eq!(
        found(&rest, &bob, &format!("q=lunch&since={start}"))
            .await
            .len(),
        0
    );
    let until = start - 1500;
    assert_eq!(
        found(&rest, &bob, &format!("q=lunch&until={until}"))
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named_and_others_are_not_looked_through() {
    let (rest, bob) = started().await;
    let long = "x".repeat(201);
    for (query, field) in [
        ("", "q"),
        ("q=%20", "q"),
        ("q=%3F%3F", "q"),
        (&*format!("q={long}"), "q"),
        ("q=x&kind=group", "id"),
        ("q=x&id=team", "kind"),
        ("q=x&cursor=x", "cursor"),
        ("q=x&limit=0", "limit"),
    ] {
        let answer = rest
            .call(&bob, "GET", &format!("{SEARCH}?{query}"), Value::Null)
            .await;
        assert!(
            answer.detail("invalid_argument").starts_with(field),
            "{query}"
        );
    }
    let theirs = format!("{SEARCH}?q=x&user=alice");
    let other = rest.call(&bob, "GET", &theirs, Value::Null).await;
    assert_eq!(other.problem(), (403, "forbidden".to_owned()));
    rest.put("/v1/channels/group/other", json!({"members": ["alice"]}))
        .await;
    let theirs = format!("{SEARCH}?q=x&kind=group&id=other");
    let answer = rest.call(&bob, "GET", &theirs, Value::Null).await;
    assert_eq!(answer.problem(), (403, "not_a_member".to_owned()));
    assert_eq!(
        rest.call("x", "GET", &format!("{SEARCH}?q=x"), Value::Null)
            .await
            .status,
        401
    );
    for (method, path) in [("POST", "/v1/search/rebuild"), ("GET", "/v1/search/status")] {
        for bearer in [&*bob, &*rest.app.secret.to_string()] {
            assert_eq!(
                rest.call(bearer, method, path, Value::Null).await.status,
                403
            );
        }
    }
    let off = rest
        .call(ADMIN, "POST", "/v1/search/rebuild", Value::Null)
        .await;
    assert_eq!(off.problem().0, 409, "it is switched off here");
    let path = "/v1/search/status";
    let status = rest.call(ADMIN, "GET", path, Value::Null).await.ok();
    assert_eq!(status["complete"], false, "a group was made");
    index(&rest).await;
    let status = rest
        .call(ADMIN, "GET", "/v1/search/status", Value::Null)
        .await
        .ok();
    assert_eq!(
        (&status["complete"], &status["progress"]),
        (&json!(true), &json!(1.0))
    );
}

#[tokio::test]
async fn pages_go_on_towards_older_ones() {
    let (rest, bob) = started().await;
    for n in 0..5 {
        rest.text("alice", "group", "team", &format!("page {n}"))
            .await;
    }
    index(&rest).await;
    let mut seen = Vec::new();
    let mut path = format!("{SEARCH}?q=page&limit=2");
    loop {
        let page = rest.call(&bob, "GET", &path, Value::Null).await.ok();
        seen.extend(each(&page["items"], "/text"));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{SEARCH}?q=page&limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["page 4", "page 3", "page 2", "page 1", "page 0"]);
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    let (rest, bob) = started().await;
    let said = rest.text("alice", "group", "team", "a secret plan").await;
    index(&rest).await;
    assert_eq!(found(&rest, &bob, "q=secret").await.len(), 1);
    let id = said["id"].as_str().expect("an id");
    rest.post(&format!("/v1/messages/{id}/revoke"), Value::Null)
        .await;
    assert_eq!(found(&rest, &bob, "q=secret").await.len(), 0, "at once");
    index(&rest).await;
    assert_eq!(found(&rest, &bob, "q=secret").await.len(), 0);

    let said = rest.text("alice", "group", "team", "the old words").await;
    let id = said["id"].as_str().expect("an id");
    let edit = json!({"content": {"type": "text", "text": "the new words"}});
    rest.app("PATCH", &format!("/v1/messages/{id}"), edit)
        .await
        .ok();
    index(&rest).await;
    assert_eq!(found(&rest, &bob, "q=old").await.len(), 0);
    assert_eq!(found(&rest, &bob, "q=new%20words").await, ["the new words"]);

    let hide = format!("/v1/messages/{id}?scope=me");
    rest.call(&bob, "DELETE", &hide, Value::Null).await.ok();
    assert_eq!(found(&rest, &bob, "q=new").await.len(), 0, "for bob");
    let secret = rest.app.secret.to_string();
    assert_eq!(found(&rest, &secret, "q=new&user=alice").await.len(), 1);

    let clear = "/v1/users/bob/conversations/group/team/clear";
    rest.post(clear, Value::Null).await;
    assert_eq!(found(&rest, &bob, "q=noon").await.len(), 0, "cleared");
    let leave = "/v1/channels/group/team/members/alice";
    rest.app("DELETE", leave, Value::Null).await.ok();
    assert_eq!(
        found(&rest, &secret, "q=new&user=alice").await.len(),
        0,
        "left"
    );
}

#[tokio::test]
async fn a_little_of_everything() {
    let (rest, bob) = started().await;
    rest.put("/v1/users/carol", json!({"name": "Blue Carol"}))
        .await;
    rest.text("alice", "group", "team", "blue sky").await;
    index(&rest).await;
    let all = rest
        .call(&bob, "GET", "/v1/search?q=blue", Value::Null)
        .await
        .ok();
    assert_eq!(each(&all["groups"], "/id"), ["team"]);
    assert!(all["groups"][0]["name"].is_string(), "{all}");
    assert_eq!(each(&all["messages"], "/text"), ["blue sky"]);
    assert_eq!(each(&all["users"], "/uid"), ["carol"]);
    assert_eq!(all["friends"], json!([]));
    let realm = rest.get("/v1/search?q=blue").await;
    assert_eq!(each(&realm["messages"], "/text"), ["blue sky"]);
    assert_eq!(realm["groups"], json!([]));
    let answer = rest
        .call(&bob, "GET", "/v1/search?q=x&limit=21", Value::Null)
        .await;
    assert!(answer.detail("invalid_argument").starts_with("limit"));
}

#[tokio::test]
async fn an_index_is_filled_while_the_server_runs_and_again_when_asked() {
    use crate::consumers::Consumers;
    use crate::consumers::search::Search;
    let (rest, bob) = started().await;
    let consumers = Consumers::new(&rest.im);
    let search = Search::start(&rest.im, &consumers);
    rest.text("alice", "group", "team", "meanwhile").await;
    let complete = async || {
        let waiting = async {
            while !search.status().await.expect("a status").complete {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await;
        waited.expect("in time");
    };
    complete().await;
    assert_eq!(found(&rest, &bob, "q=meanwhile").await.len(), 1);
    search.rebuild().await.expect("begun");
    complete().await;
    assert_eq!(found(&rest, &bob, "q=meanwhile").await.len(), 1);
    assert_eq!(found(&rest, &bob, "q=lunch").await.len(), 2);
    search.stop().await;
    consumers.stop().await;
}

/// Where a page ends may be a message that is not the caller's business.
#[tokio::test]
async fn cursors_tell_nothing_and_cannot_be_made() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let (rest, bob) = started().await;
    let path = format!("{SEARCH}?q=lunch&limit=1");
    let page = rest.call(&bob, "GET", &path, Value::Null).await.ok();
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let id = page["items"][0]["message"]["id"].as_str().expect("an id");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).expect("base64");
    assert!(!bytes.windows(id.len()).any(|part| part == id.as_bytes()));
    let mut changed = bytes;
    *changed.last_mut().expect("bytes") ^= 1;
    let plain = |text: String| URL_SAFE_NO_PAD.encode(text);
    for forged in [
        URL_SAFE_NO_PAD.encode(changed),
        plain(format!("s:{id}")),
        plain(format!("search:{id}")),
        id.to_owned(),
    ] {
        let path = format!("{path}&cursor={forged}");
        let answer = rest.call(&bob, "GET", &path, Value::Null).await;
        assert!(answer.detail("invalid_argument").starts_with("cursor"));
    }
}

#[tokio::test]
async fn names_are_found_whatever_case_and_width() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    for (uid, name) in [("ivan", "Иван Ｋ."), ("may", "张三丰")] {
        rest.user(uid).await;
        let path = format!("/v1/users/{uid}/profile");
        rest.app("PATCH", &path, json!({"name": name})).await.ok();
    }
    let new = json!({"id": "team", "members": ["ivan", "may"]});
    rest.call(&alice, "POST", "/v1/channels", new).await;
    for (q, uid) in [
        ("иван", "ivan"),
        ("ВАН к", ""),
        ("ВАН k", "ivan"),
        ("三", "may"),
        ("三丰", "may"),
    ] {
        let q: String = percent(q);
        let ask = async |path: String| rest.call(&alice, "GET", &path, Value::Null).await.ok();
        let found = ask(format!("/v1/search?q={q}")).await;
        let users = each(&found["users"], "/uid");
        let found = ask(format!("/v1/users/search?keyword={q}")).await;
        assert_eq!(each(&found["items"], "/uid"), users, "{q}");
        assert_eq!(found["next_cursor"], Value::Null, "{q}");
        let path = format!("/v1/channels/group/team/members?keyword={q}");
        let found = ask(path).await;
        assert_eq!(each(&found["items"], "/uid"), users, "{q}");
        assert_eq!(users.join(" "), uid, "{q}");
    }
}

/// A text as a query has it.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

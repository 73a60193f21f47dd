//! Users as a whole, broadcasts, exports, sessions, statistics, apps.

use crosstalk_core::session::Ending;

use super::moderation::session;
use super::*;

/// Does what goes on in the background.
pub(super) async fn work(rest: &Rest) {
    let im = Arc::clone(&rest.im);
    let render = move |message: &_| crate::http::v1::export_line(&im, message);
    rest.im.work_off(&render).await;
}

pub(super) fn quick() -> Policy {
    Policy {
        broadcast_per_sec: 0,
        ..Policy::default()
    }
}

pub(super) async fn texts(rest: &Rest, viewer: &str, peer: &str) -> Vec<String> {
    let path = format!("/v1/channels/direct/{peer}/messages?user={viewer}");
    each(&rest.get(&path).await["items"], "/content/text")
}

#[tokio::test]
async fn users_are_imported_each_for_itself_and_listed() {
    let rest = Rest::start().await;
    rest.user("alice").await;
    let users = json!({"users": [
        {"uid": "alice", "name": "Alice", "tags": ["vip"]},
        {"uid": "bob", "tags": ["vip", "beta"], "staff": true},
        {"uid": "____bad"},
        {"uid": "carol", "ban": true},
        {"uid": "dave", "tags": [""]},
        {"uid": "erin", "name": 17},
        "frank",
    ]});
    let imported = rest.post("/v1/users/import", users).await;
    let outcomes = each(&imported["items"], "/state");
    assert_eq!(
        outcomes,
        [
            "updated", "created", "failed", "created", "failed", "failed", "failed"
        ]
    );
    let wrong = &imported["items"][5]["error"]["detail"];
    assert_eq!(*wrong, "name: must be a string");
    assert_eq!(imported["items"][2]["error"]["code"], "invalid_uid");
    assert_eq!(imported["items"][4]["error"]["code"], "invalid_argument");
    let all = rest.get("/v1/users").await;
    assert_eq!(each(&all["items"], "/uid"), ["alice", "bob", "carol"]);
    assert_eq!(all["items"][0]["name"], "Alice");
    assert_eq!(all["items"][1]["tags"], json!(["beta", "vip"]));
    for (query, expected) in [
        ("tag=vip", vec!["alice", "bob"]),
        ("tag=none", vec![]),
        ("ban=true", vec!["carol"]),
        ("ban=false", vec!["alice", "bob"]),
        ("staff=true", vec!["bob"]),
        ("prefix=ca", vec!["carol"]),
    ] {
        let found = rest.get(&format!("/v1/users?{query}")).await;
        assert_eq!(each(&found["items"], "/uid"), expected, "{query}");
    }
    let first = rest.get("/v1/users?limit=2").await;
    let cursor = first["next_cursor"].as_str().expect("more");
    let next = rest
        .get(&format!("/v1/users?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(each(&next["items"], "/uid"), ["carol"]);
    assert_eq!(next["next_cursor"], Value::Null);
    let tags = rest
        .put("/v1/users/alice/tags", json!({"tags": ["x", "x"]}))
        .await;
    assert_eq!(tags["tags"], json!(["x"]));
    assert_eq!(rest.get("/v1/users/alice/tags").await["tags"], json!(["x"]));
    let nobody = rest
        .app("PUT", "/v1/users/nobody/tags", json!({"tags": []}))
        .await;
    assert_eq!(nobody.problem().0, 404);
    let many = json!({"users": vec![json!({"uid": "x"}); 1001]});
    let many = rest.app("POST", "/v1/users/import", many).await;
    assert_eq!(many.problem().0, 422);
}

#[tokio::test]
async fn users_are_switched_off_and_on() {
    let rest = Rest::start().await;
    let token = rest.user("alice").await;
    let live = session(&rest, "alice", &token, "d")
        .await
        .expect("a session");
    let off = json!({"reason": "left"});
    assert_eq!(rest.post("/v1/users/alice/disable", off).await["ban"], true);
    assert_eq!(live.mailbox.drain(false).ending, Some(Ending::Kicked));
    assert_eq!(rest.get("/v1/bans").await["items"][0]["reason"], "left");
    let on = rest.post("/v1/users/alice/enable", Value::Null).await;
    assert_eq!(on["ban"], false);
    assert_eq!(rest.get("/v1/bans").await["items"], json!([]));
    let nobody = rest
        .app("POST", "/v1/users/nobody/enable", Value::Null)
        .await;
    assert_eq!(nobody.problem().0, 404);
    assert!(!rest.is_known("nobody").await);
}

#[tokio::test]
async fn a_broadcast_reaches_each_once() {
    let rest = Rest::with_policy(quick()).await;
    let users: Vec<_> = (0..250).map(|n| json!({"uid": format!("u{n}")})).collect();
    rest.post("/v1/users/import", json!({"users": users})).await;
    rest.put("/v1/users/u7", json!({"ban": true})).await;
    rest.put("/v1/users/u3/tags", json!({"tags": ["vip"]}))
        .await;
    let content = json!({"type": "text", "text": "hello"});
    let all = json!({"to": "all", "content": content});
    let begun = rest.app("POST", "/v1/broadcasts", all).await;
    assert_eq!((begun.status, &begun.body["total"]), (202, &json!(250)));
    work(&rest).await;
    let id = begun.body["id"].as_str().expect("an id").to_owned();
    let done = rest.get(&format!("/v1/broadcasts/{id}")).await;
    assert_eq!(
        (&done["state"], &done["done"]),
        (&json!("done"), &json!(249))
    );
    assert_eq!(done["failed"], 0);
    for uid in ["u0", "u99", "u100", "u249"] {
        assert_eq!(texts(&rest, uid, "____system").await, ["hello"], "{uid}");
    }
    assert!(
        texts(&rest, "u7", "____system").await.is_empty(),
        "who is banned"
    );
    let vip = json!({"to": {"tag": "vip"}, "from": "u1", "content": content});
    rest.post("/v1/broadcasts", vip).await;
    let named = json!({"to": {"uids": ["u4", "u5", "nobody"]}, "content": content});
    let named = rest.post("/v1/broadcasts", named).await;
    work(&rest).await;
    assert_eq!(texts(&rest, "u3", "u1").await, ["hello"]);
    assert!(texts(&rest, "u4", "u1").await.is_empty());
    assert_eq!(texts(&rest, "u4", "____system").await, ["hello", "hello"]);
    let id = named["id"].as_str().expect("an id");
    let named = rest.get(&format!("/v1/broadcasts/{id}")).await;
    assert_eq!((&named["done"], &named["failed"]), (&json!(3), &json!(1)));
    let listed = rest.get("/v1/broadcasts").await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3));
    for (body, code) in [
        (
            json!({"to": "some", "content": content}),
            "invalid_argument",
        ),
        (
            json!({"to": {"uids": []}, "content": content}),
            "invalid_argument",
        ),
        (
            json!({"to": {"uids": ["alice"], "tag": "vip"}, "content": content}),
            "invalid_argument",
        ),
        (json!({"to": {}, "content": content}), "invalid_argument"),
        (json!({"to": "all", "content": "x"}), "invalid_argument"),
        (
            json!({"to": "all", "from": "nobody", "content": content}),
            "no_such_user",
        ),
    ] {
        let wrong = rest.app("POST", "/v1/broadcasts", body).await;
        assert_eq!(wrong.problem().1, code);
    }
}

/// Who asks and hangs up: what is done stands in the audit log all the same.
#[tokio::test]
async fn what_is_done_for_one_who_hangs_up_is_written_down() {
    let rest = Rest::start().await;
    let mut act = Box::pin(rest.app("PUT", "/v1/users/alice", json!({"name": "A"})));
    // It has begun, and then nobody waits for it any more.
    assert!(futures_util::poll!(act.as_mut()).is_pending());
    drop(act);
    let acts = async || rest.get("/v1/audit").await["items"].clone();
    let written = async {
        while acts().await.as_array().is_none_or(Vec::is_empty) {
            // wait: for the task of the act
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    let written = tokio::time::timeout(patience, written).await;
    written.expect("in time");
    assert_eq!(acts().await[0]["action"], "PUT /v1/users/{uid}");
    assert_eq!(rest.get("/v1/users/alice").await["name"], "A");
}

/// What was done before a crash is not done again, and what was not is.
#[tokio::test]
async fn a_broadcast_goes_on_where_it_was_and_is_called_off() {
    let rest = Rest::with_policy(quick()).await;
    let users: Vec<_> = (0..3).map(|n| json!({"uid": format!("u{n}")})).collect();
    rest.post("/v1/users/import", json!({"users": users})).await;
    let content = json!({"type": "text", "text": "hello"});
    let said = json!({"to": {"uids": ["u0", "u1"]}, "content": content});
    let begun = rest.post("/v1/broadcasts", said).await;
    let id = begun["id"].as_str().expect("an id").to_owned();
    // As if it had stopped between telling the first and writing that down.
    let first = json!({
        "to": {"kind": "direct", "id": "u0"}, "content": content,
        "client_no": format!("broadcast-{id}-u0"),
    });
    rest.post("/v1/messages", first).await;
    work(&rest).await;
    assert_eq!(texts(&rest, "u0", "____system").await, ["hello"]);
    assert_eq!(texts(&rest, "u1", "____system").await, ["hello"]);
    let late = rest
        .app("DELETE", &format!("/v1/broadcasts/{id}"), Value::Null)
        .await;
    assert_eq!(late.problem(), (409, "wrong_state".into()));
    let said = json!({"to": {"uids": ["u2"]}, "content": content});
    let begun = rest.post("/v1/broadcasts", said).await;
    let id = begun["id"].as_str().expect("an id");
    let off = rest
        .app("DELETE", &format!("/v1/broadcasts/{id}"), Value::Null)
        .await;
    assert_eq!(off.ok()["state"], "cancelled");
    work(&rest).await;
    assert!(texts(&rest, "u2", "____system").await.is_empty());
}

#[tokio::test]
async fn nothing_is_left_of_a_user_who_was_erased() {
    let rest = Rest::start().await;
    let token = rest.user("alice").await;
    rest.user("bob").await;
    rest.put("/v1/users/alice", json!({"name": "Alice"})).await;
    rest.put("/v1/users/alice/tags", json!({"tags": ["vip"]}))
        .await;
    let team = json!({"owner": "bob", "members": ["alice", "bob"]});
    rest.put("/v1/channels/group/team", team).await;
    let own = json!({"owner": "alice", "members": ["bob"]});
    rest.put("/v1/channels/group/own", own).await;
    rest.text("alice", "group", "team", "in the group").await;
    rest.text("alice", "direct", "bob", "to bob").await;
    rest.text("bob", "direct", "alice", "to alice").await;
    let live = session(&rest, "alice", &token, "d")
        .await
        .expect("a session");
    rest.user("carol").await;
    let role = rest.app(
        "PATCH",
        "/v1/channels/group/team/members/alice",
        json!({"role": "administrator"}),
    );
    role.await.ok();
    let invite = json!({"users": ["carol"], "operator": "alice"});
    let invited = rest
        .post("/v1/channels/group/team/invitations", invite)
        .await;
    assert_eq!(invited["items"][0]["inviter"], "alice", "{invited}");
    let links = "/v1/channels/group/team/invite-links";
    let link = rest.post(links, json!({"operator": "alice"})).await;
    let token = link["token"].as_str().expect("a token").to_owned();
    let exported = rest.post("/v1/users/alice/export", Value::Null).await;
    let export = format!(
        "/v1/users/alice/exports/{}",
        exported["id"].as_str().expect("an id")
    );
    work(&rest).await;
    let download = format!("{export}/download");
    let there = rest.app("GET", &download, Value::Null).await;
    assert_eq!(there.status, 200);
    let begun = rest.app("DELETE", "/v1/users/alice", Value::Null).await;
    assert_eq!(begun.status, 202);
    let again = rest.app("DELETE", "/v1/users/alice", Value::Null).await;
    assert_eq!((again.status, &again.body["id"]), (202, &begun.body["id"]));
    let owner = async || rest.get("/v1/channels/group/own").await["owner"].clone();
    assert_eq!(owner().await, "alice", "in the background");
    assert_eq!(live.mailbox.drain(false).ending, Some(Ending::Kicked));
    rest.im.close_session(&live).await;
    assert!(session(&rest, "alice", &token, "d").await.is_err());
    work(&rest).await;
    let done = rest.get("/v1/users/alice/erasure").await;
    assert_eq!(done["state"], "done", "{done}");
    let again = rest.app("DELETE", "/v1/users/alice", Value::Null).await;
    assert_eq!((again.status, &again.body), (200, &done), "not begun again");
    assert_eq!(owner().await, "bob", "what was alice's is another member's");
    let gone = rest.app("GET", "/v1/users/alice", Value::Null).await;
    assert_eq!(gone.problem(), (404, "no_such_user".into()));
    let members = rest.get("/v1/channels/group/team/members").await;
    assert_eq!(each(&members["items"], "/uid"), ["bob"]);
    let group = rest
        .get("/v1/channels/group/team/messages")
        .await
        .to_string();
    assert!(!group.contains("in the group"), "{group}");
    let left = texts(&rest, "bob", "alice").await;
    assert!(left.contains(&"to alice".to_owned()), "{left:?}");
    assert!(!left.contains(&"to bob".to_owned()), "{left:?}");
    let there = rest.app("GET", &download, Value::Null).await;
    assert_eq!(there.status, 404);
    let invited = rest.get("/v1/users/carol/join-requests").await;
    assert_eq!(invited["items"], json!([]), "{invited}");
    // Her link opened the group with her rights, which nobody has now.
    let follow = format!("/v1/invite-links/{token}/join");
    let follow = rest.app("POST", &follow, json!({"operator": "carol"}));
    assert_eq!(follow.await.problem(), (404, "not_found".into()));
    // The name is never given again.
    for (method, path, body) in [
        ("PUT", "/v1/users/alice", json!({"name": "A"})),
        ("POST", "/v1/users/alice/tokens", json!({})),
    ] {
        let again = rest.app(method, path, body).await;
        assert_eq!(again.problem(), (403, "user_banned".into()), "{path}");
    }
    let left = rest.get("/v1/users").await;
    assert_eq!(each(&left["items"], "/uid"), ["bob", "carol"]);
    let nobody = rest.app("DELETE", "/v1/users/nobody", Value::Null).await;
    assert_eq!(nobody.problem().0, 404);
}

#[tokio::test]
async fn an_export_has_everything_of_a_user() {
    let rest = Rest::start().await;
    rest.user("alice").await;
    rest.user("bob").await;
    rest.put("/v1/users/alice", json!({"name": "Alice"})).await;
    rest.put("/v1/users/alice/tags", json!({"tags": ["vip"]}))
        .await;
    rest.text("alice", "direct", "bob", "my words").await;
    rest.text("bob", "direct", "alice", "not mine").await;
    let begun = rest
        .app("POST", "/v1/users/alice/export", Value::Null)
        .await;
    assert_eq!(begun.status, 202);
    let id = begun.body["id"].as_str().expect("an id");
    let path = format!("/v1/users/alice/exports/{id}");
    let early = rest
        .app("GET", &format!("{path}/download"), Value::Null)
        .await;
    assert_eq!(early.problem(), (409, "wrong_state".into()));
    work(&rest).await;
    assert_eq!(rest.get(&path).await["state"], "done");
    let request = Request::builder()
        .uri(format!("{path}/download"))
        .header(header::AUTHORIZATION, format!("Bearer {}", rest.app.secret))
        .body(Body::empty())
        .expect("a request");
    let response = rest
        .routes
        .clone()
        .oneshot(request)
        .await
        .expect("an answer");
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/x-ndjson"
    );
    let bytes = to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let kinds: Vec<_> = lines
        .iter()
        .filter_map(|line| line["kind"].as_str())
        .collect();
    assert!(
        kinds.contains(&"user") && kinds.contains(&"user_tag"),
        "{kinds:?}"
    );
    assert_eq!(lines.last().expect("a line")["content"]["text"], "my words");
    assert!(
        text.contains("Alice") && !text.contains("not mine"),
        "{text}"
    );
    let other = rest
        .app("GET", &path.replace("alice", "bob"), Value::Null)
        .await;
    assert_eq!(other.problem().0, 404, "another's");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let one = session(&rest, "alice", &alice, "d1")
        .await
        .expect("a session");
    let two = session(&rest, "alice", &alice, "d2")
        .await
        .expect("a session");
    let other = session(&rest, "bob", &bob, "d3").await.expect("a session");
    let all = rest.get("/v1/sessions").await;
    assert_eq!(each(&all["items"], "/uid"), ["alice", "alice", "bob"]);
    let page = rest.get("/v1/sessions?limit=2").await;
    let cursor = page["next_cursor"].as_str().expect("more");
    let next = rest.get(&format!("/v1/sessions?cursor={cursor}")).await;
    assert_eq!(each(&next["items"], "/uid"), ["bob"]);
    for (query, count) in [
        ("uid=alice", 2),
        ("device=d2", 1),
        ("address=127.0.0.1", 3),
        ("address=10.0.0.1", 0),
        ("dialect=mqtt", 0),
    ] {
        let found = rest.get(&format!("/v1/sessions?{query}")).await;
        assert_eq!(
            found["items"].as_array().map(Vec::len),
            Some(count),
            "{query}"
        );
    }
    let wrong = rest
        .app("GET", "/v1/sessions?dialect=klingon", Value::Null)
        .await;
    assert_eq!(wrong.problem().0, 422);
    let stats = rest.get("/v1/stats").await;
    assert_eq!(
        (&stats["users"], &stats["users_online"]),
        (&json!(2), &json!(2))
    );
    let path = format!("/v1/users/alice/sessions/{}", one.id);
    let ended = rest.app("DELETE", &path, json!({"reason": "lost"})).await;
    assert_eq!(ended.ok()["ended"], 1);
    assert_eq!(one.mailbox.drain(false).ending, Some(Ending::Kicked));
    assert_eq!(two.mailbox.drain(false).ending, None);
    let path = format!("/v1/users/alice/sessions/{}", other.id);
    let anothers = rest.app("DELETE", &path, Value::Null).await;
    assert_eq!(anothers.problem(), (404, "not_found".into()));
    rest.app("DELETE", "/v1/users/bob/sessions", Value::Null)
        .await
        .ok();
    assert_eq!(other.mailbox.drain(false).ending, Some(Ending::Kicked));
}

#[tokio::test]
async fn statistics_count_what_was_said() {
    let rest = Rest::start().await;
    rest.user("alice").await;
    for n in 0..3 {
        rest.text("alice", "direct", "alice", &format!("{n}")).await;
    }
    let stats = rest.get("/v1/stats").await;
    assert_eq!(
        (&stats["messages"], &stats["channels"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(stats["days"][0]["messages"], 3);
    rest.clock.advance_ms(24 * 3600 * 1000);
    rest.text("alice", "direct", "alice", "tomorrow").await;
    let stats = rest.get("/v1/stats").await;
    assert_eq!(each(&stats["days"], "/messages"), ["1", "3"]);
}

#[tokio::test]
async fn an_old_secret_holds_for_its_time() {
    let rest = Rest::start().await;
    let token = rest.user("alice").await;
    let live = session(&rest, "alice", &token, "d").await;
    let live = live.expect("a session");
    let rotate = json!({"grace_secs": 60});
    let new = rest
        .call(ADMIN, "POST", "/v1/apps/default/rotate", rotate)
        .await
        .ok();
    let secret = new["app_secret"].as_str().expect("a secret");
    assert_eq!(new["old_secret_until_at"], im::START_MS + 60_000);
    let get =
        async |bearer: &str, path: &str| rest.call(bearer, "GET", path, Value::Null).await.status;
    assert_eq!(get(secret, "/v1/users/alice").await, 200);
    assert_eq!(get(&rest.app.secret, "/v1/users/alice").await, 200);
    assert_eq!(get(&token, "/v1/users/me").await, 200);
    rest.clock.advance_ms(60_000);
    assert_eq!(get(secret, "/v1/users/alice").await, 200);
    assert_eq!(get(&rest.app.secret, "/v1/users/alice").await, 401);
    assert_eq!(get(&token, "/v1/users/me").await, 401);
    let long = json!({"grace_secs": 1_000_000_000});
    let long = rest
        .call(ADMIN, "POST", "/v1/apps/default/rotate", long)
        .await;
    assert_eq!(long.problem().0, 422);
    assert_eq!(live.mailbox.drain(false).ending, None);
    rest.call(ADMIN, "POST", "/v1/apps/default/rotate", json!({}))
        .await
        .ok();
    assert_eq!(live.mailbox.drain(false).ending, Some(Ending::Kicked));
}

#[tokio::test]
async fn an_app_is_switched_off_and_limited() {
    let rest = Rest::start().await;
    let token = rest.user("alice").await;
    let live = session(&rest, "alice", &token, "d")
        .await
        .expect("a session");
    let patch = async |path: &str, body: Value| rest.call(ADMIN, "PATCH", path, body).await;
    let limits = json!({"send_rate": 1, "send_burst": 2});
    let limited = patch("/v1/apps/default/limits", limits).await.ok();
    assert_eq!(limited["limits"], json!({"send_rate": 1, "send_burst": 2}));
    let say = async || {
        let message = json!({
            "to": {"kind": "direct", "id": "alice"},
            "content": {"type": "text", "text": "x"},
        });
        rest.call(&token, "POST", "/v1/messages", message)
            .await
            .status
    };
    assert_eq!([say().await, say().await, say().await], [200, 200, 429]);
    let none = patch("/v1/apps/default/limits", json!({"send_rate": null})).await;
    assert_eq!(none.ok()["limits"], Value::Null);
    assert_eq!(say().await, 200);
    patch("/v1/apps/default", json!({"disabled": true}))
        .await
        .ok();
    assert_eq!(live.mailbox.drain(false).ending, Some(Ending::Kicked));
    assert_eq!(say().await, 401);
    let app = rest.app("GET", "/v1/users/alice", Value::Null).await;
    assert_eq!(app.problem().0, 401);
    patch("/v1/apps/default", json!({"disabled": false}))
        .await
        .ok();
    assert_eq!(say().await, 200);
    let missing = patch("/v1/apps/none", json!({})).await;
    assert_eq!(missing.problem().0, 404);
}

/// Every way in is closed while the app is off, and open again after that.
#[tokio::test]
#[allow(clippy::too_many_lines)] // one row for each way
async fn an_app_that_is_off_lets_nobody_in_by_any_way() {
    use crosstalk_core::im::{Credential, LoginRequest, LoginScope, OpenSession, RegisterDevice};
    use crosstalk_core::message::Origin;
    use crosstalk_core::refusal::Refusal;
    use crosstalk_core::session::{Delivery, Offline};

    let rest = Rest::start().await;
    let token = rest.user("alice").await;
    let (realm, id) = (Realm::default(), AppId::default());
    let (app, uid) = (
        rest.im.apps().get(&id).expect("the app"),
        Uid::parse("alice").expect("a uid"),
    );
    let user = rest.im.ensure_user(&realm, &uid).await.expect("a user");
    let peer = [127, 0, 0, 1].into();
    let scoped = |scope| {
        let mut request = LoginRequest::new(scope, "test", "CONNECT", peer);
        request.credentials.push(token.clone());
        request
    };
    let scopes = [
        LoginScope::App(id.clone()),
        LoginScope::Realm(realm.clone()),
        LoginScope::Token(realm.clone()),
    ];
    let proven = rest.im.login(&scoped(scopes[0].clone())).await;
    let device = RegisterDevice {
        origin: Origin(3),
        device_id: "d-1".to_owned(),
        os: 1,
        details: "{}".to_owned(),
        vendor: String::new(),
        push_token: None,
        habit: None,
        ttl_secs: 1000,
    };
    let device = rest.im.register_device(&app, &user, device).await;
    let device = device.expect("a device").token;
    let mut ways = vec![
        Credential::Token {
            realm: realm.clone(),
            uid: uid.clone(),
            token: token.clone(),
            dialect: "test",
        },
        Credential::Proven(Box::new(proven.expect("a login"))),
        Credential::Registered {
            claimed_uid: None,
            token: device.clone(),
        },
        Credential::Vouched {
            app: id.clone(),
            uid: uid.clone(),
            at_ms: rest.im.clock().now_ms(),
        },
    ];
    let logins = scopes.iter().map(|scope| scoped(scope.clone()));
    ways.extend(logins.map(|login| Credential::Login(Box::new(login))));
    let open = async |credential: &Credential| {
        let request = OpenSession {
            credential: credential.clone(),
            origin: Origin(3),
            device_id: "d-1".into(),
            device_flag: 1,
            delivery: Delivery::plain(Offline::Sync, true),
            sync_own: true,
            max_sessions: 0,
            peer,
        };
        rest.im.open_session(request).await.map(|_| ())
    };
    for disabled in [false, true, false] {
        let patch = json!({"disabled": disabled});
        rest.call(ADMIN, "PATCH", "/v1/apps/default", patch)
            .await
            .ok();
        let expected = if disabled {
            Err(Refusal::NotAuthenticated)
        } else {
            Ok(())
        };
        for way in &ways {
            assert_eq!(open(way).await, expected, "{way:?}, off: {disabled}");
        }
        for scope in &scopes {
            let login = rest.im.login(&scoped(scope.clone())).await.map(|_| ());
            assert_eq!(login, expected, "{scope:?}, off: {disabled}");
        }
        let known = rest.im.verify_user_token(&token).await.map(|_| ());
        assert_eq!(known, expected, "off: {disabled}");
        let known = rest.im.registered(&device).await.map(|_| ());
        assert_eq!(known, expected, "off: {disabled}");
    }
}

#[tokio::test]
async fn a_channel_has_a_limit_for_all_together() {
    let mut policy = Policy::default();
    policy.send.channel = crosstalk_core::send::rates::Rate {
        per_sec: 1,
        burst: 3,
    };
    let rest = Rest::with_policy(policy).await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let say = async |token: &str, to: &str| {
        let message = json!({
            "to": {"kind": "direct", "id": to},
            "content": {"type": "text", "text": "x"},
        });
        rest.call(token, "POST", "/v1/messages", message)
            .await
            .status
    };
    assert_eq!(say(&alice, "bob").await, 200);
    assert_eq!(say(&bob, "alice").await, 200);
    assert_eq!(say(&alice, "bob").await, 200);
    assert_eq!(say(&bob, "alice").await, 429);
    assert_eq!(say(&alice, "alice").await, 200, "another channel");
}

//! Channels as users act on them: settings, members, ways in, links, bans.

use super::*;

const TEAM: &str = "/v1/channels/group/team";
const MEMBERS: &str = "/v1/channels/group/team/members";

/// Tokens of alice (owner), bob (administrator), carol (member) and mallory (stranger).
struct Team {
    rest: Rest,
    alice: String,
    bob: String,
    carol: String,
    mallory: String,
}

impl Team {
    async fn start(settings: Value) -> Self {
        let rest = Rest::start().await;
        let alice = rest.user("alice").await;
        let bob = rest.user("bob").await;
        let carol = rest.user("carol").await;
        let mallory = rest.user("mallory").await;
        let mut new = json!({"id": "team", "name": "The team", "members": ["bob", "carol"]});
        for (name, value) in settings.as_object().expect("an object") {
            new[name] = value.clone();
        }
        let made = rest.call(&alice, "POST", "/v1/channels", new).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let role = json!({"role": "administrator"});
        rest.call(&alice, "PATCH", &format!("{MEMBERS}/bob"), role)
            .await
            .ok();
        Self {
            rest,
            alice,
            bob,
            carol,
            mallory,
        }
    }

    /// Status and code of a refusal; 2xx without a code.
    async fn ask(&self, who: &str, method: &str, path: &str, body: Value) -> (u16, String) {
        let answer = self.rest.call(who, method, path, body).await;
        let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
        (answer.status, code)
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn users_make_groups_of_their_own() {
    let team = Team::start(json!({"join_mode": "approval", "tips": true})).await;
    let rest = &team.rest;
    let seen = rest.call(&team.carol, "GET", TEAM, Value::Null).await.ok();
    assert_eq!(seen["owner"], "alice");
    assert_eq!(
        (&seen["name"], &seen["member_count"]),
        (&json!("The team"), &json!(3))
    );
    assert_eq!(
        (&seen["join_mode"], &seen["tips"]),
        (&json!("approval"), &json!(true))
    );
    assert_eq!(seen["created_at"], im::START_MS);
    let again = json!({"id": "team"});
    let again = team.ask(&team.mallory, "POST", "/v1/channels", again).await;
    assert_eq!(again, refused(409, "already_exists"));
    let made = rest
        .call(&team.mallory, "POST", "/v1/channels", json!({}))
        .await;
    let made = made.ok();
    assert_eq!(
        (&made["kind"], &made["owner"]),
        (&json!("group"), &json!("mallory"))
    );
    assert_eq!(made["id"].as_str().map(str::len), Some(24));
    let cases = [
        (json!({"kind": "data", "id": "d"}), 403, "forbidden"),
        (json!({"owner": "alice"}), 403, "forbidden"),
        (json!({"ban": true}), 403, "forbidden"),
        (json!({"members": ["nobody"]}), 404, "no_such_user"),
        (json!({"id": "a b"}), 422, "invalid_channel_id"),
        (json!({"kind": "direct"}), 422, "unsupported_channel_kind"),
        (
            json!({"announcement": "x".repeat(4001)}),
            422,
            "invalid_argument",
        ),
        (json!({"avatar": "x".repeat(1001)}), 422, "invalid_argument"),
        (json!({"max_members": 100_001}), 422, "invalid_argument"),
        (
            json!({"muted": false, "muted_until_at": 5}),
            422,
            "invalid_argument",
        ),
    ];
    for (body, status, code) in cases {
        let answer = team
            .ask(&team.mallory, "POST", "/v1/channels", body.clone())
            .await;
        assert_eq!(answer, refused(status, code), "{body}");
    }
    let by_app = json!({"kind": "community", "owner": "bob"});
    let made = rest.post("/v1/channels", by_app).await;
    assert_eq!(
        (&made["kind"], &made["owner"]),
        (&json!("community"), &json!("bob"))
    );
    let mine = rest
        .call(
            &team.bob,
            "GET",
            "/v1/users/me/channels?limit=1",
            Value::Null,
        )
        .await
        .ok();
    assert_eq!(each(&mine["items"], "/id"), ["team"]);
    let cursor = mine["next_cursor"].as_str().expect("more");
    let next = format!("/v1/users/me/channels?cursor={cursor}");
    let next = rest.call(&team.bob, "GET", &next, Value::Null).await.ok();
    assert_eq!(each(&next["items"], "/kind"), ["community"]);
}

#[tokio::test]
async fn settings_are_for_those_who_may() {
    let team = Team::start(json!({})).await;
    let name = json!({"name": "n"});
    let manage = json!({"join_mode": "free", "muted": true});
    let cases = [
        (&team.mallory, &name, 403, "not_a_member"),
        (&team.carol, &name, 403, "forbidden"),
        (&team.carol, &manage, 403, "forbidden"),
        (&team.bob, &name, 200, ""),
        (&team.bob, &manage, 200, ""),
        (&team.alice, &json!({"edit_by": "all"}), 200, ""),
        (&team.carol, &name, 200, ""),
        (&team.carol, &manage, 403, "forbidden"),
        (&team.alice, &json!({"ban": true}), 403, "forbidden"),
        (
            &team.alice,
            &json!({"name": "a\u{7}"}),
            422,
            "invalid_argument",
        ),
        (
            &team.alice,
            &json!({"operator": "bob", "name": "n"}),
            403,
            "forbidden",
        ),
    ];
    for (who, body, status, code) in cases {
        let answer = team.ask(who, "PATCH", TEAM, body.clone()).await;
        assert_eq!(answer, refused(status, code), "{body}");
    }
    let rest = &team.rest;
    let text = json!({"announcement": "Lunch\nat noon", "operator": "carol"});
    let seen = rest.app("PATCH", TEAM, text).await.ok();
    let expected = json!({"text": "Lunch\nat noon", "by": "carol", "at": im::START_MS});
    assert_eq!(seen["announcement"], expected);
    assert_eq!(
        (&seen["muted"], &seen["muted_until_at"]),
        (&json!(true), &Value::Null)
    );
    let until = json!({"muted_until_at": im::START_MS + 10});
    let seen = rest.app("PATCH", TEAM, until).await.ok();
    assert_eq!(
        (&seen["muted"], &seen["muted_until_at"]),
        (&json!(true), &json!(im::START_MS + 10))
    );
    rest.clock.advance_ms(10);
    assert_eq!(rest.get(TEAM).await["muted"], false);
    let nobody = json!({"operator": "nobody", "name": "n"});
    let nobody = rest.app("PATCH", TEAM, nobody).await;
    assert_eq!(nobody.problem(), refused(404, "no_such_user"));
}

#[tokio::test]
async fn members_are_named_muted_and_given_roles() {
    let team = Team::start(json!({})).await;
    let carol = format!("{MEMBERS}/carol");
    let (nick, mute) = (json!({"nick": "Captain"}), json!({"muted": true}));
    let cases = [
        (&team.mallory, &carol, &nick, 403, "not_a_member"),
        (&team.carol, &carol, &nick, 200, ""),
        (&team.carol, &format!("{MEMBERS}/me"), &nick, 200, ""),
        (
            &team.carol,
            &format!("{MEMBERS}/bob"),
            &mute,
            403,
            "forbidden",
        ),
        (&team.bob, &carol, &mute, 200, ""),
        (
            &team.bob,
            &format!("{MEMBERS}/alice"),
            &mute,
            403,
            "forbidden",
        ),
        (
            &team.bob,
            &carol,
            &json!({"role": "administrator"}),
            403,
            "forbidden",
        ),
        (
            &team.alice,
            &carol,
            &json!({"role": "owner"}),
            422,
            "invalid_argument",
        ),
        (
            &team.alice,
            &carol,
            &json!({"role": "king"}),
            422,
            "invalid_argument",
        ),
        (&team.alice, &carol, &json!({}), 422, "invalid_argument"),
        (
            &team.alice,
            &carol,
            &json!({"nick": "n".repeat(65)}),
            422,
            "invalid_argument",
        ),
        (
            &team.alice,
            &format!("{MEMBERS}/mallory"),
            &nick,
            404,
            "not_found",
        ),
        (
            &team.alice,
            &format!("{MEMBERS}/nobody"),
            &nick,
            404,
            "no_such_user",
        ),
    ];
    for (who, path, body, status, code) in cases {
        let answer = team.ask(who, "PATCH", path, body.clone()).await;
        assert_eq!(answer, refused(status, code), "{path} {body}");
    }
    let rest = &team.rest;
    let seen = rest.call(&team.bob, "GET", &carol, Value::Null).await.ok();
    assert_eq!(
        (&seen["nick"], &seen["muted"]),
        (&json!("Captain"), &json!(true))
    );
    assert_eq!(seen["joined_at"], im::START_MS);
    let found = rest.get(&format!("{MEMBERS}?keyword=captain")).await;
    assert_eq!(each(&found["items"], "/uid"), ["carol"]);
    let found = rest.get(&format!("{MEMBERS}?role=administrator")).await;
    assert_eq!(each(&found["items"], "/uid"), ["alice", "bob"]);
    let wrong = rest
        .app("GET", &format!("{MEMBERS}?role=king"), Value::Null)
        .await;
    assert!(wrong.detail("invalid_argument").starts_with("role"));
}

#[tokio::test]
async fn changes_of_members_come_by_version() {
    let team = Team::start(json!({})).await;
    let path = "/v1/channels/group/team/member-changes";
    let rest = &team.rest;
    let all = rest.call(&team.carol, "GET", path, Value::Null).await.ok();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(3));
    let last = all["items"][2]["version"].as_i64().expect("a version");
    assert_eq!(
        (&all["version"], &all["more"]),
        (&json!(last), &json!(false))
    );
    let first = rest.get(&format!("{path}?limit=2")).await;
    assert_eq!(
        (&first["version"], &first["more"]),
        (&all["items"][1]["version"], &json!(true))
    );
    rest.call(
        &team.bob,
        "DELETE",
        &format!("{MEMBERS}/carol"),
        Value::Null,
    )
    .await
    .ok();
    let since = rest.get(&format!("{path}?after_version={last}")).await;
    assert_eq!(each(&since["items"], "/uid"), ["carol"]);
    assert_eq!(since["items"][0]["left"], true);
    let gone = team.ask(&team.carol, "GET", path, Value::Null).await;
    assert_eq!(gone, refused(403, "not_a_member"));
}

#[tokio::test]
async fn adding_removing_transferring_leaving_dissolving() {
    let team = Team::start(json!({})).await;
    let add = json!({"members": ["mallory"]});
    let (transfer, leave) = (format!("{TEAM}/transfer"), format!("{TEAM}/leave"));
    let to_bob = json!({"to": "bob"});
    let (empty, none) = (json!({}), Value::Null);
    let of = |uid: &str| format!("{MEMBERS}/{uid}");
    let cases = [
        (
            &team.mallory,
            "POST",
            MEMBERS.to_owned(),
            &add,
            403,
            "not_a_member",
        ),
        (
            &team.carol,
            "POST",
            MEMBERS.to_owned(),
            &add,
            403,
            "forbidden",
        ),
        (&team.bob, "POST", MEMBERS.to_owned(), &add, 200, ""),
        (
            &team.mallory,
            "DELETE",
            of("carol"),
            &none,
            403,
            "forbidden",
        ),
        (&team.bob, "DELETE", of("mallory"), &none, 204, ""),
        (&team.bob, "DELETE", of("alice"), &none, 403, "forbidden"),
        (
            &team.alice,
            "POST",
            leave.clone(),
            &empty,
            409,
            "wrong_state",
        ),
        (&team.carol, "POST", leave.clone(), &empty, 204, ""),
        (
            &team.carol,
            "POST",
            leave.clone(),
            &empty,
            403,
            "not_a_member",
        ),
        (
            &team.bob,
            "POST",
            transfer.clone(),
            &to_bob,
            403,
            "forbidden",
        ),
        (
            &team.alice,
            "POST",
            transfer.clone(),
            &json!({"to": "carol"}),
            404,
            "not_found",
        ),
        (&team.alice, "POST", transfer, &to_bob, 204, ""),
        (
            &team.alice,
            "DELETE",
            TEAM.to_owned(),
            &none,
            403,
            "forbidden",
        ),
        (&team.alice, "POST", leave, &empty, 204, ""),
        (&team.bob, "DELETE", TEAM.to_owned(), &none, 204, ""),
        (
            &team.bob,
            "PATCH",
            TEAM.to_owned(),
            &json!({"name": "n"}),
            403,
            "channel_disbanded",
        ),
    ];
    for (who, method, path, body, status, code) in cases {
        let answer = team.ask(who, method, &path, body.clone()).await;
        assert_eq!(answer, refused(status, code), "{method} {path} {body}");
    }
    assert_eq!(team.rest.get(TEAM).await["disband"], true);
}

#[tokio::test]
async fn requests_invitations_links_and_bans() {
    let team = Team::start(json!({"join_mode": "approval"})).await;
    let rest = &team.rest;
    let (join, requests) = (format!("{TEAM}/join"), format!("{TEAM}/join-requests"));
    let asked = rest
        .call(&team.mallory, "POST", &join, json!({"message": "me"}))
        .await
        .ok();
    assert_eq!(asked["joined"], false);
    let id = asked["request"]["id"].as_str().expect("an id").to_owned();
    let own = rest
        .call(
            &team.mallory,
            "GET",
            "/v1/users/me/join-requests",
            Value::Null,
        )
        .await
        .ok();
    assert_eq!(each(&own["items"], "/status"), ["pending"]);
    let forbidden = team.ask(&team.carol, "GET", &requests, Value::Null).await;
    assert_eq!(forbidden, refused(403, "forbidden"));
    let listed = rest
        .call(&team.bob, "GET", &requests, Value::Null)
        .await
        .ok();
    assert_eq!(each(&listed["items"], "/message"), ["me"]);
    let cases = [
        (&team.carol, "accept", 404, "no_such_request"),
        (&team.mallory, "accept", 403, "forbidden"),
        (&team.bob, "cancel", 403, "forbidden"),
        (&team.bob, "accept", 200, ""),
        (&team.bob, "reject", 409, "wrong_state"),
    ];
    for (who, decision, status, code) in cases {
        let path = format!("{requests}/{id}/{decision}");
        let answer = team.ask(who, "POST", &path, json!({})).await;
        assert_eq!(answer, refused(status, code), "{decision}");
    }
    let ban = format!("{TEAM}/bans/mallory");
    assert_eq!(team.ask(&team.carol, "PUT", &ban, Value::Null).await.0, 403);
    assert_eq!(team.ask(&team.bob, "PUT", &ban, Value::Null).await.0, 204);
    let banned = rest
        .call(&team.bob, "GET", &format!("{TEAM}/bans"), Value::Null)
        .await
        .ok();
    assert_eq!(each(&banned["items"], "/uid"), ["mallory"]);
    for uid in ["nina", "otto"] {
        rest.user(uid).await;
        let path = format!("{TEAM}/bans/{uid}");
        assert_eq!(team.ask(&team.bob, "PUT", &path, Value::Null).await.0, 204);
    }
    let bans = format!("{TEAM}/bans?limit=2");
    let page = rest.call(&team.bob, "GET", &bans, Value::Null).await.ok();
    let cursor = page["next_cursor"].as_str().expect("more");
    let next = format!("{bans}&cursor={cursor}");
    let next = rest.call(&team.bob, "GET", &next, Value::Null).await.ok();
    let both = [each(&page["items"], "/uid"), each(&next["items"], "/uid")].concat();
    assert_eq!((both.len(), &next["next_cursor"]), (3, &Value::Null));
    let kept_out = team.ask(&team.mallory, "POST", &join, json!({})).await;
    assert_eq!(kept_out, refused(403, "blocked"));
    assert_eq!(
        team.ask(&team.bob, "DELETE", &ban, Value::Null).await.0,
        204
    );

    let invite = json!({"users": ["mallory"]});
    let invited = rest
        .call(&team.bob, "POST", &format!("{TEAM}/invitations"), invite)
        .await
        .ok();
    let id = invited["items"][0]["id"].as_str().expect("an id");
    let accept = format!("{requests}/{id}/accept");
    assert_eq!(
        team.ask(&team.mallory, "POST", &accept, json!({})).await.0,
        200
    );
    assert_eq!(rest.get(TEAM).await["member_count"], 4);
    team.ask(&team.mallory, "POST", &format!("{TEAM}/leave"), json!({}))
        .await;

    let links = format!("{TEAM}/invite-links");
    let forbidden = team.ask(&team.carol, "POST", &links, json!({})).await;
    assert_eq!(forbidden, refused(403, "forbidden"));
    let past = team
        .ask(&team.bob, "POST", &links, json!({"expires_at": 5}))
        .await;
    assert_eq!(past, refused(422, "invalid_argument"));
    let made = rest
        .call(&team.bob, "POST", &links, json!({"max_uses": 1}))
        .await
        .ok();
    let token = made["token"].as_str().expect("a token");
    let follow = format!("/v1/invite-links/{token}/join");
    let joined = rest
        .call(&team.mallory, "POST", &follow, json!({}))
        .await
        .ok();
    assert_eq!(joined, json!({"joined": true, "request": null}));
    let used_up = rest
        .app("POST", &follow, json!({"operator": "mallory"}))
        .await;
    assert_eq!(used_up.problem(), refused(404, "not_found"));
    let listed = rest.call(&team.bob, "GET", &links, Value::Null).await.ok();
    assert_eq!(each(&listed["items"], "/uses"), ["1"]);
    let link = format!("{links}/{token}");
    let not_hers = team.ask(&team.carol, "DELETE", &link, Value::Null).await;
    assert_eq!(not_hers, refused(403, "forbidden"));
    assert_eq!(
        team.ask(&team.alice, "DELETE", &link, Value::Null).await.0,
        204
    );
    assert_eq!(
        team.ask(&team.alice, "DELETE", &link, Value::Null).await.0,
        404
    );
}

/// The application may name who belongs to a full channel already, and not one more.
#[tokio::test]
async fn a_full_channel_takes_nobody_else() {
    let team = Team::start(json!({"max_members": 3})).await;
    for (members, expected) in [
        (json!(["bob", "carol"]), (200, String::new())),
        (json!(["carol", "dave"]), refused(409, "too_many")),
    ] {
        let body = json!({"members": members});
        let answer = team.rest.app("POST", MEMBERS, body).await;
        let code = answer.body["code"].as_str().unwrap_or_default();
        assert_eq!((answer.status, code.to_owned()), expected);
    }
}

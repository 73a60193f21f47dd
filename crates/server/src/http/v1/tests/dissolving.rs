//! What a channel that is dissolved leaves to those who were not in it yet.

use super::*;

const TEAM: &str = "/v1/channels/group/team";

#[tokio::test]
async fn nobody_waits_for_a_channel_that_is_gone_or_comes_to_it() {
    for by_application in [false, true] {
        let rest = Rest::start().await;
        let [alice, bob, carol, dave] = [
            rest.user("alice").await,
            rest.user("bob").await,
            rest.user("carol").await,
            rest.user("dave").await,
        ];
        let new = json!({"id": "team", "join_mode": "approval"});
        let made = rest.call(&alice, "POST", "/v1/channels", new).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let ask = async |who: &str, method: &str, path: &str, body: Value| {
            rest.call(who, method, path, body).await
        };
        let join = format!("{TEAM}/join");
        let asked = ask(&bob, "POST", &join, json!({})).await.ok();
        let asked = asked["request"]["id"].as_str().expect("an id").to_owned();
        let invite = json!({"users": ["carol"]});
        let invited = ask(&alice, "POST", &format!("{TEAM}/invitations"), invite).await;
        let invited = invited.ok()["items"][0]["id"].clone();
        let invited = invited.as_str().expect("an id").to_owned();
        let link = ask(&alice, "POST", &format!("{TEAM}/invite-links"), json!({})).await;
        let link = link.body["token"].as_str().expect("a link").to_owned();
        if by_application {
            rest.put(TEAM, json!({"disband": true})).await;
        } else {
            let gone = ask(&alice, "DELETE", TEAM, Value::Null).await;
            assert_eq!(gone.status, 204);
        }
        for who in [&bob, &carol] {
            let own = ask(who, "GET", "/v1/users/me/join-requests", Value::Null).await;
            assert_eq!(each(&own.ok()["items"], "/status"), ["cancelled"]);
        }
        let request = |id: &str, answer: &str| format!("{TEAM}/join-requests/{id}/{answer}");
        let follow = format!("/v1/invite-links/{link}/join");
        for (who, path) in [
            (&carol, request(&invited, "accept")),
            (&carol, request(&invited, "reject")),
            (&bob, request(&asked, "cancel")),
            (&alice, request(&asked, "accept")),
            (&bob, join.clone()),
            (&dave, join.clone()),
            (&dave, follow),
        ] {
            let answer = ask(who, "POST", &path, json!({})).await;
            let code = answer.body["code"].clone();
            assert_eq!(code, "channel_disbanded", "{path}: {}", answer.body);
        }
        let none = ask(&dave, "POST", &request(&asked, "accept"), json!({})).await;
        assert_eq!(none.status, 404, "what others asked is not told");
        let members = json!({"members": ["dave"]});
        let added = rest.app("POST", &format!("{TEAM}/members"), members).await;
        assert_eq!(added.body["code"], "channel_disbanded");
        let members = json!({"members": ["alice", "dave"]});
        let put = rest.app("PUT", TEAM, members.clone()).await;
        assert_eq!(put.body["code"], "channel_disbanded");
        // It is not gone for good where the application says so.
        rest.put(TEAM, json!({"disband": false})).await;
        rest.put(TEAM, members).await;
    }
}

//! What is done with an app secret or the admin key stands in the audit log, with whom and what
//! it concerned.

use crate::http::v1::admin::audit::ORDINARY;

use super::*;

async fn last(rest: &Rest, query: &str) -> Value {
    let path = format!("/v1/audit?limit=1{query}");
    let found = rest.call(ADMIN, "GET", &path, Value::Null).await.ok();
    found["items"][0].clone()
}

fn subjects(act: &Value) -> Vec<&str> {
    let subjects = act["subjects"].as_array().expect("a list");
    subjects.iter().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn an_act_says_whom_and_what_it_concerned() {
    let rest = Rest::start().await;
    for uid in ["ann", "bob"] {
        rest.user(uid).await;
    }
    let ban = rest
        .post(
            "/v1/bans",
            json!({"user": "bob", "reason": "spam", "until_at": rest.clock_ms() + 9000}),
        )
        .await;
    let id = ban["id"].as_str().expect("an id");
    for query in ["&target=bob", &format!("&target={id}")] {
        let act = last(&rest, query).await;
        assert_eq!(
            (&act["action"], &act["note"]),
            (&json!("POST /v1/bans"), &json!("spam"))
        );
        assert_eq!(subjects(&act), ["bob", id]);
        assert_eq!(act["asked"]["reason"], "spam");
        assert!(act["asked"]["until_at"].is_i64());
    }
    let words = json!({"words": ["casino", "poker"], "action": "mask"});
    rest.post("/v1/moderation/words", words.clone()).await;
    let act = last(&rest, "&target=poker").await;
    assert_eq!(act["asked"], words);
    let team = json!({"kind": "group", "id": "team", "members": ["ann", "bob"]});
    rest.post("/v1/channels", team).await;
    let at = "/v1/channels/group/team";
    let role = json!({"role": "administrator"});
    let member = format!("{at}/members/bob?operator=ann");
    rest.app("PATCH", &member, role.clone()).await;
    let act = last(&rest, "").await;
    assert_eq!(subjects(&act), ["team", "bob", "ann"]);
    assert_eq!(
        act["asked"],
        json!({"role": "administrator", "operator": "ann"})
    );
    let limits = json!({"send_rate": 5, "send_burst": 9});
    let app = format!("/v1/apps/{}/limits", rest.app.id);
    rest.call(ADMIN, "PATCH", &app, limits.clone()).await.ok();
    let act = last(&rest, "").await;
    assert_eq!((&act["asked"], &act["actor"]), (&limits, &json!("admin")));
    let hook = json!({"url": "http://h/?k=hush", "secret": "hush", "events": []});
    rest.app("POST", "/v1/hooks", hook).await;
    assert!(
        !last(&rest, "").await.to_string().contains("hush"),
        "no secrets"
    );
}

#[tokio::test]
async fn no_route_that_changes_something_is_missing() {
    let rest = Rest::start().await;
    let paths = rest.document["paths"].as_object().expect("paths").clone();
    let mut seen = 0;
    for (template, item) in &paths {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let is_there = item.get(method.to_lowercase()).is_some();
            if !is_there || ORDINARY.contains(&(method, template)) || !template.starts_with("/v1/")
            {
                continue;
            }
            let path = template.replace("{kind}", "group");
            let path = path.split('/').map(|part| match part.strip_prefix('{') {
                Some(_) => "7",
                None => part,
            });
            let path = path.collect::<Vec<_>>().join("/");
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from("{}"));
            let request = request.expect("a request");
            let answer = rest
                .routes
                .clone()
                .oneshot(request)
                .await
                .expect("an answer");
            let act = last(&rest, "").await;
            assert_eq!(act["action"], format!("{method} {template}"));
            assert_eq!(
                act["outcome"],
                answer.status().as_u16(),
                "{method} {template}"
            );
            if path.contains("/7") {
                assert!(subjects(&act).contains(&"7"), "{act}");
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

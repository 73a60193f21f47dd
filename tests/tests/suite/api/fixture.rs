//! What the walk over all routes needs: callers, and things for their requests to name. Each
//! request has a scene of its own, in which a thing is made when a row first names it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crosstalk_tests::{Http, Reply, Server, eventually};
use serde_json::{Value, json};

/// The server that is walked.
pub(super) const SETTINGS: &[&str] = &[];

/// Who calls, in the order of the letters of a row.
pub(super) const CALLERS: [&str; 8] = [
    "nobody",
    "a stranger",
    "a member",
    "an administrator",
    "the owner",
    "the app",
    "the admin key",
    "another realm's app",
];

const MEMBER: usize = 2;
const APP: usize = 5;
const ADMIN: usize = 6;

/// Bodies that are no JSON.
const MULTIPART: &str = "@multipart";
const BYTES: &str = "@bytes";

/// Of what these make there may be only a few.
const FEW: [&str; 2] = ["/v1/hooks", "/v1/uploads"];

/// A time far away, ms since 1970.
const LATER_MS: i64 = 1_800_000_000_000;

/// A picture of one pixel.
const PIXEL: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0,
    0, 0, 144, 119, 83, 222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 248, 207, 192, 0, 0, 3, 1,
    1, 0, 201, 254, 146, 239, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

/// The users of a realm and how each caller speaks to the server.
pub(super) struct Realm {
    callers: Vec<Http>,
    made: AtomicU64,
}

impl Realm {
    pub(super) async fn new(server: &Server) -> Realm {
        let admin = server.admin();
        let app = admin.post("/v1/apps", json!({"app_id": "shop", "realm": "default"}));
        let app = app.await.ok();
        let other = admin.post("/v1/apps", json!({"app_id": "other", "realm": "elsewhere"}));
        let other = other.await.ok();
        let secret = |app: &Value| app["app_secret"].as_str().expect("a secret").to_owned();
        let mut callers = vec![server.rest()];
        for uid in ["stranger", "member", "administrator", "owner"] {
            callers.push(server.rest().bearer(&server.user_token(uid).await));
        }
        callers.push(server.rest().bearer(&secret(&app)));
        callers.push(admin);
        let other = server.rest().bearer(&secret(&other));
        // Users of the same names, who are others.
        for uid in ["stranger", "member", "administrator", "owner"] {
            other.put(&format!("/v1/users/{uid}"), json!({})).await.ok();
        }
        callers.push(other);
        Realm {
            callers,
            made: AtomicU64::new(0),
        }
    }

    /// A name that nothing has yet.
    fn fresh(&self, what: &str) -> String {
        format!("{what}{}", self.made.fetch_add(1, Ordering::Relaxed))
    }
}

/// The things that one request may name, by the names that rows have for them.
pub(super) struct Scene<'a> {
    realm: &'a Realm,
    made: HashMap<String, String>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(realm: &'a Realm) -> Self {
        Self {
            realm,
            made: HashMap::new(),
        }
    }

    /// Replaces each `@name` by the thing's id, making it where it is not there yet.
    pub(super) async fn fill(&mut self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        if [MULTIPART, BYTES].contains(&template) {
            return template.to_owned();
        }
        while let Some((before, after)) = rest.split_once('@') {
            filled.push_str(before);
            let end = after
                .find(|c: char| !c.is_ascii_lowercase() && c != '_')
                .unwrap_or(after.len());
            let (name, left) = after.split_at(end);
            filled.push_str(&self.thing(name).await);
            rest = left;
        }
        filled.push_str(rest);
        filled
    }

    /// Sends what a caller asks.
    pub(super) async fn send(
        &self,
        caller: usize,
        verb: &str,
        path: &str,
        body: Option<&str>,
    ) -> Reply {
        let http = self.realm.callers[caller].clone();
        match body {
            None => http.send(verb, path, None).await,
            Some(MULTIPART) => http.send(verb, path, Some(form())).await,
            Some(BYTES) => {
                let bytes = ("application/octet-stream", b"abc".to_vec());
                let http = http.header("upload-offset", "0");
                http.send(verb, path, Some(bytes)).await
            }
            Some(json) => {
                let json = ("application/json", json.as_bytes().to_vec());
                http.send(verb, path, Some(json)).await
            }
        }
    }

    async fn thing(&mut self, name: &str) -> String {
        if let Some(made) = self.made.get(name) {
            return made.clone();
        }
        let made = Box::pin(self.make(name)).await;
        self.made.insert(name.to_owned(), made.clone());
        made
    }

    /// Something made through the interface that is walked.
    #[allow(clippy::too_many_lines, reason = "a table")]
    async fn make(&mut self, name: &str) -> String {
        let app = self.realm.callers[APP].clone();
        let member = self.realm.callers[MEMBER].clone();
        match name {
            "fresh" => self.realm.fresh("x"),
            "user" => {
                let uid = self.realm.fresh("u");
                app.put(&format!("/v1/users/{uid}"), json!({})).await.ok();
                uid
            }
            "erased" => {
                let uid = self.thing("user").await;
                app.delete(&format!("/v1/users/{uid}")).await.ok();
                uid
            }
            // A member of the group that no caller is.
            "peer" => {
                let (uid, group) = (self.thing("user").await, self.thing("group").await);
                let path = format!("/v1/channels/group/{group}/members");
                app.post(&path, json!({"members": [uid]})).await.ok();
                uid
            }
            "app" => {
                let id = self.realm.fresh("app");
                let admin = &self.realm.callers[ADMIN];
                admin.post("/v1/apps", json!({"app_id": id})).await.ok();
                id
            }
            "group" => self.group(json!({})).await,
            "asked" => self.group(json!({"join_mode": "approval"})).await,
            // A group that callers are no members of.
            "free" => {
                let id = self.realm.fresh("g");
                let group = json!({"join_mode": "free", "members": [self.thing("user").await]});
                app.put(&format!("/v1/channels/group/{id}"), group)
                    .await
                    .ok();
                id
            }
            "link" | "group_link" => {
                let of = if name == "link" { "free" } else { "group" };
                let group = self.thing(of).await;
                let path = format!("/v1/channels/group/{group}/invite-links");
                text(&app.post(&path, json!({})).await.ok(), "token")
            }
            "join_request" => {
                let (uid, group) = (self.thing("user").await, self.thing("asked").await);
                let path = format!("/v1/channels/group/{group}/join");
                let asked = app.post(&path, json!({"operator": uid, "message": "please"}));
                let asked = asked.await.ok();
                text(&asked["request"], "id")
            }
            // A group in which something was said.
            "talk" => {
                let _ = self.thing("message").await;
                self.thing("group").await
            }
            "message" => {
                let group = self.thing("group").await;
                let message = json!({"from": "member", "to": {"kind": "group", "id": group},
                    "content": {"type": "text", "text": "hello"}, "receipt": true});
                text(&app.post("/v1/messages", message).await.ok(), "id")
            }
            "scheduled" => {
                let group = self.thing("group").await;
                let message = json!({"to": {"kind": "group", "id": group}, "send_at": LATER_MS,
                    "content": {"type": "text", "text": "later"}});
                text(
                    &member.post("/v1/scheduled-messages", message).await.ok(),
                    "id",
                )
            }
            "friend" => {
                let uid = self.thing("user").await;
                let pairs = json!({"pairs": [["member", uid]]});
                app.post("/v1/friends/import", pairs).await.ok();
                uid
            }
            "friend_request" => {
                let uid = self.thing("user").await;
                let path = format!("/v1/users/{uid}/friend-requests");
                text(&app.post(&path, json!({"to": "member"})).await.ok(), "id")
            }
            "own_request" => {
                let uid = self.thing("user").await;
                let path = "/v1/users/member/friend-requests";
                text(&app.post(path, json!({"to": uid})).await.ok(), "id")
            }
            "friend_group" => {
                let name = self.realm.fresh("f");
                let path = "/v1/users/member/friend-groups";
                text(&app.post(path, json!({"name": name})).await.ok(), "id")
            }
            "file" => {
                let made = member.send("POST", "/v1/files", Some(form())).await.ok();
                text(&made, "id")
            }
            "upload" => {
                let upload = json!({"name": "a.txt", "size": 3});
                text(&member.post("/v1/uploads", upload).await.ok(), "id")
            }
            "hook" => {
                let hook = json!({"url": "http://127.0.0.1:9/x", "events": ["member.joined"]});
                text(&app.post("/v1/hooks", hook).await.ok(), "id")
            }
            "ban" => {
                let uid = self.thing("user").await;
                text(&app.post("/v1/bans", json!({"user": uid})).await.ok(), "id")
            }
            "report" => {
                let uid = self.thing("user").await;
                let report = json!({"user": uid, "reason": "spam"});
                text(
                    &self
                        .as_user(&uid)
                        .await
                        .post("/v1/reports", report)
                        .await
                        .ok(),
                    "id",
                )
            }
            "review" => self.review().await,
            "broadcast" => {
                let broadcast = json!({"to": {"uids": [self.thing("user").await]},
                    "content": {"type": "text", "text": "hi"}});
                text(&app.post("/v1/broadcasts", broadcast).await.ok(), "id")
            }
            "export" => {
                let uid = self.thing("user").await;
                let path = format!("/v1/users/{uid}/export");
                text(&app.post(&path, json!({})).await.ok(), "id")
            }
            "done_export" => {
                let (uid, id) = (self.thing("user").await, self.thing("export").await);
                let path = format!("/v1/users/{uid}/exports/{id}");
                eventually(format!("export {id}"), async || {
                    let export = app.get(&path).await.ok();
                    (export["state"] == "done").then_some(())
                })
                .await;
                id
            }
            _ => panic!("no row may name a thing `{name}`"),
        }
    }

    /// Removes again what there may be only a few of.
    pub(super) async fn tidy(&self, caller: usize, verb: &str, path: &str, reply: &Reply) {
        if let Some(hook) = self.made.get("hook") {
            let path = format!("/v1/hooks/{hook}");
            self.realm.callers[APP].delete(&path).await;
        }
        if let Some(upload) = self.made.get("upload") {
            let path = format!("/v1/uploads/{upload}");
            self.realm.callers[MEMBER].delete(&path).await;
        }
        if verb == "POST" && FEW.contains(&path) && reply.status < 300 {
            let path = format!("{path}/{}", text(&reply.json(), "id"));
            self.realm.callers[caller].delete(&path).await.ok();
        }
    }

    async fn as_user(&self, uid: &str) -> Http {
        let path = format!("/v1/users/{uid}/tokens");
        let token = self.realm.callers[APP].post(&path, json!({})).await.ok();
        self.realm.callers[0].clone().bearer(&text(&token, "token"))
    }

    /// A group of the callers, with more settings.
    async fn group(&self, settings: Value) -> String {
        let app = &self.realm.callers[APP];
        let id = self.realm.fresh("g");
        let mut group = json!({"owner": "owner", "members": ["member", "administrator"]});
        for (name, value) in settings.as_object().into_iter().flatten() {
            group[name] = value.clone();
        }
        let path = format!("/v1/channels/group/{id}");
        app.put(&path, group).await.ok();
        let role = json!({"role": "administrator"});
        let path = format!("{path}/members/administrator");
        app.patch(&path, role).await.ok();
        id
    }

    /// A message that waits for its review.
    async fn review(&mut self) -> String {
        let app = self.realm.callers[APP].clone();
        let word = self.realm.fresh("word");
        let words = json!({"words": [word], "action": "review"});
        app.post("/v1/moderation/words", words).await.ok();
        let group = self.thing("group").await;
        let message = json!({"from": "member", "to": {"kind": "group", "id": group},
            "content": {"type": "text", "text": word}});
        app.post("/v1/messages", message).await;
        eventually(format!("the review of {word}"), async || {
            let reviews = app.get("/v1/moderation/reviews?limit=100").await.ok();
            let rows = reviews["items"].as_array()?.clone();
            let found = rows.iter().find(|row| row.to_string().contains(&word))?;
            Some(text(found, "id"))
        })
        .await
    }
}

/// A form with a small file.
fn form() -> (&'static str, Vec<u8>) {
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
                Content-Type: image/png\r\n\r\n";
    let mut body = body.as_bytes().to_vec();
    body.extend_from_slice(PIXEL);
    body.extend_from_slice(b"\r\n--b--\r\n");
    ("multipart/form-data; boundary=b", body)
}

fn text(made: &Value, member: &str) -> String {
    let text = made[member].as_str().map(str::to_owned);
    let text = text.or_else(|| made[member].as_u64().map(|number| number.to_string()));
    text.unwrap_or_else(|| panic!("no {member} in {made}"))
}

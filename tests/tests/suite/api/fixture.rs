//! What the walk over all routes needs: callers, and things for their requests to name. Each
//! request has a scene of its own, in which a thing is made when a row first names it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crosstalk_tests::{Http, Reply, Server};
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

/// The users of a realm and how each caller speaks to the server.
pub(super) struct Realm {
    callers: Vec<Http>,
    app: Http,
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
        let app = server.rest().bearer(&secret(&app));
        callers.push(app.clone());
        callers.push(admin);
        callers.push(server.rest().bearer(&secret(&other)));
        Realm {
            callers,
            app,
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
        self.realm.callers[caller].send(verb, path, body).await
    }

    async fn thing(&mut self, name: &str) -> String {
        if let Some(made) = self.made.get(name) {
            return made.clone();
        }
        let made = Box::pin(self.make(name)).await;
        self.made.insert(name.to_owned(), made.clone());
        made
    }

    /// Something made by the app, through the interface that is walked.
    async fn make(&mut self, name: &str) -> String {
        let app = self.realm.app.clone();
        match name {
            "fresh" => self.realm.fresh("x"),
            "user" => {
                let uid = self.realm.fresh("u");
                app.put(&format!("/v1/users/{uid}"), json!({})).await.ok();
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
                let admin = &self.realm.callers[6];
                admin.post("/v1/apps", json!({"app_id": id})).await.ok();
                id
            }
            "group" => {
                let id = self.realm.fresh("g");
                let people = json!({"owner": "owner", "members": ["member", "administrator"]});
                app.put(&format!("/v1/channels/group/{id}"), people)
                    .await
                    .ok();
                id
            }
            "message" => {
                let group = self.thing("group").await;
                let message = json!({"from": "member", "to": {"kind": "group", "id": group},
                    "content": {"type": "text", "text": "hello"}});
                id_of(&app.post("/v1/messages", message).await.ok())
            }
            // The owner's, shown to the group.
            "file" => {
                let group = self.thing("group").await;
                let empty = json!({"size": 0, "owner": "owner"});
                let id = id_of(&app.post("/v1/uploads", empty).await.ok());
                let message = json!({"from": "owner", "to": {"kind": "group", "id": group},
                    "content": {"type": "file", "url": format!("/v1/files/{id}")}});
                app.post("/v1/messages", message).await.ok();
                id
            }
            "upload" => {
                let new = json!({"size": 5, "owner": "owner"});
                id_of(&app.post("/v1/uploads", new).await.ok())
            }
            _ => panic!("no row may name a thing `{name}`"),
        }
    }
}

fn id_of(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

//! One server with a user of each dialect.

use std::collections::HashMap;

use crosstalk_gateway::Dialect;
use crosstalk_tests::{Http, Server};
use serde_json::{Value, json};

use crate::peer::Peer;

/// The app that all users belong to.
pub(crate) const APP: &str = "default";

/// A server, and what is known of its users beforehand.
pub struct World {
    server: Server,
    uids: Vec<(Dialect, String)>,
    /// User tokens by uid.
    tokens: HashMap<String, String>,
    /// mqtt's accounts by uid: its clients see nothing else.
    accounts: HashMap<String, String>,
    groups: Vec<String>,
    clients: Clients,
}

/// Which clients speak the dialects that several can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    /// stompjs over WebSocket; MQTT.js with MQTT 5 over WebSocket.
    Usual,
    /// stompjs through sockjs-client; paho-mqtt with MQTT 3.1.1 over TCP.
    Others,
}

impl World {
    /// A server with a user of each dialect, all of them offline, and more settings, each
    /// `section.key=value`.
    pub async fn start_with(settings: &[&str]) -> World {
        let server = Server::start_with(settings).await;
        let mut world = World {
            server,
            uids: Vec::new(),
            tokens: HashMap::new(),
            accounts: HashMap::new(),
            groups: Vec::new(),
            clients: Clients::Usual,
        };
        for dialect in Dialect::ALL {
            let uid = format!("{}-一.{}_Z", dialect.name(), dialect.origin().0);
            world.add_user(&uid).await;
            world.uids.push((dialect, uid));
        }
        world
    }

    /// With default settings.
    pub async fn start() -> World {
        World::start_with(&[]).await
    }

    /// With these clients.
    #[must_use]
    pub fn with(mut self, clients: Clients) -> World {
        self.clients = clients;
        self
    }

    /// Makes a group of these users; peers that connect afterwards know it.
    pub async fn add_group(&mut self, id: &str, members: &[&str]) {
        self.server.group(id, members).await;
        self.groups.push(id.to_owned());
    }

    /// Makes a user more.
    pub async fn add_user(&mut self, uid: &str) {
        let token = self.server.user_token(uid).await;
        self.tokens.insert(uid.to_owned(), token);
        let account = self.register_mqtt(uid, &format!("registered-{uid}")).await["account"]
            .as_str()
            .expect("an account")
            .to_owned();
        self.accounts.insert(uid.to_owned(), account);
    }

    /// Registers a device for mqtt; returns the data of the answer.
    pub(crate) async fn register_mqtt(&self, uid: &str, device: &str) -> Value {
        let body = json!({
            "tenantNo": APP, "userId": uid, "deviceId": device, "os": 2, "device": {},
        });
        let http = self.server.rest().bearer(self.token(uid));
        let answer = http.post("/im/v1/register", body).await.ok();
        assert_eq!(answer["code"], 200, "{answer}");
        answer["data"].clone()
    }

    /// The user of each dialect, online.
    pub async fn peers(&self) -> Vec<Peer> {
        let mut peers = Vec::new();
        for dialect in Dialect::ALL {
            peers.push(self.peer(dialect).await);
        }
        peers
    }

    /// The user of a dialect, online.
    pub async fn peer(&self, dialect: Dialect) -> Peer {
        self.peer_as(dialect, self.uid(dialect)).await
    }

    /// Any user with a client of a dialect, online.
    pub async fn peer_as(&self, dialect: Dialect, uid: &str) -> Peer {
        let mut peer = Peer::offline(dialect, uid);
        peer.connect(self).await;
        peer
    }

    /// The uid of the user of a dialect.
    ///
    /// # Panics
    /// Never: each dialect has one.
    #[must_use]
    pub fn uid(&self, dialect: Dialect) -> &str {
        let user = self.uids.iter().find(|(of, _)| *of == dialect);
        &user.expect("a user of each dialect").1
    }

    /// All uids.
    #[must_use]
    pub fn uids(&self) -> Vec<&str> {
        self.uids.iter().map(|(_, uid)| uid.as_str()).collect()
    }

    /// Ends the server and starts it again over the same data. Peers have to connect again.
    pub async fn restart(&mut self) {
        self.server.restart().await;
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The address of everything but the listeners of one dialect.
    pub(crate) fn addr(&self) -> &str {
        &self.server.listeners().http
    }

    /// Routes of dialects, asked with a user's token in the header `token`.
    pub(crate) fn as_user(&self, http: Http, uid: &str) -> Http {
        http.header("token", self.token(uid))
    }

    pub(crate) fn token(&self, uid: &str) -> &str {
        &self.tokens[uid]
    }

    pub(crate) fn groups(&self) -> Vec<String> {
        self.groups.clone()
    }

    pub(crate) fn clients(&self) -> Clients {
        self.clients
    }

    /// mqtt's accounts by uid.
    pub(crate) fn accounts(&self) -> &HashMap<String, String> {
        &self.accounts
    }
}

//! Logging in: the key exchange, and everything a test may want to do wrong in it.

use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair};
use crosstalk_wire::wukong::binary::{Connack, Connect, LATEST_VERSION, Packet};

use super::client::WukongClient;
use super::link::{Link, Transport};
use crate::server::Listeners;
use crate::wait::within;

/// A client key that is not there.
pub const NO_KEY: &str = "";

/// A login to make. What is not set is that of a well-behaved phone.
#[derive(Clone)]
pub struct Login {
    listeners: Listeners,
    transport: Transport,
    /// Address and path of a WebSocket, if not the listener of the transport.
    through: Option<(String, String)>,
    version: u8,
    uid: String,
    token: Option<String>,
    device_id: Option<String>,
    device_flag: u8,
    client_key: Option<String>,
    /// The size of a small receive buffer.
    narrow: Option<u32>,
}

impl Login {
    /// A login over TCP with the newest version.
    #[must_use]
    pub fn new(listeners: &Listeners, uid: &str) -> Login {
        Login {
            listeners: listeners.clone(),
            transport: Transport::Tcp,
            through: None,
            version: LATEST_VERSION,
            uid: uid.to_owned(),
            token: None,
            device_id: None,
            device_flag: 0,
            client_key: None,
            narrow: None,
        }
    }

    /// Over this transport.
    #[must_use]
    pub fn over(mut self, transport: Transport) -> Login {
        self.transport = transport;
        self
    }

    /// Over the WebSocket of this address and path.
    #[must_use]
    pub fn through(mut self, addr: &str, path: &str) -> Login {
        self.transport = Transport::Ws;
        self.through = Some((addr.to_owned(), path.to_owned()));
        self
    }

    /// As a client of this version.
    #[must_use]
    pub fn version(mut self, version: u8) -> Login {
        self.version = version;
        self
    }

    /// With this token instead of the one that [`Server::register`](crate::Server::register)
    /// registers.
    #[must_use]
    pub fn token(mut self, token: &str) -> Login {
        self.token = Some(token.to_owned());
        self
    }

    /// As this kind of device.
    #[must_use]
    pub fn flag(mut self, device_flag: u8) -> Login {
        self.device_flag = device_flag;
        self
    }

    /// As this device; otherwise as one per uid and flag.
    #[must_use]
    pub fn device(mut self, device_id: &str) -> Login {
        self.device_id = Some(device_id.to_owned());
        self
    }

    /// With this text in place of a public key.
    #[must_use]
    pub fn client_key(mut self, text: &str) -> Login {
        self.client_key = Some(text.to_owned());
        self
    }

    /// Over TCP with a receive buffer of about this size.
    #[must_use]
    pub fn narrow(mut self, buffer_bytes: u32) -> Login {
        self.narrow = Some(buffer_bytes);
        self
    }

    /// Opens the connection and does not say anything yet.
    pub async fn link(&self) -> Link {
        if let Some(bytes) = self.narrow {
            return Link::open_narrow(&self.listeners.wukong_tcp, bytes, self.version).await;
        }
        let (addr, path) = match (&self.through, self.transport) {
            (Some((addr, path)), _) => (addr.as_str(), path.as_str()),
            (None, Transport::Tcp) => (self.listeners.wukong_tcp.as_str(), "/"),
            (None, Transport::Ws) => (self.listeners.wukong_ws.as_str(), "/"),
        };
        Link::open_at(addr, path, self.transport, self.version).await
    }

    /// The CONNECT of this login, with the public half of `keys`.
    #[must_use]
    pub fn packet(&self, keys: &KeyPair) -> Packet {
        let Login {
            uid, device_flag, ..
        } = self;
        Packet::Connect(Connect {
            version: self.version,
            device_flag: self.device_flag,
            device_id: self
                .device_id
                .clone()
                .unwrap_or_else(|| format!("{uid}-{device_flag}")),
            uid: uid.clone(),
            token: self
                .token
                .clone()
                .unwrap_or_else(|| format!("token-{uid}-{device_flag}")),
            client_timestamp_ms: now_ms(),
            client_key: self
                .client_key
                .clone()
                .unwrap_or_else(|| keys.public_base64()),
        })
    }

    /// Logs in.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn connect(self) -> WukongClient {
        let keys = random_keys();
        let mut link = self.link().await;
        link.write(&self.packet(&keys)).await;
        self.finish(link, &keys).await
    }

    /// Reads the answer to a CONNECT that the test has written by itself.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn finish(self, mut link: Link, keys: &KeyPair) -> WukongClient {
        let who = format!("{} (version {})", self.uid, self.version);
        let answer = within(format!("the CONNACK of {who}"), link.read()).await;
        let Some(Packet::Connack(connack)) = answer else {
            panic!("{who}: {answer:?} instead of a CONNACK");
        };
        assert_eq!(connack.reason, 1, "{who}: {connack:?}");
        let granted = self.version.clamp(1, LATEST_VERSION);
        let expected = (self.version > 3).then_some(granted);
        assert_eq!(connack.server_version, expected, "{who}: {connack:?}");
        let shared = keys
            .agree(&connack.server_key)
            .expect("the server's public key");
        let cipher = Cipher::new(&shared, &connack.salt).expect("a salt of 16 characters");
        link.set_version(granted);
        WukongClient::new(self.uid, link, cipher, connack)
    }

    /// Tries to log in and waits until the server has closed the connection; returns what it
    /// said before.
    ///
    /// # Panics
    /// When it said anything but one refusing CONNACK.
    pub async fn refused(self) -> Option<Connack> {
        let mut link = self.link().await;
        link.write(&self.packet(&random_keys())).await;
        let mut said = link.closed().await;
        let answer = said.pop();
        assert!(said.is_empty(), "more than one answer: {said:?} {answer:?}");
        match answer {
            Some(Packet::Connack(connack)) => {
                assert_ne!(connack.reason, 1, "logged in: {connack:?}");
                Some(connack)
            }
            Some(packet) => panic!("{packet:?} instead of a CONNACK"),
            None => None,
        }
    }
}

/// A fresh key pair.
///
/// # Panics
/// When the system has no random bytes.
#[must_use]
pub fn random_keys() -> KeyPair {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).expect("the system has random bytes");
    KeyPair::from_secret(secret)
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.expect("a clock after 1970").as_millis();
    i64::try_from(millis).expect("a clock before the year 292 million")
}

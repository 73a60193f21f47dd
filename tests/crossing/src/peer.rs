//! A user with a device and, while they are online, a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crosstalk_gateway::Dialect;
use serde_json::Value;

use crate::driver::{Driver, Login, connect};
use crate::event::{Answer, Heard, Place, Sent};
use crate::log::Log;
use crate::world::World;

/// A user of one dialect.
pub struct Peer {
    /// What their client speaks.
    pub dialect: Dialect,
    /// Who they are.
    pub uid: String,
    device: String,
    log: Arc<Log>,
    client: Option<Box<dyn Driver>>,
}

impl Peer {
    /// A user who exists and is offline.
    pub(crate) fn offline(dialect: Dialect, uid: &str) -> Peer {
        Peer {
            dialect,
            uid: uid.to_owned(),
            // wg's client names are ASCII; mqtt's devices belong to one user each.
            device: format!(
                "device-of-{}",
                uid.replace(|c: char| !c.is_ascii_alphanumeric(), "")
            ),
            log: Arc::new(Log::new(uid)),
            client: None,
        }
    }

    /// Connects with an empty log. Nothing that has waited is asked for.
    pub async fn connect(&mut self, world: &World) {
        self.log = Arc::new(Log::new(&self.uid));
        let login = Login {
            world,
            uid: self.uid.clone(),
            device: self.device.clone(),
            log: Arc::clone(&self.log),
        };
        self.client = Some(connect(self.dialect, login).await);
    }

    /// Goes offline.
    pub async fn disconnect(&mut self) {
        if let Some(client) = self.client.take() {
            client.close().await;
        }
    }

    /// What the client has said since it connected.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    fn client(&self) -> &dyn Driver {
        let client = self.client.as_ref();
        &**client.unwrap_or_else(|| panic!("{} is offline", self.uid))
    }

    /// Sends content as this dialect writes it; returns the answer.
    pub async fn try_send(&self, place: &Place, client_id: &str, written: &Value) -> Answer {
        self.client().send(place, client_id, written, false).await
    }

    /// Sends content, which must be accepted.
    pub async fn send(&self, place: &Place, written: &Value) -> Sent {
        self.send_as(place, &client_id(), written, false).await
    }

    /// Sends content under a client id, which must be accepted.
    pub async fn send_as(
        &self,
        place: &Place,
        client_id: &str,
        written: &Value,
        asks_receipt: bool,
    ) -> Sent {
        let client = self.client();
        let answer = client.send(place, client_id, written, asks_receipt).await;
        let what = format!("{} to {place:?}: {written}", self.uid);
        assert!(
            matches!(answer, Answer::Accepted { .. }),
            "{what}: {answer:?}"
        );
        Sent {
            place: place.clone(),
            client_id: client_id.to_owned(),
            id: answer.accepted().map(str::to_owned),
        }
    }

    /// See [`Driver::revoke`].
    pub async fn revoke(&self, sent: &Sent) -> bool {
        self.client().revoke(sent).await
    }

    /// See [`Driver::read`].
    pub async fn read(&self, heard: &Heard) -> bool {
        self.client().read(heard).await
    }

    /// See [`Driver::learns_it_was_read`].
    pub async fn learns_it_was_read(&self, sent: &Sent, by: &str) -> bool {
        self.client().learns_it_was_read(sent, by).await
    }

    /// See [`Driver::history`].
    pub async fn history(&self, place: &Place) -> Option<String> {
        self.client().history(place).await
    }

    /// See [`Driver::unread`].
    pub async fn unread(&self) -> Option<u64> {
        self.client().unread().await
    }

    /// See [`Driver::fetch`].
    pub async fn fetch(&self) -> bool {
        self.client().fetch().await
    }
}

/// A client id that has not been used.
#[must_use]
pub(crate) fn client_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("c-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

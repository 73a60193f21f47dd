//! What a test can have a client do, whichever dialect it speaks.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_gateway::Dialect;
use serde_json::Value;

use crate::event::{Answer, Heard, Place, Sent};
use crate::gyyx::Gyyx;
use crate::log::Log;
use crate::mqtt::Mqtt;
use crate::stomp::Stomp;
use crate::wg::Wg;
use crate::world::World;
use crate::wukong::Wukong;

/// A client that is connected.
#[async_trait(?Send)]
pub trait Driver {
    /// Sends content as this dialect writes it (see [`kinds`](crate::kinds)) and waits for the
    /// answer. `asks_receipt`: the author wants to know when it is read, where they can say so.
    async fn send(
        &self,
        place: &Place,
        client_id: &str,
        written: &Value,
        asks_receipt: bool,
    ) -> Answer;

    /// Takes back what this user has sent. False: clients of the dialect cannot.
    async fn revoke(&self, sent: &Sent) -> bool;

    /// Says that a message was read. False: clients of the dialect cannot.
    async fn read(&self, heard: &Heard) -> bool;

    /// Waits until the client has been told that somebody has read what this user sent. False:
    /// clients of the dialect are not told.
    async fn learns_it_was_read(&self, sent: &Sent, by: &str) -> bool;

    /// Fetches what has waited for this device, as clients of the dialect do after they have
    /// connected, and returns when it is all there. False: nothing is pushed, it is history.
    async fn fetch(&self) -> bool;

    /// What the dialect's own way to history says of a conversation, as JSON. None: it has
    /// none.
    async fn history(&self, _place: &Place) -> Option<String> {
        None
    }

    /// How many messages the client is told are unread. None: the dialect does not say.
    async fn unread(&self) -> Option<u64> {
        None
    }

    /// Closes the connection.
    async fn close(&self);
}

/// Who connects, and where what its client says goes.
pub(crate) struct Login<'w> {
    pub(crate) world: &'w World,
    pub(crate) uid: String,
    /// The device, stable over connections.
    pub(crate) device: String,
    pub(crate) log: Arc<Log>,
}

/// Connects a client: the one place that knows which driver speaks which dialect.
pub(crate) async fn connect(dialect: Dialect, login: Login<'_>) -> Box<dyn Driver> {
    match dialect {
        Dialect::Wukong => Box::new(Wukong::connect(login).await),
        Dialect::Stomp => Box::new(Stomp::connect(login).await),
        Dialect::Mqtt => Box::new(Mqtt::connect(login).await),
        Dialect::Gyyx => Box::new(Gyyx::connect(login).await),
        Dialect::Wg => Box::new(Wg::connect(login).await),
    }
}

//! Sessions that come and go, as events of the event log: for those outside who want to know,
//! and only while somebody does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Hub, Session};
use crate::clock::Clock;
use crate::id::{Realm, UserNum};
use crate::outbox::{NewEvent, Outbox};

/// A session was opened.
pub const OPENED: &str = "session.opened";
/// A session was closed.
pub const CLOSED: &str = "session.closed";
/// A user who had no session has one.
pub const ONLINE: &str = "user.online";
/// A user has no session any more.
pub const OFFLINE: &str = "user.offline";

/// Comings and goings that may wait to be written down; more are lost.
const QUEUE: usize = 50_000;
/// Written down at once, at most.
const BATCH: usize = 1000;
/// The pause after a failure of the store.
const PAUSE: Duration = Duration::from_secs(1);

/// One coming or going.
struct Seen {
    realm: Realm,
    user: UserNum,
    event: NewEvent,
    /// The user had no other session: whether this is now online.
    turned: Option<bool>,
}

/// Where comings and goings are reported.
pub(crate) struct Comings {
    is_wanted: AtomicBool,
    queue: mpsc::Sender<Seen>,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
}

/// Writes them down.
pub(crate) struct Recorder {
    outbox: Arc<dyn Outbox>,
    hub: Arc<Hub>,
    grown: watch::Sender<()>,
    waiting: mpsc::Receiver<Seen>,
}

impl Comings {
    /// Nobody wants to know yet.
    pub(crate) fn new(
        hub: &Arc<Hub>,
        clock: &Arc<dyn Clock>,
        outbox: &Arc<dyn Outbox>,
        grown: &watch::Sender<()>,
    ) -> (Self, Recorder) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let comings = Self {
            is_wanted: AtomicBool::new(false),
            queue,
            clock: Arc::clone(clock),
            hub: Arc::clone(hub),
        };
        let recorder = Recorder {
            outbox: Arc::clone(outbox),
            hub: Arc::clone(hub),
            grown: grown.clone(),
            waiting,
        };
        (comings, recorder)
    }

    /// Whether anybody wants to know.
    pub(crate) fn want(&self, is_wanted: bool) {
        self.is_wanted.store(is_wanted, Ordering::Relaxed);
    }

    /// A session is in the hub, as its user's first or not.
    pub(crate) fn opened(&self, session: &Session, is_first: bool) {
        self.report(session, OPENED, is_first.then_some(true));
    }

    /// A session is out of the hub, as its user's last or not.
    pub(crate) fn closed(&self, session: &Session, is_last: bool) {
        self.report(session, CLOSED, is_last.then_some(false));
    }

    fn report(&self, session: &Session, kind: &str, turned: Option<bool>) {
        if !self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        let (mut total, mut of_flag) = (0_u32, 0_u32);
        self.hub.each_of(session.user.num, |other| {
            total += 1;
            of_flag += u32::from(other.device.flag == session.device.flag);
        });
        let body = json!({
            "user": session.user.uid.as_str(),
            "device_id": &*session.device.id,
            "device_flag": session.device.flag,
            "origin": session.origin.0,
            "session": session.id.0.to_string(),
            "sessions": total,
            "sessions_of_flag": of_flag,
        });
        let seen = Seen {
            realm: session.realm.clone(),
            user: session.user.num,
            event: NewEvent {
                realm: session.realm.clone(),
                kind: kind.into(),
                channel: None,
                at_ms: self.clock.now_ms(),
                body: Bytes::from(body.to_string()),
            },
            turned,
        };
        if self.queue.try_send(seen).is_err() {
            tracing::warn!(user = %session.user.uid, kind, "too much comes and goes; an event is lost");
        }
    }
}

impl Recorder {
    /// Writes down what is reported, until everything stops; then the rest.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut seen = Vec::new();
        while let Some(1..) = stop
            .run_until_cancelled(self.waiting.recv_many(&mut seen, BATCH))
            .await
        {
            let events = self.events(&mut seen);
            while let Err(error) = self.outbox.append_events(&events).await {
                tracing::warn!(%error, "comings and goings are not written down; trying again");
                let pause = tokio::time::timeout(PAUSE, stop.cancelled()).await;
                if pause.is_ok() {
                    return;
                }
            }
            let _ = self.grown.send(());
        }
        self.waiting.close();
        while self.waiting.recv_many(&mut seen, BATCH).await > 0 {
            let events = self.events(&mut seen);
            // A failure is reported by the store; it is closing.
            let _ = self.outbox.append_events(&events).await;
        }
    }

    /// What is written down of it. Whether a user is there is told as it is now: of one who was
    /// there for a moment, or was gone for one, nothing is said.
    fn events(&self, seen: &mut Vec<Seen>) -> Vec<NewEvent> {
        let mut events = Vec::with_capacity(seen.len());
        for Seen {
            realm,
            user,
            event,
            turned,
        } in seen.drain(..)
        {
            let turn = turned.filter(|is_online| self.hub.is_online(user) == *is_online);
            let turn = turn.map(|is_online| NewEvent {
                realm,
                kind: if is_online { ONLINE } else { OFFLINE }.into(),
                ..event.clone()
            });
            events.push(event);
            events.extend(turn);
        }
        events
    }
}

//! Devices: what each was given, against what it must have been given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crosstalk_core::id::{MessageId, Realm};
use crosstalk_core::im::{Credential, Im, OpenSession};
use crosstalk_core::message::{Message, Origin};
use crosstalk_core::session::{Delivery, Event, Offline, Session};

use super::model::{Where, Who};
use super::real::uid;

/// How the devices of a person are given messages, by number.
pub(crate) const DEVICES: [Delivery; 3] = [
    Delivery {
        stable_device: true,
        ..Delivery::plain(Offline::Push, true)
    },
    Delivery {
        stable_device: true,
        ..Delivery::plain(Offline::Pull, true)
    },
    Delivery {
        stable_device: true,
        ..Delivery::plain(Offline::Push, false)
    },
];

/// A device of a person.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) session: Option<Connected>,
    /// What it sent itself.
    pub(crate) own: BTreeSet<MessageId>,
    /// Everything that it was ever given.
    pub(crate) got: BTreeSet<MessageId>,
    /// What must not come again: it was given, acknowledged, and the device had nothing to
    /// come when it went away.
    pub(crate) settled: BTreeSet<MessageId>,
    /// The same, and it was written down: a crash does not change it.
    pub(crate) written: BTreeSet<MessageId>,
}

/// A device that is online.
pub(crate) struct Connected {
    pub(crate) session: Arc<Session>,
    /// The step at which it came.
    pub(crate) since: u64,
    /// The last seq that it was pushed of each channel.
    pub(crate) last: BTreeMap<Where, u64>,
    /// Given and not acknowledged.
    pub(crate) unacked: Vec<MessageId>,
    /// Nothing is left to come: it was drained to the end since anything changed.
    pub(crate) is_settled: bool,
}

impl Device {
    pub(crate) async fn connect(&mut self, im: &Im, who: Who, number: usize, step: u64) {
        let request = OpenSession {
            credential: Credential::Unchecked {
                realm: Realm::default(),
                uid: uid(who),
            },
            origin: Origin(7),
            device_id: format!("device{number}").into(),
            device_flag: u8::try_from(number).expect("few devices"),
            delivery: DEVICES[number],
            sync_own: true,
            max_sessions: 0,
            peer: [127, 0, 0, 1].into(),
        };
        let session = im.open_session(request).await.expect("a session");
        self.session = Some(Connected {
            session,
            since: step,
            last: BTreeMap::new(),
            unacked: Vec::new(),
            is_settled: false,
        });
    }

    pub(crate) async fn disconnect(&mut self, im: &Im) {
        let Some(connected) = self.session.take() else {
            return;
        };
        if connected.is_settled && connected.unacked.is_empty() {
            self.settled.extend(&self.got);
        }
        im.close_session(&connected.session).await;
    }

    /// What was settled is in the store now.
    pub(crate) fn wrote(&mut self) {
        self.written = self.settled.clone();
    }

    /// The process is gone.
    pub(crate) fn crashed(&mut self) {
        self.session = None;
        self.settled = self.written.clone();
    }
}

impl Connected {
    /// Takes out what is there; true if more may come.
    pub(crate) async fn drain(&mut self, im: &Im) -> (Vec<Arc<Message>>, bool) {
        let drained = self.session.mailbox.drain(false);
        assert!(drained.ending.is_none(), "{:?}", drained.ending);
        let events = drained.events.into_iter();
        let messages: Vec<_> = events
            .filter_map(|event| match event {
                Event::Message(message) => Some(message),
                Event::Notice(_) => None,
            })
            .collect();
        let more = drained.behind && im.resync(&self.session).await.expect("a resync");
        let more = more || !messages.is_empty();
        (messages, more)
    }

    /// Acknowledges the first `count` of what was given.
    pub(crate) fn ack(&mut self, im: &Im, count: usize) {
        let acked: Vec<_> = self
            .unacked
            .drain(..count.min(self.unacked.len()))
            .collect();
        im.acknowledge(&self.session, &acked);
    }
}

//! Telling those with whom a user talks that the user has come or gone: only sessions that
//! want to know, and only what is still true when it is told.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Event, Hub, Notice};
use crate::channel::ChannelKind;
use crate::clock::Clock;
use crate::conversation::{ConversationRow, Inbox};
use crate::directory::Users;
use crate::id::{Realm, Uid, UserRef};
use crate::relation::Relations;
use crate::store::StoreResult;

/// Who said nothing to each other for longer is not told, ms.
const PARTNER_MS: i64 = 30 * 24 * 3600 * 1000;
/// Comings and goings that may wait; of more nobody is told.
const QUEUE: usize = 10_000;
/// The most partners that are told.
const MAX_PARTNERS: usize = 5_000;

/// A user has come or gone.
#[derive(Debug)]
pub(crate) struct Turned {
    pub(crate) realm: Realm,
    pub(crate) user: UserRef,
    pub(crate) is_online: bool,
}

/// Where comings and goings are reported.
#[derive(Clone)]
pub(crate) struct Reports(mpsc::Sender<Turned>);

impl Reports {
    /// Reports one; never waits.
    pub(crate) fn report(&self, turned: Turned) {
        // Presence is a courtesy: in a storm it is dropped.
        let _ = self.0.try_send(turned);
    }
}

/// What is needed to tell.
pub(crate) struct Crier {
    pub(crate) hub: Arc<Hub>,
    pub(crate) users: Arc<Users>,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) relations: Arc<dyn Relations>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A queue for reports, and its other end.
pub(crate) fn reports() -> (Reports, mpsc::Receiver<Turned>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Reports(sender), receiver)
}

impl Crier {
    /// Tells what is reported until `stop`.
    pub(crate) async fn run(self, mut reports: mpsc::Receiver<Turned>, stop: CancellationToken) {
        loop {
            let turned = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                turned = reports.recv() => turned,
            };
            let Some(turned) = turned else { return };
            // A flicker is not told, nor what nobody wants to know.
            let is_so = self.hub.is_online(turned.user.num) == turned.is_online;
            if !is_so || !self.hub.wants_presence() {
                continue;
            }
            if let Err(error) = self.tell(&turned).await {
                tracing::debug!(%error, user = %turned.user.uid, "presence not told");
                // The store has trouble of its own: no more of this for a moment.
                let _ = tokio::time::timeout(Duration::from_secs(1), stop.cancelled()).await;
            }
        }
    }

    async fn tell(&self, turned: &Turned) -> StoreResult<()> {
        let at_ms = self.clock.now_ms();
        let notice = Arc::new(Notice::Presence {
            user: turned.user.clone(),
            is_online: turned.is_online,
            at_ms,
        });
        for partner in self.partners(turned, at_ms).await? {
            self.hub.each_of(partner, |session| {
                if session.delivery.presence {
                    session.mailbox.push(Event::Notice(Arc::clone(&notice)));
                }
            });
        }
        Ok(())
    }

    /// Those whom the user has let in, and those with whom the user talked lately; nobody
    /// whom the user has blocked.
    async fn partners(&self, turned: &Turned, now_ms: i64) -> StoreResult<Vec<crate::id::UserNum>> {
        let num = turned.user.num;
        let mut partners = Vec::new();
        let mut blocked = FxHashSet::default();
        for (other, relation) in self.relations.of(num).await? {
            if relation.blocked {
                blocked.insert(other);
            } else if relation.allowed {
                partners.push(other);
            }
        }
        let rows = self.inbox.conversations(num).await?;
        let is_recent = |row: &ConversationRow| {
            row.channel.key.kind == ChannelKind::DIRECT
                && row
                    .head
                    .is_some_and(|(_, at_ms)| at_ms > now_ms - PARTNER_MS)
        };
        for row in rows.iter().filter(|row| is_recent(row)).take(MAX_PARTNERS) {
            let Some(peer) = row.channel.key.peer_of(turned.user.uid.as_str()) else {
                continue;
            };
            let peer = Uid::from_store(peer);
            if let Some(peer) = self.users.find(&turned.realm, &peer).await?
                && peer.num != num
                && !blocked.contains(&peer.num)
                && !partners.contains(&peer.num)
            {
                partners.push(peer.num);
            }
        }
        Ok(partners)
    }
}

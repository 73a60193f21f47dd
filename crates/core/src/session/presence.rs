//! Telling those with whom a user talks that the user has come or gone, or is to be seen
//! differently: only sessions that want to know, only what is still true when it is told, and
//! only those whom the user lets know. When users were last there is noted here, too.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Event, Hub, Notice};
use crate::change::Change;
use crate::channel::{Address, ChannelKey, ChannelKind, ChannelRef, LogKind};
use crate::clock::Clock;
use crate::conversation::{ConversationRow, Inbox};
use crate::directory::{People, SeenBy, Users};
use crate::id::{ChannelNum, Realm, Snowflake, Uid, UserNum, UserRef};
use crate::message::{Body, Message};
use crate::relation::Relations;
use crate::relation::friend::MAX_FRIENDS;
use crate::store::StoreResult;

/// Who said nothing to each other for longer is not told, ms.
const PARTNER_MS: i64 = 30 * 24 * 3600 * 1000;
/// What may wait to be told; of more nobody is told.
const QUEUE: usize = 10_000;
/// The most partners that are told.
const MAX_PARTNERS: usize = 5_000;
/// What is handled in one go.
const BATCH: usize = 256;
/// After telling so many friends others have their turn.
const YIELD_AFTER: usize = 100;

/// A user has come or gone.
#[derive(Debug)]
pub(crate) struct Turned {
    pub(crate) realm: Realm,
    pub(crate) user: UserRef,
    pub(crate) is_online: bool,
}

/// What there is to tell of a user.
#[derive(Debug)]
pub(crate) enum Report {
    /// They have come or gone.
    Turned(Turned),
    /// Others are to see their presence from now on who were not, or the other way round.
    Seen {
        realm: Realm,
        user: UserRef,
        before: SeenBy,
        after: SeenBy,
    },
    /// Their friends who are there are to see this.
    ToFriends {
        realm: Realm,
        user: UserRef,
        change: Box<Change>,
    },
}

/// Where it is reported.
#[derive(Clone)]
pub(crate) struct Reports(mpsc::Sender<Report>);

impl Reports {
    /// Reports a coming or going; never waits.
    pub(crate) fn report(&self, turned: Turned) {
        self.put(Report::Turned(turned));
    }

    /// Reports anything; never waits.
    pub(crate) fn put(&self, report: Report) {
        // This is a courtesy: in a storm it is dropped.
        let _ = self.0.try_send(report);
    }
}

/// What is needed to tell.
pub(crate) struct Crier {
    pub(crate) hub: Arc<Hub>,
    pub(crate) users: Arc<Users>,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) relations: Arc<dyn Relations>,
    pub(crate) people: Arc<dyn People>,
    pub(crate) ids: Arc<Snowflake>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A queue for reports, and its other end.
pub(crate) fn reports() -> (Reports, mpsc::Receiver<Report>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Reports(sender), receiver)
}

impl Crier {
    /// Tells what is reported until `stop`.
    pub(crate) async fn run(self, mut reports: mpsc::Receiver<Report>, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let count = tokio::select! {
                biased;
                () = stop.cancelled() => return self.note_the_rest(&mut reports).await,
                count = reports.recv_many(&mut batch, BATCH) => count,
            };
            if count == 0 {
                return;
            }
            let mut result = self.note(&batch).await;
            for report in batch.drain(..) {
                if result.is_ok() {
                    result = self.tell_one(report).await;
                }
            }
            if let Err(error) = result {
                tracing::debug!(%error, "presence not told");
                // The store has trouble of its own: no more of this for a moment.
                let _ = tokio::time::timeout(Duration::from_secs(1), stop.cancelled()).await;
            }
        }
    }

    /// Whoever goes because the server stops was there until now.
    async fn note_the_rest(&self, reports: &mut mpsc::Receiver<Report>) {
        let mut rest = Vec::new();
        while let Ok(report) = reports.try_recv() {
            rest.push(report);
        }
        if let Err(error) = self.note(&rest).await {
            tracing::debug!(%error, "not noted who was there last");
        }
    }

    /// Notes when those who have gone were last there.
    async fn note(&self, reports: &[Report]) -> StoreResult<()> {
        let at_ms = self.clock.now_ms();
        let gone = reports.iter().filter_map(|report| match report {
            Report::Turned(turned) if !turned.is_online => Some((turned.user.num, at_ms)),
            _ => None,
        });
        let gone: Vec<_> = gone.collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.people.seen(&gone).await
    }

    async fn tell_one(&self, report: Report) -> StoreResult<()> {
        match report {
            Report::Turned(Turned {
                realm,
                user,
                is_online,
            }) => {
                // A flicker is not told, nor what nobody wants to know.
                let is_so = self.hub.is_online(user.num) == is_online;
                if !is_so || !self.hub.wants_presence() {
                    return Ok(());
                }
                let seen_by = self.users.state(user.num).await?.record.privacy.seen_by();
                let partners = self.partners(&realm, &user, seen_by).await?;
                self.tell(&user, is_online, &partners);
                Ok(())
            }
            Report::Seen {
                realm,
                user,
                before,
                after,
            } => {
                if !self.hub.is_online(user.num) || !self.hub.wants_presence() {
                    return Ok(());
                }
                let before = self.partners(&realm, &user, before).await?;
                let after = self.partners(&realm, &user, after).await?;
                let only = |these: &[UserNum], those: &[UserNum]| -> Vec<UserNum> {
                    let those: FxHashSet<_> = those.iter().collect();
                    let only = these.iter().filter(|one| !those.contains(one));
                    only.copied().collect()
                };
                self.tell(&user, false, &only(&before, &after));
                self.tell(&user, true, &only(&after, &before));
                Ok(())
            }
            Report::ToFriends {
                realm,
                user,
                change,
            } => self.tell_friends(&realm, &user, &change).await,
        }
    }

    fn tell(&self, user: &UserRef, is_online: bool, partners: &[UserNum]) {
        let notice = Arc::new(Notice::Presence {
            user: user.clone(),
            is_online,
            at_ms: self.clock.now_ms(),
        });
        for partner in partners {
            self.hub.each_of(*partner, |session| {
                if session.delivery.presence {
                    session.mailbox.push(Event::Notice(Arc::clone(&notice)));
                }
            });
        }
    }

    /// Passes a change that is not stored to those friends of a user who are there, each in
    /// the log of their notes to themselves.
    async fn tell_friends(
        &self,
        realm: &Realm,
        user: &UserRef,
        change: &Change,
    ) -> StoreResult<()> {
        let state = self.users.state(user.num).await?;
        let to = Address {
            kind: ChannelKind::DIRECT,
            id: user.uid.shared(),
        };
        let mut body = change.draft(to).body;
        body.flags.no_persist = true;
        let body = Arc::new(body);
        let friends = state.friends.iter().take(MAX_FRIENDS as usize);
        for (at, friend) in friends.enumerate() {
            if at % YIELD_AFTER == YIELD_AFTER - 1 {
                tokio::task::yield_now().await;
            }
            let sessions = self.hub.of(*friend);
            let Some(first) = sessions.first() else {
                continue;
            };
            let message = self.passing(realm, &first.user.uid, user, &body);
            for session in sessions {
                session.mailbox.push(Event::Message(Arc::clone(&message)));
            }
        }
        Ok(())
    }

    fn passing(&self, realm: &Realm, to: &Uid, sender: &UserRef, body: &Arc<Body>) -> Arc<Message> {
        Arc::new(Message {
            id: self.ids.next(),
            channel: Arc::new(ChannelRef {
                num: ChannelNum(0),
                key: ChannelKey::direct(realm, to, to),
                log: LogKind::Command,
            }),
            seq: 0,
            ordinal: 0,
            sender: sender.clone(),
            sent_at_ms: self.clock.now_ms(),
            body: Arc::clone(body),
            revoked: None,
            edited: None,
            is_concealed: false,
        })
    }

    /// Those who may know that a user comes and goes: friends; if everybody may, those whom
    /// the user has let in, and those with whom the user talked lately, too. Nobody whom the
    /// user has blocked.
    async fn partners(
        &self,
        realm: &Realm,
        user: &UserRef,
        seen_by: SeenBy,
    ) -> StoreResult<Vec<UserNum>> {
        if seen_by == SeenBy::Nobody {
            return Ok(Vec::new());
        }
        let everyone = seen_by == SeenBy::Everyone;
        let num = user.num;
        let mut partners = Vec::new();
        let mut known = FxHashSet::default();
        known.insert(num);
        for (other, relation) in self.relations.of(num).await? {
            let may = relation.friend || (relation.allowed && everyone);
            if relation.blocked || may {
                known.insert(other);
            }
            if may && !relation.blocked {
                partners.push(other);
            }
        }
        if !everyone {
            return Ok(partners);
        }
        let now_ms = self.clock.now_ms();
        let rows = self.inbox.conversations(num).await?;
        let is_recent = |row: &ConversationRow| {
            row.channel.key.kind == ChannelKind::DIRECT
                && row
                    .head
                    .is_some_and(|(_, at_ms)| at_ms > now_ms - PARTNER_MS)
        };
        for row in rows.iter().filter(|row| is_recent(row)).take(MAX_PARTNERS) {
            let Some(peer) = row.channel.key.peer_of(user.uid.as_str()) else {
                continue;
            };
            let peer = Uid::from_store(peer);
            if let Some(peer) = self.users.find(realm, &peer).await?
                && known.insert(peer.num)
            {
                partners.push(peer.num);
            }
        }
        Ok(partners)
    }
}

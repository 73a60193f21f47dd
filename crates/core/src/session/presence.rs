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
use crate::directory::{People, SeenBy, UserState, Users};
use crate::id::{ChannelNum, Realm, Snowflake, Uid, UserNum, UserRef};
use crate::message::{Body, Message};
use crate::relation::Relation;
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
    /// The kind of the device with which they have.
    pub(crate) device_flag: u8,
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
    /// They have decided something else about somebody, who may be told of their presence
    /// from now on, or no longer.
    Related {
        user: UserRef,
        other: UserRef,
        before: Relation,
    },
    /// They say something else beside being there.
    Says { realm: Realm, user: UserRef },
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
                device_flag,
            }) => {
                // A flicker is not told, nor what nobody wants to know.
                let is_so = self.hub.is_online(user.num) == is_online;
                if !is_so || !self.hub.wants_presence() {
                    return Ok(());
                }
                let state = self.users.state(user.num).await?;
                let partners = self.partners(&realm, &state).await?;
                let seen = Seen {
                    device_flag,
                    ..Seen::of(&state, is_online)
                };
                self.tell(&user, &seen, &partners);
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
                let state = self.users.state(user.num).await?;
                let before = self.partners_if(&realm, &state, before).await?;
                let after = self.partners_if(&realm, &state, after).await?;
                let only = |these: &[UserNum], those: &[UserNum]| -> Vec<UserNum> {
                    let those: FxHashSet<_> = those.iter().collect();
                    let only = these.iter().filter(|one| !those.contains(one));
                    only.copied().collect()
                };
                self.tell(&user, &Seen::of(&state, false), &only(&before, &after));
                self.tell(&user, &self.there(&state), &only(&after, &before));
                Ok(())
            }
            Report::Related {
                user,
                other,
                before,
            } => self.tell_related(&user, &other, before).await,
            Report::Says { realm, user } => {
                if !self.hub.is_online(user.num) || !self.hub.wants_presence() {
                    return Ok(());
                }
                let state = self.users.state(user.num).await?;
                let partners = self.partners(&realm, &state).await?;
                let seen = Seen {
                    is_turn: false,
                    ..self.there(&state)
                };
                self.tell(&user, &seen, &partners);
                Ok(())
            }
            Report::ToFriends {
                realm,
                user,
                change,
            } => self.tell_friends(&realm, &user, &change).await,
        }
    }

    /// Tells somebody whose relation to a user has changed what they may see of them now.
    async fn tell_related(
        &self,
        user: &UserRef,
        other: &UserRef,
        before: Relation,
    ) -> StoreResult<()> {
        if !self.hub.is_online(user.num) || !self.hub.is_online(other.num) {
            return Ok(());
        }
        let state = self.users.state(user.num).await?;
        let after = state.relation_to(other.num);
        let talked = state.record.privacy.seen_by() == SeenBy::Everyone
            && self.talks_with(user).await?.contains(&other.uid);
        let is_told = |relation| is_told(relation, &state, talked);
        match (is_told(before), is_told(after)) {
            (true, false) => self.tell(user, &Seen::of(&state, false), &[other.num]),
            (false, true) => self.tell(user, &self.there(&state), &[other.num]),
            _ => {}
        }
        Ok(())
    }

    /// A user who is there, with whichever device came first.
    fn there(&self, state: &UserState) -> Seen {
        let mut seen = Seen::of(state, true);
        let sessions = self.hub.of(state.record.user.num);
        seen.device_flag = sessions.first().map_or(0, |session| session.device.flag);
        seen
    }

    fn tell(&self, user: &UserRef, seen: &Seen, partners: &[UserNum]) {
        if partners.is_empty() {
            return;
        }
        let notice = Arc::new(Notice::Presence {
            user: user.clone(),
            is_online: seen.is_online,
            is_turn: seen.is_turn,
            status: Arc::clone(&seen.status),
            device_flag: seen.device_flag,
            id: self.ids.next(),
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

    /// Those who are told that a user comes and goes: friends; if everybody may know it, those
    /// whom the user has let in, and those with whom the user talked lately, too. Nobody whom
    /// the user has blocked.
    async fn partners(&self, realm: &Realm, state: &UserState) -> StoreResult<Vec<UserNum>> {
        let seen_by = state.record.privacy.seen_by();
        self.partners_if(realm, state, seen_by).await
    }

    /// The same, if these may know it.
    async fn partners_if(
        &self,
        realm: &Realm,
        state: &UserState,
        seen_by: SeenBy,
    ) -> StoreResult<Vec<UserNum>> {
        if seen_by == SeenBy::Nobody {
            return Ok(Vec::new());
        }
        let user = &state.record.user;
        let mut known = state.friends.clone();
        if seen_by == SeenBy::Everyone {
            known.extend(&state.allowed);
            for peer in self.talks_with(user).await? {
                known.extend(self.users.find(realm, &peer).await?.map(|peer| peer.num));
            }
        }
        known.remove(&user.num);
        known.retain(|other| !state.blocked.contains(other));
        Ok(known.into_iter().collect())
    }

    /// With whom a user talked lately.
    async fn talks_with(&self, user: &UserRef) -> StoreResult<Vec<Uid>> {
        let now_ms = self.clock.now_ms();
        let rows = self.inbox.conversations(user.num).await?;
        let is_recent = |row: &&ConversationRow| {
            row.channel.key.kind == ChannelKind::DIRECT
                && row
                    .head
                    .is_some_and(|(_, at_ms)| at_ms > now_ms - PARTNER_MS)
        };
        let recent = rows.iter().filter(is_recent).take(MAX_PARTNERS);
        let peers = recent.filter_map(|row| row.channel.key.peer_of(user.uid.as_str()));
        Ok(peers.map(Uid::from_store).collect())
    }
}

/// What is told of a user's presence.
struct Seen {
    is_online: bool,
    is_turn: bool,
    status: Arc<str>,
    device_flag: u8,
}

impl Seen {
    /// Of who is not seen any more what they say is not, either.
    fn of(state: &UserState, is_online: bool) -> Self {
        let status = state.record.status.as_deref().filter(|_| is_online);
        Self {
            is_online,
            is_turn: true,
            status: status.unwrap_or_default().into(),
            device_flag: 0,
        }
    }
}

/// Whether somebody is told that a user comes and goes, of whom the user has decided this.
fn is_told(relation: Relation, state: &UserState, talked: bool) -> bool {
    let knows = match state.record.privacy.seen_by() {
        SeenBy::Everyone => relation.friend || relation.allowed || talked,
        SeenBy::Friends => relation.friend,
        SeenBy::Nobody => false,
    };
    knows && !relation.blocked
}

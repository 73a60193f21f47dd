//! All users of a realm: lists, imports, tags, sessions, numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::Im;
use crate::admin::{Person, PersonFilter, Totals};
use crate::directory::UserChange;
use crate::id::{Realm, SessionId, Uid, UserNum};
use crate::message::Origin;
use crate::refusal::Refusal;
use crate::session::{Ending, Session};

/// Days of which statistics tell.
const STATISTICS_DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Stretches of the log that one question counts.
const MAX_COUNTS: usize = 200;

/// A user to be taken in.
#[derive(Debug, Clone)]
pub struct ImportUser {
    /// The user's id.
    pub uid: Uid,
    /// What is known of them.
    pub change: UserChange,
    /// New tags; `None` = those that there are.
    pub tags: Option<Vec<String>>,
}

/// What became of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// There was no such user.
    Created,
    /// There was one.
    Updated,
}

/// Which sessions are wanted. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionFilter {
    /// Of this user.
    pub uid: Option<Uid>,
    /// Of this dialect.
    pub origin: Option<Origin>,
    /// On this device.
    pub device: Option<String>,
    /// From this address.
    pub address: Option<std::net::IpAddr>,
}

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// What is stored.
    pub totals: Totals,
    /// Sessions of the realm by dialect.
    pub online: BTreeMap<Origin, u64>,
    /// Users with a session.
    pub users_online: u64,
}

impl Im {
    /// Users that exist, in the order of their numbers, after one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn population(
        &self,
        realm: &Realm,
        filter: &PersonFilter,
        after: UserNum,
        limit: u32,
    ) -> Result<Vec<Person>, Refusal> {
        let census = &self.stores.admin.census;
        Ok(census.people(realm, filter, after, limit).await?)
    }

    /// Takes in one user.
    ///
    /// # Errors
    /// `UserBanned` for a name that was erased, `SensitiveWord`, or when the store fails.
    pub async fn import_user(&self, realm: &Realm, user: ImportUser) -> Result<Imported, Refusal> {
        let there = self.user(realm, &user.uid).await.is_ok();
        let mut change = user.change;
        change.exists = Some(true);
        let record = self.put_user(realm, &user.uid, &change).await?;
        if let Some(tags) = user.tags {
            self.stores
                .admin
                .census
                .set_tags(realm, record.user.num, &tags)
                .await?;
        }
        Ok(if there {
            Imported::Updated
        } else {
            Imported::Created
        })
    }

    /// Replaces a user's tags.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn set_tags(&self, realm: &Realm, uid: &Uid, tags: &[String]) -> Result<(), Refusal> {
        let state = self.user(realm, uid).await?;
        let census = &self.stores.admin.census;
        Ok(census.set_tags(realm, state.record.user.num, tags).await?)
    }

    /// A user's tags, in order.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn tags(&self, realm: &Realm, uid: &Uid) -> Result<Vec<String>, Refusal> {
        let state = self.user(realm, uid).await?;
        Ok(self.stores.admin.census.tags(state.record.user.num).await?)
    }

    /// A realm's sessions in the order of their ids, after one; at most `limit`.
    #[must_use]
    pub fn all_sessions(
        &self,
        realm: &Realm,
        filter: &SessionFilter,
        after: SessionId,
        limit: usize,
    ) -> Vec<Arc<Session>> {
        // The lowest ids are kept: never more than are wanted, however many there are.
        let mut kept: BTreeMap<SessionId, Arc<Session>> = BTreeMap::new();
        self.parts.hub.each(|session| {
            let fits = session.realm == *realm
                && session.id > after
                && filter
                    .uid
                    .as_ref()
                    .is_none_or(|uid| *uid == session.user.uid)
                && filter.origin.is_none_or(|origin| origin == session.origin)
                && filter
                    .device
                    .as_ref()
                    .is_none_or(|device| **device == *session.device.id)
                && filter.address.is_none_or(|address| address == session.peer);
            if fits {
                kept.insert(session.id, Arc::clone(session));
                if kept.len() > limit {
                    kept.pop_last();
                }
            }
        });
        kept.into_values().collect()
    }

    /// Ends a user's sessions, or one of them. Returns how many.
    ///
    /// # Errors
    /// `NoSuchUser`; `NotFound` if there is no such session of theirs; or when the store
    /// fails.
    pub async fn kick(
        &self,
        realm: &Realm,
        uid: &Uid,
        session: Option<SessionId>,
    ) -> Result<usize, Refusal> {
        let state = self.user(realm, uid).await?;
        let num = state.record.user.num;
        let ended = self.parts.hub.end_of(num, Ending::Kicked, |it| {
            session.is_none_or(|session| it.id == session)
        });
        if session.is_some() && ended == 0 {
            return Err(Refusal::NotFound);
        }
        Ok(ended)
    }

    /// Ends the sessions of an app, because it was switched off. Returns how many.
    pub fn end_app(&self, app: &crate::directory::AppId) -> usize {
        let of_app = |session: &Session| session.app.as_ref() == Some(app);
        self.parts.hub.end_where(Ending::Kicked, of_app)
    }

    /// How much there is in a realm.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn statistics(&self, realm: &Realm) -> Result<Statistics, Refusal> {
        let today = self.parts.clock.now_ms().div_euclid(DAY_MS);
        let since = today - STATISTICS_DAYS + 1;
        let census = &self.stores.admin.census;
        // A log that was never counted is counted bit by bit, so that nobody else waits.
        let mut counts = 0;
        while !census.count_messages().await? && counts < MAX_COUNTS {
            counts += 1;
        }
        let mut statistics = Statistics {
            totals: census.totals(realm, since).await?,
            ..Statistics::default()
        };
        let mut users = rustc_hash::FxHashSet::default();
        self.parts.hub.each(|session| {
            if session.realm == *realm {
                *statistics.online.entry(session.origin).or_default() += 1;
                users.insert(session.user.num);
            }
        });
        statistics.users_online = users.len() as u64;
        Ok(statistics)
    }
}

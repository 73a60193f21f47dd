//! What the send path needs to know of users, cached: flags and relations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use rustc_hash::FxHashSet;

use super::{Alias, Directory, SeenBy, UserChange, UserRecord};
use crate::id::{Realm, Uid, UserNum, UserRef};
use crate::refusal::Refusal;
use crate::relation::{Relation, RelationChange, Relations};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// A user's record and relations at one moment.
#[derive(Debug)]
pub struct UserState {
    /// The record.
    pub record: UserRecord,
    /// Whom they block.
    pub blocked: FxHashSet<UserNum>,
    /// Whom they allow.
    pub allowed: FxHashSet<UserNum>,
    /// Their friends.
    pub friends: FxHashSet<UserNum>,
}

impl UserState {
    /// What they have decided about somebody.
    #[must_use]
    pub fn relation_to(&self, other: UserNum) -> Relation {
        Relation {
            blocked: self.blocked.contains(&other),
            allowed: self.allowed.contains(&other),
            friend: self.friends.contains(&other),
        }
    }

    /// Whether somebody may see when the user is there.
    #[must_use]
    pub fn is_seen_by(&self, viewer: UserNum) -> bool {
        let lets = match self.record.privacy.seen_by() {
            SeenBy::Everyone => true,
            SeenBy::Friends => self.friends.contains(&viewer),
            SeenBy::Nobody => false,
        };
        lets && !self.blocked.contains(&viewer)
    }
}

/// The users of all realms, read through a bounded cache. Whoever changes a user goes
/// through here, so that the cache never shows what is no longer so.
pub struct Users {
    directory: Arc<dyn Directory>,
    relations: Arc<dyn Relations>,
    states: Cache<UserNum, Arc<UserState>>,
    names: Cache<(Realm, Uid), UserRef>,
    aliases: Cache<(Realm, Alias), UserRef>,
    made: AtomicU64,
}

/// How many users are kept in memory.
const CACHED_USERS: usize = 100_000;

impl Users {
    /// An empty cache over the stores.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, relations: Arc<dyn Relations>) -> Self {
        let states = Cache::new(CACHED_USERS);
        let names = Cache::new(CACHED_USERS);
        Self {
            directory,
            relations,
            states,
            names,
            aliases: Cache::new(CACHED_USERS),
            made: AtomicU64::new(0),
        }
    }

    /// The state of a user by number.
    ///
    /// # Errors
    /// When the store fails, or knows no such number.
    pub async fn state(&self, user: UserNum) -> StoreResult<Arc<UserState>> {
        if let Some(state) = self.states.get(&user) {
            return Ok(state);
        }
        // A change that comes while this loads removes the placeholder, so that a state
        // read before the change is returned once but never kept.
        let loaded = self.states.get_value_or_guard_async(&user).await;
        match loaded {
            Ok(state) => Ok(state),
            Err(guard) => {
                let state = Arc::new(self.load(user).await?);
                let _ = guard.insert(Arc::clone(&state));
                Ok(state)
            }
        }
    }

    async fn load(&self, user: UserNum) -> StoreResult<UserState> {
        let record = self.directory.user_by_num(user).await?.ok_or_else(|| {
            StoreError::new(
                StoreErrorKind::Corrupt,
                format!("no user has the number {user}"),
            )
        })?;
        let relations = self.relations.of(user).await?;
        let pick = |wanted: fn(&Relation) -> bool| {
            relations
                .iter()
                .filter(|(_, r)| wanted(r))
                .map(|(other, _)| *other)
                .collect()
        };
        Ok(UserState {
            record,
            blocked: pick(|r| r.blocked),
            allowed: pick(|r| r.allowed),
            friends: pick(|r| r.friend),
        })
    }

    /// A user's number and name, if the name is known at all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, realm: &Realm, uid: &Uid) -> StoreResult<Option<UserRef>> {
        let key = (realm.clone(), uid.clone());
        if let Some(user) = self.names.get(&key) {
            return Ok(Some(user));
        }
        let found = self
            .directory
            .user(realm, uid)
            .await?
            .map(|record| record.user);
        if let Some(user) = &found {
            self.names.insert(key, user.clone());
        }
        Ok(found)
    }

    /// A user's number and name, if they are at hand.
    #[must_use]
    pub fn known(&self, realm: &Realm, uid: &Uid) -> Option<UserRef> {
        self.names.get(&(realm.clone(), uid.clone()))
    }

    /// The user with an alias, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn by_alias(&self, realm: &Realm, alias: &Alias) -> StoreResult<Option<UserRef>> {
        let key = (realm.clone(), alias.clone());
        if let Some(user) = self.aliases.get(&key) {
            return Ok(Some(user));
        }
        let found = self.directory.by_alias(realm, alias).await?;
        let found = found.map(|record| record.user);
        if let Some(user) = &found {
            self.aliases.insert(key, user.clone());
        }
        Ok(found)
    }

    /// How often users were made so far: as long as it stays the same, nobody has
    /// come to exist who did not.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }

    /// A user's number and name; a name not seen before is given a number, without making
    /// the user exist.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intern(&self, realm: &Realm, uid: &Uid) -> StoreResult<UserRef> {
        if let Some(user) = self.find(realm, uid).await? {
            return Ok(user);
        }
        let mut records = self
            .directory
            .intern(realm, std::slice::from_ref(uid))
            .await?;
        let record = records
            .pop()
            .ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "interning gave no record"))?;
        self.names
            .insert((realm.clone(), uid.clone()), record.user.clone());
        Ok(record.user)
    }

    /// Several users at once, in order, as the store has them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn intern_all(&self, realm: &Realm, uids: &[Uid]) -> StoreResult<Vec<UserRecord>> {
        self.directory.intern(realm, uids).await
    }

    /// A user's full record, if the user exists.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn existing(&self, realm: &Realm, uid: &Uid) -> Result<Arc<UserState>, Refusal> {
        let user = self.find(realm, uid).await?.ok_or(Refusal::NoSuchUser)?;
        let state = self.state(user.num).await?;
        if state.record.flags.exists {
            Ok(state)
        } else {
            Err(Refusal::NoSuchUser)
        }
    }

    /// Creates or changes a user. Once begun it is carried out even if the caller goes away:
    /// otherwise the store might change and the cache not hear of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put(
        self: &Arc<Self>,
        realm: &Realm,
        uid: &Uid,
        change: &UserChange,
    ) -> StoreResult<UserRecord> {
        let users = Arc::clone(self);
        let (realm, uid, change) = (realm.clone(), uid.clone(), change.clone());
        carry_out(async move {
            let put = users.directory.put_user(&realm, &uid, &change).await;
            if change.exists.is_some() {
                users.made.fetch_add(1, Ordering::Release);
            }
            let record = put?;
            users.states.remove(&record.user.num);
            Ok(record)
        })
        .await
    }

    /// Changes what a user has decided about others; carried out as `put` is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn relate(
        self: &Arc<Self>,
        user: UserNum,
        others: &[(UserNum, RelationChange)],
    ) -> StoreResult<()> {
        let users = Arc::clone(self);
        let others = others.to_vec();
        carry_out(async move {
            users.relations.relate(user, &others).await?;
            users.states.remove(&user);
            Ok(())
        })
        .await
    }

    /// Changes in another store what the state of some users shows; carried out as `put` is.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn alter<T: Send + 'static>(
        self: &Arc<Self>,
        altered: Vec<UserNum>,
        change: impl Future<Output = StoreResult<T>> + Send + 'static,
    ) -> StoreResult<T> {
        let users = Arc::clone(self);
        carry_out(async move {
            let changed = change.await;
            for user in altered {
                users.states.remove(&user);
            }
            changed
        })
        .await
    }
}

/// Runs a change to its end, whatever becomes of who waits for it.
async fn carry_out<T: Send + 'static>(
    change: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> StoreResult<T> {
    match tokio::spawn(change).await {
        Ok(done) => done,
        Err(error) => Err(StoreError::unavailable(error)),
    }
}

//! Users, their tokens, and who of them is online.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::Im;
use crate::change::Change;
use crate::directory::{App, AppId, FlagToken, PrivacyChange, UserChange, UserRecord, UserState};
use crate::id::{Realm, Uid, UserRef};
use crate::message::Origin;
use crate::refusal::Refusal;
use crate::relation::{Relation, RelationChange};
use crate::session::token::{self, IssuedToken};
use crate::session::{DeviceLevel, Displacement, Ending, Session};

/// Who a credential speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The realm.
    pub realm: Realm,
    /// The user.
    pub user: UserRef,
    /// The app whose token it was, if it was an app's.
    pub app: Option<AppId>,
}

/// A token to be registered for a device flag.
#[derive(Debug, Clone)]
pub struct FlagTokenRegistration {
    /// The kind of device.
    pub flag: u8,
    /// The token; empty = nobody can log in with this flag.
    pub token: String,
    /// The level of its sessions.
    pub level: DeviceLevel,
    /// The dialect whose sessions give way.
    pub origin: Origin,
}

/// One live connection, as presence shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlineDevice {
    /// Whose.
    pub uid: Uid,
    /// The kind of device.
    pub flag: u8,
}

impl Im {
    /// Creates or changes a user. Of a new profile their devices and friends hear.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_user(
        &self,
        realm: &Realm,
        uid: &Uid,
        change: &UserChange,
    ) -> Result<UserRecord, Refusal> {
        let shows = change.profile.is_some()
            || !change.members.is_empty()
            || change.privacy != PrivacyChange::default()
            || change.status.is_some();
        let before = if shows {
            self.known_state(realm, uid).await?
        } else {
            None
        };
        self.check_not_erased(realm, uid).await?;
        let change = self.seemly_user(realm, change)?;
        // The flag and the list of bans change together.
        let one = match change.ban {
            Some(_) => Some(self.deciding.lock().await),
            None => None,
        };
        let record = self.parts.users.put(realm, uid, &change).await?;
        self.keep_ban(&record, change.ban).await?;
        drop(one);
        if record.flags.ban {
            self.parts
                .hub
                .end_of(record.user.num, Ending::Kicked, |_| true);
        }
        if let Some(before) = before {
            self.tell_changed(&before, &record).await;
        }
        Ok(record)
    }

    /// Makes a user exist and returns number and name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ensure_user(&self, realm: &Realm, uid: &Uid) -> Result<UserRef, Refusal> {
        if let Ok(state) = self.parts.users.existing(realm, uid).await {
            return Ok(state.record.user.clone());
        }
        self.check_not_erased(realm, uid).await?;
        Ok(self
            .parts
            .users
            .put(realm, uid, &UserChange::exists())
            .await?
            .user)
    }

    /// Number and name of a user who is to act or belong somewhere, whether or not the user
    /// exists yet.
    ///
    /// # Errors
    /// `UserBanned` for one who was erased, or when the store fails.
    pub async fn user_ref(&self, realm: &Realm, uid: &Uid) -> Result<UserRef, Refusal> {
        self.check_not_erased(realm, uid).await?;
        Ok(self.parts.users.intern(realm, uid).await?)
    }

    /// Number and name of a user whose name is known, without making it known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_user(&self, realm: &Realm, uid: &Uid) -> Result<Option<UserRef>, Refusal> {
        Ok(self.parts.users.find(realm, uid).await?)
    }

    /// An existing user.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn user(&self, realm: &Realm, uid: &Uid) -> Result<Arc<UserState>, Refusal> {
        self.parts.users.existing(realm, uid).await
    }

    /// Makes a user token; the user exists from then on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn issue_token(
        &self,
        app: &App,
        uid: &Uid,
        ttl_secs: i64,
        device: Option<String>,
    ) -> Result<IssuedToken, Refusal> {
        let user = self.ensure_user(&app.realm, uid).await?;
        let state = self.parts.users.state(user.num).await?;
        // A token made in the very ms of a revocation would be void.
        let not_before_ms = state.record.tokens_after_ms + 1;
        let clock = &*self.parts.clock;
        let issued_ms = clock.now_ms().max(not_before_ms);
        self.newest_token_ms.fetch_max(issued_ms, Ordering::SeqCst);
        token::issue(app, uid, ttl_secs, device, not_before_ms, clock)
    }

    /// Voids all user tokens issued until now and ends the user's sessions.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn revoke_tokens(&self, realm: &Realm, uid: &Uid) -> Result<(), Refusal> {
        let state = self.parts.users.existing(realm, uid).await?;
        // The clock may have stepped back: nothing that was issued before may be dated later.
        let issued_ms = self.newest_token_ms.load(Ordering::SeqCst);
        let last_ms = state.record.tokens_after_ms + 1;
        let now_ms = self.parts.clock.now_ms().max(self.parts.ids.newest_ms());
        let change = UserChange {
            tokens_after_ms: Some(now_ms.max(issued_ms).max(last_ms)),
            ..UserChange::default()
        };
        self.parts.users.put(realm, uid, &change).await?;
        self.parts
            .hub
            .end_of(state.record.user.num, Ending::Kicked, |_| true);
        Ok(())
    }

    /// Registers the token of one of a user's device flags; the user exists from then on. A
    /// new master token ends the sessions of that flag.
    ///
    /// # Errors
    /// `UserBanned`, or when the store fails.
    pub async fn register_flag_token(
        &self,
        realm: &Realm,
        uid: &Uid,
        registration: &FlagTokenRegistration,
    ) -> Result<(), Refusal> {
        let user = self.ensure_user(realm, uid).await?;
        let blank = registration.token.is_empty();
        if !blank && self.parts.users.state(user.num).await?.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        let hash = (!blank).then(|| Sha256::digest(registration.token.as_bytes()).into());
        let token = FlagToken {
            hash,
            level: registration.level,
        };
        self.stores
            .directory
            .set_flag_token(user.num, registration.flag, &token)
            .await?;
        if registration.level == DeviceLevel::Master {
            let ending = Ending::Displaced(Displacement::Kicked);
            let same = |session: &Session| {
                session.origin == registration.origin && session.device.flag == registration.flag
            };
            self.parts.hub.end_of(user.num, ending, same);
        }
        Ok(())
    }

    /// The live connections of some users; those who are offline are not among them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn online(&self, realm: &Realm, uids: &[Uid]) -> Result<Vec<OnlineDevice>, Refusal> {
        let mut online = Vec::new();
        for uid in uids {
            if let Some(user) = self.parts.users.find(realm, uid).await? {
                self.parts.hub.each_of(user.num, |session| {
                    online.push(OnlineDevice {
                        uid: uid.clone(),
                        flag: session.device.flag,
                    });
                });
            }
        }
        Ok(online)
    }

    /// A user's sessions.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn sessions(&self, realm: &Realm, uid: &Uid) -> Result<Vec<Arc<Session>>, Refusal> {
        let state = self.parts.users.existing(realm, uid).await?;
        Ok(self.parts.hub.of(state.record.user.num))
    }

    /// What a user has decided about others; nothing for a name not known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn relations(
        &self,
        realm: &Realm,
        uid: &Uid,
    ) -> Result<Vec<(UserRef, Relation)>, Refusal> {
        let users = &self.parts.users;
        let Some(user) = users.find(realm, uid).await? else {
            return Ok(Vec::new());
        };
        let mut relations = Vec::new();
        for (other, relation) in self.stores.relations.of(user.num).await? {
            relations.push((users.state(other).await?.record.user.clone(), relation));
        }
        Ok(relations)
    }

    /// Changes what a user has decided about another; nothing else of it. The user's devices
    /// hear whom they block. What is taken away may be between users who were erased.
    ///
    /// # Errors
    /// `UserBanned` for one who was erased, or when the store fails.
    pub async fn relate(
        &self,
        realm: &Realm,
        uid: &Uid,
        other: &Uid,
        change: RelationChange,
    ) -> Result<(), Refusal> {
        let users = &self.parts.users;
        if change.set_bits() != 0 {
            self.check_not_erased(realm, uid).await?;
            self.check_not_erased(realm, other).await?;
        }
        let user = users.intern(realm, uid).await?;
        let other = users.intern(realm, other).await?;
        let was = users.state(user.num).await?.blocked.contains(&other.num);
        let (herald, users) = (self.herald(realm), Arc::clone(users));
        self.to_the_end(async move {
            let regards = herald
                .regards(&users, [(user.clone(), other.clone())])
                .await?;
            users.relate(user.num, &[(other.num, change)]).await?;
            regards.changed();
            if let Some(blocked) = change.blocked.filter(|blocked| *blocked != was)
                && !user.uid.is_system()
            {
                let change = Change::Blocked {
                    user: other.uid.as_str().to_owned(),
                    blocked,
                    at_ms: herald.now_ms(),
                };
                herald.own(&user, &user, &change).await;
            }
            Ok(())
        })
        .await
    }
}

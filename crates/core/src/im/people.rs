//! What users may know of others: their profile, whether they are there, how they are found.

use std::sync::Arc;

use super::Im;
use crate::change::Change;
use crate::directory::{
    FindUsers, FoundPlace, FoundUsers, PrivacyChange, Profile, UserChange, UserRecord, UserState,
};
use crate::id::{Realm, Uid, UserNum, UserRef};
use crate::refusal::Refusal;
use crate::session::presence::Report;

/// The longest status, characters.
const MAX_STATUS_CHARS: usize = 100;
/// The longest keyword of a search, characters.
const MAX_KEYWORD_CHARS: usize = 64;

/// Whether a user is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub uid: Uid,
    /// They have a session.
    pub online: bool,
    /// What they say beside that; empty = nothing.
    pub status: String,
    /// When they were last there, ms since 1970; 0 = not known, or nobody's business.
    pub last_seen_at_ms: i64,
    /// They hide. Shown to themselves and the application only.
    pub invisible: bool,
}

/// A change of what a user shows beside being there: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PresenceChange {
    /// New status; empty = none.
    pub status: Option<String>,
    /// Whether they hide.
    pub invisible: Option<bool>,
}

impl Im {
    /// Whether users are there, as far as `viewer` may know; `None` = the application, which
    /// may know everything. Whoever does not exist is not there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn presence(
        &self,
        realm: &Realm,
        viewer: Option<&UserRef>,
        uids: &[Uid],
    ) -> Result<Vec<Presence>, Refusal> {
        let mut shown = Vec::with_capacity(uids.len());
        let mut away: Vec<(usize, UserNum)> = Vec::new();
        for uid in uids {
            let mut presence = Presence {
                uid: uid.clone(),
                online: false,
                status: String::new(),
                last_seen_at_ms: 0,
                invisible: false,
            };
            if let Some(state) = self.known_state(realm, uid).await? {
                let num = state.record.user.num;
                let is_own = viewer.is_none_or(|viewer| viewer.num == num);
                if is_own || viewer.is_some_and(|viewer| state.is_seen_by(viewer.num)) {
                    presence.online = self.parts.hub.is_online(num);
                    presence.status = state.record.status.clone().unwrap_or_default();
                    presence.invisible = is_own && state.record.privacy.invisible;
                    if presence.online {
                        presence.last_seen_at_ms = self.parts.clock.now_ms();
                    } else {
                        away.push((shown.len(), num));
                    }
                }
            }
            shown.push(presence);
        }
        if !away.is_empty() {
            let nums: Vec<_> = away.iter().map(|(_, num)| *num).collect();
            let seen = self.stores.people.last_seen(&nums).await?;
            for ((at, _), seen_ms) in away.into_iter().zip(seen) {
                shown[at].last_seen_at_ms = seen_ms;
            }
        }
        Ok(shown)
    }

    /// Changes what a user shows beside being there.
    ///
    /// # Errors
    /// `NoSuchUser`; `InvalidArgument` for a status that is too long or has control
    /// characters.
    pub async fn change_presence(
        &self,
        realm: &Realm,
        uid: &Uid,
        change: PresenceChange,
    ) -> Result<Presence, Refusal> {
        let status = change.status.as_deref().unwrap_or_default();
        let is_odd = status.chars().any(char::is_control);
        if is_odd || status.chars().count() > MAX_STATUS_CHARS {
            return Err(Refusal::InvalidArgument);
        }
        let privacy = PrivacyChange {
            invisible: change.invisible,
            ..PrivacyChange::default()
        };
        let change = UserChange {
            status: change.status,
            privacy,
            ..UserChange::default()
        };
        self.parts.users.existing(realm, uid).await?;
        self.put_user(realm, uid, &change).await?;
        let shown = self.presence(realm, None, std::slice::from_ref(uid));
        shown.await?.pop().ok_or(Refusal::Internal)
    }

    /// Changes an existing user; `put_user` makes one exist, too.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn change_user(
        &self,
        realm: &Realm,
        uid: &Uid,
        change: &UserChange,
    ) -> Result<UserRecord, Refusal> {
        self.parts.users.existing(realm, uid).await?;
        self.put_user(realm, uid, change).await
    }

    /// Of some users those who exist, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn users(&self, realm: &Realm, uids: &[Uid]) -> Result<Vec<UserRecord>, Refusal> {
        let mut found = Vec::with_capacity(uids.len());
        for uid in uids {
            if let Some(state) = self.known_state(realm, uid).await? {
                found.push(state.record.clone());
            }
        }
        Ok(found)
    }

    /// Finds users: by what their id begins with, what their name contains, or, if they let
    /// it be so, their phone number or address of mail. The application (`all`) finds
    /// everybody.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty or a too long keyword.
    pub async fn find_users(
        &self,
        realm: &Realm,
        keyword: &str,
        all: bool,
        after: Option<FoundPlace>,
        limit: u32,
    ) -> Result<FoundUsers, Refusal> {
        let keyword = keyword.trim();
        if keyword.is_empty() || keyword.chars().count() > MAX_KEYWORD_CHARS {
            return Err(Refusal::InvalidArgument);
        }
        let query = FindUsers {
            realm: realm.clone(),
            keyword: keyword.to_owned(),
            all,
            after,
            limit,
        };
        Ok(self.stores.people.find_users(&query).await?)
    }

    /// The state of an existing user; `None` if there is none.
    pub(super) async fn known_state(
        &self,
        realm: &Realm,
        uid: &Uid,
    ) -> Result<Option<Arc<UserState>>, Refusal> {
        match self.parts.users.existing(realm, uid).await {
            Ok(state) => Ok(Some(state)),
            Err(Refusal::NoSuchUser) => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// After a user has changed: tells their other devices and their friends what they look
    /// like now, those who may see them from now on, or no longer, and those who may what they
    /// say beside being there.
    pub(super) async fn tell_changed(&self, before: &UserState, after: &UserRecord) {
        let (realm, user) = (&after.realm, &after.user);
        let (was, is) = (before.record.privacy.seen_by(), after.privacy.seen_by());
        if was != is {
            self.reports.put(Report::Seen {
                realm: realm.clone(),
                user: user.clone(),
                before: was,
                after: is,
            });
        }
        if before.record.status != after.status {
            self.reports.put(Report::Says {
                realm: realm.clone(),
                user: user.clone(),
            });
        }
        if before.record.profile == after.profile {
            return;
        }
        let profile = Profile::of(after.profile.as_deref());
        let change = |profile: &Profile| Change::Profile {
            user: user.uid.as_str().to_owned(),
            profile: serde_json::to_value(profile).unwrap_or_default(),
            at_ms: self.parts.clock.now_ms(),
        };
        self.herald(realm).own(user, user, &change(&profile)).await;
        if !before.friends.is_empty() {
            self.reports.put(Report::ToFriends {
                realm: realm.clone(),
                user: user.clone(),
                change: Box::new(change(&profile.public())),
            });
        }
    }
}

//! Receivers that are named by a text alone, where the dialect does not say whether a user or
//! a group is meant (protocols/README.md A3).

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Im;
use crate::channel::{Address, ChannelKey, ChannelKind};
use crate::directory::Alias;
use crate::id::{Realm, Uid, UserRef, is_reserved};
use crate::refusal::Refusal;

/// What forces a group.
const GROUP_PREFIX: &str = "group:";

/// How many names of groups are remembered; the least used are forgotten first.
const REMEMBERED_GROUPS: usize = 10_000;

/// Names that are a group's and were nobody's, with how many users had been made by then.
/// Only groups that exist are remembered, and they stay: a group made later is found at once.
pub(super) struct GroupNames(Cache<(Realm, Arc<str>), u64>);

impl GroupNames {
    pub(super) fn new() -> Self {
        Self(Cache::new(REMEMBERED_GROUPS))
    }
}

impl Im {
    /// Where a message to `name` goes: `group:` before it makes it a group's id; otherwise it
    /// is a user's alias, or the uid of a user who exists, or the id of a group that exists,
    /// whichever is found first.
    ///
    /// # Errors
    /// `NoSuchUser` if it is nobody's and no group's, `InvalidChannelId` if what follows
    /// `group:` is no id, or when the store fails.
    pub async fn resolve(&self, realm: &Realm, name: &str) -> Result<Address, Refusal> {
        if let Some(id) = name.strip_prefix(GROUP_PREFIX) {
            return Address::parse(ChannelKind::GROUP, id);
        }
        let users = &self.parts.users;
        // Before anything is looked up: whoever is made meanwhile is looked for next time.
        let made = users.made();
        let remembered = (realm.clone(), Arc::<str>::from(name));
        if self.groups.0.get(&remembered) == Some(made) {
            return Address::parse(ChannelKind::GROUP, name);
        }
        if let Some(user) = self.resolve_user(realm, name).await? {
            return Ok(Address::direct(&user.uid));
        }
        // The server's name and one that was given to a user are never a group's.
        if is_reserved(name) || self.is_alias_of_somebody(realm, name).await? {
            return Err(Refusal::NoSuchUser);
        }
        let group = Address::parse(ChannelKind::GROUP, name).map_err(|_| Refusal::NoSuchUser)?;
        let key = ChannelKey {
            realm: realm.clone(),
            kind: ChannelKind::GROUP,
            id: Arc::clone(&group.id),
        };
        if self.stores.channels.record(&key).await?.is_none() {
            return Err(Refusal::NoSuchUser);
        }
        self.groups.0.insert(remembered, made);
        Ok(group)
    }

    /// Whether a name is the alias of somebody whom the server has heard of, be they gone.
    async fn is_alias_of_somebody(&self, realm: &Realm, name: &str) -> Result<bool, Refusal> {
        let Some(alias) = Alias::parse(name) else {
            return Ok(false);
        };
        let user = self.parts.users.by_alias(realm, &alias).await?;
        Ok(user.is_some())
    }

    /// Whether a user has a session, as far as that is known without asking the store: true
    /// for nobody who has not been dealt with lately.
    #[must_use]
    pub fn is_online(&self, realm: &Realm, uid: &Uid) -> bool {
        let user = self.parts.users.known(realm, uid);
        user.is_some_and(|user| self.parts.hub.is_online(user.num))
    }

    /// The user who is named by alias or uid, if such a user exists.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resolve_user(
        &self,
        realm: &Realm,
        name: &str,
    ) -> Result<Option<UserRef>, Refusal> {
        let users = &self.parts.users;
        if let Some(alias) = Alias::parse(name)
            && let Some(user) = users.by_alias(realm, &alias).await?
            && users.state(user.num).await?.record.flags.exists
        {
            return Ok(Some(user));
        }
        let Ok(uid) = Uid::parse(name) else {
            return Ok(None);
        };
        match users.existing(realm, &uid).await {
            Ok(state) => Ok(Some(state.record.user.clone())),
            Err(Refusal::NoSuchUser) => Ok(None),
            Err(why) => Err(why),
        }
    }
}

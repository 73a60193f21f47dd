//! Bans of users and devices. Who is banned is refused at login, and thrown out at once.

use super::super::Im;
use crate::admin::{Ban, BanTarget, NewBan};
use crate::directory::{AppId, UserChange, UserRecord};
use crate::id::{Realm, Uid};
use crate::refusal::Refusal;
use crate::session::Ending;

impl Im {
    /// Bans a user or a device, or changes the ban.
    ///
    /// # Errors
    /// `NoSuchUser`, `TooMany`, `InvalidArgument` for an end that is over, or when the store
    /// fails.
    pub async fn impose_ban(&self, ban: NewBan) -> Result<Ban, Refusal> {
        let _one = self.deciding.lock().await;
        self.ban(ban).await
    }

    /// As [`impose_ban`](Self::impose_ban), for those who decide already.
    pub(super) async fn ban(&self, ban: NewBan) -> Result<Ban, Refusal> {
        if ban
            .until_ms
            .is_some_and(|at| at <= self.parts.clock.now_ms())
        {
            return Err(Refusal::InvalidArgument);
        }
        if let BanTarget::User(uid) = &ban.target {
            self.user(&ban.realm, uid).await?;
        }
        let put = self.stores.admin.bans.put_ban(&ban).await?;
        let put = put.ok_or(Refusal::TooMany)?;
        self.banned.add(&put);
        match &ban.target {
            BanTarget::User(uid) => self.set_ban(&ban.realm, uid, true).await?,
            BanTarget::Device(id) => {
                self.parts.hub.end_where(Ending::Kicked, |session| {
                    let met = session.met.get().is_some_and(|met| **met == **id);
                    session.realm == ban.realm && (met || *session.device.id == **id)
                });
            }
        }
        Ok(put)
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn lift_ban(&self, realm: &Realm, num: i64) -> Result<Ban, Refusal> {
        let _one = self.deciding.lock().await;
        let found = self.stores.admin.bans.ban(realm, num).await?;
        let ban = found.ok_or(Refusal::NotFound)?;
        self.lift(&ban).await?;
        Ok(ban)
    }

    /// The user may come back first: a ban without its entry would have no end.
    async fn lift(&self, ban: &Ban) -> Result<(), Refusal> {
        let (realm, target) = (&ban.ban.realm, &ban.ban.target);
        if let BanTarget::User(uid) = target {
            self.set_ban(realm, uid, false).await?;
        }
        self.stores.admin.bans.remove_ban(realm, target).await?;
        self.banned.remove(ban);
        Ok(())
    }

    async fn set_ban(&self, realm: &Realm, uid: &Uid, ban: bool) -> Result<(), Refusal> {
        let Some(user) = self.find_user(realm, uid).await? else {
            return Ok(());
        };
        let state = self.parts.users.state(user.num).await?;
        // Who was erased stays out.
        if state.record.flags.erased && !ban {
            return Ok(());
        }
        let change = UserChange {
            ban: Some(ban),
            ..UserChange::default()
        };
        self.parts.users.put(realm, uid, &change).await?;
        if ban {
            self.parts.hub.end_of(user.num, Ending::Kicked, |_| true);
        }
        Ok(())
    }

    /// Bans of a realm after a number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bans(&self, realm: &Realm, after: i64, limit: u32) -> Result<Vec<Ban>, Refusal> {
        Ok(self.stores.admin.bans.bans(realm, after, limit).await?)
    }

    /// Lifts the bans that are over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lift_due_bans(&self) -> Result<(), Refusal> {
        let now_ms = self.parts.clock.now_ms();
        for (num, realm) in self.banned.over(now_ms) {
            let _one = self.deciding.lock().await;
            let Some(ban) = self.stores.admin.bans.ban(&realm, num).await? else {
                continue;
            };
            if ban.ban.until_ms.is_some_and(|at| at <= now_ms) {
                self.lift(&ban).await?;
            }
        }
        Ok(())
    }

    /// Keeps the list of bans to what was said of a user without it.
    pub(in crate::im) async fn keep_ban(
        &self,
        record: &UserRecord,
        ban: Option<bool>,
    ) -> Result<(), Refusal> {
        let target = BanTarget::User(record.user.uid.clone());
        let bans = &self.stores.admin.bans;
        match ban {
            None => {}
            Some(true) => {
                let ban = NewBan {
                    realm: record.realm.clone(),
                    target,
                    reason: String::new(),
                    until_ms: None,
                    by: String::new(),
                };
                // As many as there may be are listed; the user is banned all the same.
                if let Some(put) = bans.put_ban(&ban).await? {
                    self.banned.add(&put);
                }
            }
            Some(false) => {
                if let Some(removed) = bans.remove_ban(&record.realm, &target).await? {
                    self.banned.remove(&removed);
                }
            }
        }
        Ok(())
    }

    /// Whether somebody may come from a device.
    pub(in crate::im) fn check_device(&self, realm: &Realm, id: &str) -> Result<(), Refusal> {
        if self.banned.device(realm, id, self.parts.clock.now_ms()) {
            Err(Refusal::DeviceBanned)
        } else {
            Ok(())
        }
    }

    /// Nobody comes through an app that is switched off.
    pub(in crate::im) fn check_app(&self, app: Option<&AppId>) -> Result<(), Refusal> {
        if app.is_some_and(|app| self.apps.known(app).is_some_and(|app| app.disabled)) {
            Err(Refusal::NotAuthenticated)
        } else {
            Ok(())
        }
    }

    /// The names of those who were erased are not given again.
    pub(in crate::im) async fn check_not_erased(
        &self,
        realm: &Realm,
        uid: &Uid,
    ) -> Result<(), Refusal> {
        let Some(user) = self.parts.users.find(realm, uid).await? else {
            return Ok(());
        };
        let state = self.parts.users.state(user.num).await?;
        if state.record.flags.erased {
            return Err(Refusal::UserBanned);
        }
        Ok(())
    }
}

//! Who may read a file.

use std::sync::Arc;

use super::{FileId, FileRecord, Files, named_in};
use crate::conversation::Inbox;
use crate::id::{Realm, UserNum};
use crate::log::Log;
use crate::refusal::Refusal;

/// How many of the messages that name a file, the newest first, are looked at for one that its
/// reader may see.
const LOOKED_AT: u32 = 20;

/// What decides who may read a file.
#[derive(Clone)]
pub struct FileAccess {
    /// The files.
    pub files: Arc<dyn Files>,
    /// What users see of channels.
    pub inbox: Arc<dyn Inbox>,
    /// What was said.
    pub log: Arc<dyn Log>,
}

impl FileAccess {
    /// A file that a user may read.
    ///
    /// # Errors
    /// `NoSuchFile` if there is none for them, or when the store fails.
    pub async fn readable(
        &self,
        realm: &Realm,
        user: UserNum,
        id: FileId,
    ) -> Result<FileRecord, Refusal> {
        let file = self.files.file(id).await?;
        let file = file.filter(|file| file.realm == *realm);
        let file = file.ok_or(Refusal::NoSuchFile)?;
        if file.public || file.owner == Some(user) || self.is_shown(id, user).await? {
            Ok(file)
        } else {
            Err(Refusal::NoSuchFile)
        }
    }

    /// Whether a user may see a message that names a file. What a message says now counts:
    /// one that was taken back or changed no longer names it.
    async fn is_shown(&self, id: FileId, user: UserNum) -> Result<bool, Refusal> {
        for message in self.files.named_by(id, user, LOOKED_AT).await? {
            let Some(message) = self.log.by_id(message).await? else {
                continue;
            };
            let seen = message.is_for(user)
                && message.revoked.is_none()
                && named_in(&message.shown().payload).contains(&id);
            if !seen {
                continue;
            }
            let row = self.inbox.conversation(user, message.channel.num).await?;
            if row.is_some_and(|row| message.seq > row.begins_after) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Of the files that a payload names those that its sender may pass on; the application,
    /// which has no number here, all of its realm's. Where nothing is named, nothing is read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn passed_on(
        &self,
        realm: &Realm,
        sender: Option<UserNum>,
        payload: &[u8],
    ) -> Result<Vec<FileId>, Refusal> {
        let mut passed = named_in(payload);
        if passed.is_empty() {
            return Ok(passed);
        }
        let mut allowed = Vec::with_capacity(passed.len());
        for id in passed.drain(..) {
            let may = match sender {
                Some(user) => match self.readable(realm, user, id).await {
                    Ok(_) => true,
                    Err(Refusal::NoSuchFile) => false,
                    Err(why) => return Err(why),
                },
                None => {
                    let file = self.files.file(id).await?;
                    file.is_some_and(|file| file.realm == *realm)
                }
            };
            if may {
                allowed.push(id);
            }
        }
        Ok(allowed)
    }
}

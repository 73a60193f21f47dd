//! Who may read a file.

use std::sync::Arc;

use super::{FileId, FileRecord, Files, named_in};
use crate::conversation::Inbox;
use crate::id::{MessageId, Realm, UserNum};
use crate::log::Log;
use crate::mark::Marks;
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
    /// What users have deleted for themselves.
    pub marks: Arc<dyn Marks>,
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
        Ok(self.shown(realm, user, id).await?.0)
    }

    /// A file that a user may read, and the message that lets them; `None` if they may without
    /// any: it is theirs, or everybody's.
    ///
    /// # Errors
    /// As [`readable`](Self::readable).
    pub async fn shown(
        &self,
        realm: &Realm,
        user: UserNum,
        id: FileId,
    ) -> Result<(FileRecord, Option<MessageId>), Refusal> {
        let file = self.files.file(id).await?;
        let file = file.filter(|file| file.realm == *realm);
        let file = file.ok_or(Refusal::NoSuchFile)?;
        if file.public || file.owner == Some(user) {
            return Ok((file, None));
        }
        let shown_by = self.shown_by(id, user).await?;
        let shown_by = shown_by.ok_or(Refusal::NoSuchFile)?;
        Ok((file, Some(shown_by)))
    }

    /// The newest message that names a file and that a user may see. What a message says now
    /// counts: one that was taken back or changed no longer names it. One that they have
    /// deleted for themselves shows them nothing.
    async fn shown_by(&self, id: FileId, user: UserNum) -> Result<Option<MessageId>, Refusal> {
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
            let (channel, seq) = (message.channel.num, message.seq);
            let row = self.inbox.conversation(user, channel).await?;
            if row.is_none_or(|row| seq <= row.begins_after) {
                continue;
            }
            let hidden = self.marks.hidden(user, &[(channel, seq..=seq)]).await?;
            if hidden.iter().all(Vec::is_empty) {
                return Ok(Some(message.id));
            }
        }
        Ok(None)
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

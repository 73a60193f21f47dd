//! Files: who may read which, and the addresses that are given out for them.

use std::sync::Arc;

use super::{Im, Viewer};
use crate::change::Change;
use crate::deliver::Sender;
use crate::file::{FileAccess, FileId, FileRecord, FileUrls, Files, Uploads, names_any};
use crate::id::{MessageId, Realm, UserRef};
use crate::message::Message;
use crate::refusal::Refusal;

impl Im {
    /// What is known of files.
    #[must_use]
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.stores.files
    }

    /// Uploads that come in parts.
    #[must_use]
    pub fn uploads(&self) -> &Arc<dyn Uploads> {
        &self.stores.uploads
    }

    /// A file that the viewer may read.
    ///
    /// # Errors
    /// `NoSuchFile` if there is none for them, or when the store fails.
    pub async fn file(
        &self,
        realm: &Realm,
        viewer: &Viewer,
        id: FileId,
    ) -> Result<FileRecord, Refusal> {
        Ok(self.file_shown(realm, viewer, id).await?.0)
    }

    /// A file that the viewer may read, and the message that lets them; `None` if they may
    /// without any. What is handed on by right of a message ends with it.
    ///
    /// # Errors
    /// As [`file`](Self::file).
    pub async fn file_shown(
        &self,
        realm: &Realm,
        viewer: &Viewer,
        id: FileId,
    ) -> Result<(FileRecord, Option<MessageId>), Refusal> {
        match viewer {
            Viewer::User(user) => self.parts.files.shown(realm, user.num, id).await,
            Viewer::Application => {
                let file = self.stores.files.file(id).await?;
                let file = file.filter(|file| file.realm == *realm);
                Ok((file.ok_or(Refusal::NoSuchFile)?, None))
            }
        }
    }

    /// Who gave a file; `None` = the application.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn file_owner(&self, file: &FileRecord) -> Result<Option<UserRef>, Refusal> {
        let Some(owner) = file.owner else {
            return Ok(None);
        };
        let owner = self.parts.users.state(owner).await?;
        Ok(Some(owner.record.user.clone()))
    }

    /// Forgets a file, which its owner and the application may. Its bytes go a while later,
    /// unless another file is made of them.
    ///
    /// # Errors
    /// `NoSuchFile`; `Forbidden` for one who may read it and no more; or when the store fails.
    pub async fn delete_file(
        &self,
        realm: &Realm,
        viewer: &Viewer,
        id: FileId,
    ) -> Result<(), Refusal> {
        let file = self.file(realm, viewer, id).await?;
        if let Viewer::User(user) = viewer
            && file.owner != Some(user.num)
        {
            return Err(Refusal::Forbidden);
        }
        if self.stores.files.delete(id).await? {
            Ok(())
        } else {
            Err(Refusal::NoSuchFile)
        }
    }

    /// Sets under which addresses files are served; later calls change nothing.
    pub fn set_file_urls(&self, urls: FileUrls) {
        // Who came first counts.
        let _ = self.file_urls.set(urls);
    }

    /// Under which addresses files are served; `None` until that is known.
    #[must_use]
    pub fn file_urls(&self) -> Option<&FileUrls> {
        self.file_urls.get()
    }

    /// The message with addresses of its files that hold without a login, fresh for whoever
    /// gets it now; `None` if it shows no file. It is for those who do not read the author's
    /// own bytes. An entry that tells of an edit has those of the edited message; of what else
    /// has changed nothing shows files.
    #[must_use]
    pub fn with_file_urls(&self, message: &Message) -> Option<Message> {
        let urls = self.file_urls()?;
        let payload = &message.shown().payload;
        // What is not kept shows none (`Lane::passed_on`).
        if message.body.flags.no_persist || !names_any(payload) {
            return None;
        }
        let shown_by = match Change::of(message) {
            Some(Change::Edited { message, .. }) => message.id,
            Some(_) => return None,
            None => message.id,
        };
        let now_ms = self.parts.clock.now_ms();
        let payload = urls.signed(shown_by, payload, now_ms)?;
        let mut fresh = message.clone();
        let shown = match &mut fresh.edited {
            Some(edited) => &mut edited.body,
            None => &mut fresh.body,
        };
        Arc::make_mut(shown).payload = payload;
        Some(fresh)
    }
}

impl FileAccess {
    /// Of the files that a draft's payload names those that its sender may pass on.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn passed_on_by(
        &self,
        realm: &Realm,
        sender: &Sender,
        payload: &[u8],
    ) -> Result<Vec<FileId>, Refusal> {
        let sender = match sender {
            // What says what has changed passes nothing on.
            Sender::Change(_) => return Ok(Vec::new()),
            Sender::Application(_) => None,
            Sender::Session(_) | Sender::User(_) => Some(sender.user().num),
        };
        self.passed_on(realm, sender, payload).await
    }
}

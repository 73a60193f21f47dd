//! Editing what was said, and reactions to it.

use std::sync::Arc;

use bytes::Bytes;

use super::{Im, Viewer};
use crate::channel::Address;
use crate::deliver::{Alteration, Altered, Operator, Sender};
use crate::id::{MessageId, Realm, UserNum, UserRef};
use crate::mark::{Edit, MAX_REACTION_BYTES, Reaction, Tally, Version};
use crate::message::{Draft, Message, OnReuse, Origin};
use crate::refusal::Refusal;

/// The most versions or reactions that one question gives.
const MAX_LISTED: u32 = 1000;

/// What a message is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditRequest {
    /// Which message.
    pub message: MessageId,
    /// Who wants it.
    pub by: Operator,
    /// Who wrote the payload.
    pub origin: Origin,
    /// What its envelope says of the payload's type.
    pub tag: Arc<str>,
    /// The payload.
    pub payload: Bytes,
    /// What the edge found wrong with it, such as a word that may not be said.
    pub fault: Option<Refusal>,
    /// A moderator is to look at it.
    pub review: bool,
    /// It mentions all, for which a user must have the right unless it was sent so.
    pub mentions_all: bool,
}

impl Im {
    /// Replaces what a message of a realm's chat logs says. Its author may, for as long as
    /// [`Policy::edit_window_ms`](super::Policy::edit_window_ms) says and as long as they may
    /// speak there; so may the application. What it said before stays as a version of it.
    /// Durable when it returns.
    ///
    /// # Errors
    /// `NoSuchMessage`, also for one who may not see it; `WrongState` if its content is gone;
    /// `TooLate`, `Forbidden`, `TooLarge`, `TooMany` edits, what refuses a send there,
    /// `HookRefused`, `RateLimited` (it counts like a send), or when the store fails.
    pub async fn edit(&self, realm: &Realm, mut request: EditRequest) -> Result<Altered, Refusal> {
        if request.payload.len() > self.policy.send.payload_bytes {
            return Err(Refusal::TooLarge);
        }
        let is_user = request.by.user().is_some();
        match request.fault.filter(|_| is_user) {
            // What was sent cannot be held back any more, and nothing waits for a moderator: it
            // is not said.
            Some(Refusal::HeldForReview) => return Err(Refusal::SensitiveWord),
            Some(why) => return Err(why),
            None => {}
        }
        self.screen_edit(realm, &mut request).await?;
        let what = Alteration::Edit {
            origin: request.origin,
            tag: request.tag,
            payload: request.payload,
            review: request.review && is_user,
            mentions_all: request.mentions_all,
            window_ms: self.policy.edit_window_ms,
        };
        self.alter(realm, request.message, request.by, what).await
    }

    /// Has whoever looks at what users send look at what they make of it afterwards, too.
    async fn screen_edit(&self, realm: &Realm, request: &mut EditRequest) -> Result<(), Refusal> {
        let Operator::User(user) = &request.by else {
            return Ok(());
        };
        if self.screening.of(realm).is_none() {
            return Ok(());
        }
        let message = self.said(realm, request.message).await?;
        if message.sender.num != user.num || message.revoked.is_some() {
            // It is refused anyway.
            return Ok(());
        }
        let key = &message.channel.key;
        let (tag, payload) = (Arc::clone(&request.tag), request.payload.clone());
        let mut draft = Draft {
            to: Address {
                kind: key.kind,
                id: Arc::clone(&key.id),
            },
            body: message.body.edited(request.origin, tag, payload),
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        };
        let sender = Sender::User(user.clone());
        self.screen(realm, &sender, key, &mut draft).await?;
        if draft.body.payload.len() > self.policy.send.payload_bytes {
            return Err(Refusal::TooLarge);
        }
        (request.origin, request.tag) = (draft.body.origin, draft.body.tag);
        request.payload = draft.body.payload;
        Ok(())
    }

    /// What a message has said, from the version with this number on, ascending; number 0 is
    /// what was sent. None if its content is gone.
    ///
    /// # Errors
    /// As with [`sight`](Self::sight).
    pub async fn versions(
        &self,
        realm: &Realm,
        id: MessageId,
        viewer: &Viewer,
        from: u32,
        limit: u32,
    ) -> Result<Vec<Version>, Refusal> {
        let message = self.sight(realm, id, viewer).await?;
        if message.revoked.is_some() {
            return Ok(Vec::new());
        }
        let mut versions = Vec::new();
        let mut limit = limit.clamp(1, MAX_LISTED);
        if from == 0 {
            versions.push(Version {
                n: 0,
                at_ms: message.sent_at_ms,
                edit: Edit {
                    by: Some(message.sender.clone()),
                    origin: message.body.origin,
                    tag: Arc::clone(&message.body.tag),
                    payload: message.body.payload.clone(),
                },
            });
            limit -= 1;
        }
        if limit > 0 {
            let after = from.saturating_sub(1);
            let marks = &self.stores.marks;
            versions.extend(marks.versions(id, after, limit).await?);
        }
        Ok(versions)
    }

    /// Puts a user's reaction to a message that they see, or takes it away. It is told, once.
    ///
    /// # Errors
    /// `InvalidArgument` for a text that is blank, longer than
    /// [`MAX_REACTION_BYTES`] or has a control character; `NoSuchMessage` if the user does
    /// not see the message, `WrongState` if its content is gone, `TooMany` reactions, what
    /// refuses a send there, `RateLimited` (it counts like a send), or when the store fails.
    pub async fn react(
        &self,
        realm: &Realm,
        id: MessageId,
        user: &UserRef,
        emoji: &str,
        removed: bool,
    ) -> Result<Altered, Refusal> {
        let has_control = emoji.chars().any(char::is_control);
        if emoji.trim().is_empty() || emoji.len() > MAX_REACTION_BYTES || has_control {
            return Err(Refusal::InvalidArgument);
        }
        self.sight(realm, id, &Viewer::User(user.clone())).await?;
        let what = Alteration::React {
            emoji: emoji.into(),
            removed,
        };
        let by = Operator::User(user.clone());
        self.alter(realm, id, by, what).await
    }

    /// Who has put which reactions to a message, those after one of them, ordered by text and
    /// user.
    ///
    /// # Errors
    /// As with [`sight`](Self::sight).
    pub async fn reactions(
        &self,
        realm: &Realm,
        id: MessageId,
        viewer: &Viewer,
        after: Option<(Arc<str>, UserNum)>,
        limit: u32,
    ) -> Result<Vec<Reaction>, Refusal> {
        self.sight(realm, id, viewer).await?;
        let limit = limit.clamp(1, MAX_LISTED);
        Ok(self.stores.marks.reactions(id, after, limit).await?)
    }

    /// Who has put which reactions to each of some messages that the caller was shown, at most
    /// `limit` of each, ordered by text and user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reactions_to(
        &self,
        ids: &[MessageId],
        limit: u32,
    ) -> Result<Vec<Vec<Reaction>>, Refusal> {
        let limit = limit.clamp(1, MAX_LISTED);
        Ok(self.stores.marks.reactions_to(ids, limit).await?)
    }

    /// How often which reaction was put to each of some messages that the viewer was shown.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tallies(
        &self,
        viewer: &Viewer,
        ids: &[MessageId],
    ) -> Result<Vec<Vec<Tally>>, Refusal> {
        let own = match viewer {
            Viewer::Application => None,
            Viewer::User(user) => Some(user.num),
        };
        Ok(self.stores.marks.tallies(ids, own).await?)
    }

    /// A message of a realm's chat logs as a viewer may see it.
    ///
    /// # Errors
    /// `NoSuchMessage` if there is none that they may see, or when the store fails.
    pub async fn sight(
        &self,
        realm: &Realm,
        id: MessageId,
        viewer: &Viewer,
    ) -> Result<Message, Refusal> {
        let message = self.said(realm, id).await?;
        if let Viewer::User(user) = viewer
            && !self.sees(user, &message).await?
        {
            return Err(Refusal::NoSuchMessage);
        }
        Ok(message)
    }

    /// Whether a message is in a user's history.
    pub(super) async fn sees(&self, user: &UserRef, message: &Message) -> Result<bool, Refusal> {
        if !message.is_for(user.num) || message.is_unlisted() {
            return Ok(false);
        }
        let after = self.readable_after(user, &message.channel).await?;
        if after.is_none_or(|after| message.seq <= after) {
            return Ok(false);
        }
        let place = [(message.channel.num, message.seq..=message.seq)];
        let hidden = self.stores.marks.hidden(user.num, &place).await?;
        Ok(hidden.iter().all(Vec::is_empty))
    }
}

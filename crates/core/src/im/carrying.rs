//! What messages carry beside their content: whom a draft mentions, and what a message that
//! is named may show to whoever names it.

use std::sync::Arc;

use super::{Im, Viewer};
use crate::carried::{Carried, MAX_MENTIONS};
use crate::channel::{ChannelKey, ChannelKind, HistoryFrom};
use crate::id::{MessageId, Realm, UserNum};
use crate::message::{Body, Message};
use crate::refusal::Refusal;

/// Members that are looked at to find out whether a message is for all of them.
const MAX_LOOKED_AT: u32 = 1000;

impl Im {
    /// Finds out who is meant by the names that a body mentions. Names of nobody are left out.
    pub(super) async fn find_mentioned(
        &self,
        realm: &Realm,
        body: &mut Body,
    ) -> Result<(), Refusal> {
        let Some(carried) = body.carried.as_deref() else {
            return Ok(());
        };
        if carried.mentions.len() > MAX_MENTIONS {
            return Err(Refusal::InvalidArgument);
        }
        if carried.mentions.iter().all(|user| user.num != UserNum(0)) {
            return Ok(());
        }
        let mut found = Carried {
            mentions: Vec::with_capacity(carried.mentions.len()),
            ..carried.clone()
        };
        for user in &carried.mentions {
            let known = self.parts.users.find(realm, &user.uid).await?;
            found.mentions.extend(known);
        }
        body.carried = found.packed();
        Ok(())
    }

    /// A message of a realm's chat logs as a viewer may read it: nothing that is gone, is for
    /// others only, was deleted by them for themselves, or stands before where their history
    /// begins.
    ///
    /// # Errors
    /// `NoSuchMessage`, also for what is not for the viewer, or when the store fails.
    pub async fn message_for(
        &self,
        realm: &Realm,
        viewer: &Viewer,
        id: MessageId,
    ) -> Result<Message, Refusal> {
        let message = self.sight(realm, id, viewer).await?;
        if message.revoked.is_some() || message.is_concealed {
            return Err(Refusal::NoSuchMessage);
        }
        Ok(message)
    }

    /// The message of a channel to which somebody replies.
    ///
    /// # Errors
    /// `NoSuchMessage`, also for what they may not read or what stands in another channel.
    pub async fn replied(
        &self,
        key: &ChannelKey,
        viewer: &Viewer,
        id: MessageId,
    ) -> Result<Message, Refusal> {
        let message = self.message_for(&key.realm, viewer, id).await?;
        if message.channel.key == *key {
            Ok(message)
        } else {
            Err(Refusal::NoSuchMessage)
        }
    }

    /// Whether all who may read a channel now may read one of its messages: what it says may be
    /// said again there. Of a channel with very many members where that is not plain it is no.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_for_all(&self, message: &Message) -> Result<bool, Refusal> {
        if message.body.audience.is_some() {
            return Ok(false);
        }
        let key = &message.channel.key;
        if key.kind == ChannelKind::DIRECT {
            return Ok(true);
        }
        let Some(record) = self.stores.channels.record(key).await? else {
            return Ok(true);
        };
        if record.settings.history == HistoryFrom::All {
            return Ok(true);
        }
        let limit = MAX_LOOKED_AT + 1;
        let members = self
            .stores
            .channels
            .members(record.channel.num, None, limit);
        let members = members.await?;
        Ok(members.len() <= MAX_LOOKED_AT as usize
            && members.iter().all(|member| member.join_seq < message.seq))
    }

    /// The messages to which these reply, as a viewer of theirs may read them: one for each,
    /// `None` where it replies to nothing, or that is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn quoted(
        &self,
        viewer: &Viewer,
        messages: &[Message],
    ) -> Result<Vec<Option<Arc<Message>>>, Refusal> {
        let mut quoted = Vec::with_capacity(messages.len());
        for message in messages {
            let carried = message.body.carried.as_deref();
            let wanted = carried.and_then(|carried| carried.reply_to);
            quoted.push(match wanted {
                None => None,
                Some(id) => match self.replied(&message.channel.key, viewer, id).await {
                    Ok(found) => Some(Arc::new(found)),
                    Err(Refusal::NoSuchMessage) => None,
                    Err(why) => return Err(why),
                },
            });
        }
        Ok(quoted)
    }
}

//! Finding a message by what a client calls it: its id, the number that its sender's client
//! gave it, or its name (data-model.md §4).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Im;
use crate::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind, MemberRole};
use crate::id::{ChannelNum, MessageId, Realm, UserNum, UserRef};
use crate::log::Called;
use crate::message::Message;
use crate::refusal::Refusal;

/// Messages of others with one number that are looked at, the newest, until two are found
/// that the caller may read.
const LOOKED_AT: u32 = 1000;

/// Where the newest or any two are wanted: some may stand in command logs.
const FEW: u32 = 16;

/// What a caller may read of a channel: above this seq; `None` = nothing.
type Readable = FxHashMap<ChannelNum, Option<u64>>;

impl Im {
    /// The message of a chat log that a caller means by a text, in one channel if `within`
    /// says which. If it is a message's id: that one. Otherwise the caller's own message of
    /// that number or name, the newest of several; otherwise one of other senders that the
    /// caller may read or moderate. Revoked ones are found, too.
    ///
    /// # Errors
    /// `NoSuchMessage` if there is none, or none that is the caller's business; `Ambiguous` if
    /// several others' are called so; or when the store fails.
    pub async fn find(
        &self,
        realm: &Realm,
        caller: &UserRef,
        text: &str,
        within: Option<&ChannelKey>,
    ) -> Result<Message, Refusal> {
        let mut readable = Readable::default();
        let log = match within {
            None => None,
            Some(key) => {
                let log = self.stores.channels.open(key, LogKind::Chat, false).await?;
                Some(log.ok_or(Refusal::NoSuchMessage)?.num)
            }
        };
        let by_id = self.by_decimal(realm, text).await?;
        if let Some(message) = by_id.filter(|message| is_within(message, log)) {
            let concerns = self.concerns(caller, &message, &mut readable).await?;
            return concerns.then_some(message).ok_or(Refusal::NoSuchMessage);
        }
        let called = |sender| Called {
            realm: realm.clone(),
            text: text.into(),
            sender,
            channel: log,
        };
        let own = self.chat_messages(&called(Some(caller.num)), FEW).await?;
        if let Some(own) = own.into_iter().next() {
            return Ok(own);
        }
        let mut found = None;
        for message in self.chat_messages(&called(None), LOOKED_AT).await? {
            if !self.concerns(caller, &message, &mut readable).await? {
                continue;
            }
            if found.is_some() {
                return Err(Refusal::Ambiguous);
            }
            found = Some(message);
        }
        found.ok_or(Refusal::NoSuchMessage)
    }

    /// The message of a realm's chat logs that the application means by a text: an id, or the
    /// number or name of one message.
    ///
    /// # Errors
    /// `NoSuchMessage`, `Ambiguous` if several are called so, or when the store fails.
    pub async fn find_for_application(
        &self,
        realm: &Realm,
        text: &str,
    ) -> Result<Message, Refusal> {
        if let Some(message) = self.by_decimal(realm, text).await? {
            return Ok(message);
        }
        let called = Called {
            realm: realm.clone(),
            text: text.into(),
            sender: None,
            channel: None,
        };
        let mut found = self.chat_messages(&called, FEW).await?.into_iter();
        match (found.next(), found.next()) {
            (Some(message), None) => Ok(message),
            (Some(_), Some(_)) => Err(Refusal::Ambiguous),
            (None, _) => Err(Refusal::NoSuchMessage),
        }
    }

    /// Messages of one channel's chat log with a number or name, the newest first; whoever
    /// sent them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn numbered(&self, key: &ChannelKey, text: &str) -> Result<Vec<Message>, Refusal> {
        let log = self.stores.channels.open(key, LogKind::Chat, false).await?;
        let Some(log) = log else {
            return Ok(Vec::new());
        };
        let called = Called {
            realm: key.realm.clone(),
            text: text.into(),
            sender: None,
            channel: Some(log.num),
        };
        self.chat_messages(&called, FEW).await
    }

    /// The message whose id a text is, if there is one.
    async fn by_decimal(&self, realm: &Realm, text: &str) -> Result<Option<Message>, Refusal> {
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(id) = text.parse().ok().filter(|_| is_decimal) else {
            return Ok(None);
        };
        let found = self.stores.log.by_id(MessageId(id)).await?;
        let is_said = |message: &Message| message.channel.log == LogKind::Chat;
        Ok(found.filter(|found| found.channel.key.realm == *realm && is_said(found)))
    }

    async fn chat_messages(&self, called: &Called, limit: u32) -> Result<Vec<Message>, Refusal> {
        // A command log says in another's words what has changed; a message of it that has
        // the number of what it speaks of would only be in the way.
        let mut found = self.stores.log.by_number(called, limit).await?;
        found.retain(|message| message.channel.log == LogKind::Chat);
        Ok(found)
    }

    /// Whether a message is the caller's business: their own, or one that they may read or
    /// moderate.
    async fn concerns(
        &self,
        caller: &UserRef,
        message: &Message,
        readable: &mut Readable,
    ) -> Result<bool, Refusal> {
        if !message.is_for(caller.num) {
            return Ok(false);
        }
        let channel = &message.channel;
        let after = match readable.get(&channel.num) {
            Some(after) => *after,
            None => {
                let after = self.readable_after(caller, channel).await?;
                readable.insert(channel.num, after);
                after
            }
        };
        Ok(after.is_some_and(|after| message.seq > after || message.sender.num == caller.num))
    }

    /// After which seq a caller may read a channel, or moderate it; `None` = they have nothing
    /// to do with it.
    pub(super) async fn readable_after(
        &self,
        caller: &UserRef,
        channel: &Arc<ChannelRef>,
    ) -> Result<Option<u64>, Refusal> {
        if takes_part(&channel.key, caller.uid.as_str()) && channel.key.kind != ChannelKind::DIRECT
        {
            return Ok(Some(0));
        }
        let inbox = &self.stores.inbox;
        let Some(row) = inbox.conversation(caller.num, channel.num).await? else {
            let is_own = takes_part(&channel.key, caller.uid.as_str());
            return Ok(is_own.then_some(0));
        };
        if row.begins_after > 0 && self.moderates(caller, channel).await? {
            return Ok(Some(0));
        }
        Ok(Some(row.begins_after))
    }

    pub(super) async fn moderates(
        &self,
        user: &UserRef,
        channel: &ChannelRef,
    ) -> Result<bool, Refusal> {
        let before = Some(UserNum(user.num.0 - 1));
        let members = self.stores.channels.members(channel.num, before, 1).await?;
        let member = members.first().filter(|member| member.user.num == user.num);
        Ok(member.is_some_and(|member| member.role > MemberRole::Member))
    }
}

fn is_within(message: &Message, log: Option<ChannelNum>) -> bool {
    log.is_none_or(|log| message.channel.num == log)
}

/// Whether the channel's very id names the user: direct channels and the kinds with a visitor
/// or an agent (architecture.md §2).
fn takes_part(key: &ChannelKey, uid: &str) -> bool {
    match key.kind {
        ChannelKind::DIRECT => key
            .pair()
            .is_some_and(|(low, high)| [low, high].contains(&uid)),
        ChannelKind::VISITORS => *key.id == *uid,
        ChannelKind::CUSTOMER_SERVICE => key.id.split('|').any(|part| part == uid),
        ChannelKind::AGENT => key.id.split('@').any(|part| part == uid),
        _ => false,
    }
}

//! Reading: what it does to the reader's conversation, and who is told of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Im;
use crate::change::{Change, ChannelName, ConversationView, MessageName};
use crate::channel::{Address, ChannelKey, ChannelKind, ChannelRef, LogKind};
use crate::clock::Clock;
use crate::conversation::{ConversationChange, ConversationRow, Inbox};
use crate::deliver::{Job, Lanes, ReplyTo, SendJob, Sender};
use crate::expiry::Expiry;
use crate::id::{ChannelNum, Uid, UserNum, UserRef};
use crate::log::Page;
use crate::message::Message;
use crate::receipt::MAX_COUNTED_MEMBERS;
use crate::refusal::Refusal;

/// Of so many newly read messages authors are told at most; of older ones only how far.
const NAMED: u32 = 100;
/// Receipts that are written at once, at most.
const RECEIPTS: u32 = 1000;

/// Of so many who leave a channel at once each is told; of more nobody beyond: it is a
/// message for each.
const MAX_LEFT: usize = 1000;
/// How far readers have said that they have read; of those who said it longest ago it is
/// forgotten beyond this many.
const REMEMBERED: usize = 100_000;

/// See [`REMEMBERED`].
pub(super) type ToldReads = Cache<(ChannelNum, UserNum), u64>;

/// Nobody has said anything yet.
pub(super) fn told_reads() -> Arc<ToldReads> {
    Arc::new(Cache::new(REMEMBERED))
}

/// Messages that somebody has newly read, by their authors.
type ByAuthor = BTreeMap<UserNum, (Uid, Vec<MessageName>)>;

impl Im {
    /// Reads a conversation up to a seq (`None` = the head). The reader's other devices are
    /// told; so are those whose messages are newly read: the peer of a direct channel, in
    /// others those who asked for it. Durable when it returns, and done to its end though the
    /// caller goes away.
    ///
    /// # Errors
    /// As `change_conversation`.
    pub async fn read(
        &self,
        reader: &UserRef,
        key: &ChannelKey,
        up_to: Option<u64>,
    ) -> Result<ConversationRow, Refusal> {
        let channel = self.chat_log(key).await?;
        let inbox = &self.stores.inbox;
        let before = inbox.conversation(reader.num, channel.num).await?;
        let before = before.ok_or(Refusal::NotAMember)?;
        let place = (channel.num, reader.num);
        let told = self.told_reads.get(&place);
        // Who answers has read, but has told nobody so: authors are told of everything since
        // the reader last said it. Where that is not known, of what is newly read, and of the
        // message that is named.
        let from = match (told, up_to) {
            (Some(told), _) => told.min(before.read_seq) + 1,
            (None, Some(named)) => named.min(before.read_seq + 1),
            (None, None) => before.read_seq + 1,
        };
        let up_to = up_to.unwrap_or(before.head_seq).min(before.head_seq);
        let from = from.max(before.begins_after + 1);
        let mut read = ByAuthor::new();
        if up_to >= from {
            // Before the reader's own row: if this is all that a crash leaves, reading again
            // finds the rest still to be done.
            read = self.newly_read(reader, &channel, from, up_to).await?;
        }
        let inbox = Arc::clone(inbox);
        let (tells, reader, key) = (self.tells(), reader.clone(), key.clone());
        let told_reads = Arc::clone(&self.told_reads);
        let burning = self.burning(&channel);
        self.to_the_end(async move {
            // Before the reader's own row: who is told that it is read need not read again, and
            // what is read may not stay because of a crash.
            if let Some(expiry) = burning {
                let now_ms = tells.clock.now_ms();
                expiry
                    .burn(channel.num, reader.num, 0..=up_to, now_ms)
                    .await?;
            }
            let change = ConversationChange::Read(Some(up_to));
            let after = inbox.change(reader.num, channel.num, change).await?;
            let after = after.ok_or(Refusal::NotAMember)?;
            told_reads.insert(place, told.unwrap_or(0).max(up_to));
            tells.authors(&reader, &channel, up_to, read).await;
            if after.badge_seq != before.badge_seq || after.read_seq > before.read_seq {
                tells.reader(&reader, &key, &after).await;
            }
            if before.kept.marked {
                tells.conversation(&reader, &key, &after).await;
            }
            Ok(after)
        })
        .await
    }

    /// Does what must not stop half-way because whoever asked for it has gone away.
    pub(super) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = self.tasks.spawn(work).await;
        done.unwrap_or(Err(Refusal::Internal))
    }

    pub(super) fn tells(&self) -> Tells {
        Tells {
            lanes: Arc::clone(&self.lanes),
            inbox: Arc::clone(&self.stores.inbox),
            clock: Arc::clone(&self.parts.clock),
        }
    }

    /// Sets how many messages of a conversation are unread. The reader's other devices are
    /// told.
    ///
    /// # Errors
    /// As `change_conversation`.
    pub async fn set_unread(
        &self,
        reader: &UserRef,
        key: &ChannelKey,
        unread: u64,
    ) -> Result<ConversationRow, Refusal> {
        let change = ConversationChange::SetUnread(unread);
        let after = self.change_conversation(reader, key, change).await?;
        if let Some(expiry) = self.burning(&after.channel) {
            let (log, now_ms) = (after.channel.num, self.clock().now_ms());
            expiry
                .burn(log, reader.num, 0..=after.read_seq, now_ms)
                .await?;
        }
        self.tells().reader(reader, key, &after).await;
        Ok(after)
    }

    /// Notes that somebody has read these messages of one channel, each by itself; how far
    /// the conversation is read stays as it is. The same authors as with [`read`](Self::read)
    /// are told, of what is newly read.
    ///
    /// # Errors
    /// `NotAMember` if the reader has nothing to do with the channel, or when the store fails.
    pub async fn read_messages(
        &self,
        reader: &UserRef,
        messages: &[Message],
    ) -> Result<(), Refusal> {
        let Some(first) = messages.first() else {
            return Ok(());
        };
        let channel = &first.channel;
        let row = self
            .stores
            .inbox
            .conversation(reader.num, channel.num)
            .await?;
        let row = row.ok_or(Refusal::NotAMember)?;
        if !self.counts_readers(&channel.key).await? {
            return Ok(());
        }
        let direct = channel.key.kind == ChannelKind::DIRECT;
        let is_read = |message: &&Message| {
            message.channel.num == channel.num
                && message.seq > row.begins_after
                && is_of_another(message, reader)
                && (message.body.flags.receipt
                    || direct && message.seq > row.read_seq
                    || burns(message))
        };
        let messages: Vec<Message> = messages.iter().filter(is_read).cloned().collect();
        let receipts = Arc::clone(&self.stores.receipts);
        let (tells, reader, channel) = (self.tells(), reader.clone(), Arc::clone(channel));
        let burning = self.burning(&channel);
        self.to_the_end(async move {
            let at_ms = tells.clock.now_ms();
            let mut read = ByAuthor::new();
            for message in messages {
                let (log, seq) = (message.channel.num, message.seq);
                if let Some(expiry) = &burning {
                    expiry.burn(log, reader.num, seq..=seq, at_ms).await?;
                }
                let is_new = if message.body.flags.receipt {
                    let newly = receipts.read(log, reader.num, seq..=seq, at_ms, 1);
                    !newly.await?.is_empty()
                } else {
                    seq > row.read_seq
                };
                if is_new {
                    note(&mut read, &message);
                }
            }
            tells.authors(&reader, &channel, row.read_seq, read).await;
            Ok(())
        })
        .await
    }

    /// Where it is noted that messages of a channel are read, if some may burn then.
    fn burning(&self, channel: &ChannelRef) -> Option<Arc<dyn Expiry>> {
        (channel.key.kind == ChannelKind::DIRECT).then(|| Arc::clone(&self.stores.expiry))
    }

    /// Whether a channel is small enough for its readers to be counted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn counts_readers(&self, key: &ChannelKey) -> Result<bool, Refusal> {
        let direct = key.kind == ChannelKind::DIRECT;
        Ok(direct || self.channel(key).await?.member_count <= MAX_COUNTED_MEMBERS)
    }

    async fn chat_log(&self, key: &ChannelKey) -> Result<Arc<ChannelRef>, Refusal> {
        let log = self.stores.channels.open(key, LogKind::Chat, false).await?;
        log.ok_or(Refusal::NoSuchChannel)
    }

    /// Of a stretch that was newly read: what its authors are told of. Receipts are written
    /// where they were asked for.
    async fn newly_read(
        &self,
        reader: &UserRef,
        channel: &Arc<ChannelRef>,
        from: u64,
        to: u64,
    ) -> Result<ByAuthor, Refusal> {
        let direct = channel.key.kind == ChannelKind::DIRECT;
        if !self.counts_readers(&channel.key).await? {
            return Ok(ByAuthor::new());
        }
        let page = Page {
            from,
            to,
            limit: NAMED,
            newest: true,
        };
        let messages = self.stores.log.page(channel, page).await?;
        let asks = |message: &Message| message.body.flags.receipt;
        if messages.iter().any(asks) || to - from >= u64::from(NAMED) {
            let at_ms = self.parts.clock.now_ms();
            let receipts = &self.stores.receipts;
            receipts
                .read(channel.num, reader.num, from..=to, at_ms, RECEIPTS)
                .await?;
        }
        let mut read = ByAuthor::new();
        for message in messages.iter().rev() {
            if is_of_another(message, reader) && (direct || message.body.flags.receipt) {
                note(&mut read, message);
            }
        }
        Ok(read)
    }
}

/// Whether a message ends some time after it was read.
fn burns(message: &Message) -> bool {
    let carried = message.body.carried.as_deref();
    carried.is_some_and(|carried| carried.burn_after_ms > 0)
}

/// Says what has changed, in command logs.
pub(super) struct Tells {
    lanes: Arc<Lanes>,
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
}

impl Tells {
    async fn authors(&self, reader: &UserRef, channel: &ChannelRef, up_to: u64, read: ByAuthor) {
        let (at_ms, key) = (self.clock.now_ms(), &channel.key);
        for (author, (uid, messages)) in read {
            // The system has no devices that would hear of it.
            if uid.is_system() || !self.has_to_do(author, channel).await {
                continue;
            }
            let change = Change::Read {
                channel: ChannelName::of(key),
                reader: reader.uid.as_str().to_owned(),
                up_to,
                messages,
                at_ms,
            };
            let own = ChannelKey::direct(&key.realm, &uid, &uid);
            self.tell(&own, reader, &change).await;
        }
    }

    /// Whoever has left a channel does not learn what goes on there.
    async fn has_to_do(&self, author: UserNum, channel: &ChannelRef) -> bool {
        if channel.key.kind == ChannelKind::DIRECT {
            return true;
        }
        match self.inbox.conversation(author, channel.num).await {
            Ok(row) => row.is_some(),
            Err(error) => {
                tracing::warn!(%error, "an author is not told who has read");
                false
            }
        }
    }

    async fn reader(&self, reader: &UserRef, key: &ChannelKey, row: &ConversationRow) {
        let change = Change::Unread {
            channel: ChannelName::of(key),
            read_seq: row.read_seq,
            unread: row.unread(),
            at_ms: self.clock.now_ms(),
        };
        let own = ChannelKey::direct(&key.realm, &reader.uid, &reader.uid);
        self.tell(&own, reader, &change).await;
    }

    /// Tells the other devices how a conversation is kept.
    pub(super) async fn conversation(
        &self,
        user: &UserRef,
        key: &ChannelKey,
        row: &ConversationRow,
    ) {
        let change = Change::Conversation {
            channel: ChannelName::of(key),
            view: row.view(),
            at_ms: self.clock.now_ms(),
        };
        let own = ChannelKey::direct(&key.realm, &user.uid, &user.uid);
        self.tell(&own, user, &change).await;
    }

    /// Tells the user's devices how many reminders of a conversation are open now.
    pub(super) async fn reminders(&self, user: &UserRef, row: &ConversationRow, open: u64) {
        let key = &row.channel.key;
        let change = Change::Conversation {
            channel: ChannelName::of(key),
            view: ConversationView {
                mentions: Some(open),
                ..row.view()
            },
            at_ms: self.clock.now_ms(),
        };
        let own = ChannelKey::direct(&key.realm, &user.uid, &user.uid);
        self.tell(&own, user, &change).await;
    }

    /// The time by the messenger's clock, ms since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Tells users that they are no members of a channel any more, and at whose word; `None` =
    /// the application's.
    pub(super) async fn left(&self, key: &ChannelKey, users: &[UserRef], by: Option<&UserRef>) {
        for user in users.iter().take(MAX_LEFT) {
            let change = Change::Left {
                channel: ChannelName::of(key),
                by: by.map(|user| user.uid.as_str().to_owned()),
                at_ms: self.clock.now_ms(),
            };
            let own = ChannelKey::direct(&key.realm, &user.uid, &user.uid);
            self.tell(&own, user, &change).await;
        }
    }

    /// Nobody waits for it: what has changed is durable already.
    pub(super) async fn tell(&self, log: &ChannelKey, by: &UserRef, change: &Change) {
        let to = Address {
            kind: log.kind,
            id: Arc::clone(&log.id),
        };
        let send = SendJob {
            key: log.clone(),
            sender: Sender::Change(by.clone()),
            draft: change.draft(to),
            reply: ReplyTo::Nobody,
        };
        // Lanes that have stopped tell nobody.
        let _ = self.lanes.put(log, Job::Send(Box::new(send))).await;
    }
}

fn is_of_another(message: &Message, reader: &UserRef) -> bool {
    message.sender.num != reader.num
        && message.revoked.is_none()
        && !message.is_concealed
        && message.is_for(reader.num)
}

fn note(read: &mut ByAuthor, message: &Message) {
    let author = &message.sender;
    let (_, messages) = read
        .entry(author.num)
        .or_insert_with(|| (author.uid.clone(), Vec::new()));
    messages.push(MessageName::of(message));
}

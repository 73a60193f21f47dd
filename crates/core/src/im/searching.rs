//! Finding messages by what they say, and filling the index of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustc_hash::FxHashMap;

use super::{Im, Viewer};
use crate::channel::{ChannelKey, ChannelKind, LogKind};
use crate::id::{ChannelNum, MessageId, Realm, Uid, UserRef};
use crate::message::Message;
use crate::refusal::Refusal;
use crate::search::{DocChange, Found, IndexQuery, Term, Within};

/// The most that one question gives.
const MAX: u32 = 200;
/// Channels that the index is asked for by name; of users with more it is asked for the realm.
const MAX_NAMED: usize = 200;
/// What is asked of the index at once…
const STRETCH: u32 = 500;
/// … and looked at for one question: whoever asks may go on from there.
const MAX_LOOKED_AT: usize = 5_000;

/// What sealed places begin with, so that no other sealed text is one.
const PLACE: &str = "search:";

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// All of these.
    pub terms: Vec<Term>,
    /// Only of this sender.
    pub from: Option<Uid>,
    /// Only in this channel.
    pub of: Option<ChannelKey>,
    /// Only content of this type, as REST names it.
    pub kind: Option<String>,
    /// Only from this time on, ms since 1970.
    pub since_ms: Option<i64>,
    /// Only before this time, ms since 1970.
    pub until_ms: Option<i64>,
    /// Only messages older than this one.
    pub before: Option<MessageId>,
    /// At most this many.
    pub limit: u32,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct SearchPage {
    /// The newest first.
    pub messages: Vec<Message>,
    /// If there may be more: the message from which to go on towards older ones. It may be
    /// none that the viewer may see, and is sealed before it is told
    /// ([`Im::seal_place`]).
    pub next: Option<MessageId>,
}

/// In which channels one may look, each above a seq; `None` = in all of the realm.
type Sight = Option<FxHashMap<ChannelNum, u64>>;

impl Im {
    /// Messages that fit, as far as the viewer may see them. What was said within the last
    /// moments may be missing: the index is filled after the fact.
    ///
    /// # Errors
    /// `NotAMember` or `NoSuchChannel` for a channel that is not the viewer's business, or
    /// when the store fails.
    pub async fn search(
        &self,
        realm: &Realm,
        viewer: &Viewer,
        query: SearchQuery,
    ) -> Result<SearchPage, Refusal> {
        let mut page = SearchPage::default();
        let sender = match &query.from {
            None => None,
            Some(uid) => match self.find_user(realm, uid).await? {
                Some(user) => Some(user.num),
                // Who was never named has said nothing.
                None => return Ok(page),
            },
        };
        let (within, sight) = self.searched(realm, viewer, query.of.as_ref()).await?;
        if within == Within::Channels(Vec::new()) {
            return Ok(page);
        }
        let until = query
            .until_ms
            .map_or(i64::MAX, |ms| MessageId::first_at_ms(ms).0);
        let mut ask = IndexQuery {
            within,
            terms: query.terms,
            sender,
            kind: query.kind,
            from: query.since_ms.map_or(MessageId(0), MessageId::first_at_ms),
            before: MessageId(query.before.map_or(until, |before| before.0.min(until))),
            limit: STRETCH,
        };
        let limit = query.limit.clamp(1, MAX) as usize;
        let mut looked_at = 0;
        loop {
            let found = self.stores.search.find(ask.clone()).await?;
            let more = found.len() == STRETCH as usize;
            looked_at += found.len();
            for hit in found {
                ask.before = hit.id;
                page.messages.extend(self.hit(viewer, &sight, hit).await?);
                if page.messages.len() > limit {
                    page.messages.truncate(limit);
                    page.next = page.messages.last().map(|last| last.id);
                    return Ok(page);
                }
            }
            if !more {
                return Ok(page);
            }
            if looked_at >= MAX_LOOKED_AT {
                page.next = Some(ask.before);
                return Ok(page);
            }
        }
    }

    /// The place where a search goes on, as callers may hold it: the message there may be
    /// none that they may know of.
    #[must_use]
    pub fn seal_place(&self, next: MessageId) -> String {
        let place = format!("{PLACE}{}", next.0);
        URL_SAFE_NO_PAD.encode(self.seal.seal(&place))
    }

    /// The place again; `None` for what this server has not sealed.
    #[must_use]
    pub fn open_place(&self, sealed: &str) -> Option<MessageId> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let place = self.seal.open(&sealed)?;
        place.strip_prefix(PLACE)?.parse().ok().map(MessageId)
    }

    /// The message of a hit, if the viewer may see it.
    async fn hit(
        &self,
        viewer: &Viewer,
        sight: &Sight,
        hit: Found,
    ) -> Result<Option<Message>, Refusal> {
        if let Some(sight) = sight
            && sight
                .get(&hit.channel)
                .is_none_or(|after| hit.seq <= *after)
        {
            return Ok(None);
        }
        let Some(message) = self.stores.log.by_id(hit.id).await? else {
            return Ok(None);
        };
        let now_ms = self.parts.clock.now_ms();
        let is_over = message.expires_at_ms().is_some_and(|end| end <= now_ms);
        if message.revoked.is_some() || is_over {
            return Ok(None);
        }
        if let Viewer::User(user) = viewer {
            let place = [(hit.channel, hit.seq..=hit.seq)];
            let hidden = self.stores.marks.hidden(user.num, &place).await?;
            if !message.is_for(user.num) || hidden.iter().any(|seqs| !seqs.is_empty()) {
                return Ok(None);
            }
        }
        Ok(Some(message))
    }

    /// Where a viewer may look.
    async fn searched(
        &self,
        realm: &Realm,
        viewer: &Viewer,
        of: Option<&ChannelKey>,
    ) -> Result<(Within, Sight), Refusal> {
        match (viewer, of) {
            (Viewer::Application, None) => Ok((Within::Realm(realm.clone()), None)),
            (Viewer::Application, Some(key)) => {
                let channel = self.stores.channels.open(key, LogKind::Chat, false).await?;
                let channel = channel.ok_or(Refusal::NoSuchChannel)?;
                Ok((Within::Channels(vec![channel.num]), None))
            }
            (Viewer::User(user), Some(key)) => {
                let row = self.conversation(user, key).await?;
                let sight = [(row.channel.num, row.begins_after)];
                let sight = Some(sight.into_iter().collect());
                Ok((Within::Channels(vec![row.channel.num]), sight))
            }
            (Viewer::User(user), None) => {
                let rows = self.stores.inbox.conversations(user.num).await?;
                let said = rows
                    .into_iter()
                    .filter(|row| row.head_seq > row.begins_after);
                let sight: FxHashMap<_, _> = said
                    .map(|row| (row.channel.num, row.begins_after))
                    .collect();
                let within = if sight.len() <= MAX_NAMED {
                    let mut named: Vec<_> = sight.keys().copied().collect();
                    named.sort_unstable_by_key(|num| num.0);
                    Within::Channels(named)
                } else {
                    Within::Realm(realm.clone())
                };
                Ok((within, Some(sight)))
            }
        }
    }

    /// The groups of a user whose name or id contains a text, in the order of their
    /// conversations; at most so many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_groups(
        &self,
        user: &UserRef,
        text: &str,
        limit: usize,
    ) -> Result<Vec<ChannelKey>, Refusal> {
        let wanted = folded(text);
        let mut found = Vec::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        let mut rows = self.stores.inbox.conversations(user.num).await?;
        rows.retain(|row| row.channel.key.kind == ChannelKind::GROUP);
        rows.sort_by_key(|row| std::cmp::Reverse(row.head.map_or(0, |(id, _)| id.0)));
        for row in rows {
            let key = &row.channel.key;
            let fits = folded(&key.id).contains(&wanted) || {
                let record = self.channel(key).await?;
                record
                    .settings
                    .name
                    .is_some_and(|name| folded(&name).contains(&wanted))
            };
            if fits {
                found.push(key.clone());
                if found.len() == limit {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Changes the index; durable when it returns.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn index(&self, changes: Vec<DocChange>) -> Result<(), Refusal> {
        Ok(self.stores.search.apply(changes).await?)
    }

    /// Forgets the index, for a new beginning.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clear_index(&self) -> Result<(), Refusal> {
        Ok(self.stores.search.clear().await?)
    }
}

/// A text as names are compared.
fn folded(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.trim().nfkc().flat_map(char::to_lowercase).collect()
}

//! What a lane knows of one of its channels.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::channel::{
    ChannelKey, ChannelKind, ChannelRef, ChannelSettings, Channels, List, LogKind, Member,
    MemberRole,
};
use crate::directory::Users;
use crate::id::{MessageId, SessionId, Uid, UserNum, UserRef};
use crate::session::{Hub, Session};
use crate::store::StoreResult;

/// How many members are read at once.
const MEMBER_PAGE: u32 = 10_000;

/// What matters of a member for sending and delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemberEntry {
    pub(super) role: MemberRole,
    pub(super) muted_until_ms: i64,
    /// The channel's head when they joined.
    pub(super) join_seq: u64,
}

impl From<&Member> for MemberEntry {
    fn from(member: &Member) -> Self {
        Self {
            role: member.role,
            muted_until_ms: member.muted_until_ms,
            join_seq: member.join_seq,
        }
    }
}

/// The sessions to which a channel's messages go now.
pub(super) type OnlineSessions = FxHashMap<SessionId, Arc<Session>>;

/// One channel, as its lane keeps it.
pub(super) struct ChannelState {
    pub(super) key: ChannelKey,
    /// The chat log; `None` = the channel does not exist (yet).
    pub(super) chat: Option<Arc<ChannelRef>>,
    /// The command log, once it was needed.
    pub(super) command: Option<Arc<ChannelRef>>,
    pub(super) settings: ChannelSettings,
    pub(super) members: FxHashMap<UserNum, MemberEntry>,
    pub(super) denied: FxHashSet<UserNum>,
    pub(super) allowed: FxHashSet<UserNum>,
    /// Users who take part by the channel's very id: the two of a direct channel, and the
    /// parts of kinds 3, 10 and 11.
    pub(super) participants: Arc<[UserRef]>,
    /// Their numbers, if the first message is to give them a conversation.
    pub(super) first_contact: Arc<[UserNum]>,
    /// Built at the first message, kept by open, close, join and leave.
    pub(super) online: Option<OnlineSessions>,
    /// The last stored message that was handed out since the state was read.
    pub(super) handed_out: MessageId,
    /// Appends that wait for their commit; the state stays while there are any.
    pub(super) in_flight: u32,
    /// The lane's turn in which it was used last.
    pub(super) used: u64,
}

impl ChannelState {
    /// A channel of which nothing is known.
    pub(super) fn empty(key: &ChannelKey) -> Self {
        Self {
            key: key.clone(),
            chat: None,
            command: None,
            settings: ChannelSettings::default(),
            members: FxHashMap::default(),
            denied: FxHashSet::default(),
            allowed: FxHashSet::default(),
            participants: Arc::default(),
            first_contact: Arc::default(),
            online: None,
            handed_out: MessageId(0),
            in_flight: 0,
            used: 0,
        }
    }

    /// Reads a channel from the stores. A direct channel's users are interned.
    pub(super) async fn load(
        key: &ChannelKey,
        channels: &Arc<dyn Channels>,
        users: &Users,
    ) -> StoreResult<Self> {
        let participants = participants(key, users).await?;
        let numbers = participants.iter().map(|user| user.num);
        let first_contact = if key.kind.has_conversations() {
            numbers.collect()
        } else {
            Arc::default()
        };
        let mut state = Self::empty(key);
        (state.participants, state.first_contact) = (participants, first_contact);
        let Some(record) = channels.record(key).await? else {
            return Ok(state);
        };
        let num = record.channel.num;
        state.chat = Some(record.channel);
        state.settings = record.settings;
        if key.kind == ChannelKind::DIRECT {
            return Ok(state);
        }
        state.command = channels.open(key, LogKind::Command, false).await?;
        let mut after = None;
        loop {
            let page = channels.members(num, after, MEMBER_PAGE).await?;
            let entries = page
                .iter()
                .map(|member| (member.user.num, MemberEntry::from(member)));
            state.members.extend(entries);
            after = page.last().map(|member| member.user.num);
            if page.len() < MEMBER_PAGE as usize {
                break;
            }
        }
        for (list, user) in channels.lists(num).await? {
            state.list(list).insert(user);
        }
        Ok(state)
    }

    /// Where the chat or the command log is kept.
    pub(super) fn log_mut(&mut self, command: bool) -> &mut Option<Arc<ChannelRef>> {
        if command {
            &mut self.command
        } else {
            &mut self.chat
        }
    }

    /// One of the access lists.
    pub(super) fn list(&mut self, list: List) -> &mut FxHashSet<UserNum> {
        match list {
            List::Deny => &mut self.denied,
            List::Allow => &mut self.allowed,
        }
    }

    /// True if the user is one of those the channel's id names.
    pub(super) fn takes_part(&self, user: UserNum) -> bool {
        self.participants
            .iter()
            .any(|participant| participant.num == user)
    }

    /// The online sessions of members, built when first asked for.
    pub(super) fn online(&mut self, hub: &Hub) -> &mut OnlineSessions {
        self.online.get_or_insert_with(|| {
            let mut online = OnlineSessions::default();
            for user in self.members.keys() {
                hub.each_of(*user, |session| {
                    online.insert(session.id, Arc::clone(session));
                });
            }
            online
        })
    }
}

/// The users whom a channel's id names.
async fn participants(key: &ChannelKey, users: &Users) -> StoreResult<Arc<[UserRef]>> {
    let parts: Vec<&str> = match key.kind {
        ChannelKind::DIRECT | ChannelKind::CUSTOMER_SERVICE => key.id.split('|').collect(),
        ChannelKind::AGENT => key.id.split('@').collect(),
        ChannelKind::VISITORS => vec![&key.id],
        _ => Vec::new(),
    };
    let mut found = Vec::with_capacity(parts.len());
    for part in parts {
        // What is no uid takes part in nothing, but may name a queue.
        let uid = if part == Uid::SYSTEM {
            Ok(Uid::system())
        } else {
            Uid::parse(part)
        };
        if let Ok(uid) = uid {
            let user = users.intern(&key.realm, &uid).await?;
            if !found.contains(&user) {
                found.push(user);
            }
        }
    }
    Ok(found.into())
}

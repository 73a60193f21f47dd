//! What alters a channel, in order with what is sent to it.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::lane::Lane;
use super::state::{ChannelState, MemberEntry};
use crate::channel::{
    ChannelChange, ChannelKey, List, ListChange, LogKind, MemberChange, MemberRole,
};
use crate::id::{UserNum, UserRef};
use crate::refusal::Refusal;

/// A change of a channel. Each creates the channel if there is none.
#[derive(Debug, Clone)]
pub enum ChannelVerb {
    /// Changes settings.
    Put(ChannelChange),
    /// Changes members.
    Members(Vec<MemberChange>),
    /// Removes all members but these.
    KeepOnly(Vec<UserRef>),
    /// Changes an access list.
    List(List, ListChange, Vec<UserNum>),
}

/// What a change has led to.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// How many members the channel has now.
    pub members: u32,
    /// Those who were members and are none any more.
    pub left: Vec<UserRef>,
}

impl Lane {
    /// Makes a change durable, then effective.
    pub(super) async fn change(
        &mut self,
        key: &ChannelKey,
        verb: ChannelVerb,
    ) -> Result<Changed, Refusal> {
        let mut left = Vec::new();
        let parts = Arc::clone(&self.parts);
        let state = self.state(key).await?;
        if state.chat.is_none() {
            state.chat = parts.channels.open(key, LogKind::Chat, true).await?;
        }
        let num = state.chat.as_ref().ok_or(Refusal::Internal)?.num;
        match verb {
            ChannelVerb::Put(change) => {
                state.settings = parts.channels.put(key, &change).await?.settings;
            }
            ChannelVerb::List(list, change, users) => {
                parts
                    .channels
                    .change_list(num, list, change, &users)
                    .await?;
                let kept = state.list(list);
                match change {
                    ListChange::Add => kept.extend(users),
                    ListChange::Remove => users.iter().for_each(|user| {
                        kept.remove(user);
                    }),
                    ListChange::Set => *kept = users.into_iter().collect(),
                }
            }
            ChannelVerb::Members(changes) => {
                let changed = parts.channels.change_members(num, &changes).await?;
                let joined = changed.joined.iter();
                let joined = joined.map(|m| (m.user.num, MemberEntry::from(m))).collect();
                left = self.apply_members(key, &changes, joined);
            }
            ChannelVerb::KeepOnly(keep) => {
                let keep: FxHashSet<UserNum> = keep.iter().map(|user| user.num).collect();
                let mut leaving = Vec::new();
                let mut after = None;
                loop {
                    let page = parts.channels.members(num, after, 1000).await?;
                    after = page.last().map(|member| member.user.num);
                    let more = page.len() == 1000;
                    let gone = page
                        .into_iter()
                        .filter(|member| !keep.contains(&member.user.num));
                    leaving.extend(gone.map(|member| MemberChange::Leave(member.user)));
                    if !more {
                        break;
                    }
                }
                parts.channels.change_members(num, &leaving).await?;
                left = self.apply_members(key, &leaving, Vec::new());
            }
        }
        let state = self.state(key).await?;
        Ok(Changed {
            members: u32::try_from(state.members.len()).unwrap_or(u32::MAX),
            left,
        })
    }

    /// Returns those who were members and are none any more.
    fn apply_members(
        &mut self,
        key: &ChannelKey,
        changes: &[MemberChange],
        joined: Vec<(UserNum, MemberEntry)>,
    ) -> Vec<UserRef> {
        let mut left = Vec::new();
        for change in changes {
            if let MemberChange::Leave(user) = change {
                if let Some(state) = self.channels.get_mut(key)
                    && state.members.remove(&user.num).is_some()
                {
                    left.push(user.clone());
                }
                self.drop_online(key, user.num);
            }
        }
        let Some(state) = self.channels.get_mut(key) else {
            return left;
        };
        let mut entered = Vec::new();
        for (user, entry) in joined {
            if entry.role == MemberRole::Owner {
                // There is one owner: who was it before is an administrator now.
                let owners = state
                    .members
                    .values_mut()
                    .filter(|m| m.role == MemberRole::Owner);
                owners.for_each(|member| member.role = MemberRole::Administrator);
            }
            state.members.insert(user, entry);
            Self::enter_online(state, user, &self.parts.hub, &mut entered);
        }
        for session in entered {
            self.sessions.entry(session).or_default().push(key.clone());
        }
        left
    }

    fn enter_online(
        state: &mut ChannelState,
        user: UserNum,
        hub: &crate::session::Hub,
        entered: &mut Vec<crate::id::SessionId>,
    ) {
        let Some(online) = &mut state.online else {
            return;
        };
        hub.each_of(user, |session| {
            if online.insert(session.id, Arc::clone(session)).is_none() {
                entered.push(session.id);
            }
        });
    }
}

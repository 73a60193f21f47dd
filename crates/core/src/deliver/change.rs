//! What alters a channel, in order with what is sent to it: each change is made durable, is
//! effective then, and is said in the channel's command log.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::alter::Operator;
use super::group::{GroupVerb, may_be_named};
use super::lane::Lane;
use super::state::{ChannelState, MemberEntry};
use crate::change::{Change, ChannelView};
use crate::channel::settings::differences;
use crate::channel::{
    ChannelChange, ChannelKey, InviteLink, JoinRequest, List, ListChange, LogKind, MemberChange,
    MemberRole, MembersChanged,
};
use crate::id::{ChannelNum, UserNum, UserRef};
use crate::refusal::Refusal;

/// Of so many who come or go at once each is named to the others; of more only their number.
const NAMED: usize = 100;

/// A change of a channel. Each but `Group` is the application's own and creates the channel
/// if there is none.
#[derive(Debug, Clone)]
pub enum ChannelVerb {
    /// Changes settings.
    Put(ChannelChange),
    /// Changes members.
    Members {
        /// How.
        changes: Vec<MemberChange>,
        /// Whether it is told. A part of something larger is told with that.
        told: bool,
    },
    /// Tells of members who were changed before.
    Tell(Moved),
    /// Removes all members but these.
    KeepOnly(Vec<UserRef>),
    /// Changes an access list.
    List(List, ListChange, Vec<UserNum>),
    /// What an operator does, as far as it may.
    Group(Operator, Box<GroupVerb>),
}

/// What a change has led to.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// How many members the channel has now.
    pub members: u32,
    /// Those who were no members and are now.
    pub joined: Vec<UserRef>,
    /// Those who were members and are none any more.
    pub left: Vec<UserRef>,
    /// Requests and invitations that were made or answered.
    pub requests: Vec<JoinRequest>,
    /// Those who moderate the channel, where there are requests of which they are told.
    pub moderators: Vec<UserRef>,
    /// The link that was made.
    pub link: Option<InviteLink>,
}

/// Who has come, gone or changed.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    /// Who has come; of very many only the first.
    pub joined: Vec<UserRef>,
    /// How many there are.
    pub joined_count: u32,
    /// Who has gone; of very many only the first.
    pub left: Vec<UserRef>,
    /// How many there are.
    pub left_count: u32,
    /// At whose word those have come, if not the operator's.
    pub(super) brought_by: Option<BroughtBy>,
    /// Who is something else now: role, name there, end of the muting.
    pub(super) changed: Vec<(UserRef, Facet)>,
}

/// At whose word somebody has come whom an operator has only let in.
#[derive(Debug, Clone)]
pub(super) enum BroughtBy {
    /// Their own.
    Themselves,
    /// Somebody else's.
    Inviter(UserRef),
}

/// What has changed of a member.
#[derive(Debug, Clone)]
pub(super) enum Facet {
    Role(MemberRole),
    Nick(String),
    MutedUntil(i64),
}

impl Moved {
    /// Adds what another part has led to.
    pub fn add(&mut self, changed: &Changed) {
        extend(&mut self.joined, &changed.joined);
        extend(&mut self.left, &changed.left);
        self.joined_count = self.joined_count.saturating_add(count(&changed.joined));
        self.left_count = self.left_count.saturating_add(count(&changed.left));
    }
}

fn count(users: &[UserRef]) -> u32 {
    u32::try_from(users.len()).unwrap_or(u32::MAX)
}

fn extend(named: &mut Vec<UserRef>, users: &[UserRef]) {
    let room = NAMED.saturating_sub(named.len());
    named.extend(users.iter().take(room).cloned());
}

/// The uids of those who are named.
pub(super) fn named(users: &[UserRef]) -> Vec<String> {
    let named = users.iter().take(NAMED);
    named.map(|user| user.uid.as_str().to_owned()).collect()
}

impl Lane {
    /// Makes a change durable, then effective.
    pub(super) async fn change(
        &mut self,
        key: &ChannelKey,
        verb: ChannelVerb,
    ) -> Result<Changed, Refusal> {
        let by = Operator::Application;
        let verb = match verb {
            ChannelVerb::Group(by, verb) => return self.group(key, by, *verb).await,
            verb => verb,
        };
        let num = self.make(key).await?;
        let mut changed = Changed::default();
        match verb {
            ChannelVerb::Put(change) => {
                changed.requests = self.put_settings(key, &change, &by).await?;
            }
            ChannelVerb::List(list, change, users) => {
                self.put_list(key, num, list, change, users).await?;
            }
            ChannelVerb::Members { changes, told } => {
                self.has_places(key, &changes).await?;
                changed = self
                    .put_members(key, num, changes, told.then_some(&by))
                    .await?;
            }
            ChannelVerb::Tell(moved) => self.tell_moved(key, &by, &moved).await,
            ChannelVerb::KeepOnly(keep) => {
                let leaving = self.all_but(num, &keep).await?;
                changed = self.put_members(key, num, leaving, Some(&by)).await?;
            }
            ChannelVerb::Group(..) => return Err(Refusal::Internal),
        }
        changed.members = self.member_count(key).await?;
        Ok(changed)
    }

    /// The number of the channel's chat log; the channel is made if there is none.
    async fn make(&mut self, key: &ChannelKey) -> Result<ChannelNum, Refusal> {
        let parts = Arc::clone(&self.parts);
        let state = self.state(key).await?;
        if let Some(chat) = &state.chat {
            return Ok(chat.num);
        }
        may_be_named(key, &Operator::Application)?;
        let chat = parts.channels.open(key, LogKind::Chat, true).await?;
        let num = chat.as_ref().ok_or(Refusal::Internal)?.num;
        let birth = ChannelChange {
            created_at_ms: Some(parts.clock.now_ms()),
            ..ChannelChange::default()
        };
        let record = parts.channels.put(key, &birth).await?;
        let state = self.state(key).await?;
        state.chat = chat;
        state.settings = record.settings;
        let change = self.created(key, &Operator::Application).await?;
        self.tell_channel(key, &Operator::Application, vec![change])
            .await;
        Ok(num)
    }

    /// That the channel was made.
    pub(super) async fn created(
        &mut self,
        key: &ChannelKey,
        by: &Operator,
    ) -> Result<Change, Refusal> {
        Ok(Change::ChannelCreated {
            by: by.user().map(|user| user.uid.as_str().to_owned()),
            channel: self.view(key, Vec::new()).await?,
            at_ms: self.parts.clock.now_ms(),
        })
    }

    /// How many members a channel has.
    pub(super) async fn member_count(&mut self, key: &ChannelKey) -> Result<u32, Refusal> {
        let state = self.state(key).await?;
        Ok(u32::try_from(state.members.len()).unwrap_or(u32::MAX))
    }

    /// What the channel is to those who belong to it.
    async fn view(
        &mut self,
        key: &ChannelKey,
        changed: Vec<String>,
    ) -> Result<ChannelView, Refusal> {
        let parts = Arc::clone(&self.parts);
        let members = self.member_count(key).await?;
        let state = self.state(key).await?;
        let mut everybody = state.members.iter();
        let owner = everybody.find(|(_, member)| member.role == MemberRole::Owner);
        let owner = owner.map(|(num, _)| *num);
        let settings = state.settings.clone();
        let owner = match owner {
            Some(num) => parts.users.state(num).await?.record.user.uid.to_string(),
            None => String::new(),
        };
        Ok(ChannelView::of(key, &settings, &owner, members, changed))
    }

    /// Changes settings, and tells of it. What waited to be let in ends with the channel and is
    /// returned.
    pub(super) async fn put_settings(
        &mut self,
        key: &ChannelKey,
        change: &ChannelChange,
        by: &Operator,
    ) -> Result<Vec<JoinRequest>, Refusal> {
        let after = self.parts.channels.put(key, change).await?.settings;
        let state = self.state(key).await?;
        let before = std::mem::replace(&mut state.settings, after.clone());
        let at_ms = self.parts.clock.now_ms();
        let by_uid = by.user().map(|user| user.uid.as_str().to_owned());
        let mut ended = Vec::new();
        let change = if after.disband && !before.disband {
            if let Some(num) = self.state(key).await?.chat.as_ref().map(|chat| chat.num) {
                let by = by.user().map(|user| user.num);
                ended = self.parts.joining.end_requests(num, by, at_ms).await?;
            }
            Change::ChannelDissolved { by: by_uid, at_ms }
        } else {
            let changed = differences(&before, &after);
            if changed.is_empty() {
                return Ok(ended);
            }
            Change::ChannelUpdated {
                by: by_uid,
                channel: self.view(key, changed).await?,
                at_ms,
            }
        };
        self.tell_channel(key, by, vec![change]).await;
        Ok(ended)
    }

    /// Changes an access list.
    pub(super) async fn put_list(
        &mut self,
        key: &ChannelKey,
        num: ChannelNum,
        list: List,
        change: ListChange,
        users: Vec<UserNum>,
    ) -> Result<(), Refusal> {
        let channels = &self.parts.channels;
        channels.change_list(num, list, change, &users).await?;
        let kept = self.state(key).await?.list(list);
        match change {
            ListChange::Add => kept.extend(users),
            ListChange::Remove => users.iter().for_each(|user| {
                kept.remove(user);
            }),
            ListChange::Set => *kept = users.into_iter().collect(),
        }
        Ok(())
    }

    /// Changes members; tells of it if somebody is named who did it.
    pub(super) async fn put_members(
        &mut self,
        key: &ChannelKey,
        num: ChannelNum,
        changes: Vec<MemberChange>,
        by: Option<&Operator>,
    ) -> Result<Changed, Refusal> {
        self.put_members_for(key, num, changes, by, None).await
    }

    /// As [`put_members`](Self::put_members), for whoever has brought in those who come.
    pub(super) async fn put_members_for(
        &mut self,
        key: &ChannelKey,
        num: ChannelNum,
        changes: Vec<MemberChange>,
        by: Option<&Operator>,
        brought_by: Option<BroughtBy>,
    ) -> Result<Changed, Refusal> {
        let stored = self.parts.channels.change_members(num, &changes).await?;
        let (changed, facets) = self.made_effective(key, changes, stored).await?;
        if let Some(by) = by {
            let mut moved = Moved {
                changed: facets,
                brought_by,
                ..Moved::default()
            };
            moved.add(&changed);
            self.tell_moved(key, by, &moved).await;
        }
        Ok(changed)
    }

    /// Makes changes of members effective that the store has made.
    pub(super) async fn made_effective(
        &mut self,
        key: &ChannelKey,
        changes: Vec<MemberChange>,
        stored: MembersChanged,
    ) -> Result<(Changed, Vec<(UserRef, Facet)>), Refusal> {
        let joined = stored.joined.iter();
        let joined = joined.map(|m| (m.user.clone(), MemberEntry::from(m)));
        self.apply_members(key, changes, joined.collect()).await
    }

    /// That all members leave but these.
    async fn all_but(
        &mut self,
        num: ChannelNum,
        keep: &[UserRef],
    ) -> Result<Vec<MemberChange>, Refusal> {
        let keep: FxHashSet<UserNum> = keep.iter().map(|user| user.num).collect();
        let mut leaving = Vec::new();
        let mut after = None;
        loop {
            let page = self.parts.channels.members(num, after, 1000).await?;
            after = page.last().map(|member| member.user.num);
            let more = page.len() == 1000;
            let gone = page
                .into_iter()
                .filter(|member| !keep.contains(&member.user.num));
            leaving.extend(gone.map(|member| MemberChange::Leave(member.user)));
            if !more {
                return Ok(leaving);
            }
        }
    }

    /// Makes changes of members effective that are durable. Returns who came and went, and
    /// what else has changed.
    async fn apply_members(
        &mut self,
        key: &ChannelKey,
        changes: Vec<MemberChange>,
        joined: Vec<(UserRef, MemberEntry)>,
    ) -> Result<(Changed, Vec<(UserRef, Facet)>), Refusal> {
        let mut changed = Changed::default();
        let mut facets = Vec::new();
        for change in changes {
            match change {
                MemberChange::Leave(user) => {
                    if let Some(state) = self.channels.get_mut(key)
                        && state.members.remove(&user.num).is_some()
                    {
                        changed.left.push(user.clone());
                    }
                    self.drop_online(key, user.num);
                }
                MemberChange::Mute(user, until_ms) => {
                    let entry = self.channels.get_mut(key);
                    if let Some(entry) = entry.and_then(|state| state.members.get_mut(&user.num)) {
                        entry.muted_until_ms = until_ms;
                        facets.push((user, Facet::MutedUntil(until_ms)));
                    }
                }
                MemberChange::Nick(user, nick) => {
                    let state = self.channels.get(key);
                    if state.is_some_and(|state| state.members.contains_key(&user.num)) {
                        facets.push((user, Facet::Nick(nick)));
                    }
                }
                MemberChange::Enter(_) | MemberChange::Join(..) => {}
            }
        }
        let parts = Arc::clone(&self.parts);
        let Some(state) = self.channels.get_mut(key) else {
            return Ok((changed, facets));
        };
        let mut entered = Vec::new();
        let mut demoted = Vec::new();
        for (user, entry) in joined {
            if entry.role == MemberRole::Owner {
                // There is one owner: who was it before is an administrator now.
                let owners = state.members.iter_mut();
                let owners =
                    owners.filter(|(num, m)| m.role == MemberRole::Owner && **num != user.num);
                owners.for_each(|(num, member)| {
                    member.role = MemberRole::Administrator;
                    demoted.push(*num);
                });
            }
            let (num, role) = (user.num, entry.role);
            match state.members.insert(num, entry) {
                Some(before) if before.role != role => facets.push((user, Facet::Role(role))),
                Some(_) => {}
                None => {
                    if role != MemberRole::Member {
                        facets.push((user.clone(), Facet::Role(role)));
                    }
                    changed.joined.push(user);
                }
            }
            Self::enter_online(state, num, &parts.hub, &mut entered);
        }
        for session in entered {
            self.sessions.entry(session).or_default().push(key.clone());
        }
        for num in demoted {
            let user = parts.users.state(num).await?.record.user.clone();
            facets.push((user, Facet::Role(MemberRole::Administrator)));
        }
        Ok((changed, facets))
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

//! What users, and the application in their name or its own, do with a channel that has
//! members: judged by the table of rights (`channel::rights`), made durable, told. It runs in
//! the channel's lane, so that of two who act at once the second meets what the first has
//! left: an administrator who has just been removed removes nobody.

mod joining;
mod links;
mod members;

use rustc_hash::FxHashSet;

use super::alter::Operator;
use super::change::Changed;
use super::lane::Lane;
use crate::channel::{
    ChannelChange, ChannelKey, ChannelSettings, List, ListChange, MemberChange, MemberRole,
    RequestId, Right, Standing, may, settings,
};
use crate::id::{ChannelNum, UserNum, UserRef, is_reserved};
use crate::refusal::Refusal;

/// How many users whom users have banned a channel keeps.
const MAX_BANNED: usize = 10_000;

/// What is done.
#[derive(Debug, Clone)]
pub enum GroupVerb {
    /// Makes the channel. Refused if it is there.
    Create {
        /// What it is.
        change: Box<ChannelChange>,
        /// Who owns it.
        owner: Option<UserRef>,
        /// Who else belongs to it.
        members: Vec<UserRef>,
    },
    /// Changes settings.
    Update(Box<ChannelChange>),
    /// Dissolves it for good.
    Dissolve,
    /// Adds users. Where users ask before they join, so do those whom ordinary members add.
    Add(Vec<UserRef>, String),
    /// Invites users, who join once they accept.
    Invite(Vec<UserRef>, String),
    /// Removes members.
    Remove(Vec<UserRef>),
    /// Leaves.
    Leave,
    /// Makes a member an administrator or an ordinary member.
    Role(UserRef, MemberRole),
    /// Changes what a member is called there; empty = nothing of their own.
    Nick(UserRef, String),
    /// Mutes a member until then, ms since 1970; 0 = not any more, `i64::MAX` = for good.
    Mute(UserRef, i64),
    /// Makes a member the owner. The former owner is an administrator then, or an ordinary
    /// member if there are as many of those as there may be.
    Transfer(UserRef),
    /// Removes users and keeps them out.
    Ban(Vec<UserRef>),
    /// Lets users in again who were kept out.
    Unban(Vec<UserRef>),
    /// Joins, or asks to.
    Join {
        /// What is said with it.
        message: String,
        /// The link that leads there.
        link: Option<String>,
    },
    /// Answers a request or an invitation.
    Decide(RequestId, Decision),
    /// Makes a link by which users join.
    AddLink {
        /// How often it may be used; 0 = as often as one likes.
        max_uses: u32,
        /// Until when, ms since 1970; 0 = always.
        expires_at_ms: i64,
    },
    /// Takes a link away.
    RemoveLink(String),
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The user joins.
    Accept,
    /// The user does not.
    Reject,
    /// Whoever asked or invited takes it back.
    Cancel,
}

/// Who acts where.
pub(super) struct Scene<'a> {
    key: &'a ChannelKey,
    num: ChannelNum,
    by: &'a Operator,
    standing: Standing,
    settings: ChannelSettings,
}

impl Scene<'_> {
    /// Refuses what the table of rights does not allow.
    fn require(&self, right: Right) -> Result<(), Refusal> {
        if may(self.standing, right, &self.settings) {
            Ok(())
        } else if self.standing == Standing::Stranger {
            Err(Refusal::NotAMember)
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// The user who acts.
    fn user(&self) -> Result<&UserRef, Refusal> {
        self.by.user().ok_or(Refusal::InvalidArgument)
    }

    fn is_application(&self) -> bool {
        self.standing == Standing::Application
    }
}

impl Lane {
    /// Does it, if the operator may.
    pub(super) async fn group(
        &mut self,
        key: &ChannelKey,
        by: Operator,
        verb: GroupVerb,
    ) -> Result<Changed, Refusal> {
        let mut is_over = false;
        let mut changed = if let GroupVerb::Create {
            change,
            owner,
            members,
        } = verb
        {
            self.create(key, &by, &change, owner, members).await?
        } else {
            let scene = self.scene(key, &by).await?;
            if scene.settings.disband {
                is_still_possible(&scene, &verb)?;
            }
            is_over = matches!(verb, GroupVerb::Dissolve);
            self.act(&scene, verb).await?
        };
        changed.members = self.member_count(key).await?;
        // Those who moderate have nothing to decide any more.
        if !changed.requests.is_empty() && !is_over {
            changed.moderators = self.moderators(key).await?;
        }
        Ok(changed)
    }

    async fn act(&mut self, scene: &Scene<'_>, verb: GroupVerb) -> Result<Changed, Refusal> {
        match verb {
            GroupVerb::Create { .. } => Err(Refusal::Internal),
            GroupVerb::Update(change) => self.update(scene, *change).await,
            GroupVerb::Dissolve => self.dissolve(scene).await,
            GroupVerb::Add(users, message) => self.add(scene, users, message).await,
            GroupVerb::Invite(users, message) => self.invite(scene, users, message).await,
            GroupVerb::Remove(users) => self.remove(scene, users).await,
            GroupVerb::Leave => self.leave(scene).await,
            GroupVerb::Role(user, role) => self.set_role(scene, user, role).await,
            GroupVerb::Nick(user, nick) => self.set_nick(scene, user, nick).await,
            GroupVerb::Mute(user, until_ms) => self.mute(scene, user, until_ms).await,
            GroupVerb::Transfer(user) => self.transfer(scene, user).await,
            GroupVerb::Ban(users) => self.ban(scene, users).await,
            GroupVerb::Unban(users) => self.unban(scene, &users).await,
            GroupVerb::Join { message, link } => self.join(scene, message, link).await,
            GroupVerb::Decide(request, decision) => self.decide(scene, request, decision).await,
            GroupVerb::AddLink {
                max_uses,
                expires_at_ms,
            } => self.add_link(scene, max_uses, expires_at_ms).await,
            GroupVerb::RemoveLink(token) => self.remove_link(scene, &token).await,
        }
    }

    async fn scene<'a>(
        &mut self,
        key: &'a ChannelKey,
        by: &'a Operator,
    ) -> Result<Scene<'a>, Refusal> {
        let state = self.state(key).await?;
        let chat = state.chat.as_ref().ok_or(Refusal::NoSuchChannel)?;
        let standing = match by.user() {
            None => Standing::Application,
            Some(user) => state
                .members
                .get(&user.num)
                .map_or(Standing::Stranger, |member| Standing::Member(member.role)),
        };
        Ok(Scene {
            key,
            num: chat.num,
            by,
            standing,
            settings: state.settings.clone(),
        })
    }

    async fn create(
        &mut self,
        key: &ChannelKey,
        by: &Operator,
        change: &ChannelChange,
        owner: Option<UserRef>,
        members: Vec<UserRef>,
    ) -> Result<Changed, Refusal> {
        let clock = std::sync::Arc::clone(&self.parts.clock);
        if self.state(key).await?.chat.is_some() {
            return Err(Refusal::AlreadyExists);
        }
        may_be_named(key, by)?;
        if by.user().is_some() && change.is_for_the_application() {
            return Err(Refusal::Forbidden);
        }
        self.let_be_brought(key, by, &members).await?;
        let limit = change.max_members.filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(settings::MAX_MEMBERS);
        if members.len() + usize::from(owner.is_some()) > limit as usize {
            return Err(Refusal::TooMany);
        }
        let now_ms = clock.now_ms();
        let mut birth = ChannelChange {
            created_at_ms: Some(now_ms),
            ..change.clone()
        };
        sign(&mut birth, by, now_ms);
        let mut changes: Vec<_> = members.into_iter().map(MemberChange::Enter).collect();
        changes.extend(owner.map(|owner| MemberChange::Join(owner, MemberRole::Owner)));
        // At once: one without its owner would be nobody's, and in the way of the next try.
        let made = self.parts.channels.create(key, &birth, &changes).await?;
        let (record, stored) = made.ok_or(Refusal::AlreadyExists)?;
        let state = self.state(key).await?;
        state.chat = Some(record.channel);
        state.settings = record.settings;
        let (changed, _) = self.made_effective(key, changes, stored).await?;
        // Those who belong to it are told that it is there, and then who came.
        let created = self.created(key, by).await?;
        self.tell_channel(key, by, vec![created]).await;
        let mut moved = super::change::Moved::default();
        moved.add(&changed);
        self.tell_moved(key, by, &moved).await;
        Ok(changed)
    }

    async fn update(
        &mut self,
        scene: &Scene<'_>,
        mut change: ChannelChange,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::See)?;
        if change.is_edit() {
            scene.require(Right::Edit)?;
        }
        if change.is_management() {
            scene.require(Right::Manage)?;
        }
        if change.is_for_the_application() {
            scene.require(Right::Flag)?;
        }
        change.created_at_ms = None;
        sign(&mut change, scene.by, self.parts.clock.now_ms());
        let requests = self.put_settings(scene.key, &change, scene.by).await?;
        Ok(Changed {
            requests,
            ..Changed::default()
        })
    }

    async fn dissolve(&mut self, scene: &Scene<'_>) -> Result<Changed, Refusal> {
        scene.require(Right::Dissolve)?;
        let change = ChannelChange {
            disband: Some(true),
            ..ChannelChange::default()
        };
        let requests = self.put_settings(scene.key, &change, scene.by).await?;
        Ok(Changed {
            requests,
            ..Changed::default()
        })
    }

    async fn ban(&mut self, scene: &Scene<'_>, users: Vec<UserRef>) -> Result<Changed, Refusal> {
        scene.require(Right::Ban)?;
        let state = self.state(scene.key).await?;
        let mut leaving = Vec::new();
        for user in &users {
            if let Some(member) = state.members.get(&user.num) {
                scene.require(Right::ActOn(member.role))?;
                leaving.push(MemberChange::Leave(user.clone()));
            }
        }
        if !scene.is_application() && state.denied.len() + users.len() > MAX_BANNED {
            return Err(Refusal::TooMany);
        }
        // First: who is out and not yet kept out would come in again.
        let nums = users.iter().map(|user| user.num).collect();
        self.put_list(scene.key, scene.num, List::Deny, ListChange::Add, nums)
            .await?;
        if leaving.is_empty() {
            return Ok(Changed::default());
        }
        self.put_members(scene.key, scene.num, leaving, Some(scene.by))
            .await
    }

    async fn unban(&mut self, scene: &Scene<'_>, users: &[UserRef]) -> Result<Changed, Refusal> {
        scene.require(Right::Ban)?;
        let nums: Vec<UserNum> = users.iter().map(|user| user.num).collect();
        self.put_list(scene.key, scene.num, List::Deny, ListChange::Remove, nums)
            .await?;
        Ok(Changed::default())
    }

    /// Owner and administrators.
    async fn moderators(&mut self, key: &ChannelKey) -> Result<Vec<UserRef>, Refusal> {
        let state = self.state(key).await?;
        let members = state.members.iter();
        let nums: Vec<UserNum> = members
            .filter(|(_, member)| member.role > MemberRole::Member)
            .map(|(num, _)| *num)
            .collect();
        let mut moderators = Vec::with_capacity(nums.len());
        for num in nums {
            let state = self.parts.users.state(num).await?;
            moderators.push(state.record.user.clone());
        }
        Ok(moderators)
    }

    /// Whether all that changes bring may belong to the channel, whatever its own limit is: to
    /// one that is dissolved nobody comes.
    pub(in crate::deliver) async fn has_places(
        &mut self,
        key: &ChannelKey,
        changes: &[MemberChange],
    ) -> Result<(), Refusal> {
        let state = self.state(key).await?;
        let (members, is_disbanded) = (&state.members, state.settings.disband);
        let (mut coming, mut going) = (FxHashSet::default(), FxHashSet::default());
        for change in changes {
            match change {
                MemberChange::Enter(user) | MemberChange::Join(user, _) => {
                    if !members.contains_key(&user.num) {
                        coming.insert(user.num);
                    }
                }
                MemberChange::Leave(user) => {
                    if members.contains_key(&user.num) {
                        going.insert(user.num);
                    }
                }
                MemberChange::Nick(..) | MemberChange::Mute(..) => {}
            }
        }
        let there = (members.len() + coming.len()).saturating_sub(going.len());
        if !coming.is_empty() && is_disbanded {
            return Err(Refusal::ChannelDisbanded);
        }
        if coming.is_empty() || there <= settings::MAX_MEMBERS as usize {
            Ok(())
        } else {
            Err(Refusal::TooMany)
        }
    }

    /// Whether so many more may belong to the channel.
    async fn has_room(&mut self, scene: &Scene<'_>, more: usize) -> Result<(), Refusal> {
        let there = self.state(scene.key).await?.members.len();
        let limit = match scene.settings.max_members {
            0 => settings::MAX_MEMBERS,
            limit => limit,
        };
        if there + more > limit as usize {
            return Err(Refusal::TooMany);
        }
        Ok(())
    }
}

/// Refuses what nobody does with a channel that is dissolved. One leaves it still, and the
/// application changes it. Who would join, or answers a request, is told by that.
fn is_still_possible(scene: &Scene<'_>, verb: &GroupVerb) -> Result<(), Refusal> {
    match verb {
        GroupVerb::Leave | GroupVerb::Join { .. } | GroupVerb::Decide(..) => Ok(()),
        GroupVerb::Add(..) | GroupVerb::Invite(..) if scene.is_application() => {
            Err(Refusal::ChannelDisbanded)
        }
        _ if scene.is_application() => Ok(()),
        // Who has nothing to do with it is not told what has become of it.
        _ => {
            scene.require(Right::See)?;
            Err(Refusal::ChannelDisbanded)
        }
    }
}

/// Refuses a name that no channel is made with, and to users one that would pass for a user.
pub(in crate::deliver) fn may_be_named(key: &ChannelKey, by: &Operator) -> Result<(), Refusal> {
    let is_taken = is_reserved(&key.id) || (by.user().is_some() && key.looks_like_a_user());
    if is_taken {
        return Err(Refusal::InvalidChannelId);
    }
    Ok(())
}

/// Says who has written an announcement, and when.
fn sign(change: &mut ChannelChange, by: &Operator, now_ms: i64) {
    if let Some(announcement) = &mut change.announcement {
        let by = by.user().map(|user| user.uid.as_str().to_owned());
        announcement.by = by.unwrap_or_default();
        announcement.at_ms = now_ms;
    }
}

//! Channels with members, as users and the application act on them: who belongs, who may
//! what, who wants in.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Im;
use super::reading::Tells;
use crate::change::Change;
use crate::channel::{
    ChannelKey, ChannelKind, ChannelRecord, ChannelRef, InviteLink, JoinRequest, Member,
    MemberQuery, MemberRole, MemberRow, RequestId, Right, Standing, may,
};
use crate::deliver::{Changed, ChannelVerb, GroupVerb, Job, Operator};
use crate::id::{Uid, UserRef};
use crate::refusal::Refusal;
use crate::send::strangers::lets_into_groups;

/// Kinds that users make and manage by themselves.
const OF_USERS: [ChannelKind; 2] = [ChannelKind::GROUP, ChannelKind::COMMUNITY];
/// The most rows that one question gives.
const MAX_ROWS: u32 = 1000;

impl Im {
    /// Does something with a channel, as far as the operator may
    /// ([`rights`](crate::channel::rights)). Durable when it returns, and done to its end
    /// though the caller goes away; all whom it concerns are told.
    ///
    /// # Errors
    /// `NotAMember` or `Forbidden` for one who may not, `NoSuchChannel`, `AlreadyExists` and
    /// `InvalidChannelId` (when it is to be made), `ChannelDisbanded`, `NotFound` (a member or
    /// link), `NoSuchRequest`, `WrongState`, `TooMany`, `Blocked`, `RateLimited` (what users do
    /// counts like a send), `UnsupportedChannelKind`, or when the store fails.
    pub async fn group(
        &self,
        key: &ChannelKey,
        by: Operator,
        verb: GroupVerb,
    ) -> Result<Changed, Refusal> {
        if key.kind == ChannelKind::DIRECT {
            return Err(Refusal::UnsupportedChannelKind);
        }
        if let Operator::User(user) = &by {
            if matches!(verb, GroupVerb::Create { .. }) && !OF_USERS.contains(&key.kind) {
                return Err(Refusal::Forbidden);
            }
            if !self.budgets.of(user.num).take() {
                return Err(Refusal::RateLimited);
            }
        }
        let verb = ChannelVerb::Group(by.clone(), Box::new(verb));
        let verb = self.seemly_verb(&key.realm, verb)?;
        let (lanes, tells, key) = (Arc::clone(&self.lanes), self.tells(), key.clone());
        let system = self.user_ref(&key.realm, &Uid::system()).await?;
        self.to_the_end(async move {
            let (done, waiting) = oneshot::channel();
            let job = Job::Change(key.clone(), verb, done);
            let put = lanes.put(&key, job).await;
            put.map_err(|_| Refusal::Unavailable)?;
            let changed = waiting.await.unwrap_or(Err(Refusal::Unavailable))?;
            if key.kind.has_conversations() {
                tells.left(&key, &changed.left, by.user()).await;
            }
            let teller = by.user().unwrap_or(&system);
            for request in &changed.requests {
                tells
                    .join_request(request, &changed.moderators, teller)
                    .await;
            }
            Ok(changed)
        })
        .await
    }

    /// Of some users those who do not let somebody bring them into a channel, and do not belong
    /// to it yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unwilling(
        &self,
        key: &ChannelKey,
        by: &UserRef,
        users: &[UserRef],
    ) -> Result<Vec<UserRef>, Refusal> {
        let friends_only = self.policy.friends_only.holds_in(&key.realm);
        let channel = self.stores.channels.record(key).await?;
        let mut unwilling = Vec::new();
        for user in users.iter().filter(|user| *user != by) {
            let state = self.parts.users.state(user.num).await?;
            if lets_into_groups(&state, by.num, friends_only).is_ok() {
                continue;
            }
            let member = match &channel {
                Some(record) => {
                    let num = record.channel.num;
                    self.stores.channels.member(num, user.num).await?
                }
                None => None,
            };
            if member.is_none() {
                unwilling.push(user.clone());
            }
        }
        Ok(unwilling)
    }

    /// A channel, and what an operator is to it.
    ///
    /// # Errors
    /// `NoSuchChannel`, or when the store fails.
    pub async fn standing(
        &self,
        key: &ChannelKey,
        by: &Operator,
    ) -> Result<(ChannelRecord, Standing), Refusal> {
        let record = self.channel(key).await?;
        let standing = match by.user() {
            None => Standing::Application,
            Some(user) => self
                .stores
                .channels
                .member(record.channel.num, user.num)
                .await?
                .map_or(Standing::Stranger, |member| Standing::Member(member.role)),
        };
        Ok((record, standing))
    }

    /// A channel in which an operator may do something.
    ///
    /// # Errors
    /// `NotAMember` or `Forbidden` for one who may not, `NoSuchChannel`, or when the store
    /// fails.
    pub async fn require(
        &self,
        key: &ChannelKey,
        by: &Operator,
        right: Right,
    ) -> Result<ChannelRecord, Refusal> {
        let (record, standing) = self.standing(key, by).await?;
        if may(standing, right, &record.settings) {
            Ok(record)
        } else if standing == Standing::Stranger {
            Err(Refusal::NotAMember)
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// A member of a channel.
    ///
    /// # Errors
    /// `NoSuchChannel`, `NotFound`, or when the store fails.
    pub async fn member(&self, key: &ChannelKey, user: &UserRef) -> Result<Member, Refusal> {
        let channel = self.channel(key).await?.channel;
        let found = self.stores.channels.member(channel.num, user.num).await?;
        found.ok_or(Refusal::NotFound)
    }

    /// Members and former members of a channel that changed after a version, ascending; at
    /// most `limit` but for those of one version.
    ///
    /// # Errors
    /// `NoSuchChannel`, or when the store fails.
    pub async fn members_since(
        &self,
        key: &ChannelKey,
        after_version: i64,
        limit: u32,
    ) -> Result<Vec<MemberRow>, Refusal> {
        let channel = self.channel(key).await?.channel;
        let limit = limit.clamp(1, MAX_ROWS);
        let rows = self
            .stores
            .channels
            .members_since(channel.num, after_version, limit);
        Ok(rows.await?)
    }

    /// The owner of a channel, if it has one.
    ///
    /// # Errors
    /// `NoSuchChannel`, or when the store fails.
    pub async fn owner(&self, key: &ChannelKey) -> Result<Option<UserRef>, Refusal> {
        let query = MemberQuery {
            at_least: MemberRole::Owner,
            limit: 1,
            ..MemberQuery::default()
        };
        let found = self.find_members(key, &query).await?;
        Ok(found.into_iter().next().map(|member| member.user))
    }

    /// The channels to which a user belongs, in the order in which they were made. Direct ones
    /// are not among them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn channels_of(&self, user: &UserRef) -> Result<Vec<Arc<ChannelRef>>, Refusal> {
        Ok(self.stores.channels.of_user(user.num).await?)
    }

    /// Requests to join a channel and invitations to it below an id, newest first.
    ///
    /// # Errors
    /// As `require`; only those who decide see them.
    pub async fn join_requests(
        &self,
        key: &ChannelKey,
        by: &Operator,
        before: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<JoinRequest>, Refusal> {
        let channel = self.require(key, by, Right::Decide).await?.channel;
        let joining = &self.stores.joining;
        Ok(joining
            .requests_of_channel(channel.num, before, limit.min(MAX_ROWS))
            .await?)
    }

    /// What a user has asked to join and is invited to, below an id, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn join_requests_of(
        &self,
        user: &UserRef,
        before: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<JoinRequest>, Refusal> {
        let joining = &self.stores.joining;
        Ok(joining
            .requests_of_user(user.num, before, limit.min(MAX_ROWS))
            .await?)
    }

    /// The links that lead to a channel, newest first. Ordinary members see those that they
    /// have made: another's may be worth more than theirs.
    ///
    /// # Errors
    /// As `require`; only those who may invite see any.
    pub async fn invite_links(
        &self,
        key: &ChannelKey,
        by: &Operator,
    ) -> Result<Vec<InviteLink>, Refusal> {
        let (_, standing) = self.standing(key, by).await?;
        let channel = self.require(key, by, Right::Invite).await?.channel;
        let mut links = self.stores.joining.links(channel.num).await?;
        if !standing.moderates() {
            links.retain(|link| link.by.as_ref() == by.user());
        }
        Ok(links)
    }

    /// Where a link leads, if it may be used now.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn invite_link(&self, token: &str) -> Result<InviteLink, Refusal> {
        let now_ms = self.parts.clock.now_ms();
        let link = self.stores.joining.link(token).await?;
        link.filter(|link| link.is_good(now_ms))
            .ok_or(Refusal::NotFound)
    }
}

impl Tells {
    /// Tells of a request all whom it concerns: who would join, who invites, and those who
    /// moderate if they decide.
    pub(super) async fn join_request(
        &self,
        request: &JoinRequest,
        moderators: &[UserRef],
        teller: &UserRef,
    ) {
        let at_ms = self.now_ms();
        let change = Change::JoinRequest {
            request: request.view(at_ms),
            at_ms,
        };
        let mut concerned = vec![&request.user];
        concerned.extend(&request.inviter);
        if request.decider == crate::channel::Decider::Moderators {
            concerned.extend(moderators);
        }
        concerned.sort_by_key(|user| user.num);
        concerned.dedup();
        for user in concerned {
            let own = ChannelKey::direct(&request.channel.key.realm, &user.uid, &user.uid);
            self.tell(&own, teller, &change).await;
        }
    }
}

//! Ways in: users are added or invited, join, ask to join, and are answered.

use std::sync::Arc;

use super::{Decision, Scene};
use crate::channel::joining::{MAX_ASKED, REQUEST_LIFE_MS};
use crate::channel::{
    ChannelKey, Decider, JoinMode, JoinRequest, JoinStatus, MemberChange, RequestId, Right,
    Standing, may,
};
use crate::deliver::alter::Operator;
use crate::deliver::change::{BroughtBy, Changed};
use crate::deliver::lane::Lane;
use crate::id::UserRef;
use crate::refusal::Refusal;
use crate::send::strangers::lets_into_groups;

impl Lane {
    pub(super) async fn add(
        &mut self,
        scene: &Scene<'_>,
        users: Vec<UserRef>,
        message: String,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::Invite)?;
        let users = self.outsiders(scene, users).await?;
        self.has_room(scene, users.len()).await?;
        if scene.settings.join_mode == JoinMode::Approval && !scene.standing.moderates() {
            return self
                .ask_for(scene, users, Decider::Moderators, &message)
                .await;
        }
        self.enter(scene, users, None).await
    }

    pub(super) async fn invite(
        &mut self,
        scene: &Scene<'_>,
        users: Vec<UserRef>,
        message: String,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::Invite)?;
        let users = self.outsiders(scene, users).await?;
        self.has_room(scene, users.len()).await?;
        self.ask_for(scene, users, Decider::User, &message).await
    }

    /// Of some users those who do not belong to the channel. Those who are kept out come in by
    /// nobody's word but the application's.
    async fn outsiders(
        &mut self,
        scene: &Scene<'_>,
        users: Vec<UserRef>,
    ) -> Result<Vec<UserRef>, Refusal> {
        let is_application = scene.is_application();
        let state = self.state(scene.key).await?;
        let users = users.into_iter();
        let users: Vec<_> = users
            .filter(|user| !state.members.contains_key(&user.num))
            .collect();
        let kept_out = users.iter().any(|user| state.denied.contains(&user.num));
        if kept_out && !is_application {
            return Err(Refusal::Blocked);
        }
        self.let_be_brought(scene.key, scene.by, &users).await?;
        Ok(users)
    }

    /// Refuses who brings in users that do not let them. The application may bring in anybody.
    pub(super) async fn let_be_brought(
        &mut self,
        key: &ChannelKey,
        by: &Operator,
        users: &[UserRef],
    ) -> Result<(), Refusal> {
        let Some(by) = by.user() else {
            return Ok(());
        };
        let friends_only = self.parts.friends_only.holds_in(&key.realm);
        for user in users.iter().filter(|user| *user != by) {
            let user = self.parts.users.state(user.num).await?;
            lets_into_groups(&user, by.num, friends_only)?;
        }
        Ok(())
    }

    /// Makes users members. What they have asked for before is answered with it.
    async fn enter(
        &mut self,
        scene: &Scene<'_>,
        users: Vec<UserRef>,
        brought_by: Option<BroughtBy>,
    ) -> Result<Changed, Refusal> {
        if users.is_empty() {
            return Ok(Changed::default());
        }
        let changes = users.into_iter().map(MemberChange::Enter).collect();
        let mut changed = self
            .put_members_for(scene.key, scene.num, changes, Some(scene.by), brought_by)
            .await?;
        // Where many come at once, what they have asked for ends by itself.
        if let [user] = changed.joined.as_slice() {
            let user = user.clone();
            for decider in [Decider::Moderators, Decider::User] {
                if let Some(request) = self.waiting(scene, &user, decider).await? {
                    let settled = self
                        .settle_request(scene, request, JoinStatus::Accepted)
                        .await?;
                    changed.requests.push(settled);
                }
            }
        }
        Ok(changed)
    }

    pub(super) async fn join(
        &mut self,
        scene: &Scene<'_>,
        message: String,
        link: Option<String>,
    ) -> Result<Changed, Refusal> {
        let user = scene.user()?.clone();
        let settings = &scene.settings;
        if settings.disband || settings.ban {
            return Err(if settings.disband {
                Refusal::ChannelDisbanded
            } else {
                Refusal::ChannelBanned
            });
        }
        if scene.standing != Standing::Stranger {
            return Ok(Changed::default());
        }
        if self.state(scene.key).await?.denied.contains(&user.num) {
            return Err(Refusal::Blocked);
        }
        self.has_room(scene, 1).await?;
        if settings.join_mode != JoinMode::Free
            && let Some(invitation) = self.waiting(scene, &user, Decider::User).await?
            && self.is_worth_something(scene, &invitation).await?
        {
            return self.accept(scene, invitation).await;
        }
        let maker = match &link {
            Some(token) => Some(self.maker_of(scene, token).await?),
            None => None,
        };
        let joins = match (settings.join_mode, maker) {
            (JoinMode::Free, _) | (JoinMode::Invite, Some(_)) => true,
            (JoinMode::Approval, Some(maker)) => maker.moderates(),
            (JoinMode::Approval, None) => false,
            (JoinMode::Invite, None) => return Err(Refusal::Forbidden),
        };
        // Who asks again does not use it again.
        let asks_again = !joins
            && self
                .waiting(scene, &user, Decider::Moderators)
                .await?
                .is_some();
        if let Some(token) = link.as_ref().filter(|_| !asks_again) {
            self.use_link(token).await?;
        }
        if joins {
            return self.enter(scene, vec![user], None).await;
        }
        self.ask_for(scene, vec![user], Decider::Moderators, &message)
            .await
    }

    /// Keeps a request for each of these users.
    async fn ask_for(
        &mut self,
        scene: &Scene<'_>,
        users: Vec<UserRef>,
        decider: Decider,
        message: &str,
    ) -> Result<Changed, Refusal> {
        if users.len() > MAX_ASKED {
            return Err(Refusal::TooMany);
        }
        let parts = Arc::clone(&self.parts);
        let chat = self.state(scene.key).await?.chat.clone();
        let channel = chat.ok_or(Refusal::NoSuchChannel)?;
        let mut changed = Changed::default();
        for user in users {
            let inviter = scene.by.user().filter(|by| **by != user).cloned();
            let request = JoinRequest {
                id: RequestId(parts.ids.next().0),
                channel: Arc::clone(&channel),
                user,
                inviter,
                decider,
                message: message.to_owned(),
                status: JoinStatus::Pending,
                by: None,
                created_at_ms: parts.clock.now_ms(),
                decided_at_ms: 0,
            };
            let kept = parts.joining.keep_request(&request).await?;
            match kept {
                Some(kept) => changed.requests.push(kept),
                // Those before are kept and told of.
                None if changed.requests.is_empty() => return Err(Refusal::TooMany),
                None => break,
            }
        }
        Ok(changed)
    }

    async fn waiting(
        &mut self,
        scene: &Scene<'_>,
        user: &UserRef,
        decider: Decider,
    ) -> Result<Option<JoinRequest>, Refusal> {
        let since_ms = self.parts.clock.now_ms().saturating_sub(REQUEST_LIFE_MS);
        let joining = &self.parts.joining;
        Ok(joining
            .waiting(scene.num, user.num, decider, since_ms)
            .await?)
    }

    pub(super) async fn decide(
        &mut self,
        scene: &Scene<'_>,
        id: RequestId,
        decision: Decision,
    ) -> Result<Changed, Refusal> {
        let request = self.parts.joining.request(id).await?;
        let request = request
            .filter(|request| request.channel.num == scene.num)
            .ok_or(Refusal::NoSuchRequest)?;
        check_decision(scene, &request, decision)?;
        let now_ms = self.parts.clock.now_ms();
        if scene.settings.disband {
            return Err(Refusal::ChannelDisbanded);
        }
        if request.status_at(now_ms) != JoinStatus::Pending {
            return Err(Refusal::WrongState);
        }
        let status = match decision {
            Decision::Accept => return self.accept(scene, request).await,
            Decision::Reject => JoinStatus::Rejected,
            Decision::Cancel => JoinStatus::Cancelled,
        };
        let settled = self.settle_request(scene, request, status).await?;
        Ok(Changed {
            requests: vec![settled],
            ..Changed::default()
        })
    }

    /// Lets in whoever was asked for. An invitation is worth what its author may say: where
    /// those who moderate decide, they still do if it came from an ordinary member.
    async fn accept(
        &mut self,
        scene: &Scene<'_>,
        request: JoinRequest,
    ) -> Result<Changed, Refusal> {
        let user = request.user.clone();
        if self.parts.users.state(user.num).await?.record.flags.erased {
            return Err(Refusal::UserBanned);
        }
        let state = self.state(scene.key).await?;
        if state.denied.contains(&user.num) {
            return Err(Refusal::Blocked);
        }
        if state.members.contains_key(&user.num) {
            let settled = self
                .settle_request(scene, request, JoinStatus::Accepted)
                .await?;
            return Ok(Changed {
                requests: vec![settled],
                ..Changed::default()
            });
        }
        let inviter = self.inviter(scene, &request).await?;
        self.has_room(scene, 1).await?;
        if request.decider == Decider::User {
            if !may(inviter, Right::Invite, &scene.settings) {
                return Err(Refusal::WrongState);
            }
            if scene.settings.join_mode == JoinMode::Approval && !inviter.moderates() {
                let inviter = request.inviter.clone();
                let by = inviter.map_or(Operator::Application, Operator::User);
                let asker = Scene {
                    key: scene.key,
                    num: scene.num,
                    by: &by,
                    standing: scene.standing,
                    settings: scene.settings.clone(),
                };
                // The request first: if a crash comes between, the invitation waits still.
                let mut changed = self
                    .ask_for(&asker, vec![user], Decider::Moderators, &request.message)
                    .await?;
                let settled = self
                    .settle_request(scene, request, JoinStatus::Accepted)
                    .await?;
                changed.requests.insert(0, settled);
                return Ok(changed);
            }
        }
        // Members first: if a crash comes between, whoever accepts again finds them there.
        // Who moderates has let them in, and asked nobody to come.
        let brought_by = match (request.decider, request.inviter) {
            (Decider::User, _) => None,
            (Decider::Moderators, None) => Some(BroughtBy::Themselves),
            (Decider::Moderators, Some(inviter)) => Some(BroughtBy::Inviter(inviter)),
        };
        self.enter(scene, vec![user], brought_by).await
    }

    /// What who has invited somebody is to the channel now.
    async fn inviter(
        &mut self,
        scene: &Scene<'_>,
        request: &JoinRequest,
    ) -> Result<Standing, Refusal> {
        let Some(inviter) = &request.inviter else {
            return Ok(Standing::Application);
        };
        let member = self.state(scene.key).await?.members.get(&inviter.num);
        Ok(member.map_or(Standing::Stranger, |member| Standing::Member(member.role)))
    }

    /// Whether who made an invitation may still invite.
    async fn is_worth_something(
        &mut self,
        scene: &Scene<'_>,
        invitation: &JoinRequest,
    ) -> Result<bool, Refusal> {
        let inviter = self.inviter(scene, invitation).await?;
        Ok(may(inviter, Right::Invite, &scene.settings))
    }

    /// Notes how a request was answered.
    async fn settle_request(
        &mut self,
        scene: &Scene<'_>,
        mut request: JoinRequest,
        status: JoinStatus,
    ) -> Result<JoinRequest, Refusal> {
        let now_ms = self.parts.clock.now_ms();
        let by = scene.by.user();
        let num = by.map(|user| user.num);
        let joining = &self.parts.joining;
        if !joining
            .decide_request(request.id, status, num, now_ms)
            .await?
        {
            return Err(Refusal::WrongState);
        }
        request.status = status;
        request.by = by.cloned();
        request.decided_at_ms = now_ms;
        Ok(request)
    }
}

/// Who may answer how: the invited user an invitation, those who moderate a request; whoever
/// asked or invited takes it back. To all others there is no such request.
fn check_decision(
    scene: &Scene<'_>,
    request: &JoinRequest,
    decision: Decision,
) -> Result<(), Refusal> {
    if scene.is_application() {
        return Ok(());
    }
    let user = scene.user()?;
    let is_theirs = request.user == *user;
    let is_inviter = request.inviter.as_ref() == Some(user);
    let moderates = may(scene.standing, Right::Decide, &scene.settings);
    let allowed = match (decision, request.decider) {
        (Decision::Accept | Decision::Reject, Decider::User) => is_theirs,
        (Decision::Accept | Decision::Reject, Decider::Moderators) => moderates,
        (Decision::Cancel, Decider::User) => is_inviter || moderates,
        (Decision::Cancel, Decider::Moderators) => is_theirs || is_inviter,
    };
    if allowed {
        Ok(())
    } else if is_theirs || is_inviter || moderates {
        Err(Refusal::Forbidden)
    } else {
        Err(Refusal::NoSuchRequest)
    }
}

//! Members: who is removed, leaves, is named, muted, or made something else.

use super::Scene;
use crate::channel::member::MAX_ADMINISTRATORS;
use crate::channel::{MemberChange, MemberRole, Right};
use crate::deliver::change::Changed;
use crate::deliver::lane::Lane;
use crate::id::UserRef;
use crate::refusal::Refusal;

impl Lane {
    pub(super) async fn remove(
        &mut self,
        scene: &Scene<'_>,
        users: Vec<UserRef>,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::See)?;
        let state = self.state(scene.key).await?;
        let mut leaving = Vec::new();
        for user in users {
            let role = state.members.get(&user.num).map(|member| member.role);
            match role {
                _ if scene.by.user() == Some(&user) => check_leave(scene)?,
                Some(role) => scene.require(Right::ActOn(role))?,
                // Nobody learns who belongs to it by removing who does not.
                None => scene.require(Right::ActOn(MemberRole::Member))?,
            }
            if role.is_some() {
                leaving.push(MemberChange::Leave(user));
            }
        }
        if leaving.is_empty() {
            return Ok(Changed::default());
        }
        self.put_members(scene.key, scene.num, leaving, Some(scene.by))
            .await
    }

    pub(super) async fn leave(&mut self, scene: &Scene<'_>) -> Result<Changed, Refusal> {
        let user = scene.user()?.clone();
        check_leave(scene)?;
        let leaving = vec![MemberChange::Leave(user)];
        self.put_members(scene.key, scene.num, leaving, Some(scene.by))
            .await
    }

    pub(super) async fn set_role(
        &mut self,
        scene: &Scene<'_>,
        user: UserRef,
        role: MemberRole,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::SetRole)?;
        if role == MemberRole::Owner {
            return Err(Refusal::InvalidArgument);
        }
        let had = self.role_of(scene, &user).await?;
        if had == MemberRole::Owner {
            // A channel is given away, not left without an owner.
            return Err(Refusal::WrongState);
        }
        if had == role {
            return Ok(Changed::default());
        }
        if role == MemberRole::Administrator
            && self.administrators(scene).await? >= MAX_ADMINISTRATORS
        {
            return Err(Refusal::TooMany);
        }
        let change = vec![MemberChange::Join(user, role)];
        self.put_members(scene.key, scene.num, change, Some(scene.by))
            .await
    }

    pub(super) async fn set_nick(
        &mut self,
        scene: &Scene<'_>,
        user: UserRef,
        nick: String,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::See)?;
        let role = self.role_of(scene, &user).await?;
        if scene.by.user() == Some(&user) {
            scene.require(Right::OwnNick)?;
        } else {
            scene.require(Right::NickOf(role))?;
        }
        let change = vec![MemberChange::Nick(user, nick)];
        self.put_members(scene.key, scene.num, change, Some(scene.by))
            .await
    }

    pub(super) async fn mute(
        &mut self,
        scene: &Scene<'_>,
        user: UserRef,
        until_ms: i64,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::See)?;
        let role = self.role_of(scene, &user).await?;
        scene.require(Right::ActOn(role))?;
        let change = vec![MemberChange::Mute(user, until_ms)];
        self.put_members(scene.key, scene.num, change, Some(scene.by))
            .await
    }

    pub(super) async fn transfer(
        &mut self,
        scene: &Scene<'_>,
        user: UserRef,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::Transfer)?;
        let had = self.role_of(scene, &user).await?;
        if had == MemberRole::Owner {
            return Ok(Changed::default());
        }
        let mut changes = Vec::new();
        if had == MemberRole::Member && self.administrators(scene).await? >= MAX_ADMINISTRATORS {
            let owner = self.owner(scene).await?;
            changes.extend(owner.map(|owner| MemberChange::Join(owner, MemberRole::Member)));
        }
        changes.push(MemberChange::Join(user, MemberRole::Owner));
        self.put_members(scene.key, scene.num, changes, Some(scene.by))
            .await
    }

    /// The role of a member.
    async fn role_of(&mut self, scene: &Scene<'_>, user: &UserRef) -> Result<MemberRole, Refusal> {
        let state = self.state(scene.key).await?;
        let member = state.members.get(&user.num);
        member.map(|member| member.role).ok_or(Refusal::NotFound)
    }

    async fn owner(&mut self, scene: &Scene<'_>) -> Result<Option<UserRef>, Refusal> {
        let state = self.state(scene.key).await?;
        let mut members = state.members.iter();
        let owner = members.find(|(_, member)| member.role == MemberRole::Owner);
        let Some(num) = owner.map(|(num, _)| *num) else {
            return Ok(None);
        };
        let state = self.parts.users.state(num).await?;
        Ok(Some(state.record.user.clone()))
    }

    async fn administrators(&mut self, scene: &Scene<'_>) -> Result<usize, Refusal> {
        let state = self.state(scene.key).await?;
        let members = state.members.values();
        Ok(members
            .filter(|member| member.role == MemberRole::Administrator)
            .count())
    }
}

/// The owner cannot leave, unless what they leave is dissolved.
fn check_leave(scene: &Scene<'_>) -> Result<(), Refusal> {
    scene.require(Right::See)?;
    match scene.require(Right::Leave) {
        Err(Refusal::Forbidden) if scene.settings.disband => Ok(()),
        Err(Refusal::Forbidden) => Err(Refusal::WrongState),
        judged => judged,
    }
}

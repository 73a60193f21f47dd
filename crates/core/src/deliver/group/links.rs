//! Links by which users join.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Scene;
use crate::channel::{InviteLink, Right, Standing, may};
use crate::deliver::change::Changed;
use crate::deliver::lane::Lane;
use crate::refusal::Refusal;

/// How many random bytes a link has.
const TOKEN_BYTES: usize = 18;

impl Lane {
    pub(super) async fn add_link(
        &mut self,
        scene: &Scene<'_>,
        max_uses: u32,
        expires_at_ms: i64,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::Invite)?;
        let parts = Arc::clone(&self.parts);
        let mut token = [0; TOKEN_BYTES];
        parts.clock.fill_random(&mut token);
        let link = InviteLink {
            token: URL_SAFE_NO_PAD.encode(token),
            key: scene.key.clone(),
            by: scene.by.user().cloned(),
            max_uses,
            uses: 0,
            expires_at_ms,
            created_at_ms: parts.clock.now_ms(),
        };
        if !parts.joining.keep_link(scene.num, &link).await? {
            return Err(Refusal::TooMany);
        }
        Ok(Changed {
            link: Some(link),
            ..Changed::default()
        })
    }

    pub(super) async fn remove_link(
        &mut self,
        scene: &Scene<'_>,
        token: &str,
    ) -> Result<Changed, Refusal> {
        scene.require(Right::See)?;
        let parts = Arc::clone(&self.parts);
        let link = parts.joining.link(token).await?;
        let link = link.filter(|link| link.key == *scene.key);
        let is_own = link
            .as_ref()
            .is_some_and(|link| link.by.as_ref() == scene.by.user());
        if !is_own {
            scene.require(Right::Decide)?;
        }
        if link.is_none() || !parts.joining.remove_link(scene.num, token).await? {
            return Err(Refusal::NotFound);
        }
        Ok(Changed::default())
    }

    /// What who made a link is to the channel now. A link whose maker may not invite any more
    /// is worth nothing.
    pub(super) async fn maker_of(
        &mut self,
        scene: &Scene<'_>,
        token: &str,
    ) -> Result<Standing, Refusal> {
        let parts = Arc::clone(&self.parts);
        let now_ms = parts.clock.now_ms();
        let link = parts.joining.link(token).await?;
        let link = link
            .filter(|link| link.key == *scene.key && link.is_good(now_ms))
            .ok_or(Refusal::NotFound)?;
        let state = self.state(scene.key).await?;
        let maker = match &link.by {
            None => Standing::Application,
            Some(maker) => state
                .members
                .get(&maker.num)
                .map_or(Standing::Stranger, |member| Standing::Member(member.role)),
        };
        if may(maker, Right::Invite, &scene.settings) {
            Ok(maker)
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// Uses a link once.
    pub(super) async fn use_link(&mut self, token: &str) -> Result<(), Refusal> {
        let now_ms = self.parts.clock.now_ms();
        if self.parts.joining.use_link(token, now_ms).await? {
            Ok(())
        } else {
            Err(Refusal::NotFound)
        }
    }
}

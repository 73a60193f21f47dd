//! Who is blocked by whom.

use super::Im;
use crate::directory::UserState;
use crate::id::{Realm, Uid, UserNum};
use crate::refusal::Refusal;
use crate::relation::RelationChange;
use crate::relation::friend::MAX_BLOCKED;

impl Im {
    /// A user blocks somebody, or no longer.
    ///
    /// # Errors
    /// `NoSuchUser`; `InvalidArgument` for oneself; `TooMany` who are blocked.
    pub async fn block(
        &self,
        realm: &Realm,
        uid: &Uid,
        other: &Uid,
        blocked: bool,
    ) -> Result<(), Refusal> {
        let user = self.parts.users.existing(realm, uid).await?;
        if uid == other {
            return Err(Refusal::InvalidArgument);
        }
        if blocked {
            // The other exists, so that no caller can fill the directory with names.
            let other = self.existing(realm, other).await?;
            if user.blocked.len() >= MAX_BLOCKED && !user.blocked.contains(&other.num) {
                return Err(Refusal::TooMany);
            }
        } else if self.parts.users.find(realm, other).await?.is_none() {
            return Ok(());
        }
        let change = RelationChange {
            blocked: Some(blocked),
            ..RelationChange::default()
        };
        self.relate(realm, uid, other, change).await
    }

    /// For each of `others` whether the user blocks them, and they the user.
    ///
    /// # Errors
    /// `NoSuchUser` for the user, or when the store fails.
    pub async fn are_blocked(
        &self,
        realm: &Realm,
        uid: &Uid,
        others: &[Uid],
    ) -> Result<Vec<(bool, bool)>, Refusal> {
        self.both_ways(realm, uid, others, |user, other| {
            user.blocked.contains(&other)
        })
        .await
    }

    /// For each of `others` whether the user has something with them, and they with the user.
    pub(super) async fn both_ways(
        &self,
        realm: &Realm,
        uid: &Uid,
        others: &[Uid],
        has: impl Fn(&UserState, UserNum) -> bool,
    ) -> Result<Vec<(bool, bool)>, Refusal> {
        let users = &self.parts.users;
        let user = users.existing(realm, uid).await?;
        let mut are = Vec::with_capacity(others.len());
        for other in others {
            are.push(match users.find(realm, other).await? {
                Some(other) => {
                    let back = users.state(other.num).await?;
                    (has(&user, other.num), has(&back, user.record.user.num))
                }
                None => (false, false),
            });
        }
        Ok(are)
    }
}

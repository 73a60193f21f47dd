//! The groups that users sort their friends into.

use super::Im;
use crate::id::{Realm, Uid};
use crate::refusal::Refusal;
use crate::relation::friend::{FriendGroup, MAX_GROUP_NAME_CHARS};

impl Im {
    /// A user's friend groups, in their order.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn friend_groups(
        &self,
        realm: &Realm,
        uid: &Uid,
    ) -> Result<Vec<FriendGroup>, Refusal> {
        let user = self.existing(realm, uid).await?;
        Ok(self.stores.friends.friend_groups(user.num).await?)
    }

    /// Makes a friend group at the end, or renames the one with an id.
    ///
    /// # Errors
    /// `NoSuchUser`; `InvalidArgument` for a name that is empty or too long; `NotFound`;
    /// `AlreadyExists` if another one is called so; `TooMany`.
    pub async fn name_friend_group(
        &self,
        realm: &Realm,
        uid: &Uid,
        id: Option<i64>,
        name: &str,
    ) -> Result<FriendGroup, Refusal> {
        let name = name.trim();
        let is_odd = name.chars().any(char::is_control);
        if name.is_empty() || is_odd || name.chars().count() > MAX_GROUP_NAME_CHARS {
            return Err(Refusal::InvalidArgument);
        }
        let user = self.existing(realm, uid).await?.num;
        let friends = &self.stores.friends;
        let new = id.unwrap_or_else(|| self.parts.ids.next().0);
        let named = friends.name_friend_group(user, new, name, id.is_none());
        named.await?
    }

    /// Deletes a friend group; its friends are in none then. The user's other devices hear
    /// of each of them.
    ///
    /// # Errors
    /// `NoSuchUser`; `NotFound`.
    pub async fn delete_friend_group(
        &self,
        realm: &Realm,
        uid: &Uid,
        id: i64,
    ) -> Result<(), Refusal> {
        let user = self.existing(realm, uid).await?;
        let herald = self.herald(realm);
        self.to_the_end(async move {
            let left = herald.friends.delete_friend_group(user.num, id).await??;
            for friend in &left {
                herald.kept(&user, friend, &user).await;
            }
            Ok(())
        })
        .await
    }

    /// Puts a user's friend groups in an order; those not named come after, as they were.
    ///
    /// # Errors
    /// `NoSuchUser`; `NotFound` if one of them is not there.
    pub async fn order_friend_groups(
        &self,
        realm: &Realm,
        uid: &Uid,
        ids: &[i64],
    ) -> Result<Vec<FriendGroup>, Refusal> {
        let user = self.existing(realm, uid).await?;
        let ordered = self.stores.friends.order_friend_groups(user.num, ids);
        ordered.await?
    }
}

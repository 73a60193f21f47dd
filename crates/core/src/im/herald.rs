//! Telling users, in their own command logs, what has changed between them and others.

use std::sync::Arc;

use super::Im;
use super::reading::Tells;
use crate::change::Change;
use crate::channel::ChannelKey;
use crate::clock::Clock;
use crate::directory::Users;
use crate::id::{Realm, UserRef};
use crate::relation::friend::{Friend, FriendQuery, FriendRequest, WhichFriends};
use crate::relation::{Friends, Relation};
use crate::session::presence::{Report, Reports};
use crate::store::StoreResult;

impl Im {
    pub(super) fn herald(&self, realm: &Realm) -> Herald {
        Herald {
            tells: self.tells(),
            friends: Arc::clone(&self.stores.friends),
            clock: Arc::clone(&self.parts.clock),
            reports: self.reports.clone(),
            realm: realm.clone(),
        }
    }
}

/// Tells users what has changed between them and others, in their own command logs.
pub(super) struct Herald {
    tells: Tells,
    pub(super) friends: Arc<dyn Friends>,
    clock: Arc<dyn Clock>,
    reports: Reports,
    realm: Realm,
}

/// What users had decided about others before that changes.
pub(super) struct Regards {
    before: Vec<(UserRef, UserRef, Relation)>,
    reports: Reports,
}

impl Regards {
    /// It has changed: those who may see that a user is there from now on, or no longer, are
    /// told so.
    pub(super) fn changed(self) {
        for (user, other, before) in self.before {
            self.reports.put(Report::Related {
                user,
                other,
                before,
            });
        }
    }
}

impl Herald {
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// What users have decided about others, each first one about the second, right before it
    /// changes.
    pub(super) async fn regards(
        &self,
        users: &Users,
        pairs: impl Into<Vec<(UserRef, UserRef)>>,
    ) -> StoreResult<Regards> {
        let pairs = pairs.into();
        let mut before = Vec::with_capacity(pairs.len());
        for (user, other) in pairs {
            let relation = users.state(user.num).await?.relation_to(other.num);
            before.push((user, other, relation));
        }
        Ok(Regards {
            before,
            reports: self.reports.clone(),
        })
    }

    pub(super) async fn own(&self, user: &UserRef, by: &UserRef, change: &Change) {
        let own = ChannelKey::direct(&self.realm, &user.uid, &user.uid);
        self.tells.tell(&own, by, change).await;
    }

    /// Both hear of a request.
    pub(super) async fn request(&self, request: &FriendRequest, by: &UserRef) {
        let change = Change::FriendRequest {
            request: request.view(),
            at_ms: self.clock.now_ms(),
        };
        self.own(&request.to, by, &change).await;
        self.own(&request.from, by, &change).await;
    }

    /// Both hear that they have a friend.
    pub(super) async fn friendship(&self, from: &UserRef, to: &UserRef) {
        self.friend(from, to, to).await;
        self.friend(to, from, to).await;
    }

    /// A user hears how a friend is kept, as it is now.
    pub(super) async fn friend(&self, user: &UserRef, other: &UserRef, by: &UserRef) {
        let query = FriendQuery {
            user: user.num,
            which: WhichFriends::These(vec![other.num]),
            limit: 1,
        };
        match self.friends.friends(&query).await {
            Ok(found) => {
                for friend in &found {
                    self.kept(user, friend, by).await;
                }
            }
            Err(error) => tracing::warn!(%error, "somebody is not told of a friend"),
        }
    }

    /// A user hears how a friend is kept.
    pub(super) async fn kept(&self, user: &UserRef, friend: &Friend, by: &UserRef) {
        let group = match friend.group {
            0 => String::new(),
            group => group.to_string(),
        };
        let change = Change::Friend {
            user: friend.user.uid.as_str().to_owned(),
            is_friend: friend.is_friend,
            remark: friend.remark.clone(),
            group,
            at_ms: self.clock.now_ms(),
        };
        self.own(user, by, &change).await;
    }

    pub(super) async fn no_friend(&self, user: &UserRef, other: &UserRef, by: &UserRef) {
        let change = Change::Friend {
            user: other.uid.as_str().to_owned(),
            is_friend: false,
            remark: String::new(),
            group: String::new(),
            at_ms: self.clock.now_ms(),
        };
        self.own(user, by, &change).await;
    }
}

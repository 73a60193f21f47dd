//! Friends: asking, answering, keeping, ending. Whoever it concerns is told in their own
//! command log.

use std::sync::Arc;

use super::Im;
use crate::id::{Realm, Uid, UserNum, UserRef};
use crate::refusal::Refusal;
use crate::relation::friend::{
    Answer, Asked, Friend, FriendChange, FriendQuery, FriendRequest, MAX_MESSAGE_CHARS,
    MAX_REMARK_CHARS, NewRequest, RequestQuery, RequestStatus, Sides, WhichFriends,
};

/// How somebody would keep a friend, and what they say to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeepFriend {
    /// What the asking one says.
    pub message: String,
    /// How the other is kept.
    pub keep: FriendChange,
}

/// Which requests are wanted of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedRequests {
    /// True = those to the user, false = those of the user.
    pub incoming: bool,
    /// Only of this status.
    pub status: Option<RequestStatus>,
    /// Only those before this id.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u32,
}

impl Im {
    /// Takes one request out of the budget of a user who acts by themselves.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn spend(&self, user: UserNum) -> Result<(), Refusal> {
        if self.budgets.of(user).take() {
            Ok(())
        } else {
            Err(Refusal::RateLimited)
        }
    }

    /// Asks somebody to be a friend. If they have asked, too, or take everybody, both are
    /// friends at once. Asking again while a request waits changes nothing.
    ///
    /// # Errors
    /// `NoSuchUser`; `InvalidArgument` for oneself, or what is too long; `Forbidden` if the
    /// other one takes no request of this user's, which does not tell why; `AlreadyExists` for
    /// friends; `WrongState` if the one who asks blocks the other; `NotFound` for a group
    /// there is not; `TooMany`; `RateLimited` if they were asked too often, and said no.
    pub async fn ask_friend(
        &self,
        realm: &Realm,
        from: &Uid,
        to: &Uid,
        ask: &KeepFriend,
    ) -> Result<Asked, Refusal> {
        let from = self.existing(realm, from).await?;
        let to = self.existing(realm, to).await?;
        check_keep(&ask.keep)?;
        if from.num == to.num || is_too_long(&ask.message, MAX_MESSAGE_CHARS) {
            return Err(Refusal::InvalidArgument);
        }
        let new = NewRequest {
            id: self.parts.ids.next().0,
            from: from.num,
            to: to.num,
            message: self.seemly_text(realm, &ask.message)?,
            keep: ask.keep.clone(),
            now_ms: self.parts.clock.now_ms(),
        };
        let herald = self.herald(realm);
        let users = Arc::clone(&self.parts.users);
        self.to_the_end(async move {
            let friends = Arc::clone(&herald.friends);
            let ask = async move { friends.ask(&new).await };
            let regards = herald.regards(&users, both_ways(&from, &to)).await?;
            let asked = users.alter(vec![from.num, to.num], ask).await??;
            if asked.is_new {
                regards.changed();
                for closed in &asked.closed {
                    herald.request(closed, &from).await;
                }
                herald.request(&asked.request, &from).await;
                if asked.request.status == RequestStatus::Accepted {
                    herald.friendship(&from, &to).await;
                }
            }
            Ok(asked)
        })
        .await
    }

    /// How long a user waits until they may ask somebody again who said no, ms; 0 = not at all.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn wait_to_ask_ms(
        &self,
        realm: &Realm,
        from: &Uid,
        to: &Uid,
    ) -> Result<i64, Refusal> {
        let from = self.existing(realm, from).await?.num;
        let to = self.existing(realm, to).await?.num;
        let now_ms = self.parts.clock.now_ms();
        Ok(self.stores.friends.wait_to_ask_ms(from, to, now_ms).await?)
    }

    /// Answers a request, or takes it back. The same answer again changes nothing.
    ///
    /// # Errors
    /// `NoSuchUser`; `NoSuchRequest` if `by` may not answer it so, or there is none;
    /// `WrongState` if it does not wait any more, or `by` blocks the one whom they accept;
    /// `Forbidden` if that one blocks them; `NotFound` for a group there is not;
    /// `InvalidArgument` for what is too long; `TooMany` friends.
    pub async fn answer_friend(
        &self,
        realm: &Realm,
        by: &Uid,
        id: i64,
        answer: Answer,
    ) -> Result<FriendRequest, Refusal> {
        if let Answer::Accept(keep) = &answer {
            check_keep(keep)?;
        }
        let by = self.existing(realm, by).await?;
        let now_ms = self.parts.clock.now_ms();
        // Both are friends afterwards: what is cached of either is old then.
        let query = RequestOf { user: by.num, id };
        let other = self.other_of(query, now_ms).await?;
        let herald = self.herald(realm);
        let users = Arc::clone(&self.parts.users);
        self.to_the_end(async move {
            let friends = Arc::clone(&herald.friends);
            let num = by.num;
            let altered = vec![num, other.num];
            let regards = herald.regards(&users, both_ways(&by, &other)).await?;
            let answered = users.alter(altered, async move {
                friends.answer(id, num, &answer, now_ms).await
            });
            let (request, is_new) = answered.await??;
            if is_new {
                herald.request(&request, &by).await;
                if request.status == RequestStatus::Accepted {
                    regards.changed();
                    herald.friendship(&request.from, &request.to).await;
                }
            }
            Ok(request)
        })
        .await
    }

    /// The other user of a request.
    async fn other_of(&self, of: RequestOf, now_ms: i64) -> Result<UserRef, Refusal> {
        for incoming in [true, false] {
            let query = RequestQuery {
                user: of.user,
                incoming,
                status: None,
                before: of.id.saturating_add(1),
                limit: 1,
                now_ms,
            };
            let found = self.stores.friends.requests(&query).await?;
            if let Some(found) = found.into_iter().find(|request| request.id == of.id) {
                let other = if incoming { found.from } else { found.to };
                return Ok(other);
            }
        }
        Err(Refusal::NoSuchRequest)
    }

    /// Requests to a user or of one, the newest first.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn friend_requests(
        &self,
        realm: &Realm,
        uid: &Uid,
        wanted: WantedRequests,
    ) -> Result<Vec<FriendRequest>, Refusal> {
        let query = RequestQuery {
            user: self.existing(realm, uid).await?.num,
            incoming: wanted.incoming,
            status: wanted.status,
            before: wanted.before.unwrap_or(i64::MAX),
            limit: wanted.limit,
            now_ms: self.parts.clock.now_ms(),
        };
        Ok(self.stores.friends.requests(&query).await?)
    }

    /// Makes users friends without asking them; in each pair the second one becomes the
    /// first one's, and the other way round with [`Sides::Both`]. For each pair whether it was
    /// not so before, or why it is not so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn befriend(
        &self,
        realm: &Realm,
        pairs: &[(Uid, Uid)],
        sides: Sides,
    ) -> Result<Vec<Result<bool, Refusal>>, Refusal> {
        let mut outcomes = Vec::with_capacity(pairs.len());
        let mut known = Vec::new();
        for (one, other) in pairs {
            let pair = async {
                let one = self.existing(realm, one).await?;
                let other = self.existing(realm, other).await?;
                if one.num == other.num {
                    return Err(Refusal::InvalidArgument);
                }
                Ok((one, other))
            };
            outcomes.push(pair.await.map(|pair| {
                known.push(pair);
                false
            }));
        }
        let now_ms = self.parts.clock.now_ms();
        let herald = self.herald(realm);
        let users = Arc::clone(&self.parts.users);
        let done = self.to_the_end(async move {
            let nums: Vec<_> = known.iter().map(|(one, two)| (one.num, two.num)).collect();
            let altered = nums.iter().flat_map(|(one, two)| [*one, *two]).collect();
            let friends = Arc::clone(&herald.friends);
            let pairs: Vec<_> = known.iter().flat_map(|(a, b)| both_ways(a, b)).collect();
            let regards = herald.regards(&users, pairs).await?;
            let made = users.alter(altered, async move {
                friends.befriend(&nums, sides, now_ms).await
            });
            let made = made.await?;
            regards.changed();
            for ((one, other), made) in known.iter().zip(&made) {
                if *made == Ok(true) {
                    herald.friend(one, other, one).await;
                    if sides == Sides::Both {
                        herald.friend(other, one, one).await;
                    }
                }
            }
            Ok(made)
        });
        let mut done = done.await?.into_iter();
        for outcome in &mut outcomes {
            if outcome.is_ok() {
                *outcome = done.next().unwrap_or(Err(Refusal::Internal));
            }
        }
        Ok(outcomes)
    }

    /// Ends friendships. True for each of `others` who was a friend on one of the sides that
    /// are meant.
    ///
    /// # Errors
    /// `NoSuchUser` for the user, or when the store fails.
    pub async fn unfriend(
        &self,
        realm: &Realm,
        uid: &Uid,
        others: &[Uid],
        sides: Sides,
    ) -> Result<Vec<bool>, Refusal> {
        let user = self.existing(realm, uid).await?;
        let mut known = Vec::with_capacity(others.len());
        for other in others {
            known.push(self.parts.users.find(realm, other).await?);
        }
        let herald = self.herald(realm);
        let users = Arc::clone(&self.parts.users);
        self.to_the_end(async move {
            let nums: Vec<_> = known.iter().flatten().map(|other| other.num).collect();
            let mut altered = nums.clone();
            altered.push(user.num);
            let pairs = known.iter().flatten();
            let pairs: Vec<_> = pairs.flat_map(|other| both_ways(&user, other)).collect();
            let regards = herald.regards(&users, pairs).await?;
            let (friends, num) = (Arc::clone(&herald.friends), user.num);
            let lost = users.alter(
                altered,
                async move { friends.unfriend(num, &nums, sides).await },
            );
            let lost = lost.await?;
            regards.changed();
            let mut ended = Vec::with_capacity(known.len());
            for other in &known {
                let Some(other) = other else {
                    ended.push(false);
                    continue;
                };
                let own = lost.contains(&(user.num, other.num));
                let theirs = lost.contains(&(other.num, user.num));
                if own {
                    herald.no_friend(&user, other, &user).await;
                }
                if theirs {
                    herald.no_friend(other, &user, &user).await;
                }
                ended.push(own || theirs);
            }
            Ok(ended)
        })
        .await
    }

    /// Changes how a friend is kept.
    ///
    /// # Errors
    /// `NoSuchUser` for the user; `NotFound` if the other is no friend, or there is no such
    /// group; `InvalidArgument` for what is too long.
    pub async fn change_friend(
        &self,
        realm: &Realm,
        uid: &Uid,
        other: &Uid,
        change: FriendChange,
    ) -> Result<Friend, Refusal> {
        check_keep(&change)?;
        let user = self.existing(realm, uid).await?;
        let other = self.parts.users.find(realm, other).await?;
        let other = other.ok_or(Refusal::NotFound)?;
        let herald = self.herald(realm);
        self.to_the_end(async move {
            let changed = herald.friends.change_friend(user.num, other.num, &change);
            let friend = changed.await??;
            herald.kept(&user, &friend, &user).await;
            Ok(friend)
        })
        .await
    }

    /// Friends of a user.
    ///
    /// # Errors
    /// `NoSuchUser`, or when the store fails.
    pub async fn friends(
        &self,
        realm: &Realm,
        uid: &Uid,
        which: WhichFriends,
        limit: u32,
    ) -> Result<Vec<Friend>, Refusal> {
        let user = self.existing(realm, uid).await?.num;
        let query = FriendQuery { user, which, limit };
        Ok(self.stores.friends.friends(&query).await?)
    }

    /// For each of `others` whether they are a friend of the user, and the user one of theirs.
    ///
    /// # Errors
    /// `NoSuchUser` for the user, or when the store fails.
    pub async fn are_friends(
        &self,
        realm: &Realm,
        uid: &Uid,
        others: &[Uid],
    ) -> Result<Vec<(bool, bool)>, Refusal> {
        self.both_ways(realm, uid, others, |user, other| {
            user.friends.contains(&other)
        })
        .await
    }

    /// An existing user's number and name.
    pub(super) async fn existing(&self, realm: &Realm, uid: &Uid) -> Result<UserRef, Refusal> {
        let state = self.parts.users.existing(realm, uid).await?;
        Ok(state.record.user.clone())
    }
}

/// Two users as each of them sees the other.
fn both_ways(one: &UserRef, other: &UserRef) -> [(UserRef, UserRef); 2] {
    [(one.clone(), other.clone()), (other.clone(), one.clone())]
}

/// Names a request of a user's.
#[derive(Clone, Copy)]
struct RequestOf {
    user: UserNum,
    id: i64,
}

fn is_too_long(text: &str, max: usize) -> bool {
    text.chars().count() > max || text.contains('\0')
}

fn check_keep(keep: &FriendChange) -> Result<(), Refusal> {
    let remark = keep.remark.as_deref().unwrap_or_default();
    if is_too_long(remark, MAX_REMARK_CHARS) {
        return Err(Refusal::InvalidArgument);
    }
    Ok(())
}

//! What the core asks of a store about friends. What depends on what is stored is decided
//! where it is stored, in one step: a `Refusal` inside says that nothing has changed.

use async_trait::async_trait;

use super::friend::{
    Answer, Asked, Friend, FriendChange, FriendGroup, FriendQuery, FriendRequest, NewRequest,
    RequestQuery, Sides,
};
use crate::id::UserNum;
use crate::refusal::Refusal;
use crate::store::StoreResult;

/// What was done, or why it was not.
pub type Decided<T> = StoreResult<Result<T, Refusal>>;

/// The store of friends. Each change is durable when it returns.
#[async_trait]
pub trait Friends: Send + Sync + 'static {
    /// Asks somebody to be a friend. If they have asked, too, or take everybody, both are
    /// friends at once.
    ///
    /// `Forbidden` if they block the one who asks or take no requests, `WrongState` if the one
    /// who asks blocks them, `AlreadyExists` if they are friends on both sides, `TooMany` if
    /// one of the limits is reached, `RateLimited` if they were asked too often.
    async fn ask(&self, ask: &NewRequest) -> Decided<Asked>;

    /// How long somebody waits until they may ask the same person again
    /// ([`Asking`](super::friend::Asking)), ms; 0 = not at all.
    async fn wait_to_ask_ms(&self, from: UserNum, to: UserNum, now_ms: i64) -> StoreResult<i64>;

    /// Answers a request, or takes it back. Giving the same answer again changes nothing;
    /// whether it was new is the second part.
    ///
    /// `NoSuchRequest` if there is none that `by` may answer so, `WrongState` if it does not
    /// wait any more or `by` blocks the one whom they accept, `Forbidden` if that one blocks
    /// them, `TooMany` if one of the two has as many friends as may be.
    async fn answer(
        &self,
        id: i64,
        by: UserNum,
        answer: &Answer,
        now_ms: i64,
    ) -> Decided<(FriendRequest, bool)>;

    /// Requests, the newest first.
    async fn requests(&self, query: &RequestQuery) -> StoreResult<Vec<FriendRequest>>;

    /// Makes users friends: in each pair the second one the first one's, and the other way
    /// round with [`Sides::Both`]. True for a pair that was not so before; `TooMany` for one
    /// beyond the limit. Requests that wait between friends are accepted.
    async fn befriend(
        &self,
        pairs: &[(UserNum, UserNum)],
        sides: Sides,
        now_ms: i64,
    ) -> StoreResult<Vec<Result<bool, Refusal>>>;

    /// Ends friendships: `others` are no friends of `user` any more, and the other way round
    /// with [`Sides::Both`]. Returns who has lost whom.
    async fn unfriend(
        &self,
        user: UserNum,
        others: &[UserNum],
        sides: Sides,
    ) -> StoreResult<Vec<(UserNum, UserNum)>>;

    /// Friends of a user.
    async fn friends(&self, query: &FriendQuery) -> StoreResult<Vec<Friend>>;

    /// Changes how a friend is kept. `NotFound` if it is none, or there is no such group.
    async fn change_friend(
        &self,
        user: UserNum,
        other: UserNum,
        change: &FriendChange,
    ) -> Decided<Friend>;

    /// A user's friend groups, in their order.
    async fn friend_groups(&self, user: UserNum) -> StoreResult<Vec<FriendGroup>>;

    /// Makes a friend group, at the end, or renames one. `TooMany` beyond the limit,
    /// `AlreadyExists` if another one is called so, `NotFound` if there is none to be renamed.
    async fn name_friend_group(
        &self,
        user: UserNum,
        id: i64,
        name: &str,
        is_new: bool,
    ) -> Decided<FriendGroup>;

    /// Deletes a friend group; its friends are in none then, and returned. `NotFound` if there
    /// is no such group.
    async fn delete_friend_group(&self, user: UserNum, id: i64) -> Decided<Vec<Friend>>;

    /// Puts a user's groups in an order; those not named come after, as they were. `NotFound`
    /// if there is none of them.
    async fn order_friend_groups(&self, user: UserNum, ids: &[i64]) -> Decided<Vec<FriendGroup>>;
}

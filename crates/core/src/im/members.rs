//! Finding members of a channel.

use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use super::Im;
use crate::channel::{ChannelKey, Member, MemberQuery, MemberRow};
use crate::id::{UserNum, UserRef};
use crate::refusal::Refusal;

/// Users for whom members are being looked for: one search of each at a time. There are no
/// more than requests that are being answered.
#[derive(Default)]
pub(super) struct Searchers(Mutex<FxHashSet<UserNum>>);

/// A user searches until this goes.
struct Turn<'a> {
    searchers: &'a Searchers,
    user: UserNum,
}

impl Searchers {
    fn begin(&self, user: UserNum) -> Option<Turn<'_>> {
        let is_free = self.0.lock().insert(user);
        is_free.then(|| Turn {
            searchers: self,
            user,
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.searchers.0.lock().remove(&self.user);
    }
}

impl Im {
    /// Members that a query wants.
    ///
    /// # Errors
    /// `NoSuchChannel`, or when the store fails.
    pub async fn find_members(
        &self,
        key: &ChannelKey,
        query: &MemberQuery,
    ) -> Result<Vec<Member>, Refusal> {
        let rows = self.looked_through(key, query).await?;
        Ok(rows.into_iter().map(|row| row.member).collect())
    }

    /// Members that a query of a user wants, with their versions; `None` = the application
    /// asks. Looking for a keyword costs a user as much as sending, and goes on once at a time.
    ///
    /// # Errors
    /// `RateLimited`, `NoSuchChannel`, or when the store fails.
    pub async fn search_members(
        &self,
        key: &ChannelKey,
        by: Option<&UserRef>,
        query: &MemberQuery,
    ) -> Result<Vec<MemberRow>, Refusal> {
        let _turn = match by.filter(|_| !query.keyword.is_empty()) {
            Some(user) => {
                let turn = self.searchers.begin(user.num);
                let turn = turn.ok_or(Refusal::RateLimited)?;
                self.spend(user.num)?;
                Some(turn)
            }
            None => None,
        };
        self.looked_through(key, query).await
    }

    /// Goes through the members stretch by stretch; there are no more than may belong to a
    /// channel.
    async fn looked_through(
        &self,
        key: &ChannelKey,
        query: &MemberQuery,
    ) -> Result<Vec<MemberRow>, Refusal> {
        let channel = self.channel(key).await?.channel.num;
        let mut query = query.clone();
        let mut rows = Vec::new();
        loop {
            let found = self.stores.channels.find_members(channel, &query).await?;
            rows.extend(found.rows);
            let (Some(next), true) = (found.next, rows.len() < query.limit as usize) else {
                return Ok(rows);
            };
            query.after = Some(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_search_of_each_user_at_a_time() {
        let searchers = Searchers::default();
        let turn = searchers.begin(UserNum(1));
        assert!(turn.is_some() && searchers.begin(UserNum(1)).is_none());
        assert!(searchers.begin(UserNum(2)).is_some(), "others do not wait");
        drop(turn);
        assert!(searchers.begin(UserNum(1)).is_some());
    }
}

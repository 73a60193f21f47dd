//! What one user has decided about another: whom they block, whom they allow, who is a friend.

pub mod friend;
mod port;

pub use self::port::{Decided, Friends};

use async_trait::async_trait;

use crate::id::UserNum;
use crate::store::StoreResult;

/// What a user has decided about another, stored as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relation {
    /// The other may not write.
    pub blocked: bool,
    /// The other may write although the realm is friends-only.
    pub allowed: bool,
    /// The other is a friend.
    pub friend: bool,
}

impl Relation {
    /// The stored form.
    #[must_use]
    pub fn bits(self) -> i64 {
        i64::from(self.blocked) | i64::from(self.allowed) << 1 | i64::from(self.friend) << 2
    }

    /// From the stored form.
    #[must_use]
    pub fn from_bits(bits: i64) -> Self {
        Self {
            blocked: bits & 1 != 0,
            allowed: bits & 2 != 0,
            friend: bits & 4 != 0,
        }
    }
}

/// A change of what a user has decided about another: what is `None` stays. Who is a friend
/// changes by [`Friends`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RelationChange {
    /// New block.
    pub blocked: Option<bool>,
    /// New permission.
    pub allowed: Option<bool>,
}

impl RelationChange {
    /// The stored bits that it sets.
    #[must_use]
    pub fn set_bits(self) -> i64 {
        self.bits(true)
    }

    /// The stored bits that it clears.
    #[must_use]
    pub fn clear_bits(self) -> i64 {
        self.bits(false)
    }

    fn bits(self, to: bool) -> i64 {
        let relation = Relation {
            blocked: self.blocked == Some(to),
            allowed: self.allowed == Some(to),
            friend: false,
        };
        relation.bits()
    }
}

/// The store of relations.
#[async_trait]
pub trait Relations: Send + Sync + 'static {
    /// Everything a user has decided; nobody about whom nothing is.
    async fn of(&self, user: UserNum) -> StoreResult<Vec<(UserNum, Relation)>>;
    /// Changes what a user has decided about others; durable when it returns. Changes beside
    /// each other are not lost: each touches only what it names.
    async fn relate(&self, user: UserNum, others: &[(UserNum, RelationChange)]) -> StoreResult<()>;
}

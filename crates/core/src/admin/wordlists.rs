//! Lists of words of a realm, kept by its moderators.

use async_trait::async_trait;

use crate::id::Realm;
use crate::store::StoreResult;

/// How many words a realm may have.
pub const MAX_WORDS: u32 = 100_000;

/// What becomes of a text with the word. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WordAction {
    /// It is refused.
    Reject = 0,
    /// Nobody sees more of the word than asterisks.
    Mask = 1,
    /// A moderator looks at it.
    Review = 2,
}

impl WordAction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reject, Self::Mask, Self::Review];

    /// The name in REST.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Mask => "mask",
            Self::Review => "review",
        }
    }

    /// The action with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The action with a stored number; an unknown one refuses.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Mask,
            2 => Self::Review,
            _ => Self::Reject,
        }
    }
}

/// A word of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its place in the list; 0 = not stored yet.
    pub num: i64,
    /// The word.
    pub word: String,
    /// What becomes of texts with it.
    pub action: WordAction,
    /// When it was added, ms since 1970.
    pub added_at_ms: i64,
}

/// The store of word lists. Each change is durable when it returns.
#[async_trait]
pub trait WordLists: Send + Sync + 'static {
    /// The realms that have words.
    async fn worded_realms(&self) -> StoreResult<Vec<Realm>>;

    /// All words of a realm.
    async fn all_words(&self, realm: &Realm) -> StoreResult<Vec<Word>>;

    /// Words of a realm after a place, perhaps of one action only.
    async fn words(
        &self,
        realm: &Realm,
        action: Option<WordAction>,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<Word>>;

    /// Adds words, or gives those that are there another action. `None` if there would be
    /// more than [`MAX_WORDS`]: then nothing is changed. Returns how many are
    /// new or have another action than before.
    async fn add_words(&self, realm: &Realm, words: &[Word]) -> StoreResult<Option<u32>>;

    /// Removes words and returns how many there were.
    async fn remove_words(&self, realm: &Realm, words: &[String]) -> StoreResult<u32>;
}

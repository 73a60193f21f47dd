//! A realm's word lists. A change is in force when it is answered.

use std::sync::Arc;

use super::super::Im;
use crate::admin::{Word, WordAction};
use crate::id::Realm;
use crate::refusal::Refusal;
use crate::send::folding::folded_word;
use crate::send::words::Words;

/// The longest word, characters.
pub const MAX_WORD_CHARS: usize = 100;

impl Im {
    /// Words of a realm after a place, perhaps of one action only.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn listed_words(
        &self,
        realm: &Realm,
        action: Option<WordAction>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Word>, Refusal> {
        let words = &self.stores.admin.words;
        Ok(words.words(realm, action, after, limit).await?)
    }

    /// Adds words to a realm's lists; one that is there gets the new action. Returns how many
    /// are new or have another action than before.
    ///
    /// # Errors
    /// `InvalidArgument` for a word that is blank or too long, `TooMany`, or when the store
    /// fails.
    pub async fn add_words(
        &self,
        realm: &Realm,
        words: &[(String, WordAction)],
    ) -> Result<u32, Refusal> {
        let now_ms = self.parts.clock.now_ms();
        let mut listed = Vec::with_capacity(words.len());
        for (word, action) in words {
            let word = folded_word(word);
            if word.is_empty() || word.chars().count() > MAX_WORD_CHARS {
                return Err(Refusal::InvalidArgument);
            }
            listed.push(Word {
                num: 0,
                word,
                action: *action,
                added_at_ms: now_ms,
            });
        }
        let _one = self.deciding.lock().await;
        let added = self.stores.admin.words.add_words(realm, &listed).await?;
        let added = added.ok_or(Refusal::TooMany)?;
        self.rebuild_words(realm).await?;
        Ok(added)
    }

    /// Removes words from a realm's lists and returns how many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_words(&self, realm: &Realm, words: &[String]) -> Result<u32, Refusal> {
        // Also as they stand in the list: what was kept in an older form is called that.
        let forms = |word: &String| [folded_word(word), word.trim().to_owned()];
        let mut words: Vec<_> = words.iter().flat_map(forms).collect();
        words.sort_unstable();
        words.dedup();
        let _one = self.deciding.lock().await;
        let removed = self.stores.admin.words.remove_words(realm, &words).await?;
        if removed > 0 {
            self.rebuild_words(realm).await?;
        }
        Ok(removed)
    }

    /// Builds a realm's lists beside those in force and puts them in their place.
    pub(super) async fn rebuild_words(&self, realm: &Realm) -> Result<(), Refusal> {
        let stored = self.stores.admin.words.all_words(realm).await?;
        let base = Arc::clone(self.words.base());
        // A hundred thousand words take a while, and meanwhile messages go on.
        let built = tokio::task::spawn_blocking(move || {
            let of = |action| {
                let words = stored.iter().filter(|word| word.action == action);
                words.map(|word| word.word.clone()).collect::<Vec<_>>()
            };
            let words = Words::new(&of(WordAction::Reject), &of(WordAction::Mask))?;
            let words = words.reviewing(&of(WordAction::Review), base.holds())?;
            Ok::<_, crate::send::words::BadWords>(words.on(base))
        });
        match built.await {
            Ok(Ok(words)) => self.words.set(realm, words),
            Ok(Err(error)) => {
                tracing::error!(%error, %realm, "word lists cannot be built");
                return Err(Refusal::Internal);
            }
            Err(error) => {
                tracing::error!(%error, %realm, "word lists were not built");
                return Err(Refusal::Internal);
            }
        }
        Ok(())
    }
}

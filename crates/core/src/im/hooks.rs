//! Hooks: what is kept of them, with their secrets in the open for those who call them.

use super::Im;
use crate::hook::{DeadLetter, HookRecord, MAX_DEAD_LETTERS, MAX_HOOKS, NewDeadLetter};
use crate::refusal::Refusal;

impl Im {
    /// All hooks, oldest first, with their secrets; `None` for one that was sealed under
    /// another key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hooks(&self) -> Result<Vec<(HookRecord, Option<String>)>, Refusal> {
        let hooks = self.stores.hooks.hooks().await?;
        let opened = hooks.into_iter().map(|hook| {
            let secret = self.seal.open(&hook.sealed_secret);
            (hook, secret)
        });
        Ok(opened.collect())
    }

    /// Makes a hook with this secret, or replaces the one with its id.
    ///
    /// # Errors
    /// `TooMany`, or when the store fails.
    pub async fn put_hook(&self, mut hook: HookRecord, secret: &str) -> Result<(), Refusal> {
        hook.sealed_secret = self.seal.seal(secret);
        if self.stores.hooks.put_hook(&hook, MAX_HOOKS).await? {
            Ok(())
        } else {
            Err(Refusal::TooMany)
        }
    }

    /// Forgets a hook, its dead letters and its place.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn delete_hook(&self, id: &str) -> Result<(), Refusal> {
        if self.stores.hooks.delete_hook(id).await? {
            Ok(())
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// Keeps what could not be delivered to a hook.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bury(&self, hook: &str, letter: &NewDeadLetter) -> Result<(), Refusal> {
        let hooks = &self.stores.hooks;
        Ok(hooks.bury(hook, letter, MAX_DEAD_LETTERS).await?)
    }

    /// A hook's dead letters after a number, ascending.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn dead_letters(
        &self,
        hook: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, Refusal> {
        Ok(self.stores.hooks.dead_letters(hook, after, limit).await?)
    }

    /// One dead letter of a hook.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn dead_letter(&self, hook: &str, n: i64) -> Result<DeadLetter, Refusal> {
        let found = self.stores.hooks.dead_letter(hook, n).await?;
        found.ok_or(Refusal::NotFound)
    }

    /// How many dead letters a hook has.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_dead_letters(&self, hook: &str) -> Result<u64, Refusal> {
        Ok(self.stores.hooks.count_dead_letters(hook).await?)
    }

    /// Drops a dead letter of a hook, or all. How many went.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop_dead_letters(&self, hook: &str, only: Option<i64>) -> Result<u64, Refusal> {
        Ok(self.stores.hooks.drop_dead_letters(hook, only).await?)
    }
}

//! Hooks: what is kept of them, with their secrets in the open for those who call them.

use super::Im;
use crate::hook::{
    DeadLetter, HookRecord, MAX_DEAD_LETTERS, MAX_HOOKS, NewDeadLetter, NewPostponed, Postponed,
};
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

    /// Keeps a delivery to a hook for later. False if one of its event waits already, or the
    /// hook is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn postpone(&self, hook: &str, delivery: &NewPostponed) -> Result<bool, Refusal> {
        Ok(self.stores.hooks.postpone(hook, delivery).await?)
    }

    /// The lanes of a hook in which deliveries wait, and how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn postponed_lanes(&self, hook: &str) -> Result<Vec<(String, u64)>, Refusal> {
        Ok(self.stores.hooks.postponed_lanes(hook).await?)
    }

    /// The first delivery that waits in a lane of a hook.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_postponed(
        &self,
        hook: &str,
        lane: &str,
    ) -> Result<Option<Postponed>, Refusal> {
        Ok(self.stores.hooks.next_postponed(hook, lane).await?)
    }

    /// Writes down that a delivery was tried again: how often and for how long by now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tried_again(&self, n: i64, tries: u32, tried_for_ms: u64) -> Result<(), Refusal> {
        Ok(self
            .stores
            .hooks
            .tried_again(n, tries, tried_for_ms)
            .await?)
    }

    /// A delivery waits no longer: it was taken, or is a dead letter from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_postponed(
        &self,
        hook: &str,
        n: i64,
        dead: Option<&NewDeadLetter>,
    ) -> Result<(), Refusal> {
        let hooks = &self.stores.hooks;
        Ok(hooks.end_postponed(hook, n, dead, MAX_DEAD_LETTERS).await?)
    }

    /// Drops all deliveries of a hook that wait. How many went.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop_postponed(&self, hook: &str) -> Result<u64, Refusal> {
        Ok(self.stores.hooks.drop_postponed(hook).await?)
    }
}

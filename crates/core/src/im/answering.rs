//! Answers that are kept for those who ask again.

use super::Im;
use crate::answered::{Answered, Asker, KEPT_MS, KeptAnswer, MAX_BODY_BYTES};
use crate::refusal::Refusal;

/// Old ones that are forgotten in one step.
const STEP: u32 = 1000;

impl Im {
    /// What was answered under a key within 24 hours.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn answered(&self, asker: &Asker, key: &str) -> Result<Option<Answered>, Refusal> {
        let kept = self.stores.answers.answer(asker, key).await?;
        let oldest_ms = self.clock().now_ms() - KEPT_MS;
        Ok(kept.filter(|kept| kept.at_ms >= oldest_ms).map(|kept| {
            let sealed = kept.sealed_body.as_deref();
            Answered {
                fingerprint: kept.fingerprint,
                status: kept.status,
                media_type: kept.media_type,
                body: sealed.and_then(|sealed| self.seal.open(sealed)),
            }
        }))
    }

    /// Keeps an answer under a key; a body that is too long is left out. Durable when it
    /// returns.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_answer(
        &self,
        asker: &Asker,
        key: &str,
        answered: Answered,
    ) -> Result<(), Refusal> {
        let body = answered.body.filter(|body| body.len() <= MAX_BODY_BYTES);
        let kept = KeptAnswer {
            fingerprint: answered.fingerprint,
            at_ms: self.clock().now_ms(),
            status: answered.status,
            media_type: answered.media_type,
            sealed_body: body.map(|body| self.seal.seal(&body)),
        };
        let answers = &self.stores.answers;
        Ok(answers.keep_answer(asker, key, &kept, asker.room()).await?)
    }

    /// Forgets some of the answers that are older than 24 hours. Returns whether there may be
    /// more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_answers(&self) -> Result<bool, Refusal> {
        let before_ms = self.clock().now_ms() - KEPT_MS;
        let gone = self.stores.answers.forget_answers(before_ms, STEP).await?;
        Ok(gone >= u64::from(STEP))
    }
}

//! Trying a hook, and what could not be delivered to one.

use bytes::Bytes;
use crosstalk_core::hook::DeadLetter;
use crosstalk_core::id::Realm;
use crosstalk_core::refusal::Refusal;
use serde_json::json;

use super::bodies::TestData;
use super::call::{Parcel, call};
use super::deliver::Post;
use super::registry::{HookService, Tested};

impl HookService {
    /// Calls a hook with an event of its own and says what came back.
    ///
    /// # Errors
    /// `NotFound`
    pub async fn test(&self, realm: &Realm, id: &str) -> Result<Tested, Refusal> {
        let hook = self.one(realm, id)?;
        let now_ms = self.im.clock().now_ms();
        let event_id = format!("t{}", self.random::<8>());
        let body = json!({
            "id": event_id,
            "event": "hook.test",
            "at": now_ms,
            "app_id": hook.record.app.as_str(),
            "realm": realm.as_str(),
            "data": TestData { hook: hook.record.id.clone() },
        });
        let parcel = Parcel {
            event: "hook.test".to_owned(),
            id: event_id,
            query: String::new(),
            body: Bytes::from(body.to_string()),
            lane: String::new(),
        };
        let millis = |took: std::time::Duration| u64::try_from(took.as_millis()).unwrap_or(0);
        Ok(match call(&self.client, &hook, &parcel, 1, now_ms).await {
            Ok(answer) => Tested {
                status: Some(answer.status.as_u16()),
                took_ms: millis(answer.took),
                body: answer.head(),
                error: String::new(),
            },
            Err(error) => Tested {
                status: None,
                took_ms: hook.stats().last_ms,
                body: String::new(),
                error,
            },
        })
    }

    /// A hook's dead letters after a number, ascending.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn dead_letters(
        &self,
        realm: &Realm,
        id: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, Refusal> {
        self.one(realm, id)?;
        self.im.dead_letters(id, after, limit).await
    }

    /// Tries a dead letter once more, now. If it is taken it is one no longer. The error inside
    /// says why it was not.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn retry(
        &self,
        realm: &Realm,
        id: &str,
        n: i64,
    ) -> Result<Result<(), String>, Refusal> {
        let hook = self.one(realm, id)?;
        let letter = self.im.dead_letter(id, n).await?.letter;
        let parcel = Parcel {
            event: letter.event,
            id: letter.event_id,
            query: letter.query,
            body: letter.body,
            lane: String::new(),
        };
        let post = Post {
            im: &self.im,
            client: &self.client,
            hook: &hook,
            limits: &self.limits,
        };
        let tries = letter.tries.saturating_add(1);
        if let Err(why) = post.try_once(&parcel, tries).await {
            return Ok(Err(why));
        }
        self.im.drop_dead_letters(id, Some(n)).await?;
        Ok(Ok(()))
    }

    /// Drops a dead letter, or all. How many went.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn drop_dead_letters(
        &self,
        realm: &Realm,
        id: &str,
        only: Option<i64>,
    ) -> Result<u64, Refusal> {
        self.one(realm, id)?;
        let dropped = self.im.drop_dead_letters(id, only).await?;
        if only.is_some() && dropped == 0 {
            return Err(Refusal::NotFound);
        }
        Ok(dropped)
    }
}

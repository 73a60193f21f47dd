//! The review queue.

use std::sync::Arc;

use super::super::Im;
use crate::admin::{Review, ReviewState};
use crate::channel::Address;
use crate::deliver::{Operator, Sender};
use crate::id::Realm;
use crate::message::{Accepted, Draft, Message, OnReuse};
use crate::refusal::Refusal;

/// An entry of the queue as a moderator sees it.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The entry.
    pub review: Review,
    /// The message, if it was delivered and is still there.
    pub message: Option<Message>,
}

/// What a moderator says of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be said: what is held is sent.
    Approve,
    /// It may not: what was delivered is deleted for everybody.
    Reject,
}

impl Im {
    /// Entries of a realm's queue in a state, after a place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reviews(
        &self,
        realm: &Realm,
        state: ReviewState,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Reviewed>, Refusal> {
        let found = self
            .stores
            .admin
            .reviews
            .reviews(realm, state, after, limit);
        let mut reviews = Vec::new();
        for review in found.await? {
            reviews.push(self.reviewed(review).await?);
        }
        Ok(reviews)
    }

    /// One entry.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn review(&self, realm: &Realm, num: i64) -> Result<Reviewed, Refusal> {
        let found = self.stores.admin.reviews.review(realm, num).await?;
        self.reviewed(found.ok_or(Refusal::NotFound)?).await
    }

    async fn reviewed(&self, review: Review) -> Result<Reviewed, Refusal> {
        let message = match review.message {
            Some(id) => self.stores.log.by_id(id).await?,
            None => None,
        };
        Ok(Reviewed { review, message })
    }

    /// Decides on an entry and returns it. What is held is sent if its author may send it now;
    /// otherwise it waits on.
    ///
    /// # Errors
    /// `NotFound`, `WrongState` if it was decided before, why a held message cannot be sent,
    /// or when the store fails.
    pub async fn decide(
        &self,
        realm: &Realm,
        num: i64,
        decision: Decision,
        by: &str,
        note: &str,
    ) -> Result<Reviewed, Refusal> {
        // Of two who decide at once the later one finds it decided.
        let _one = self.deciding.lock().await;
        let entry = self.review(realm, num).await?;
        if entry.review.state != ReviewState::Pending {
            return Err(Refusal::WrongState);
        }
        // What is done comes first: after a crash in between it is decided again, and doing
        // it again changes nothing.
        let (state, sent) = match decision {
            Decision::Approve => {
                let sent = if entry.review.message.is_none() {
                    Some(self.send_held(&entry.review).await?)
                } else {
                    None
                };
                (ReviewState::Approved, sent)
            }
            Decision::Reject => {
                if let Some(id) = entry.review.message {
                    match self.delete(realm, id, Operator::Application).await {
                        Ok(_) | Err(Refusal::NoSuchMessage) => {}
                        Err(why) => return Err(why),
                    }
                }
                (ReviewState::Rejected, None)
            }
        };
        let reviews = &self.stores.admin.reviews;
        let settled = reviews.settle_review(num, state, by, note, sent);
        if !settled.await? {
            return Err(Refusal::WrongState);
        }
        self.review(realm, num).await
    }

    /// Sends what was held. Its words were looked at, and so it was by whoever is asked before;
    /// everything else is judged anew, since its author may be gone, muted or blocked now.
    async fn send_held(&self, review: &Review) -> Result<Accepted, Refusal> {
        let held = &review.held;
        let mut body = held.body.clone();
        if body.client_no.is_empty() {
            body.client_no = format!("review-{}", review.num).into();
        }
        let draft = Draft {
            to: Address {
                kind: held.key.kind,
                id: Arc::clone(&held.key.id),
            },
            body,
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        };
        let sender = Sender::User(held.sender.clone());
        let accepted = self.say(&held.key, sender, draft).await;
        accepted.map_err(|refused| refused.why)
    }
}

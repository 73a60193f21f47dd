//! The hook that is asked before a message of a user is accepted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::clock::Clock;
use crosstalk_core::hook::OnFailure;
use crosstalk_core::id::{Realm, UserRef};
use crosstalk_core::message::{Body, Origin};
use crosstalk_core::send::screen::{Screen, Verdict};
use crosstalk_gateway::{Dialect, content_of_body};
use hyper::StatusCode;
use parking_lot::RwLock;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::bodies::{Action, BeforeSendAnswer, BeforeSendData, Destination};
use super::call::{Parcel, call};
use super::registry::Hook;
use super::stats::short;
use crate::auth::client::Client;
use crate::http::v1::content_payload;

/// Questions that are asked at the same time; more wait, within the time there is.
const AT_ONCE: usize = 256;
/// The name of the question.
pub(super) const EVENT: &str = "message.before_send";

/// Asks the hook of each realm that has one.
pub(super) struct Before {
    client: Client,
    clock: Arc<dyn Clock>,
    hooks: RwLock<HashMap<Realm, Arc<Hook>>>,
    room: Semaphore,
}

impl Before {
    pub(super) fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            hooks: RwLock::default(),
            room: Semaphore::new(AT_ONCE),
        }
    }

    /// From now on these are asked, one of a realm.
    pub(super) fn set(&self, hooks: impl Iterator<Item = Arc<Hook>>) {
        let hooks = hooks.map(|hook| (hook.record.realm.clone(), hook));
        *self.hooks.write() = hooks.collect();
    }

    fn of(&self, realm: &Realm) -> Option<Arc<Hook>> {
        self.hooks.read().get(realm).cloned()
    }

    /// What the hook says; the error is why it says nothing.
    async fn ask(&self, hook: &Hook, parcel: &Parcel) -> Result<BeforeSendAnswer, String> {
        let now_ms = self.clock.now_ms();
        let within = Duration::from_millis(hook.record.settings.timeout_ms.into());
        let answer = timeout(within, async {
            let _room = self.room.acquire().await;
            call(&self.client, hook, parcel, 1, now_ms).await
        });
        let answer = answer.await.map_err(|_| "no answer in time".to_owned())??;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(BeforeSendAnswer {
                action: Action::Allow,
                reason: String::new(),
                content: Value::Null,
            }),
            status if status.is_success() => serde_json::from_slice(&answer.body)
                .map_err(|error| short(&format!("its answer is not understood: {error}"))),
            status => Err(short(&format!("{status}: {}", answer.head()))),
        }
    }

    fn parcel(&self, hook: &Hook, sender: &UserRef, to: &ChannelKey, body: &Body) -> Parcel {
        let mut random = [0; 8];
        self.clock.fill_random(&mut random);
        let id = format!("q{:016x}", u64::from_be_bytes(random));
        let question = json!({
            "id": id,
            "event": EVENT,
            "at": self.clock.now_ms(),
            "app_id": hook.record.app.as_str(),
            "realm": to.realm.as_str(),
            "data": BeforeSendData {
                from: sender.uid.as_str().to_owned(),
                to: Destination {
                    kind: to.kind.name(),
                    id: to.id_for(sender.uid.as_str()).to_owned(),
                },
                content: content_of_body(body),
                client_no: (!body.client_no.is_empty()).then(|| body.client_no.to_string()),
                dialect: Dialect::of(body.origin).map(Dialect::name),
            },
        });
        Parcel {
            event: EVENT.to_owned(),
            id,
            query: String::new(),
            body: Bytes::from(question.to_string()),
            lane: String::new(),
        }
    }
}

#[async_trait]
impl Screen for Before {
    fn looks_at(&self, realm: &Realm) -> bool {
        self.hooks.read().contains_key(realm)
    }

    async fn look(&self, sender: &UserRef, to: &ChannelKey, body: &Body) -> Verdict {
        let Some(hook) = self.of(&to.realm) else {
            return Verdict::Allow;
        };
        let parcel = self.parcel(&hook, sender, to, body);
        let said = self.ask(&hook, &parcel).await;
        let verdict = said.and_then(|said| verdict(&said, body));
        hook.stats.change(|stats| match &verdict {
            Ok(_) => stats.delivered += 1,
            Err(why) => {
                stats.failed += 1;
                stats.last_error.clone_from(why);
            }
        });
        verdict.unwrap_or_else(|why| {
            let id = &hook.record.id;
            tracing::warn!(hook = %id, why, "the hook that is asked before a message gave no answer");
            match hook.record.settings.on_failure {
                OnFailure::Open => Verdict::Allow,
                OnFailure::Closed => Verdict::Unanswered,
            }
        })
    }
}

/// What an answer means for a message.
fn verdict(said: &BeforeSendAnswer, body: &Body) -> Result<Verdict, String> {
    match said.action {
        Action::Allow => Ok(Verdict::Allow),
        Action::Deny => {
            tracing::debug!(reason = said.reason, "the application refuses a message");
            Ok(Verdict::Deny)
        }
        Action::Replace => {
            let payload = content_payload(&said.content)
                .map_err(|why| format!("what it puts in the place of the content: {why}"))?;
            Ok(Verdict::Replace(Box::new(Body {
                origin: Origin::REST,
                tag: "".into(),
                payload,
                extra: None,
                ..body.clone()
            })))
        }
    }
}

//! Hooks against a receiver of the test's own.

mod asking;
mod documented;
mod receiver;
mod replaying;
mod restarting;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::deliver::Sender;
use crosstalk_core::directory::AppId;
use crosstalk_core::hook::{HookKind, HookSettings};
use crosstalk_core::id::{MessageId, Realm, Uid, UserRef};
use crosstalk_core::im::{Im, Policy};
use crosstalk_core::message::{Body, Draft, Flags, OnReuse};
use crosstalk_core::session::SendReply;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

pub(crate) use self::receiver::{Call, Receiver};
use super::{Hook, HookLimits, HookService};
use crate::consumers::Consumers;
use crate::http::v1::tests::im;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A messenger whose hooks run.
struct Bed {
    im: Arc<Im>,
    _clock: Arc<ManualClock>,
    consumers: Arc<Consumers>,
    hooks: Arc<HookService>,
}

/// Tries come quickly after each other, so that tests need not wait.
pub(crate) fn quick() -> HookLimits {
    HookLimits {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(4),
        ..HookLimits::default()
    }
}

impl Bed {
    async fn start() -> Self {
        Self::with(quick()).await
    }

    async fn with(limits: HookLimits) -> Self {
        let (im, clock, _) = im::start_with_policy(Policy::default()).await;
        let consumers = Consumers::new(&im);
        let hooks = HookService::start(&im, &consumers, limits).await;
        Self {
            im,
            _clock: clock,
            consumers,
            hooks: hooks.expect("hooks"),
        }
    }

    /// The hooks stop, and start again on what is stored.
    async fn restart(&mut self) {
        self.hooks.stop().await;
        self.consumers.stop().await;
        self.consumers = Consumers::new(&self.im);
        let hooks = HookService::start(&self.im, &self.consumers, quick());
        self.hooks = hooks.await.expect("hooks");
    }

    async fn hook(&self, url: String, events: &[&str]) -> (Arc<Hook>, String) {
        let settings = self.settings(HookKind::Events, url, events);
        self.hook_with(HookKind::Events, settings).await
    }

    fn settings(&self, kind: HookKind, url: String, events: &[&str]) -> HookSettings {
        HookSettings {
            url,
            events: events.iter().map(|&name| name.to_owned()).collect(),
            ..self.hooks.limits().usual(kind)
        }
    }

    async fn hook_with(&self, kind: HookKind, settings: HookSettings) -> (Arc<Hook>, String) {
        let (realm, app) = (Realm::default(), AppId::default());
        let made = self.hooks.create(&realm, &app, kind, true, settings).await;
        made.expect("a hook")
    }

    async fn user(&self, uid: &str) -> UserRef {
        let uid = Uid::parse(uid).expect("a uid");
        let user = self.im.ensure_user(&Realm::default(), &uid).await;
        user.expect("a user")
    }

    /// A user says something to another.
    async fn try_say(&self, from: &str, to: &str, text: &str) -> SendReply {
        let sender = Sender::User(self.user(from).await);
        self.user(to).await;
        let draft = Draft {
            to: Address::parse(ChannelKind::DIRECT, to).expect("an address"),
            body: Body {
                flags: Flags {
                    counts: true,
                    ..Flags::default()
                },
                payload: json!({"type": "text", "text": text}).to_string().into(),
                ..Body::default()
            },
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        };
        self.im.send_as(&Realm::default(), sender, draft).await
    }

    async fn say(&self, from: &str, to: &str, text: &str) -> MessageId {
        self.try_say(from, to, text).await.expect("accepted").id
    }
}

/// Waits, bounded, until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            // wait: for other tasks; how long does not matter
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("in time");
}

/// The texts of `message.stored` events.
fn texts(calls: &[Call]) -> Vec<String> {
    let text = |call: &Call| call.json["data"]["content"]["text"].clone();
    let all = calls.iter().map(text);
    all.map(|text| text.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// A member of each event's JSON.
fn members(calls: &[Call], name: &str) -> Vec<Value> {
    calls.iter().map(|call| call.json[name].clone()).collect()
}

/// Hooks of a messenger, for tests of the routes.
pub(crate) async fn service(im: &Arc<Im>) -> Arc<HookService> {
    let hooks = HookService::start(im, &Consumers::new(im), quick()).await;
    hooks.expect("hooks")
}

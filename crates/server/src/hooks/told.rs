//! A hook that is told what happens, as a consumer of the outbox.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::hook::HookFormat;
use crosstalk_core::im::Im;
use crosstalk_core::message::Message;
use crosstalk_core::outbox::Event;

use super::call::Parcel;
use super::deliver::Post;
use super::event::{self, Happened};
use super::late::Late;
use super::names::Wanted;
use super::offline::{self, Presence};
use super::registry::Hook;
use super::settings::HookLimits;
use super::{render, wukong};
use crate::auth::client::Client;
use crate::consumers::{Consumer, NotNow};

/// How much of the log is read for one round of deliveries.
const BATCH: u32 = 200;
/// Names of those who were not there that are held at once, unless one message has more: what
/// there is by then is delivered first.
const NAMES: usize = 20_000;

/// The consumer of one hook.
pub(super) struct Told {
    pub(super) im: Arc<Im>,
    pub(super) client: Client,
    pub(super) hook: Arc<Hook>,
    pub(super) limits: HookLimits,
    pub(super) name: String,
    pub(super) wanted: Wanted,
    pub(super) late: Late,
}

/// Under which name a hook's place is kept.
pub(super) fn consumer_name(hook: &str) -> String {
    format!("hook:{hook}")
}

impl Told {
    fn wants(&self, name: &str) -> bool {
        let is_wukong = self.hook.record.settings.format == HookFormat::Foreign;
        self.wanted.has(name) && (!is_wukong || wukong::EVENTS.contains(&name))
    }

    fn presence(&self) -> Presence {
        match self.hook.record.settings.format {
            HookFormat::Crosstalk => Presence::AnySession,
            HookFormat::Foreign => Presence::MainDevice,
        }
    }

    fn parcels(&self, events: &[Happened]) -> Vec<Parcel> {
        match self.hook.record.settings.format {
            HookFormat::Crosstalk => render::parcels(&self.hook, events),
            HookFormat::Foreign => wukong::parcels(events),
        }
    }

    fn post(&self) -> Post<'_> {
        Post {
            im: &self.im,
            client: &self.client,
            hook: &self.hook,
            limits: &self.limits,
        }
    }

    async fn deliver(&self, events: &[Happened]) -> Result<(), NotNow> {
        self.post().deliver(self.parcels(events), &self.late).await
    }
}

#[async_trait]
impl Consumer for Told {
    fn name(&self) -> &str {
        &self.name
    }

    fn batch(&self) -> u32 {
        BATCH
    }

    async fn messages(&self, messages: &[Message]) -> Result<(), NotNow> {
        let now_ms = self.im.clock().now_ms();
        let (mut events, mut names) = (Vec::new(), 0);
        let ours = messages
            .iter()
            .filter(|message| message.channel.key.realm == self.hook.record.realm);
        for message in ours {
            let Some(told) = event::of_message(message, now_ms) else {
                continue;
            };
            let absent = if told.message.is_some() && self.wants("message.offline") {
                offline::of_message(&self.im, &told, self.presence()).await?
            } else {
                Vec::new()
            };
            if self.wants(&told.name) {
                events.push(told);
            }
            names += absent.iter().map(|event| event.absent.len()).sum::<usize>();
            events.extend(absent);
            if names >= NAMES {
                self.deliver(&events).await?;
                events.clear();
                names = 0;
            }
        }
        self.deliver(&events).await
    }

    async fn events(&self, events: &[Event]) -> Result<(), NotNow> {
        let ours = events
            .iter()
            .filter(|event| event.what.realm == self.hook.record.realm);
        let told = ours.filter_map(event::of_event);
        let told: Vec<Happened> = told.filter(|event| self.wants(&event.name)).collect();
        self.deliver(&told).await
    }

    async fn beside(&self) {
        self.post().try_late(&self.late).await;
    }
}

//! Fills the index of messages, behind everybody's back: what was said, edited and taken away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crosstalk_core::change::{Change, MessageName};
use crosstalk_core::channel::LogKind;
use crosstalk_core::id::MessageId;
use crosstalk_core::im::Im;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::search::{DocChange, SearchDoc, words};
use crosstalk_gateway::searchable;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::sleep;
use utoipa::ToSchema;

use super::{Consumer, Consumers, NotNow, Running};

/// Under which its place is kept.
const NAME: &str = "search";
/// Changes that share a piece of the store's time.
const SLICE: usize = 64;
/// How many times as long as that took those who send have the store to themselves…
const SHARE: u64 = 4;
/// … at most, ms.
const MAX_PAUSE_MS: u64 = 500;
/// The pause after each batch: what comes meanwhile shares the next.
const LINGER: Duration = Duration::from_millis(100);

/// Fills the index.
struct Indexer {
    im: Arc<Im>,
    /// Others need the store, too.
    is_gentle: bool,
}

#[async_trait]
impl Consumer for Indexer {
    fn name(&self) -> &str {
        NAME
    }

    fn wants_the_past(&self) -> bool {
        true
    }

    fn batch(&self) -> u32 {
        1024
    }

    async fn messages(&self, messages: &[Message]) -> Result<(), NotNow> {
        let mut changes = Vec::new();
        for message in messages {
            self.note(message, &mut changes).await?;
        }
        while !changes.is_empty() {
            let rest = changes.split_off(SLICE.min(changes.len()));
            let clock = self.im.clock();
            let began_ms = clock.mono_ms();
            self.im.index(std::mem::replace(&mut changes, rest)).await?;
            if self.is_gentle && !changes.is_empty() {
                let took_ms = clock.mono_ms().saturating_sub(began_ms);
                sleep(Duration::from_millis((took_ms * SHARE).min(MAX_PAUSE_MS))).await;
            }
        }
        if self.is_gentle {
            sleep(LINGER).await;
        }
        Ok(())
    }
}

impl Indexer {
    /// What an entry of a log means for the index.
    async fn note(&self, entry: &Message, changes: &mut Vec<DocChange>) -> Result<(), Refusal> {
        if entry.channel.log == LogKind::Chat {
            changes.push(put(entry));
            return Ok(());
        }
        let remove = |name: &MessageName| DocChange::Remove(name.id);
        match Change::of(entry) {
            Some(Change::Revoked { message, .. } | Change::Deleted { message, .. }) => {
                changes.push(remove(&message));
            }
            Some(Change::Expired { messages, .. }) => changes.extend(messages.iter().map(remove)),
            Some(Change::Edited { message, .. }) => match self.im.message(message.id).await {
                Ok(edited) => changes.push(put(&edited)),
                Err(Refusal::NoSuchMessage) => changes.push(remove(&message)),
                Err(why) => return Err(why),
            },
            _ => {}
        }
        Ok(())
    }
}

/// A message as the index has it now.
fn put(message: &Message) -> DocChange {
    let found = searchable(message).filter(|_| message.revoked.is_none());
    let Some(found) = found else {
        return DocChange::Remove(message.id);
    };
    DocChange::Put(SearchDoc {
        id: message.id,
        realm: message.channel.key.realm.clone(),
        channel: message.channel.num,
        sender: message.sender.num,
        kind: found.kind.to_owned(),
        words: words(&found.text)
            .into_iter()
            .map(|word| word.text)
            .collect(),
    })
}

/// How far the index is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "enabled": true, "complete": false, "progress": 0.25, "behind_ms": 86_400_000_u64,
    "indexed_id": "741200000000000001", "newest_id": "741300000000000001",
}))]
pub struct SearchStatus {
    /// Whether messages are indexed at all.
    pub enabled: bool,
    /// Everything that was said can be found.
    pub complete: bool,
    /// How much of the time since the first message is done: 0 to 1.
    pub progress: f64,
    /// How much of that time is left, ms.
    pub behind_ms: u64,
    /// The newest message that was looked at.
    pub indexed_id: String,
    /// The newest message.
    pub newest_id: String,
}

/// The index and who fills it.
pub struct Search {
    im: Arc<Im>,
    /// Who fills it, and starts them; `None` = it is switched off, or there is no server.
    work: Option<(Arc<Consumers>, Mutex<Option<Running>>)>,
}

impl Search {
    /// Begins to fill the index.
    #[must_use]
    pub fn start(im: &Arc<Im>, consumers: &Arc<Consumers>) -> Arc<Self> {
        let running = consumers.start(gentle(im));
        Arc::new(Self {
            im: Arc::clone(im),
            work: Some((Arc::clone(consumers), Mutex::new(running))),
        })
    }

    /// An index that nobody fills.
    #[must_use]
    pub fn off(im: &Arc<Im>) -> Arc<Self> {
        Arc::new(Self {
            im: Arc::clone(im),
            work: None,
        })
    }

    /// Lets go of the messenger's work: nobody fills it any more.
    pub async fn stop(&self) {
        if let Some((_, running)) = &self.work
            && let Some(running) = running.lock().await.take()
        {
            running.stop().await;
        }
    }

    /// Whether somebody fills it.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.work.is_some()
    }

    /// Forgets the index and begins anew; what is found grows again from the oldest on.
    ///
    /// # Errors
    /// `WrongState` if it is switched off, or when the store fails.
    pub async fn rebuild(&self) -> Result<(), Refusal> {
        let (consumers, running) = self.work.as_ref().ok_or(Refusal::WrongState)?;
        let mut running = running.lock().await;
        if let Some(running) = running.take() {
            running.stop().await;
        }
        let emptied = empty(&self.im).await;
        // Whatever became of that, messages are to be indexed again.
        *running = consumers.start(gentle(&self.im));
        emptied
    }

    /// How far it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn status(&self) -> Result<SearchStatus, Refusal> {
        status(&self.im, self.is_on()).await
    }
}

fn gentle(im: &Arc<Im>) -> Arc<Indexer> {
    Arc::new(Indexer {
        im: Arc::clone(im),
        is_gentle: true,
    })
}

/// Forgets the index and the place in the log.
///
/// # Errors
/// When the store fails.
pub async fn empty(im: &Im) -> Result<(), Refusal> {
    // In this order: what a crash leaves is at worst indexed again.
    im.forget_place(NAME).await?;
    im.clear_index().await
}

/// Fills the index to its end, where no consumer runs, and says how far it is in between.
///
/// # Errors
/// When the store fails.
pub async fn fill(im: &Arc<Im>, mut says: impl FnMut(&SearchStatus)) -> Result<(), NotNow> {
    let indexer = Indexer {
        im: Arc::clone(im),
        is_gentle: false,
    };
    let mut place = im.place_of(NAME).await?.unwrap_or_default();
    loop {
        let messages = im.scan(place.message, indexer.batch()).await?;
        let Some(last) = messages.last() else {
            break;
        };
        indexer.messages(&messages).await?;
        place.message = last.id;
        im.put_place(NAME, place).await?;
        says(&status(im, true).await?);
    }
    // Events mean nothing to the index.
    place.event = im.outbox_end().await?.event;
    im.put_place(NAME, place).await?;
    Ok(())
}

async fn status(im: &Im, enabled: bool) -> Result<SearchStatus, Refusal> {
    let done = im.place_of(NAME).await?.unwrap_or_default().message;
    let end = im.outbox_end().await?.message;
    let first = im.scan(MessageId(0), 1).await?;
    let first_ms = first.first().map_or(0, |first| first.id.given_at_ms());
    let ms = |id: MessageId| u64::try_from(id.given_at_ms() - first_ms).unwrap_or(0);
    let complete = done >= end;
    let (all_ms, done_ms) = (ms(end), ms(done).min(ms(end)));
    Ok(SearchStatus {
        enabled,
        complete,
        progress: match (complete, all_ms) {
            (true, _) => 1.0,
            (false, 0) => 0.0,
            (false, _) => share(done_ms, all_ms),
        },
        behind_ms: all_ms - done_ms,
        indexed_id: done.to_string(),
        newest_id: end.to_string(),
    })
}

/// A part of a whole, to the ten thousandth, and never all of it.
fn share(part: u64, whole: u64) -> f64 {
    let parts = u128::from(part) * 10_000 / u128::from(whole.max(1));
    f64::from(u16::try_from(parts.min(9_999)).unwrap_or(9_999)) / 10_000.0
}

//! What a client has said so far, and waiting for more.

use std::fmt::Display;
use std::sync::Mutex;

use crosstalk_tests::PATIENCE;
use tokio::sync::Notify;

use crate::event::{Answer, Event, Heard};

/// Events that a failed wait shows.
const SHOWN: usize = 12;

/// Everything that a client has said, in order. Looking does not consume.
#[derive(Debug)]
pub struct Log {
    who: String,
    events: Mutex<Vec<Event>>,
    arrived: Notify,
}

impl Log {
    /// The empty log of a peer.
    #[must_use]
    pub fn new(who: &str) -> Log {
        Log {
            who: who.to_owned(),
            events: Mutex::new(Vec::new()),
            arrived: Notify::new(),
        }
    }

    /// Adds an event.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn push(&self, event: Event) {
        let mut events = self.events.lock().expect("no holder of this lock panics");
        events.push(event);
        drop(events);
        self.arrived.notify_waiters();
    }

    /// What `look` makes of all events so far.
    ///
    /// # Panics
    /// When `look` does.
    pub fn look<T>(&self, look: impl FnOnce(&[Event]) -> T) -> T {
        look(&self.events.lock().expect("no holder of this lock panics"))
    }

    /// Waits until `look` finds something in all events so far.
    ///
    /// # Panics
    /// When it does not in time; the message says `what`.
    pub async fn wait<T>(&self, what: impl Display, look: impl Fn(&[Event]) -> Option<T>) -> T {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let mut arrived = std::pin::pin!(self.arrived.notified());
                // Before looking, so that nothing arrives unnoticed in between.
                arrived.as_mut().enable();
                if let Some(found) = self.look(&look) {
                    return found;
                }
                arrived.await;
            }
        });
        let Ok(found) = found.await else {
            let (count, last) = self.look(|events| {
                let from = events.len().saturating_sub(SHOWN);
                (events.len(), events[from..].to_vec())
            });
            let last: String = last.iter().map(|event| format!("\n  {event:?}")).collect();
            panic!(
                "{}: {what}: not within {PATIENCE:?}; the last of {count} events:{last}",
                self.who
            );
        };
        found
    }

    /// The messages that fit, so far.
    pub fn messages(&self, fits: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        self.look(|events| messages(events, &fits))
    }

    /// Waits until there are so many messages that fit, and returns all that there are.
    pub async fn expect(
        &self,
        what: impl Display,
        count: usize,
        fits: impl Fn(&Heard) -> bool,
    ) -> Vec<Heard> {
        self.wait(format!("{count} times {what}"), |events| {
            let messages = messages(events, &fits);
            (messages.len() >= count).then_some(messages)
        })
        .await
    }

    /// Waits until it is told that somebody has read a message.
    pub async fn read(&self, id: &str, by: &str) {
        self.wait(format!("that {by} has read {id}"), |events| {
            let is_it = |event: &Event| match event {
                Event::Read { id: of, by: who } => of == id && who.as_deref() == Some(by),
                _ => false,
            };
            events.iter().any(is_it).then_some(())
        })
        .await;
    }

    /// How many answers a message has had.
    pub fn answers(&self, key: &str) -> usize {
        self.look(|events| answers(events, key).count())
    }

    /// Waits for the answer to a message that has had so many before.
    pub async fn answer(&self, key: &str, before: usize) -> Answer {
        self.wait(format!("answer {} to {key}", before + 1), |events| {
            answers(events, key).nth(before).cloned()
        })
        .await
    }
}

fn messages(events: &[Event], fits: impl Fn(&Heard) -> bool) -> Vec<Heard> {
    let heard = events.iter().filter_map(|event| match event {
        Event::Heard(heard) => Some(heard),
        _ => None,
    });
    heard.filter(|heard| fits(heard)).cloned().collect()
}

fn answers<'e>(events: &'e [Event], key: &'e str) -> impl Iterator<Item = &'e Answer> {
    events.iter().filter_map(move |event| match event {
        Event::Answered { key: of, answer } if of == key => Some(answer),
        _ => None,
    })
}

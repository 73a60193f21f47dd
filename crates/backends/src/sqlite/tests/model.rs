//! Unread against a model: random histories of a group, with crashes in between.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::channel::{ChannelRef, Channels, MemberChange, MemberRole};
use crosstalk_core::contract::{append, store, text, user};
use crosstalk_core::conversation::{ConversationChange, Inbox};
use crosstalk_core::id::{MessageId, UserRef};
use crosstalk_core::log::Log;
use crosstalk_core::message::{Body, Flags, Message};
use proptest::prelude::*;

use super::{Bed, all, room};
use crate::sqlite::{Sqlite, SqliteOptions};

const PEOPLE: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Send { who: usize, counts: bool },
    Read { who: usize, to: Option<u64> },
    SetUnread { who: usize, n: u64 },
    Hide { who: usize },
    Join { who: usize },
    Leave { who: usize },
    Clear { who: usize },
    Revoke { seq: u64 },
    Drop { to: u64 },
    Crash,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    prop_oneof![
        8 => (who(), any::<bool>()).prop_map(|(who, counts)| Step::Send { who, counts }),
        2 => (who(), proptest::option::of(0..12_u64)).prop_map(|(who, to)| Step::Read { who, to }),
        3 => (who(), 0..8_u64).prop_map(|(who, n)| Step::SetUnread { who, n }),
        1 => who().prop_map(|who| Step::Hide { who }),
        2 => who().prop_map(|who| Step::Join { who }),
        1 => who().prop_map(|who| Step::Leave { who }),
        1 => who().prop_map(|who| Step::Clear { who }),
        3 => (1..20_u64).prop_map(|seq| Step::Revoke { seq }),
        1 => (1..15_u64).prop_map(|to| Step::Drop { to }),
        1 => Just(Step::Crash),
        1 => Just(Step::Close),
    ]
}

/// What a member's conversation is, said as simply as possible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    read: u64,
    badge: u64,
    hidden: u64,
    begins_after: u64,
}

/// The group: which messages still count, what was dropped, and who belongs to it.
#[derive(Debug, Default)]
struct Model {
    counts: Vec<bool>,
    dropped: u64,
    members: HashMap<usize, Seen>,
    left: HashMap<usize, Seen>,
}

impl Model {
    fn head(&self) -> u64 {
        self.counts.len() as u64
    }

    fn unread_after(&self, seq: u64) -> u64 {
        self.counts
            .iter()
            .skip(seq.try_into().unwrap())
            .filter(|counts| **counts)
            .count() as u64
    }

    fn take(&mut self, step: &Step) {
        let head = self.head();
        match *step {
            Step::Send { who, counts } => {
                self.counts.push(counts);
                if let Some(seen) = self.members.get_mut(&who) {
                    (seen.read, seen.badge) = (head + 1, head + 1);
                }
            }
            Step::Read { who, to } => {
                let to = to.unwrap_or(head).min(head);
                if let Some(seen) = self.members.get_mut(&who) {
                    (seen.read, seen.badge) = (seen.read.max(to), seen.badge.max(to));
                }
            }
            Step::SetUnread { who, n } => {
                let start = self.members.get(&who).map_or(0, |seen| seen.begins_after);
                // The last place after which exactly n count, or all that can be read.
                let n = n.min(self.unread_after(start));
                let badge = (start..=head)
                    .rev()
                    .find(|seq| self.unread_after(*seq) >= n);
                if let (Some(seen), Some(badge)) = (self.members.get_mut(&who), badge) {
                    (seen.read, seen.badge) = (seen.read.max(badge), badge);
                }
            }
            Step::Clear { who } => {
                if let Some(seen) = self.members.get_mut(&who) {
                    (seen.read, seen.badge, seen.begins_after) = (head, head, head);
                }
            }
            Step::Revoke { seq } => {
                let at = usize::try_from(seq - 1).unwrap();
                if let Some(counts) = self.counts.get_mut(at).filter(|_| seq > self.dropped) {
                    *counts = false;
                }
            }
            Step::Drop { to } => {
                self.dropped = self.dropped.max(to.min(head));
                for seen in self.members.values_mut().chain(self.left.values_mut()) {
                    seen.badge = seen.badge.max(self.dropped);
                    seen.begins_after = seen.begins_after.max(self.dropped);
                }
            }
            Step::Hide { who } => {
                if let Some(seen) = self.members.get_mut(&who) {
                    seen.hidden = head;
                }
            }
            Step::Join { who } => {
                let before = self.left.remove(&who).unwrap_or_default();
                let fresh = Seen {
                    read: head,
                    badge: head,
                    hidden: before.hidden,
                    begins_after: before.begins_after.max(self.dropped),
                };
                self.members.entry(who).or_insert(fresh);
            }
            Step::Leave { who } => {
                self.left
                    .extend(self.members.remove(&who).map(|seen| (who, seen)));
            }
            Step::Crash | Step::Close => {}
        }
    }
}

struct Real {
    bed: Bed,
    db: Option<Arc<Sqlite>>,
    log: Arc<ChannelRef>,
    people: Vec<UserRef>,
    eager: bool,
}

impl Real {
    async fn new(eager: bool) -> Self {
        let bed = Bed::new();
        let db = open(&bed, eager);
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            people.push(user(&*db, &format!("user{n}")).await);
        }
        let log = room(&db, "g", &[]).await;
        Self {
            bed,
            db: Some(db),
            log,
            people,
            eager,
        }
    }

    fn db(&self) -> &Arc<Sqlite> {
        self.db.as_ref().unwrap()
    }

    async fn change(&self, who: usize, change: ConversationChange) {
        self.db()
            .change(self.people[who].num, self.log.num, change)
            .await
            .unwrap();
    }

    async fn member(&self, change: MemberChange) {
        self.db()
            .change_members(self.log.num, &[change])
            .await
            .unwrap();
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Send { who, counts } => {
                let body = Body {
                    flags: Flags {
                        counts,
                        ..Flags::default()
                    },
                    ..text("x")
                };
                store(
                    &**self.db(),
                    vec![append(&self.log, &self.people[who], body)],
                )
                .await;
            }
            Step::Read { who, to } => self.change(who, ConversationChange::Read(to)).await,
            Step::SetUnread { who, n } => self.change(who, ConversationChange::SetUnread(n)).await,
            Step::Hide { who } => self.change(who, ConversationChange::Hide).await,
            Step::Join { who } => {
                self.member(MemberChange::Join(
                    self.people[who].clone(),
                    MemberRole::Member,
                ))
                .await;
            }
            Step::Leave { who } => {
                self.member(MemberChange::Leave(self.people[who].clone()))
                    .await;
            }
            Step::Clear { who } => self.change(who, ConversationChange::Clear).await,
            Step::Revoke { seq } => {
                if let Some(message) = self.first(|at| at == seq).await {
                    self.db().revoke(message.id, None).await.unwrap();
                }
            }
            Step::Drop { to } => {
                let after = self.first(|at| at > to).await;
                let before = after.map_or(MessageId(i64::MAX), |message| message.id);
                let mut next = Some(MessageId(0));
                while let Some(from) = next {
                    next = self.db().retain(from, before, 3).await.unwrap().next;
                }
            }
            Step::Crash => self.reopen(),
            Step::Close => {
                self.db().close().await;
                self.reopen();
            }
        }
    }

    /// The first message with a seq that is wanted.
    async fn first(&self, is_wanted: impl Fn(u64) -> bool) -> Option<Message> {
        let found = all(self.db(), &self.log).await;
        found.into_iter().find(|message| is_wanted(message.seq))
    }

    fn reopen(&mut self) {
        self.db = None;
        self.db = Some(open(&self.bed, self.eager));
    }

    async fn seen(&self, who: usize) -> Option<(Seen, u64)> {
        let view = self
            .db()
            .conversation(self.people[who].num, self.log.num)
            .await
            .unwrap()?;
        let seen = Seen {
            read: view.read_seq,
            badge: view.badge_seq,
            hidden: view.hidden_seq.unwrap_or(0),
            begins_after: view.begins_after,
        };
        Some((seen, view.unread()))
    }
}

fn open(bed: &Bed, eager: bool) -> Arc<Sqlite> {
    let mut options = SqliteOptions {
        durability: crate::sqlite::Durability::Relaxed,
        filter_bytes: 64,
        ..bed.options()
    };
    if eager {
        options.flush_every = Duration::ZERO;
    }
    Arc::new(Sqlite::open(options).unwrap())
}

async fn run(steps: &[Step], eager: bool) -> Result<(), TestCaseError> {
    let (mut model, mut real) = (Model::default(), Real::new(eager).await);
    for (at, step) in steps.iter().enumerate() {
        model.take(step);
        real.take(step).await;
        for who in 0..PEOPLE {
            let expected = model
                .members
                .get(&who)
                .map(|seen| (*seen, model.unread_after(seen.badge)));
            prop_assert_eq!(
                real.seen(who).await,
                expected,
                "user {} after step {}",
                who,
                at
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn unread_is_what_the_model_says(
        steps in proptest::collection::vec(step(), 1..60),
        eager in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(&steps, eager))?;
    }
}

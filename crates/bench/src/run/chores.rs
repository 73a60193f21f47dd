//! Questions over HTTP by the clock, beside the messages.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::account::Asked;
use crate::clock::SECOND_NS;
use crate::dialect::{Address, Ask, Dialect};
use crate::drive::Shared;
use crate::pace::{Next, Pace};
use crate::scenario::Names;
use crate::target::Target;

/// Questions of one kind under way at once; what is due beyond that waits, and
/// its latency counts from when it was due.
const UNDER_WAY: usize = 64;
/// Which user asks next: so far from the last one, that neighbours do not ask
/// one after the other.
const STRIDE: u64 = 7_919;
/// Messages of each conversation in a list.
const RECENTS: u32 = 10;
/// Conversations in a list.
const PAGE: u32 = 100;
/// Messages in a page of history.
const HISTORY: u32 = 50;
/// The longest sleep, so that an early end is noticed.
const NAP_NS: u64 = SECOND_NS / 5;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reads,
    Conversations,
    Histories,
}

impl Kind {
    /// Its name in reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Conversations => "conversations",
            Self::Histories => "histories",
        }
    }
}

/// Who asks whom about whom.
pub(super) struct Chores {
    pub(super) dialect: Arc<dyn Dialect>,
    pub(super) target: Arc<Target>,
    pub(super) names: Names,
    /// Users, in pairs of neighbours.
    pub(super) users: u32,
    /// Users in each group.
    pub(super) members: u32,
}

impl Chores {
    /// Asks at a rate from a time on until the run's end; returns when all
    /// answers are there.
    pub(super) async fn ask_all(
        self: Arc<Self>,
        kind: Kind,
        rate: u64,
        start_ns: u64,
        shared: Arc<Shared>,
        asked: Arc<Asked>,
    ) {
        let mut pace = Pace::schedule(start_ns, rate, 0, 1);
        let room = Arc::new(Semaphore::new(UNDER_WAY));
        let mut tasks = JoinSet::new();
        let mut number = 0;
        loop {
            let now_ns = shared.clock.now_ns();
            if now_ns >= shared.stop_ns.load(Ordering::Relaxed) {
                break;
            }
            let due_ns = match pace.next(now_ns, 0) {
                Next::Send { due_ns } => due_ns,
                Next::At(at_ns) => {
                    let at_ns = at_ns.min(now_ns + NAP_NS);
                    sleep_until(shared.clock.instant(at_ns)).await;
                    continue;
                }
                Next::AfterAnswer => {
                    tokio::time::sleep(Duration::from_nanos(NAP_NS)).await;
                    continue;
                }
            };
            pace.sent();
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                break;
            };
            let (chores, shared) = (Arc::clone(&self), Arc::clone(&shared));
            let asked = Arc::clone(&asked);
            tasks.spawn(async move {
                chores.ask(kind, number, due_ns, &shared, &asked).await;
                drop(permit);
            });
            number += 1;
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn ask(&self, kind: Kind, number: u64, due_ns: u64, shared: &Shared, asked: &Asked) {
        let user = (number * STRIDE % u64::from(self.users)) as u32;
        let uid = self.names.uid(user);
        let channel = if number.is_multiple_of(2) {
            Address::User(self.names.uid(user ^ 1))
        } else {
            Address::Group(self.names.group(user / self.members))
        };
        let ask = match kind {
            Kind::Reads => Ask::Read {
                uid: &uid,
                channel: &channel,
            },
            Kind::Conversations => Ask::Conversations {
                uid: &uid,
                size: PAGE,
                recents: RECENTS,
                after: None,
            },
            Kind::Histories => Ask::History {
                uid: &uid,
                channel: &channel,
                from: None,
                limit: HISTORY,
            },
        };
        let api = self.dialect.api();
        let answer = match api.and_then(|api| api.question(&self.target, &ask)) {
            Ok(question) => self.target.ask(&question).await,
            Err(why) => Err(why),
        };
        match answer {
            Ok(answer) => {
                if shared.is_measured(due_ns) {
                    let took_ns = shared.clock.now_ns().saturating_sub(due_ns);
                    asked.answered(took_ns, answer.len());
                }
                if let Err(why) = self.judge(kind, &ask, &answer) {
                    asked.wrong(&why);
                }
            }
            Err(why) => asked.failed(&why),
        }
    }

    fn judge(&self, kind: Kind, ask: &Ask<'_>, answer: &[u8]) -> Result<()> {
        match kind {
            Kind::Reads => Ok(()),
            Kind::Conversations => self.dialect.api()?.conversations(ask, answer).map(drop),
            Kind::Histories => self.dialect.api()?.history(answer).map(drop),
        }
    }
}

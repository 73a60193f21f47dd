//! Users with many conversations ask for all of them: what does the server spend
//! on an answer, how long does it take, and is it right?

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use futures_util::stream::{self, StreamExt};
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Bench, Outcome};
use crate::account::{Asked, histogram};
use crate::dialect::{Address, Ask, Conversation, Group, Past, Question, Readers, Rest};
use crate::options::{SyncApi, SyncOptions};
use crate::report::{Findings, LatencyReport, RequestReport, SyncReport, Work};
use crate::scenario::{Names, Plan};

/// How long the server gets to put away what set-up left behind.
const SETTLE: Duration = Duration::from_secs(1);
/// The name of the questions in reports.
const CONVERSATIONS: &str = "conversations";

/// What a right answer is.
struct Expected {
    /// The peers and groups of every user.
    channels: FxHashSet<Address>,
    messages: u64,
    /// Messages in an answer.
    recents: u64,
}

/// What came of all cold starts.
#[derive(Debug)]
struct Starts {
    whole: Histogram<u64>,
    missing: u64,
    repeated: u64,
    wrong: u64,
    first_wrong: Option<String>,
}

impl Bench<'_> {
    /// Writes the past, lets users ask for it and reports.
    pub(super) async fn sync(&self, options: &SyncOptions, names: &Names) -> Result<Outcome> {
        let probe = self.probe()?;
        let (mut plan, past, expected) = past(options, names);
        self.set_up(&mut plan).await?;
        self.unless_interrupted(self.dialect.api()?.make_past(&self.target, &past))
            .await?;
        self.pause(SETTLE).await;

        let asked = Asked::new();
        let starts = Mutex::new(Starts::new());
        let begin = self.moment_before(probe.as_ref()).await?;
        let users = plan.logins.iter().map(|login| login.uid.as_str());
        let rounds = (0..options.rounds).flat_map(|_| users.clone());
        let rounds = rounds.take_while(|_| !self.interrupt.has_come());
        let mut under_way = stream::iter(rounds)
            .map(|uid| self.cold_start(options, uid, &expected, &asked, &starts))
            .buffer_unordered(options.at_once as usize);
        let mut done = 0_u64;
        while under_way.next().await.is_some() {
            done += 1;
            let all = options.rounds * options.users;
            self.progress.step(&format!("{done} of {all} cold starts"));
        }
        drop(under_way);
        let end = self.moment_after(probe.as_ref()).await?;

        let spent = self.spent(&begin, &end, Work::default());
        let requests = RequestReport::new(asked.so_far(), spent.secs, None);
        let cpu_ms = begin.server_cpu_ms_until(&end);
        let starts = starts.into_inner();
        let report = starts.report(&requests, cpu_ms, expected.channels.len() as u64);
        Ok(Outcome {
            findings: Findings {
                sync: Some(report),
                requests: [(CONVERSATIONS, requests)].into(),
                ..Findings::default()
            },
            spent,
            hints: Vec::new(),
        })
    }

    /// One user without anything asks for everything.
    async fn cold_start(
        &self,
        options: &SyncOptions,
        uid: &str,
        expected: &Expected,
        asked: &Asked,
        starts: &Mutex<Starts>,
    ) {
        let start_ns = self.clock.now_ns();
        let mut seen = Seen::default();
        let mut after: Option<String> = None;
        loop {
            let ask = Ask::Conversations {
                uid,
                size: options.page,
                recents: options.recents,
                after: after.as_deref(),
            };
            let page = match self.page(options.api, &ask, asked).await {
                Ok(page) => page,
                // It is in the books; what the other pages would have told is
                // not counted as missing.
                Err(()) => return,
            };
            for conversation in &page.conversations {
                seen.note(conversation, expected);
            }
            // Whoever has all need not ask for an empty page.
            let has_all = seen.counts.len() >= expected.channels.len();
            match page.next {
                Some(next) if !has_all && !page.conversations.is_empty() => after = Some(next),
                _ => break,
            }
        }
        let took_ns = self.clock.now_ns() - start_ns;
        starts.lock().add(seen, expected, took_ns);
    }

    /// One answer; its failure is in `asked`.
    async fn page(
        &self,
        api: SyncApi,
        ask: &Ask<'_>,
        asked: &Asked,
    ) -> Result<crate::dialect::Page, ()> {
        let question: Result<Question> = match api {
            SyncApi::Native => self
                .dialect
                .api()
                .and_then(|api| api.question(&self.target, ask)),
            SyncApi::Rest => Rest::question(&self.target, ask),
        };
        let before_ns = self.clock.now_ns();
        let answer = match question {
            Ok(question) => self.target.ask(&question).await,
            Err(why) => Err(why),
        };
        let answer = answer.map_err(|why| asked.failed(&why))?;
        asked.answered(self.clock.now_ns() - before_ns, answer.len());
        let page = match api {
            SyncApi::Native => self
                .dialect
                .api()
                .and_then(|api| api.conversations(ask, &answer)),
            SyncApi::Rest => Rest::conversations(&answer),
        };
        page.map_err(|why| asked.wrong(&why))
    }
}

/// Who is there, what they wrote, and what a user must be told.
fn past(options: &SyncOptions, names: &Names) -> (Plan, Vec<Past>, Expected) {
    let logins = names.logins(options.users);
    let users: Arc<[String]> = logins.iter().map(|login| login.uid.clone()).collect();
    let peer_count = options.conversations - options.group_count();
    // One more, who writes to groups.
    let writer = names.absent(peer_count);
    let groups = (0..options.group_count()).map(|number| Group {
        id: names.group(number),
        members: users.iter().cloned().chain([writer.clone()]).collect(),
    });
    let groups: Vec<Group> = groups.collect();
    let content: Arc<[u8]> = content(options.payload as usize).into();
    let to_groups = groups.iter().map(|group| Past {
        from: writer.clone(),
        to: Readers::Group(group.id.clone()),
        times: options.messages,
        content: Arc::clone(&content),
    });
    let to_users = (0..peer_count).map(|number| Past {
        from: names.absent(number),
        to: Readers::Users(Arc::clone(&users)),
        times: options.messages,
        content: Arc::clone(&content),
    });
    let past = to_groups.chain(to_users).collect();
    let peers = (0..peer_count).map(|number| Address::User(names.absent(number)));
    let channels = groups.iter().map(|group| Address::Group(group.id.clone()));
    let expected = Expected {
        channels: channels.chain(peers).collect(),
        messages: options.messages.into(),
        recents: match options.api {
            SyncApi::Native => options.recents.min(options.messages).into(),
            SyncApi::Rest => 1,
        },
    };
    let plan = Plan {
        logins,
        groups,
        flows: Vec::new(),
    };
    (plan, past, expected)
}

/// A text message of so many bytes.
fn content(bytes: usize) -> Vec<u8> {
    let (start, end) = (br#"{"type":1,"content":""#, br#""}"#);
    let text = bytes.saturating_sub(start.len() + end.len());
    [&start[..], &vec![b'x'; text], end].concat()
}

/// What one cold start was told.
#[derive(Debug, Default)]
struct Seen {
    counts: FxHashMap<Address, u64>,
    wrong: u64,
    first_wrong: Option<String>,
}

impl Seen {
    fn note(&mut self, conversation: &Conversation, expected: &Expected) {
        if let Err(why) = expected.check(conversation) {
            self.wrong += 1;
            self.first_wrong.get_or_insert_with(|| format!("{why:#}"));
        }
        if expected.channels.contains(&conversation.channel) {
            let count = self.counts.entry(conversation.channel.clone());
            *count.or_default() += 1;
        }
    }
}

impl Expected {
    fn check(&self, conversation: &Conversation) -> Result<()> {
        let Conversation {
            channel,
            last_place,
            unread,
            recents,
        } = conversation;
        let told = (*last_place, *unread, recents.len() as u64);
        let right = (self.messages, self.messages, self.recents);
        if !self.channels.contains(channel) {
            return Err(anyhow!("{channel:?} is not the user's"));
        }
        if told != right {
            return Err(anyhow!(
                "(last place, unread, messages) = {told:?}, not {right:?}"
            ))
            .with_context(|| format!("{channel:?}"));
        }
        Ok(())
    }
}

impl Starts {
    fn new() -> Self {
        Self {
            whole: histogram(),
            missing: 0,
            repeated: 0,
            wrong: 0,
            first_wrong: None,
        }
    }

    fn add(&mut self, seen: Seen, expected: &Expected, took_ns: u64) {
        self.whole.saturating_record(took_ns);
        self.missing += (expected.channels.len() - seen.counts.len()) as u64;
        let copies = seen.counts.values().map(|count| count - 1);
        self.repeated += copies.sum::<u64>();
        self.wrong += seen.wrong;
        if self.first_wrong.is_none() {
            self.first_wrong = seen.first_wrong;
        }
    }

    fn report(&self, requests: &RequestReport, cpu_ms: Option<f64>, channels: u64) -> SyncReport {
        let cold_starts = self.whole.len();
        let answers = requests.latency.count;
        let each = |count: u64| cpu_ms.filter(|_| count > 0).map(|ms| ms / count as f64);
        let bytes = requests.bytes_per_answer * answers as f64;
        SyncReport {
            cold_starts,
            cold_start: LatencyReport::new(&self.whole),
            bytes_per_cold_start: bytes / cold_starts.max(1) as f64,
            server_cpu_ms_per_request: each(answers),
            server_cpu_ms_per_cold_start: each(cold_starts),
            conversations_expected: cold_starts * channels,
            conversations_missing: self.missing,
            conversations_repeated: self.repeated,
            conversations_wrong: self.wrong,
            first_wrong: self.first_wrong.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_text_messages_of_the_size_asked_for() {
        let content = content(100);
        assert_eq!(content.len(), 100);
        let json: serde_json::Value = serde_json::from_slice(&content).expect("JSON");
        assert_eq!(json["type"], 1);
    }
}

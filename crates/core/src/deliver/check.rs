//! From drafts to the log: gather the facts, judge, append.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::carry;
use super::fanout::{Committed, Pending, Place};
use super::lane::{Lane, Parts, ReplyTo, SendJob, Sender};
use super::state::ChannelState;
use crate::channel::{
    Address, ChannelKey, ChannelKind, ChannelRef, ChannelSettings, Circle, LogKind, MemberRole,
};
use crate::directory::UserState;
use crate::file::FileId;
use crate::id::{Uid, UserNum, UserRef};
use crate::log::Append;
use crate::message::{Body, Draft, OnReuse};
use crate::refusal::Refusal;
use crate::send::access::{Facts, judge};
use crate::send::strangers::lets_strangers_write;
use crate::session::Refused;

impl Lane {
    /// Checks drafts in order and hands those that pass to the log as one batch.
    pub(super) async fn check_and_append(&mut self, sends: &mut Vec<SendJob>) {
        if sends.is_empty() {
            return;
        }
        let checked = self.check(sends).await;
        let mut appends = Vec::with_capacity(sends.len());
        let mut pending = Vec::with_capacity(sends.len());
        for (job, checked) in sends.drain(..).zip(checked) {
            let checked = match checked {
                Ok(channel) => self.passed_on(&job).await.map(|files| (channel, files)),
                Err(why) => Err(why),
            };
            match checked {
                Ok((channel, files)) => {
                    let mut body = job.draft.body;
                    let state = self
                        .channels
                        .get_mut(&job.key)
                        .expect("checked a moment ago");
                    carry::settle(&mut body, state);
                    let body = Arc::new(body);
                    state.in_flight += 1;
                    let place = if body.flags.no_persist {
                        Place::Passing
                    } else {
                        appends.push(Append {
                            channel: Arc::clone(&channel),
                            sender: job.sender.user().clone(),
                            first_contact: Arc::clone(&state.first_contact),
                            body: Arc::clone(&body),
                            on_reuse: job.draft.on_reuse,
                            files,
                        });
                        Place::Log
                    };
                    let SendJob { sender, reply, .. } = job;
                    pending.push(Pending {
                        sender,
                        reply,
                        channel,
                        body,
                        place,
                    });
                }
                Err(Refusal::HeldForReview) => self.hold(job),
                Err(why) => {
                    let id = self.parts.ids.next();
                    job.refuse(Refused { id, why });
                }
            }
        }
        if pending.is_empty() {
            return;
        }
        let stored = if appends.is_empty() {
            async { Vec::new() }.boxed()
        } else {
            self.position.begin();
            let count = appends.len();
            match self.parts.log.append(appends).await {
                Ok(stored) => stored,
                Err(error) => async move { vec![Err(error); count] }.boxed(),
            }
        };
        self.in_flight.push_back(
            async move {
                Committed {
                    pending,
                    outcomes: stored.await,
                }
            }
            .boxed(),
        );
    }

    /// Whether a user may say something in a channel now.
    pub(super) async fn may_speak(
        &mut self,
        key: &ChannelKey,
        user: &UserRef,
    ) -> Result<(), Refusal> {
        let parts = Arc::clone(&self.parts);
        let speaker = parts.users.state(user.num).await?;
        let state = self.state(key).await?;
        let peer = match peer(state, user.num) {
            Some(num) => Some(parts.users.state(num).await?),
            None => None,
        };
        let nothing = SendJob {
            key: key.clone(),
            sender: Sender::User(user.clone()),
            draft: Draft {
                to: Address {
                    kind: key.kind,
                    id: Arc::clone(&key.id),
                },
                body: Body::default(),
                on_reuse: OnReuse::Store,
                require_peer: false,
                fault: None,
            },
            reply: ReplyTo::Nobody,
        };
        judge(&facts(&nothing, &parts, state, &speaker, peer.as_deref()))
    }

    /// Whether a draft would be appended now.
    pub(super) async fn would_take(&mut self, job: &SendJob) -> Result<(), Refusal> {
        let mut judged = self.judge(job).await;
        if judged == Judged::Unknown {
            let unreadable = self.load(std::slice::from_ref(job), &[judged]).await;
            judged = match unreadable.get(&job.key) {
                Some(why) => Judged::Refused(*why),
                None => self.judge(job).await,
            };
        }
        match judged {
            Judged::Passes | Judged::Open(_) => self.passed_on(job).await.map(drop),
            Judged::Refused(why) => Err(why),
            Judged::Unknown => Err(Refusal::Internal),
        }
    }

    /// The files that a draft shows to whoever may see it. Only what is kept shows any.
    async fn passed_on(&mut self, job: &SendJob) -> Result<Vec<FileId>, Refusal> {
        let body = &job.draft.body;
        if body.flags.no_persist {
            return Ok(Vec::new());
        }
        let files = &self.parts.files;
        files
            .passed_on_by(&job.key.realm, &job.sender, &body.payload)
            .await
    }

    /// The log that each draft may be appended to, or why it may not. What has to be read or
    /// made for it first, for channels not known here, is asked for at once for all of them:
    /// one after the other each would wait for a commit of its own.
    async fn check(&mut self, jobs: &[SendJob]) -> Vec<Result<Arc<ChannelRef>, Refusal>> {
        let mut judged = Vec::with_capacity(jobs.len());
        for job in jobs {
            judged.push(self.judge(job).await);
        }
        if judged.contains(&Judged::Unknown) {
            let unreadable = self.load(jobs, &judged).await;
            for (job, judged) in jobs.iter().zip(&mut judged) {
                if *judged == Judged::Unknown {
                    *judged = match unreadable.get(&job.key) {
                        Some(why) => Judged::Refused(*why),
                        None => self.judge(job).await,
                    };
                }
            }
        }
        if judged.contains(&Judged::Passes) {
            self.open_logs(jobs, &mut judged).await;
        }
        let open = judged.into_iter().map(|judged| match judged {
            Judged::Open(log) => Ok(log),
            Judged::Refused(why) => Err(why),
            Judged::Passes | Judged::Unknown => Err(Refusal::Internal),
        });
        open.collect()
    }

    /// What can be said of a draft now.
    async fn judge(&mut self, job: &SendJob) -> Judged {
        match self.judge_or_refuse(job).await {
            Ok(judged) => judged,
            Err(why) => Judged::Refused(why),
        }
    }

    async fn judge_or_refuse(&mut self, job: &SendJob) -> Result<Judged, Refusal> {
        let parts = Arc::clone(&self.parts);
        let sender = parts.users.state(job.sender.user().num).await?;
        if sender.record.flags.erased && !matches!(job.sender, Sender::Change(_)) {
            // Nobody speaks in their name, not even the application.
            return Err(Refusal::UserBanned);
        }
        if job.draft.fault.is_some() {
            // It is refused whatever its channel is like, before a name in it gets a number.
            judge(&early_facts(job, &sender))?;
        }
        let Some(state) = self.channels.get_mut(&job.key) else {
            return Ok(Judged::Unknown);
        };
        state.used = self.turn;
        let peer = peer(state, job.sender.user().num);
        let peer = match peer {
            Some(num) => Some(parts.users.state(num).await?),
            None => None,
        };
        if !matches!(job.sender, Sender::Change(_)) {
            let facts = facts(job, &parts, state, &sender, peer.as_deref());
            judge(&facts)?;
            carry::judge(job, state, facts.sender_is_system)?;
        }
        let log = state.log_mut(job.draft.body.flags.command);
        Ok(log.clone().map_or(Judged::Passes, Judged::Open))
    }

    /// Reads the channels that are not known here. Returns those that could not be read, and
    /// why.
    async fn load(&mut self, jobs: &[SendJob], judged: &[Judged]) -> HashMap<ChannelKey, Refusal> {
        // Of each channel the draft that asks least: if one may be to a peer whom nobody
        // knows, the channel is read.
        let mut wanted: HashMap<&ChannelKey, &SendJob> = HashMap::new();
        for (job, _) in jobs
            .iter()
            .zip(judged)
            .filter(|(_, j)| **j == Judged::Unknown)
        {
            let asks_least = wanted.entry(&job.key).or_insert(job);
            if !job.draft.require_peer {
                *asks_least = job;
            }
        }
        let parts = &self.parts;
        let loads = wanted.into_values().map(|job| async move {
            let load = async {
                if job.draft.require_peer {
                    // Before the channel is read, which gives unknown names a number.
                    peer_is_known(parts, job).await?;
                }
                Ok(ChannelState::load(&job.key, &parts.channels, &parts.users).await?)
            };
            (job.key.clone(), load.await)
        });
        let mut unreadable = HashMap::new();
        for (key, loaded) in join_all(loads).await {
            match loaded {
                Ok(state) => {
                    self.channels.insert(key, state);
                }
                Err(why) => {
                    unreadable.insert(key, why);
                }
            }
        }
        unreadable
    }

    /// Makes the logs of drafts that pass.
    async fn open_logs(&mut self, jobs: &[SendJob], judged: &mut [Judged]) {
        let passes = jobs
            .iter()
            .zip(&*judged)
            .filter(|(_, j)| **j == Judged::Passes);
        let wanted: HashSet<_> = passes.map(|(job, _)| log_of(job)).collect();
        let channels = &self.parts.channels;
        let opens = wanted.into_iter().map(|(key, log)| async move {
            let opened = channels.open(key, log, true).await.map_err(Refusal::from);
            (
                (key, log),
                opened.and_then(|log| log.ok_or(Refusal::Internal)),
            )
        });
        let opened: HashMap<_, _> = join_all(opens).await.into_iter().collect();
        for ((key, log), opened) in &opened {
            if let (Ok(opened), Some(state)) = (opened, self.channels.get_mut(*key)) {
                *state.log_mut(*log == LogKind::Command) = Some(Arc::clone(opened));
            }
        }
        for (job, judged) in jobs.iter().zip(judged) {
            if *judged == Judged::Passes {
                *judged = match opened.get(&log_of(job)) {
                    Some(Ok(log)) => Judged::Open(Arc::clone(log)),
                    Some(Err(why)) => Judged::Refused(*why),
                    None => Judged::Refused(Refusal::Internal),
                };
            }
        }
    }
}

/// What is known of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Judged {
    /// Its channel has to be read first.
    Unknown,
    /// It may be appended to a log that has to be made first.
    Passes,
    /// It may be appended here.
    Open(Arc<ChannelRef>),
    /// It may not be appended.
    Refused(Refusal),
}

/// The log that a draft is for.
fn log_of(job: &SendJob) -> (&ChannelKey, LogKind) {
    let log = if job.draft.body.flags.command {
        LogKind::Command
    } else {
        LogKind::Chat
    };
    (&job.key, log)
}

/// Refuses a direct message to a name that nobody has ever had.
async fn peer_is_known(parts: &Parts, job: &SendJob) -> Result<(), Refusal> {
    let (key, sender) = (&job.key, job.sender.user());
    let Some(peer) = key.peer_of(sender.uid.as_str()) else {
        return Ok(());
    };
    let found = parts.users.find(&key.realm, &Uid::from_store(peer)).await?;
    found.map(|_| ()).ok_or(Refusal::NoSuchUser)
}

/// The other one of a direct channel.
fn peer(state: &ChannelState, sender: UserNum) -> Option<UserNum> {
    if state.key.kind != ChannelKind::DIRECT {
        return None;
    }
    let other = state.participants.iter().find(|user| user.num != sender);
    other.map(|user| user.num)
}

/// What the rules look at that come before the channel.
fn early_facts(job: &SendJob, sender: &UserState) -> Facts {
    let application = matches!(job.sender, Sender::Application(_));
    let flags = sender.record.flags;
    Facts {
        kind: job.key.kind,
        fault: job.draft.fault,
        sender_is_system: application || flags.system || sender.record.user.uid.is_system(),
        sender_banned: flags.ban,
        sender_send_ban: flags.send_ban,
        banned: false,
        disbanded: false,
        muted_for_all: false,
        sender_moderates: false,
        sender_muted: false,
        takes_part: false,
        peer_known: true,
        peer_is_system: false,
        denied: false,
        is_member: false,
        allow_list_in_force: false,
        allow_listed: false,
    }
}

/// Whether only those who moderate may send now.
fn muted_for_all(settings: &ChannelSettings, parts: &Parts) -> bool {
    settings.send_ban
        || settings.speak == Circle::Administrators
        || (settings.muted_until_ms > 0 && parts.clock.now_ms() < settings.muted_until_ms)
}

fn facts(
    job: &SendJob,
    parts: &Parts,
    state: &ChannelState,
    sender: &UserState,
    peer: Option<&UserState>,
) -> Facts {
    let num = sender.record.user.num;
    let direct = state.key.kind == ChannelKind::DIRECT;
    let member = state.members.get(&num);
    let peer_flags = peer.map(|peer| peer.record.flags).unwrap_or_default();
    let muted_until = member.map_or(0, |member| member.muted_until_ms);
    Facts {
        banned: state.settings.ban || peer_flags.ban,
        disbanded: state.settings.disband,
        muted_for_all: muted_for_all(&state.settings, parts),
        sender_moderates: member.is_some_and(|member| member.role > MemberRole::Member),
        sender_muted: muted_until > 0 && parts.clock.now_ms() < muted_until,
        takes_part: state.takes_part(num),
        // Notes to oneself have no peer.
        peer_known: peer.is_none() || peer_flags.exists || !job.draft.require_peer,
        peer_is_system: peer_flags.system
            || peer.is_some_and(|peer| peer.record.user.uid.is_system()),
        denied: state.denied.contains(&num) || peer.is_some_and(|p| p.blocked.contains(&num)),
        is_member: member.is_some(),
        allow_list_in_force: if direct {
            peer.is_some_and(|peer| {
                let friends_only = parts.friends_only.holds_in(&state.key.realm);
                !lets_strangers_write(&peer.record, friends_only)
            })
        } else {
            !state.allowed.is_empty() && !state.settings.allow_stranger
        },
        allow_listed: if direct {
            peer.is_some_and(|peer| peer.friends.contains(&num) || peer.allowed.contains(&num))
        } else {
            state.allowed.contains(&num)
        },
        ..early_facts(job, sender)
    }
}

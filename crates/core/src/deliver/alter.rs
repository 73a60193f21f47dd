//! Altering what was said, in its place among what is sent to the channel: everything that was
//! sent before is committed and answered first. A message is taken back, deleted, edited,
//! pinned, or gets a reaction; each is judged, made durable, told in the channel's command log,
//! and answered then.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::lane::{Lane, ReplyTo, SendJob, Sender};
use super::{carry, rights};
use crate::change::{Change, EditedBody, MessageName};
use crate::channel::{Address, ChannelKind, HistoryFrom};
use crate::file::names_any;
use crate::id::{UserNum, UserRef};
use crate::log::RevokeOutcome;
use crate::mark::{Edit, EditOutcome, MarkOutcome};
use crate::message::{Gone, MAX_AUDIENCE, Message, Origin, Revocation};
use crate::refusal::Refusal;

/// Entries by which one edit is told at most, where not all members may know of it. Whoever is
/// not reached by them finds it by its version.
const MAX_ENTRIES: usize = 40;

/// Who changes what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// The application, which may do so with everything in its realm, at any time.
    Application,
    /// A user: their own messages for a while, and all of a channel that they moderate.
    User(UserRef),
}

impl Operator {
    /// The user, unless it is the application.
    #[must_use]
    pub fn user(&self) -> Option<&UserRef> {
        match self {
            Self::Application => None,
            Self::User(user) => Some(user),
        }
    }
}

/// What is to be done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alteration {
    /// Its content goes.
    Erase {
        /// How.
        how: Gone,
        /// For how long authors may do it, in ms; 0 = for ever.
        window_ms: u64,
    },
    /// It says something else.
    Edit {
        /// Who wrote the payload.
        origin: Origin,
        /// What its envelope says of the payload's type.
        tag: Arc<str>,
        /// The payload.
        payload: Bytes,
        /// A moderator is to look at it.
        review: bool,
        /// It mentions all.
        mentions_all: bool,
        /// For how long authors may do it, in ms; 0 = for ever.
        window_ms: u64,
    },
    /// It gets a reaction of the user, or loses it.
    React {
        /// Which.
        emoji: Arc<str>,
        /// It is taken away.
        removed: bool,
    },
    /// It is pinned in its channel, or unpinned.
    Pin {
        /// True = pinned.
        pinned: bool,
        /// Members that do not moderate the channel may do it, too.
        members_may: bool,
    },
}

/// A message that was altered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// What it is now.
    pub message: Message,
    /// False if it was so before: then nothing has changed.
    pub is_new: bool,
}

/// A message that was taken back.
pub type TakenBack = Altered;

/// Where whoever asked waits.
pub(super) type Asker = oneshot::Sender<Result<Altered, Refusal>>;

/// A message to be altered.
pub struct AlterJob {
    /// The message as it was when somebody asked.
    pub message: Message,
    /// Who asked.
    pub by: Operator,
    /// What is to be done.
    pub what: Alteration,
    /// Where the answer goes.
    pub reply: Asker,
}

/// What was done, and what is said of it.
struct Outcome {
    altered: Altered,
    /// What stands in the channel's command log, and the number of that entry, by which the
    /// log knows it again.
    told: Option<(Change, String)>,
    /// Who says so; `None` = the application, in the author's name.
    by: Option<UserRef>,
}

impl Lane {
    /// Judges and alters. It is answered once both are durable, what the message is now and
    /// that everybody is told. If the second was lost in a crash, or fails, nobody was told
    /// that it is done: whoever asks again has it told again.
    pub(super) async fn alter(&mut self, job: AlterJob) {
        self.settle_sends(&job.message.channel.key).await;
        match self.carry_out(&job).await {
            Ok(outcome) => self.tell(outcome, job.reply).await,
            // Whoever no longer waits has gone away.
            Err(why) => drop(job.reply.send(Err(why))),
        }
    }

    /// Says in the channel's command log what has changed, once.
    async fn tell(&mut self, outcome: Outcome, asker: Asker) {
        let Outcome { altered, told, by } = outcome;
        let Some((change, number)) = told else {
            return drop(asker.send(Ok(altered)));
        };
        let audiences = match self.audiences(&altered.message, &change).await {
            Ok(audiences) => audiences,
            Err(why) => return drop(asker.send(Err(why))),
        };
        let message = &altered.message;
        let key = message.channel.key.clone();
        let sender = Sender::Change(by.unwrap_or_else(|| message.sender.clone()));
        let mut reply = Some(ReplyTo::Altered(Box::new(altered), asker));
        let mut sends = Vec::with_capacity(audiences.len());
        for (n, audience) in audiences.into_iter().enumerate() {
            let to = Address {
                kind: key.kind,
                id: Arc::clone(&key.id),
            };
            let mut draft = change.draft(to);
            draft.body.client_no = entry_number(&number, n).into();
            draft.body.audience = audience;
            sends.push(SendJob {
                key: key.clone(),
                sender: sender.clone(),
                draft,
                // They are appended together.
                reply: reply.take().unwrap_or(ReplyTo::Nobody),
            });
        }
        self.check_and_append(&mut sends).await;
    }

    /// Who is told: all (`None`), or those who may see the message. What an edit says may not
    /// reach members either that joined after the message, where they cannot read that.
    async fn audiences(
        &mut self,
        message: &Message,
        change: &Change,
    ) -> Result<Vec<Option<Arc<[UserNum]>>>, Refusal> {
        if let Some(audience) = message.body.audience.as_deref() {
            let author = std::iter::once(message.sender.num);
            let all = author.chain(audience.iter().copied()).collect();
            return Ok(vec![Some(all)]);
        }
        let state = self.state(&message.channel.key).await?;
        let is_open = state.settings.history != HistoryFrom::SinceJoin
            || message.channel.key.kind == ChannelKind::DIRECT
            || !matches!(change, Change::Edited { .. });
        if is_open {
            return Ok(vec![None]);
        }
        let members = state.members.iter();
        let may_see = members.filter(|(_, member)| member.join_seq < message.seq);
        let mut seen_by: Vec<UserNum> = may_see.map(|(num, _)| *num).collect();
        if seen_by.len() == state.members.len() {
            return Ok(vec![None]);
        }
        // Whoever asks again is to find the same entries.
        seen_by.sort_unstable();
        if seen_by.is_empty() {
            seen_by.push(message.sender.num);
        }
        let chunks = seen_by.chunks(MAX_AUDIENCE).take(MAX_ENTRIES);
        Ok(chunks.map(|chunk| Some(chunk.into())).collect())
    }

    /// Waits for the commits of what was sent to a channel, and for no other's.
    pub(super) async fn settle_sends(&mut self, key: &crate::channel::ChannelKey) {
        use futures_util::StreamExt;
        let waits = |lane: &Self| lane.channels.get(key).is_some_and(|s| s.in_flight > 0);
        while waits(self) {
            let Some(committed) = self.in_flight.next().await else {
                return;
            };
            self.dispatch(committed);
        }
    }

    async fn carry_out(&mut self, job: &AlterJob) -> Result<Outcome, Refusal> {
        let now_ms = self.parts.clock.now_ms();
        let key = &job.message.channel.key;
        // Whoever alters what is said, or puts it before everybody, must be allowed to say it.
        let speaks = match &job.what {
            Alteration::Edit { .. }
            | Alteration::React { removed: false, .. }
            | Alteration::Pin { pinned: true, .. } => job.by.user(),
            // The other of two people has not put it before everybody for a blocked one to
            // take it away.
            Alteration::Pin { .. } if key.kind == ChannelKind::DIRECT => job.by.user(),
            _ => None,
        };
        let state = self.state(key).await?;
        rights::judge(&job.message, &job.by, &job.what, state, now_ms)?;
        carry::judge_edit(job, state)?;
        if let Some(user) = speaks {
            self.may_speak(key, user).await?;
        }
        // Its time may be over though it is not erased yet.
        let is_erased = matches!(job.what, Alteration::Erase { .. });
        if !is_erased && is_over(&job.message, now_ms) {
            return Err(Refusal::WrongState);
        }
        let log = Arc::clone(&self.parts.log);
        let marks = Arc::clone(&self.parts.marks);
        let message = &job.message;
        match &job.what {
            Alteration::Erase { how, .. } => {
                let outcome = log.erase(message.id, job.by.user(), *how).await?;
                let (revocation, is_new) = match outcome {
                    RevokeOutcome::Revoked(revocation) => (revocation, true),
                    RevokeOutcome::Before(revocation) => (revocation, false),
                    RevokeOutcome::NoMessage => return Err(Refusal::NoSuchMessage),
                };
                Ok(erased(message, revocation, is_new))
            }
            Alteration::Edit {
                origin,
                tag,
                payload,
                review,
                ..
            } => {
                let edit = Edit {
                    by: job.by.user().cloned(),
                    origin: *origin,
                    tag: Arc::clone(tag),
                    payload: payload.clone(),
                };
                let files = self.parts.files.clone();
                let by = job.by.user().map(|user| user.num);
                let shows = files.passed_on(&key.realm, by, payload).await?;
                if *review {
                    // First: nothing that is to be looked at is said unseen.
                    let says = message
                        .body
                        .edited(*origin, Arc::clone(tag), payload.clone());
                    self.parts.reviews.reopen(message.id, &says).await?;
                }
                let (outcome, is_new) = match marks.edit(message.id, &edit).await? {
                    EditOutcome::Done(n, _) => (n, true),
                    EditOutcome::Same(n, _) => (n, false),
                    EditOutcome::TooMany => return Err(Refusal::TooMany),
                    EditOutcome::Gone => return Err(Refusal::WrongState),
                };
                // If a crash comes between, it shows too few until it is edited again.
                if !shows.is_empty() || names_any(&job.message.shown().payload) {
                    files.files.show(message.id, &shows).await?;
                }
                let message = log.by_id(message.id).await?;
                let message = message.ok_or(Refusal::NoSuchMessage)?;
                Ok(edited(message, outcome, is_new))
            }
            Alteration::React { emoji, removed } => {
                let user = job.by.user().ok_or(Refusal::InvalidArgument)?;
                let outcome = marks.react(message.id, user, emoji, *removed).await?;
                reacted(message, user, (emoji, *removed), outcome)
            }
            Alteration::Pin { pinned, .. } => {
                let by = job.by.user();
                let outcome = marks.pin(message.id, by, *pinned).await?;
                self::pinned(message, by, *pinned, outcome)
            }
        }
    }
}

/// Whether a message says nothing any more.
fn is_over(message: &Message, now_ms: i64) -> bool {
    message.revoked.is_some() || message.expires_at_ms().is_some_and(|at_ms| at_ms <= now_ms)
}

fn reacted(
    message: &Message,
    user: &UserRef,
    (emoji, removed): (&str, bool),
    outcome: MarkOutcome,
) -> Result<Outcome, Refusal> {
    let ((version, at_ms), is_new) = marked(outcome)?;
    let change = Change::Reacted {
        message: MessageName::of(message),
        user: user.uid.as_str().to_owned(),
        emoji: emoji.to_owned(),
        removed,
        at_ms,
    };
    let number = format!("reacted-{}-{version}", message.id);
    Ok(Outcome {
        altered: altered(message, is_new),
        told: (version > 0).then_some((change, number)),
        by: Some(user.clone()),
    })
}

fn pinned(
    message: &Message,
    by: Option<&UserRef>,
    pinned: bool,
    outcome: MarkOutcome,
) -> Result<Outcome, Refusal> {
    let ((version, at_ms), is_new) = marked(outcome)?;
    let change = Change::Pinned {
        message: MessageName::of(message),
        by: by.map(|user| user.uid.as_str().to_owned()),
        pinned,
        at_ms,
    };
    let number = format!("pinned-{}-{version}", message.id);
    Ok(Outcome {
        altered: altered(message, is_new),
        // Who has pinned it before may be somebody else: they have said so.
        told: is_new.then_some((change, number)),
        by: by.cloned(),
    })
}

/// The number of one of the entries that say the same to some users each.
#[must_use]
pub fn entry_number(number: &str, n: usize) -> String {
    if n == 0 {
        number.to_owned()
    } else {
        format!("{number}-{n}")
    }
}

/// The number of the entry that tells of an edit.
#[must_use]
pub fn edit_number(message: crate::id::MessageId, n: u32) -> String {
    format!("edited-{message}-{n}")
}

fn altered(message: &Message, is_new: bool) -> Altered {
    Altered {
        message: message.clone(),
        is_new,
    }
}

fn marked(outcome: MarkOutcome) -> Result<((i64, i64), bool), Refusal> {
    match outcome {
        MarkOutcome::Done(version, at_ms) => Ok(((version, at_ms), true)),
        MarkOutcome::Same(version, at_ms) => Ok(((version, at_ms), false)),
        MarkOutcome::TooMany => Err(Refusal::TooMany),
        MarkOutcome::Gone => Err(Refusal::WrongState),
    }
}

fn erased(message: &Message, revocation: Revocation, is_new: bool) -> Outcome {
    let id = message.id;
    let name = MessageName::of(message);
    let (by, at_ms) = (revocation.by.clone(), revocation.at_ms);
    let uid = by.as_ref().map(|user| user.uid.as_str().to_owned());
    let (change, number) = match revocation.how {
        Gone::Revoked => (
            Change::Revoked {
                message: name,
                by: uid,
                at_ms,
            },
            format!("revoked-{id}"),
        ),
        Gone::Deleted => (
            Change::Deleted {
                message: name,
                by: uid,
                at_ms,
            },
            format!("deleted-{id}"),
        ),
        Gone::Expired => (
            Change::Expired {
                messages: vec![name],
                at_ms,
            },
            format!("expired-{id}"),
        ),
    };
    Outcome {
        altered: Altered {
            message: message.tombstone(revocation),
            is_new,
        },
        told: Some((change, number)),
        by,
    }
}

fn edited(message: Message, n: u32, is_new: bool) -> Outcome {
    let edit = message.edited.as_deref();
    let by = edit.and_then(|edit| edit.by.clone());
    let told = edit.map(|edit| {
        let change = Change::Edited {
            message: MessageName::of(&message),
            by: by.as_ref().map(|user| user.uid.as_str().to_owned()),
            n,
            body: EditedBody::of(&message, &edit.body),
            at_ms: edit.at_ms,
        };
        (change, edit_number(message.id, n))
    });
    Outcome {
        altered: Altered { message, is_new },
        told,
        by,
    }
}

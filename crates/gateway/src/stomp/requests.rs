//! What clients send to `/app/…`, and the answers (stomp.md Q2-11, Q2-15, Q2-20, Q2-22).
//!
//! Sends go out as they come. What asks for something (revoke, read, sync) is done one after
//! the other, and not before the sends that came before it are answered: a client may revoke
//! what it has just sent.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crosstalk_core::channel::Address;
use crosstalk_core::id::MessageId;
use crosstalk_core::message::Accepted;
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::stomp::im::{AppVerb, Code, Destination, MsgType, QueueError, Submitted};
use crosstalk_wire::stomp::{Fault, MAX_MESSAGE_BODY_BYTES, Send};

use super::jobs::{What, read, target};
use super::live::{Live, group};
use super::machine::Fatal;
use super::reads::ReadBy;
use super::reasons::{edit_failure, failure};
use super::render::{ORIGIN, view};
use super::sends::PendingSend;
use super::sync::Sync;
use crate::editing::NewBody;
use crate::protocol::{Answer, Ask, AskId, Command, Now, Out, Turn};

/// Requests that may wait for their turn.
const MAX_JOBS: usize = 512;
/// The longest text that is looked for as a message's id, bytes.
const MAX_NAME_BYTES: usize = 1024;
/// What may wait to be seen before a receipt is given; beyond it receipts do not wait.
const MAX_AWAITED: usize = 1_024;
/// Receipts of COMMITs that may wait.
const MAX_BARRIERS: usize = 1_000;
/// Revocations that are remembered as shown while one is under way.
const MAX_SHOWN: usize = 256;

/// What is under way for a session.
#[derive(Default)]
pub(super) struct Requests {
    /// Each request has a number; those that are not done yet.
    next: u64,
    open: BTreeSet<u64>,
    /// Receipts of what is done when everything before it is.
    barriers: VecDeque<(u64, String)>,
    pub(super) next_ticket: u64,
    pub(super) replied: u64,
    pub(super) sends: VecDeque<PendingSend>,
    /// Accepted messages that were not echoed yet.
    echoes: HashMap<MessageId, Done>,
    /// Messages of the user's that were shown while sends of theirs were not answered:
    /// answers come in the order of the sends, echoes in that of their channels.
    shown: HashSet<MessageId>,
    /// Revoked messages whose revocation was not shown yet.
    revokes: HashMap<MessageId, Done>,
    /// Edited messages whose edit was not shown yet.
    edits: HashMap<MessageId, Done>,
    jobs: VecDeque<Job>,
    active: Option<(AskId, Active)>,
    next_ask: u64,
    pub(super) asked: HashMap<AskId, Asked>,
}

/// What is to be said once a request is done.
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) receipt: Option<String>,
}

/// A request that waits for its turn.
struct Job {
    done: Done,
    /// Tickets below this are answered first.
    after: u64,
    what: What,
}

/// The request that is under way.
enum Active {
    Revoke {
        done: Done,
        name: String,
        /// Revocations that were shown meanwhile.
        shown: Vec<MessageId>,
    },
    Edit {
        done: Done,
        name: String,
        /// Edits that were shown meanwhile.
        shown: Vec<MessageId>,
    },
    Read(Done),
    Sync(Box<Sync>),
}

/// Questions beside the requests.
pub(super) enum Asked {
    Membership(Membership),
    /// A message that was sent before, as it is.
    Retry(Box<PendingSend>, Accepted),
    /// Messages that somebody has read.
    Read(ReadBy),
}

/// Why membership was asked for.
pub(super) enum Membership {
    Subscribe {
        destination: String,
        receipt: Option<String>,
    },
    /// Whether there is such a group at all.
    Refused(Box<PendingSend>),
}

impl Requests {
    /// Begins a request.
    pub(super) fn begin(&mut self, receipt: Option<String>) -> Done {
        let number = self.next;
        self.next += 1;
        self.open.insert(number);
        Done { number, receipt }
    }

    /// How many there were.
    pub(super) fn asked(&self) -> u64 {
        self.next
    }

    /// Whether all before a number are done.
    pub(super) fn is_done(&self, before: u64) -> bool {
        self.open.first().is_none_or(|first| *first >= before)
    }

    /// Whether a read is under way.
    pub(super) fn is_reading(&self) -> bool {
        matches!(&self.active, Some((_, Active::Read(_))))
    }

    /// Whether a sync is under way.
    pub(super) fn is_syncing(&self) -> bool {
        matches!(&self.active, Some((_, Active::Sync(_))))
    }

    pub(super) fn ask(&mut self, ask: Ask, turn: &mut Turn) -> AskId {
        let id = AskId(self.next_ask);
        self.next_ask += 1;
        turn.commands.push(Command::Ask(id, ask));
        id
    }

    /// Has a send wait until its message was shown; hands it back if it was, or if too many
    /// do.
    pub(super) fn await_echo(&mut self, id: MessageId, done: Done) -> Option<Done> {
        let is_shown = self.shown.remove(&id);
        if self.sends.is_empty() {
            self.shown = HashSet::new();
        }
        if is_shown || self.echoes.len() >= MAX_AWAITED {
            return Some(done);
        }
        self.echoes.insert(id, done)
    }
}

impl Live {
    /// Takes a SEND.
    pub(super) fn send(&mut self, send: Send, now: Now, turn: &mut Turn) -> Result<(), Fatal> {
        let verb = match Destination::parse(&send.destination) {
            Destination::App(Err(_)) | Destination::Other => {
                self.error(&QueueError::UNKNOWN_DESTINATION, &mut turn.out);
                return Ok(());
            }
            Destination::App(Ok(verb)) => verb,
            Destination::User(_) | Destination::GroupTopic(_) | Destination::Broker => {
                return Err(Fatal::of(Fault::Forbidden, send.receipt.as_deref()));
            }
        };
        if verb == AppVerb::Send {
            self.chat_send(&send, now, turn);
            return Ok(());
        }
        if send.body.len() > MAX_MESSAGE_BODY_BYTES {
            self.error_of(Refusal::TooLarge, &mut turn.out);
            return Ok(());
        }
        match read(verb, &send.body) {
            Ok((app, what)) => self.queue(app.as_deref(), what, send.receipt, now, turn),
            Err(refused) => {
                let error = QueueError {
                    code: Code::BadRequest,
                    message: &refused.to_string(),
                    destination: None,
                };
                self.error(&error, &mut turn.out);
            }
        }
        Ok(())
    }

    fn error_of(&mut self, why: Refusal, out: &mut Out) {
        let (code, message) = failure(why);
        let error = QueueError {
            code,
            message,
            destination: None,
        };
        self.error(&error, out);
    }

    /// Whether a body's app may be the session's.
    pub(super) fn is_own_app(&self, app: Option<&str>) -> bool {
        self.app.is_empty() || app.is_none_or(|app| app.is_empty() || *app == *self.app)
    }

    fn queue(
        &mut self,
        app: Option<&str>,
        what: What,
        receipt: Option<String>,
        now: Now,
        turn: &mut Turn,
    ) {
        let why = if !self.is_own_app(app) {
            Some(Refusal::Forbidden)
        } else if self.requests.jobs.len() >= MAX_JOBS {
            Some(Refusal::RateLimited)
        } else if what.name().is_some_and(|name| name.len() > MAX_NAME_BYTES) {
            Some(Refusal::NoSuchMessage)
        } else {
            None
        };
        if let Some(why) = why {
            return self.refuse_job(&what, why, now, &mut turn.out);
        }
        let done = self.requests.begin(receipt);
        let after = self.requests.next_ticket;
        self.requests.jobs.push_back(Job { done, after, what });
        self.start_jobs(turn);
    }

    fn refuse_job(&mut self, what: &What, why: Refusal, now: Now, out: &mut Out) {
        match what {
            What::Revoke(name) | What::Edit { name, .. } => {
                self.refused(&Submitted::id(name), why, now, out);
            }
            What::ReadMessage(_) | What::ReadConversation(_) | What::Sync(_) | What::Typing(_) => {
                self.error_of(why, out);
            }
        }
    }

    /// Begins the next request, if its turn has come.
    pub(super) fn start_jobs(&mut self, turn: &mut Turn) {
        while self.requests.active.is_none()
            && let Some(next) = self.requests.jobs.front()
        {
            let waits_for_sends = self.requests.replied < next.after;
            let waits_for_queue = matches!(next.what, What::Sync(_)) && self.is_undecided();
            if waits_for_sends || waits_for_queue {
                return;
            }
            let Some(Job { done, what, .. }) = self.requests.jobs.pop_front() else {
                return;
            };
            match what {
                What::Revoke(name) => {
                    let ask = Ask::Revoke {
                        name: name.clone(),
                        within: None,
                    };
                    let shown = Vec::new();
                    self.activate(ask, Active::Revoke { done, name, shown }, turn);
                }
                What::Edit { name, content } => {
                    let ask = Ask::Edit {
                        name: name.clone(),
                        within: None,
                        body: NewBody {
                            origin: ORIGIN,
                            tag: MsgType::Text.as_str().into(),
                            payload: content.into(),
                        },
                    };
                    let shown = Vec::new();
                    self.activate(ask, Active::Edit { done, name, shown }, turn);
                }
                What::Typing(id) => {
                    // It is worth nothing later: nobody waits for it.
                    if let Ok(target) = target(&id) {
                        self.requests.ask(Ask::Typing(target), turn);
                    }
                    self.done(done, &mut turn.out);
                }
                What::ReadMessage(name) => {
                    let ask = Ask::ReadMessage { name, within: None };
                    self.activate(ask, Active::Read(done), turn);
                }
                What::ReadConversation(id) => match target(&id) {
                    Ok(target) => {
                        let ask = Ask::ReadConversation(target, None);
                        self.activate(ask, Active::Read(done), turn);
                    }
                    Err(why) => {
                        self.error_of(why, &mut turn.out);
                        self.done_without(done.number, &mut turn.out);
                    }
                },
                What::Sync(sync) => self.begin_sync(Sync::new(&sync, done), turn),
            }
        }
    }

    fn activate(&mut self, ask: Ask, active: Active, turn: &mut Turn) {
        let id = self.requests.ask(ask, turn);
        self.requests.active = Some((id, active));
    }

    /// Has a sync go on.
    pub(super) fn sync_on(&mut self, ask: Ask, sync: Box<Sync>, turn: &mut Turn) {
        self.activate(ask, Active::Sync(sync), turn);
    }

    /// Asks whether the user is a member of a group.
    pub(super) fn ask_membership(&mut self, address: Address, why: Membership, turn: &mut Turn) {
        let id = self.requests.ask(group(address), turn);
        self.requests.asked.insert(id, Asked::Membership(why));
    }

    /// Takes an answer.
    pub(super) fn answer(
        &mut self,
        id: AskId,
        answer: Answer,
        now: Now,
        turn: &mut Turn,
    ) -> Result<(), Fatal> {
        self.at(now);
        if let Some((active_id, _)) = &self.requests.active
            && *active_id == id
            && let Some((_, active)) = self.requests.active.take()
        {
            self.finish_job(active, answer, now, turn);
            self.start_jobs(turn);
            return Ok(());
        }
        match (self.requests.asked.remove(&id), answer) {
            (Some(Asked::Membership(why)), Answer::Membership(answer)) => {
                self.membership(why, answer, now, turn)?;
            }
            (Some(Asked::Retry(send, accepted)), Answer::Message(found)) => {
                self.echo_again(*send, accepted, found.as_ref().ok(), turn);
            }
            (Some(Asked::Read(by)), Answer::Messages(Ok(messages))) => {
                self.show_read(&by, &messages, &mut turn.out);
            }
            // What becomes of a message is a courtesy.
            _ => {}
        }
        Ok(())
    }

    fn membership(
        &mut self,
        why: Membership,
        answer: Result<bool, Refusal>,
        now: Now,
        turn: &mut Turn,
    ) -> Result<(), Fatal> {
        match why {
            Membership::Subscribe {
                destination,
                receipt,
            } => match answer {
                Ok(true) => {
                    if self.is_strict() {
                        self.receipt(receipt, &mut turn.out);
                    }
                }
                Ok(false) | Err(Refusal::NoSuchChannel | Refusal::NotAMember) => {
                    self.not_a_member(&destination, receipt.as_deref(), &mut turn.out)?;
                }
                // It is not known: whoever is a member hears of it.
                Err(why) => tracing::debug!(%why, "membership is not known"),
            },
            Membership::Refused(send) => {
                let why = match answer {
                    Err(Refusal::NoSuchChannel) => Refusal::NoSuchChannel,
                    _ => Refusal::NotAMember,
                };
                self.refused_send(&send, why, now, turn);
            }
        }
        Ok(())
    }

    fn finish_job(&mut self, active: Active, answer: Answer, now: Now, turn: &mut Turn) {
        match (active, answer) {
            (Active::Revoke { done, name, shown }, Answer::Revoked(answer)) => match answer {
                Ok(taken) if taken.is_new && !shown.contains(&taken.message.id) => {
                    let id = taken.message.id;
                    if self.requests.revokes.len() >= MAX_AWAITED {
                        self.done(done, &mut turn.out);
                    } else {
                        self.requests.revokes.insert(id, done);
                    }
                }
                Ok(taken) => {
                    if !taken.is_new {
                        let app = self.app.clone();
                        let body = view(&taken.message, &app).to_json();
                        self.personal(body, &mut turn.out);
                    }
                    self.done(done, &mut turn.out);
                }
                Err(why) => {
                    self.refused(&Submitted::id(&name), why, now, &mut turn.out);
                    self.done_without(done.number, &mut turn.out);
                }
            },
            (Active::Edit { done, name, shown }, Answer::Edited(answer)) => match answer {
                Ok(edited) => {
                    let id = edited.message.id;
                    let is_shown = !edited.is_new || shown.contains(&id);
                    if is_shown || self.requests.edits.len() >= MAX_AWAITED {
                        self.done(done, &mut turn.out);
                    } else {
                        self.requests.edits.insert(id, done);
                    }
                }
                Err(why) => {
                    let (code, reason) = edit_failure(why);
                    let submitted = Submitted::id(&name);
                    self.failed(&submitted, code, reason, now, &mut turn.out);
                    self.done_without(done.number, &mut turn.out);
                }
            },
            (Active::Read(done), Answer::Read(answer)) => match answer {
                Ok((row, _)) => {
                    self.own_read(Some(&row), &mut turn.out);
                    self.done(done, &mut turn.out);
                }
                Err(why) => {
                    self.own_read(None, &mut turn.out);
                    self.error_of(why, &mut turn.out);
                    self.done_without(done.number, &mut turn.out);
                }
            },
            (Active::Sync(sync), Answer::Pulled(answer)) => match answer {
                Ok(pulled) => self.pulled(sync, pulled, turn),
                Err(why) => {
                    self.error_of(why, &mut turn.out);
                    self.give_up_sync(*sync, &mut turn.out);
                }
            },
            (Active::Revoke { done, .. } | Active::Edit { done, .. } | Active::Read(done), _) => {
                self.done_without(done.number, &mut turn.out);
            }
            (Active::Sync(sync), _) => self.give_up_sync(*sync, &mut turn.out),
        }
    }

    /// A request is done: its receipt is given.
    pub(super) fn done(&mut self, done: Done, out: &mut Out) {
        self.receipt(done.receipt, out);
        self.done_without(done.number, out);
    }

    /// A request is over, and not done.
    pub(super) fn done_without(&mut self, number: u64, out: &mut Out) {
        self.requests.open.remove(&number);
        while let Some((after, _)) = self.requests.barriers.front()
            && self.requests.is_done(*after)
            && let Some((_, receipt)) = self.requests.barriers.pop_front()
        {
            self.receipt(Some(receipt), out);
        }
    }

    /// Answers a receipt once everything before it is done.
    pub(super) fn receipt_after(
        &mut self,
        receipt: Option<String>,
        out: &mut Out,
    ) -> Result<(), Fatal> {
        let after = self.requests.asked();
        if self.requests.is_done(after) {
            self.receipt(receipt, out);
        } else if let Some(receipt) = receipt {
            if self.requests.barriers.len() >= MAX_BARRIERS {
                return Err(Fatal::of(Fault::TransactionTooLarge, Some(&receipt)));
            }
            self.requests.barriers.push_back((after, receipt));
        }
        Ok(())
    }

    /// The client has been shown a message of its own.
    pub(super) fn echoed(&mut self, id: MessageId, out: &mut Out) {
        if let Some(done) = self.requests.echoes.remove(&id) {
            self.done(done, out);
        } else if !self.requests.sends.is_empty() && self.requests.shown.len() < MAX_AWAITED {
            self.requests.shown.insert(id);
        }
    }

    /// The client has been shown that a message was revoked.
    pub(super) fn shown_revoked(&mut self, id: MessageId, out: &mut Out) {
        if let Some(done) = self.requests.revokes.remove(&id) {
            self.done(done, out);
        } else if let Some((_, Active::Revoke { shown, .. })) = &mut self.requests.active
            && shown.len() < MAX_SHOWN
        {
            shown.push(id);
        }
    }

    /// The client has been shown that a message was edited.
    pub(super) fn shown_edited(&mut self, id: MessageId, out: &mut Out) {
        if let Some(done) = self.requests.edits.remove(&id) {
            self.done(done, out);
        } else if let Some((_, Active::Edit { shown, .. })) = &mut self.requests.active
            && shown.len() < MAX_SHOWN
        {
            shown.push(id);
        }
    }
}

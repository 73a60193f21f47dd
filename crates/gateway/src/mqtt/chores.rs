//! What a client asks for that is no message (mqtt.md Q3-12, Q3-24, Q3-27, Q3-29 to Q3-32).

use std::sync::{Arc, Weak};

use crosstalk_core::channel::ChannelKey;
use crosstalk_core::deliver::Operator;
use crosstalk_core::directory::{RegistrationChange, RegistrationKey};
use crosstalk_core::id::MessageId;
use crosstalk_core::im::{Fetch, Im};
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Session;
use crosstalk_wire::mqtt::im::background::Request;
use crosstalk_wire::mqtt::im::pull::{MAX_PULL, Pull, PullMode};
use crosstalk_wire::mqtt::im::{MsgType, TypeValue};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::editing::{NewBody, edit_message};
use crate::protocol::{Done, Work};
use crate::registry::Dialect;

/// Messages that may be named in one `read`.
const MAX_READ: usize = 500;

/// The largest report that is kept.
const MAX_REPORT_BYTES: usize = 16 << 10;

/// Something to be done for a session.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Chore {
    /// Take a message back.
    Revoke { name: String, to: String },
    /// Have a message say something else.
    Edit {
        name: String,
        to: String,
        content: String,
    },
    /// Put a reaction to a message, or take it away.
    React {
        name: String,
        to: String,
        emoji: String,
        removed: bool,
    },
    /// The user writes to somebody.
    Typing { to: String },
    /// Messages were read.
    Read { names: Vec<String>, to: String },
    /// Hand over what was missed, or history.
    Pull(Pull),
    /// No more vendor pushes.
    PushOff { forget_token: bool },
    /// Log a device out; empty = this one.
    LogOut { device_id: String },
    /// Keep a report.
    Report(String),
    /// Remember how the device writes.
    Remember(String),
}

impl Chore {
    /// What a client has asked for, in a message to somebody.
    pub(super) fn asked(request: Request, to: &str) -> Self {
        let to = to.to_owned();
        match request {
            Request::Revoke(revoke) => Self::Revoke {
                name: revoke.id,
                to,
            },
            Request::Edit(edit) => Self::Edit {
                name: edit.id,
                to,
                content: edit.content.to_string(),
            },
            Request::React(react) => Self::React {
                name: react.id,
                to,
                emoji: react.emoji,
                removed: react.removed,
            },
            Request::Typing => Self::Typing { to },
            Request::Read(read) => Self::Read {
                names: read.all().take(MAX_READ).map(str::to_owned).collect(),
                to,
            },
            Request::Pull(pull) => Self::Pull(pull),
            Request::PushOff(off) => Self::PushOff {
                forget_token: off.delete_token,
            },
            Request::Logout(out) => Self::LogOut {
                device_id: out.device_id,
            },
        }
    }
}

/// What came of a chore.
pub(super) type Outcome = Result<(), Refusal>;

/// A chore with everything that it takes.
pub(super) struct Errand {
    pub(super) im: Weak<Im>,
    pub(super) session: Arc<Session>,
    pub(super) chore: Chore,
}

impl Work for Errand {
    fn work(&self) -> BoxFuture<'static, Done> {
        let (im, session) = (self.im.upgrade(), Arc::clone(&self.session));
        let chore = self.chore.clone();
        async move {
            let outcome: Outcome = match im {
                Some(im) => run(&im, &session, chore).await,
                None => Err(Refusal::Unavailable),
            };
            Arc::new(outcome) as Done
        }
        .boxed()
    }
}

async fn run(im: &Im, session: &Session, chore: Chore) -> Outcome {
    match chore {
        Chore::Revoke { name, to } => {
            let within = within(im, session, &to).await;
            let message = im.find(&session.realm, &session.user, &name, within.as_ref());
            let message = message.await?;
            let by = Operator::User(session.user.clone());
            im.revoke(&session.realm, message.id, by).await.map(|_| ())
        }
        Chore::Edit { name, to, content } => {
            let within = within(im, session, &to).await;
            let message = im.find(&session.realm, &session.user, &name, within.as_ref());
            let body = NewBody {
                origin: Dialect::Mqtt.origin(),
                tag: Arc::from(&*TypeValue::from(MsgType::Text).to_tag()),
                payload: content.into(),
            };
            let message = message.await?;
            let by = Operator::User(session.user.clone());
            let body = body.in_kind(&message);
            let edited = edit_message(im, &session.realm, by, &message, body);
            edited.await.map(|_| ())
        }
        Chore::React {
            name,
            to,
            emoji,
            removed,
        } => {
            let within = within(im, session, &to).await;
            let message = im.find(&session.realm, &session.user, &name, within.as_ref());
            let (realm, user, id) = (&session.realm, &session.user, message.await?.id);
            im.react(realm, id, user, &emoji, removed).await.map(|_| ())
        }
        Chore::Typing { to } => {
            let to = im.resolve(&session.realm, &to).await?;
            let key = to.key(&session.realm, &session.user.uid)?;
            im.typing(&key, &session.user).await.map(|_| ())
        }
        Chore::Read { names, to } => read(im, session, &names, &to).await,
        Chore::Pull(pull) => {
            let fetch = fetch_of(im, session, &pull).await?;
            match pull.mode {
                Some(PullMode::History) => {
                    let fetched = im.fetch_history(&session.user, &fetch).await?;
                    im.hand_history(session, &fetched)
                }
                Some(PullMode::Offline) | None => {
                    let fetched = im.fetch_missed(session, &fetch).await?;
                    im.hand(session, &fetched);
                    Ok(())
                }
            }
        }
        Chore::PushOff { forget_token } => {
            let change = RegistrationChange {
                push_on: Some(false),
                forget_push_token: forget_token,
                ..RegistrationChange::default()
            };
            change_own(im, session, "", &change).await
        }
        Chore::LogOut { device_id } => {
            let change = RegistrationChange {
                log_out: true,
                ..RegistrationChange::default()
            };
            change_own(im, session, &device_id, &change).await
        }
        Chore::Report(text) if text.len() > MAX_REPORT_BYTES => Err(Refusal::TooLarge),
        Chore::Report(text) => im.report(session, text).await,
        Chore::Remember(habit) => {
            let change = RegistrationChange {
                habit: Some(habit),
                ..RegistrationChange::default()
            };
            change_own(im, session, "", &change).await
        }
    }
}

/// Changes the registration of one of the user's devices.
async fn change_own(
    im: &Im,
    session: &Session,
    device_id: &str,
    change: &RegistrationChange,
) -> Outcome {
    let device_id = match device_id {
        "" => session.device.id.to_string(),
        named => named.to_owned(),
    };
    let key = RegistrationKey {
        user: session.user.num,
        origin: session.origin,
        device_id,
    };
    im.change_registration(&key, change).await.map(|_| ())
}

/// The conversation that a name means; `None` if it means none.
async fn within(im: &Im, session: &Session, name: &str) -> Option<ChannelKey> {
    let address = im.resolve(&session.realm, name).await.ok()?;
    address.key(&session.realm, &session.user.uid).ok()
}

/// Reads each conversation up to the newest of the messages named.
async fn read(im: &Im, session: &Session, names: &[String], to: &str) -> Outcome {
    if names.is_empty() {
        return Err(Refusal::InvalidArgument);
    }
    let within = within(im, session, to).await;
    let mut newest: Vec<Message> = Vec::new();
    for name in names {
        let found = im.find(&session.realm, &session.user, name, within.as_ref());
        let found = found.await?;
        let same = newest
            .iter_mut()
            .find(|other| other.channel.num == found.channel.num);
        match same {
            Some(other) if other.seq >= found.seq => {}
            Some(other) => *other = found,
            None => newest.push(found),
        }
    }
    for message in newest {
        let key = &message.channel.key;
        im.read(&session.user, key, Some(message.seq)).await?;
    }
    Ok(())
}

/// What a pull wants of the messenger.
async fn fetch_of(im: &Im, session: &Session, pull: &Pull) -> Result<Fetch, Refusal> {
    let of = match pull.target.as_str() {
        "" => None,
        name => {
            let address = im.resolve(&session.realm, name).await?;
            Some(address.key(&session.realm, &session.user.uid)?)
        }
    };
    let cursor = pull.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let after = match cursor {
        Some(cursor) => {
            let id = cursor.parse().map_err(|_| Refusal::InvalidArgument)?;
            Some(MessageId(id))
        }
        None => None,
    };
    Ok(Fetch {
        of,
        from_ms: pull.start_time_ms,
        before_ms: pull.end_time_ms,
        after,
        limit: pull.limit.unwrap_or(MAX_PULL),
    })
}

//! What a message says and carries, as callers give it: content, mentions, what it replies to,
//! and when it ends.

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::carried::{Carried, MAX_LIFE_MS, MAX_MENTIONS, MIN_LIFE_MS};
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::Realm;
use crosstalk_core::im::Viewer;
use crosstalk_core::message::{Body, Draft, Flags, Message, OnReuse, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::SendReply;
use crosstalk_gateway::{examine, is_the_servers, meaning_of, moderate};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::auth::Caller;
use super::problem::Problem;
use super::{content, input};
use crate::http::state::ApiState;

/// Characters of a quoted message that go with a reply.
const QUOTE_CHARS: usize = 200;

/// Whom a message mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = Mentions, example = json!({"users": ["bob"], "all": false}))]
pub(super) struct Mentioned {
    /// Users. Those who have nothing to do with the channel are left out.
    #[schema(max_items = 100)]
    pub(super) users: Vec<String>,
    /// Everybody in the channel; who may do that is a setting of the channel.
    pub(super) all: bool,
}

/// What a message says, and what it carries beside that.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct Saying {
    /// What: an object with a `type` (`text`, `image`, `audio`, `video`, `file`, `location`,
    /// `link`, `card`, `notice`, `merged`, `custom`, …) and what belongs to it.
    #[schema(value_type = Object)]
    pub(super) content: Value,
    /// Whom it mentions.
    #[serde(default)]
    pub(super) mentions: Option<Mentioned>,
    /// The id of the message to which it replies, of the same channel and such that the sender
    /// may read it. `content.reply` of a text is filled in from it.
    #[serde(default)]
    pub(super) reply_to: Option<String>,
    /// How long it lives, ms, rounded up to seconds; then it is erased for everybody.
    #[serde(default)]
    #[schema(minimum = 1000, maximum = 31_536_000_000_u64)]
    pub(super) expires_in_ms: Option<u64>,
    /// How long it stays after its receiver has read it, ms. In direct channels only.
    #[serde(default)]
    #[schema(minimum = 1000, maximum = 31_536_000_000_u64)]
    pub(super) burn_after_ms: Option<u64>,
}

/// The same, checked and in stored form.
#[derive(Debug, Clone)]
pub(super) struct Spoken {
    pub(super) payload: Bytes,
    pub(super) expire_secs: u32,
    pub(super) carried: Option<Arc<Carried>>,
    pub(super) kind: Kind,
}

/// Which of the two logs it goes to, and whether it counts as unread there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What people say.
    Message,
    /// What the system says of a channel: nobody has to read it.
    Tip,
    /// For programs: delivered once, in no history.
    Command,
}

impl Saying {
    /// What a sender says at an address.
    pub(super) async fn spoken(
        &self,
        api: &ApiState,
        caller: &Caller,
        sender: &Sender,
        to: &Address,
    ) -> Result<Spoken, Problem> {
        let realm = caller.realm()?;
        // Before anything is looked up for it.
        let kind = self.kind(caller)?;
        let expire_secs = match self.expires_in_ms {
            None => 0,
            Some(ms) => {
                let secs = life("expires_in_ms", ms)?.div_ceil(1000);
                u32::try_from(secs).unwrap_or(u32::MAX)
            }
        };
        let mut carried = Carried::default();
        if let Some(ms) = self.burn_after_ms {
            carried.burn_after_ms = life("burn_after_ms", ms)?;
            if to.kind != ChannelKind::DIRECT || *to.id == *sender.user().uid.as_str() {
                let why = "burn_after_ms: only messages of direct channels with somebody else burn \
                           once they are read";
                return Err(Problem::new(Refusal::WrongState, why));
            }
        }
        if matches!(sender, Sender::User(_)) && !self.content["reply"].is_null() {
            return Err(Problem::field(
                "content.reply",
                "is filled in from reply_to",
            ));
        }
        let mut said = self.content.clone();
        if let Some(mentioned) = &self.mentions {
            if mentioned.users.len() > MAX_MENTIONS {
                let wrong = format_args!("has at most {MAX_MENTIONS} users");
                return Err(Problem::field("mentions.users", wrong));
            }
            let uids = input::uids("mentions.users", &mentioned.users)?;
            if said["type"] == "text" {
                said["mentions"] = json!(uids.iter().map(|uid| uid.as_str()).collect::<Vec<_>>());
                said["mention_all"] = mentioned.all.into();
            }
            let found = Carried::mentioning(uids, mentioned.all);
            (carried.mentions, carried.mention_all) = (found.mentions, found.mention_all);
        }
        if let Some(id) = &self.reply_to {
            let quoted = self.quoted(api, realm, sender, to, id).await?;
            carried.reply(&quoted);
            if said["type"] == "text" {
                // Not all who are given this may read that, or for as long.
                let is_shown = lasts(&quoted) && api.im.is_for_all(&quoted).await?;
                said["reply"] = json!({
                    "id": quoted.id.to_string(),
                    "from": quoted.sender.uid.as_str(),
                    "text": if is_shown { preview(&quoted) } else { String::new() },
                });
            }
        }
        Ok(Spoken {
            payload: content::payload(&said)?,
            expire_secs,
            carried: carried.packed(),
            kind,
        })
    }

    /// What kind of thing is said, if a caller may say it.
    fn kind(&self, caller: &Caller) -> Result<Kind, Problem> {
        let payload = content::payload(&self.content)?;
        if matches!(caller, Caller::User(_)) {
            let body = Body {
                payload,
                ..Body::default()
            };
            if is_the_servers(&body) {
                let why = "content: only the application and the server say that";
                return Err(Problem::new(Refusal::Forbidden, why));
            }
        }
        let carries =
            self.mentions.is_some() || self.reply_to.is_some() || self.burn_after_ms.is_some();
        match self.content["type"].as_str() {
            Some("command") if carries => Err(Problem::field(
                "content.type",
                "a command mentions nobody, replies to nothing and does not burn",
            )),
            Some("command") => Ok(Kind::Command),
            Some("tip") => Ok(Kind::Tip),
            _ => Ok(Kind::Message),
        }
    }

    async fn quoted(
        &self,
        api: &ApiState,
        realm: &Realm,
        sender: &Sender,
        to: &Address,
        id: &str,
    ) -> Result<Message, Problem> {
        let id = id.parse().ok().filter(|id: &i64| *id > 0);
        let wrong = || Problem::field("reply_to", "a message id is a decimal number");
        let id = crosstalk_core::id::MessageId(id.ok_or_else(wrong)?);
        let viewer = match sender {
            Sender::Application(_) => Viewer::Application,
            other => Viewer::User(other.user().clone()),
        };
        let key = to.key(realm, &sender.user().uid)?;
        match api.im.replied(&key, &viewer, id).await {
            Err(Refusal::NoSuchMessage) => Err(Problem::new(
                Refusal::NoSuchMessage,
                format!("reply_to: there is no message {id} in that channel"),
            )),
            found => Ok(found?),
        }
    }
}

/// Checks how long a message is to live or to stay.
fn life(name: &str, ms: u64) -> Result<u64, Problem> {
    if (MIN_LIFE_MS..=MAX_LIFE_MS).contains(&ms) {
        Ok(ms)
    } else {
        let wrong = format_args!("must be between {MIN_LIFE_MS} and {MAX_LIFE_MS}");
        Err(Problem::field(name, wrong))
    }
}

/// Whether a message is not to end by itself: then what it says may be said again.
pub(super) fn lasts(message: &Message) -> bool {
    let carried = message.body.carried.as_deref();
    let burns = carried.is_some_and(|carried| carried.burn_after_ms > 0);
    !burns && message.expires_at_ms().is_none()
}

/// Some words of a message.
pub(super) fn preview(message: &Message) -> String {
    let words = meaning_of(message).fallback_text();
    words.chars().take(QUOTE_CHARS).collect()
}

impl Spoken {
    /// The draft of it.
    pub(super) fn draft(self, to: Address, client_no: Option<&str>, receipt: bool) -> Draft {
        let body = Body {
            client_no: client_no.unwrap_or_default().into(),
            origin: Origin::REST,
            flags: Flags {
                counts: self.kind == Kind::Message,
                command: self.kind == Kind::Command,
                // Nobody reads a command.
                receipt: receipt && self.kind != Kind::Command,
                ..Flags::default()
            },
            expire_secs: self.expire_secs,
            payload: self.payload,
            carried: self.carried,
            ..Body::default()
        };
        draft(to, body)
    }
}

/// The draft of a body.
pub(super) fn draft(to: Address, body: Body) -> Draft {
    Draft {
        to,
        body,
        on_reuse: OnReuse::Refuse,
        require_peer: true,
        fault: None,
    }
}

/// Sends a draft; whom its content mentions is noted.
pub(super) async fn send(
    api: &ApiState,
    caller: &Caller,
    realm: &Realm,
    sender: &Sender,
    mut draft: Draft,
) -> SendReply {
    examine(&mut draft);
    pass_on(api, caller, realm, sender, draft).await
}

/// Sends a draft that mentions nobody, whatever its content says; what a user says is judged
/// by the word lists.
pub(super) async fn pass_on(
    api: &ApiState,
    caller: &Caller,
    realm: &Realm,
    sender: &Sender,
    mut draft: Draft,
) -> SendReply {
    draft.body.flags.by_application = !matches!(caller, Caller::User(_));
    // The application may say what it wants.
    if matches!(sender, Sender::User(_)) {
        moderate(&api.im.words(realm), &mut draft);
    }
    let app = caller.app_id();
    api.im.send_by(realm, app, sender.clone(), draft).await
}

/// Why a draft was refused, for whoever wrote it.
pub(super) fn refused(why: Refusal) -> Problem {
    match why {
        // Nothing else in a send is.
        Refusal::Forbidden => Problem::new(
            why,
            "mentions.all: only the owner and administrators may mention everybody here",
        ),
        why => why.into(),
    }
}

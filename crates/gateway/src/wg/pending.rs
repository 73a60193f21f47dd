//! Messages to receivers of which the core has not said what became of them: one 9001 for
//! all receivers of one message (wg.md Q0-15, Q0-18).

use std::borrow::Cow;
use std::collections::VecDeque;

use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::SendReply;
use crosstalk_wire::wg::{Status, StatusBody, texts};

use super::reasons::reason;
use super::settings::People;

/// One receiver, as the message named it.
pub(super) struct Target {
    /// Its name in `to`.
    pub(super) name: String,
    /// The user, unless it is a group.
    pub(super) user: Option<Uid>,
}

/// A message on its way.
pub(super) struct Pending {
    id: String,
    /// Those of whom nothing is known yet, in the order of their tickets.
    waiting: VecDeque<Target>,
    unknown: Vec<String>,
    failed: Vec<String>,
    refused: Option<Refusal>,
    is_accepted: bool,
    is_online: bool,
}

impl Pending {
    /// A message to some receivers; `unknown` cannot be anybody's names.
    pub(super) fn new(id: String, targets: Vec<Target>, unknown: Vec<String>) -> Self {
        Self {
            id,
            waiting: targets.into(),
            unknown,
            failed: Vec::new(),
            refused: None,
            is_accepted: false,
            is_online: false,
        }
    }

    /// The message's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// True once everything is known.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What became of the next receiver.
    pub(super) fn replied(&mut self, reply: SendReply, realm: &Realm, people: &dyn People) {
        let Some(target) = self.waiting.pop_front() else {
            return;
        };
        match reply {
            Ok(_) => {
                self.is_accepted = true;
                // In a group somebody mostly is; who is not gets it later.
                let user = target.user.as_ref();
                self.is_online |= user.is_none_or(|user| people.is_online(realm, user));
            }
            Err(refused) if reason(refused.why).0 == Status::ToError => {
                self.unknown.push(target.name);
                self.refused.get_or_insert(refused.why);
            }
            Err(refused) => {
                self.failed.push(target.name);
                // A right that is missing says more than a receiver that is.
                let before = self.refused.filter(|why| reason(*why).0 != Status::ToError);
                self.refused = before.or(Some(refused.why));
            }
        }
    }

    /// What the client is told.
    pub(super) fn status(&self) -> StatusBody {
        if !self.is_accepted {
            let (status, msg) = reason(self.refused.unwrap_or(Refusal::NoSuchUser));
            return StatusBody::new(status, msg);
        }
        let msg: Cow<'static, str> = if !self.unknown.is_empty() {
            texts::unknown_recipients(self.unknown.iter().map(String::as_str))
        } else if !self.failed.is_empty() {
            texts::failed_recipients(self.failed.iter().map(String::as_str))
        } else if self.is_online {
            texts::SENT.into()
        } else {
            texts::SENT_OFFLINE.into()
        };
        StatusBody::new(Status::Success, msg)
    }
}

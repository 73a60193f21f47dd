//! Drafts and messages. A draft is what a sender wants said; a message is an accepted draft
//! with id, seq, sender and server time. Both are immutable and shared by `Arc`.

use std::sync::Arc;

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::carried::Carried;
use crate::channel::{Address, ChannelRef};
use crate::id::{MessageId, Realm, UserNum, UserRef};
use crate::refusal::Refusal;

/// Who wrote a payload's bytes: a number that the gateway's registry gives to each dialect.
/// The core only compares and stores it. 0 is the server's own REST interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(pub u8);

impl Origin {
    /// Born in REST; always mapped, never passed through.
    pub const REST: Self = Self(0);
    /// Written by the core itself: a [`Change`](crate::change::Change) as JSON.
    pub const CHANGE: Self = Self(254);
}

/// A message's flags, stored as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// Do not store: online delivery only, seq 0.
    pub no_persist: bool,
    /// Counts as unread.
    pub counts: bool,
    /// Goes to the command log: delivered once, never unread.
    pub command: bool,
    /// The sender asks for a read receipt.
    pub receipt: bool,
    /// Another sender had used the client number in that log before: it does not tell this
    /// message from theirs, which is therefore known by its id. The store says so.
    pub number_taken: bool,
    /// The application has sent it, in whoever's name: a command of it may be called as what
    /// the server tells is called.
    pub by_application: bool,
    /// It has a word that a moderator is to look at.
    pub review: bool,
}

impl Flags {
    /// The stored form.
    #[must_use]
    pub fn bits(self) -> i64 {
        i64::from(self.no_persist)
            | i64::from(self.counts) << 1
            | i64::from(self.command) << 2
            | i64::from(self.receipt) << 3
            | i64::from(self.number_taken) << 4
            | i64::from(self.by_application) << 5
            | i64::from(self.review) << 12
    }

    /// From the stored form.
    #[must_use]
    pub fn from_bits(bits: i64) -> Self {
        let bit = |n: u32| bits & (1 << n) != 0;
        Self {
            no_persist: bit(0),
            counts: bit(1),
            command: bit(2),
            receipt: bit(3),
            number_taken: bit(4),
            by_application: bit(5),
            review: bit(12),
        }
    }
}

/// What to do with a client number that was used before with other content (data-model.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnReuse {
    /// It is a new message: the client's numbers may restart.
    #[default]
    Store,
    /// Refuse with `IdempotencyConflict`.
    Refuse,
}

/// The content of a message, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The client's own number, the idempotency key; empty = none.
    pub client_no: Arc<str>,
    /// Who wrote the payload.
    pub origin: Origin,
    /// What the origin's envelope said of the payload's type; empty where it says nothing.
    pub tag: Arc<str>,
    /// Flags.
    pub flags: Flags,
    /// How long the message lives, in seconds; 0 = for ever.
    pub expire_secs: u32,
    /// The author's bytes.
    pub payload: Bytes,
    /// JSON of envelope members that must survive a crossing back to the same dialect.
    pub extra: Option<Bytes>,
    /// A name of its own that the author gave the message beside its number. The store keeps
    /// it only if no other message of the realm has it.
    pub name: Option<Arc<str>>,
    /// Only these users, and the sender, may see it: a *directed* message, which takes a seq
    /// and no unread ordinal. At most [`MAX_AUDIENCE`].
    pub audience: Option<Arc<[UserNum]>>,
    /// What it carries beside its content; `None` = nothing, as with nearly all.
    pub carried: Option<Arc<Carried>>,
}

/// How many users a directed message may have.
pub const MAX_AUDIENCE: usize = 500;

/// Nothing said by the server itself: what literals of some fields begin with.
impl Default for Body {
    fn default() -> Self {
        Self {
            client_no: "".into(),
            origin: Origin::REST,
            tag: "".into(),
            flags: Flags::default(),
            expire_secs: 0,
            payload: Bytes::new(),
            extra: None,
            name: None,
            audience: None,
            carried: None,
        }
    }
}

impl Body {
    /// The dedup key of this body's client number in a realm, if it has a number.
    #[must_use]
    pub fn client_key(&self, realm: &Realm) -> Option<i64> {
        client_key(realm, &self.client_no)
    }

    /// True if it takes an unread ordinal: it counts, and for everybody alike.
    #[must_use]
    pub fn takes_ordinal(&self) -> bool {
        self.flags.counts && self.audience.is_none()
    }

    /// This body as the store has it: what it says of the client number, and without a name
    /// that another message has.
    #[must_use]
    pub fn as_stored(self: &Arc<Self>, naming: Naming) -> Arc<Self> {
        let has_name = self.name.is_some() && !naming.name_dropped;
        if has_name == self.name.is_some() && naming.number_taken == self.flags.number_taken {
            return Arc::clone(self);
        }
        let mut body = Self::clone(self);
        body.flags.number_taken = naming.number_taken;
        body.name = body.name.filter(|_| has_name);
        Arc::new(body)
    }

    /// What is left of it in a tombstone. The client number stays, so that a retry is known
    /// for one, and so do its name, the kind and for whom it was; what was said is gone.
    #[must_use]
    pub fn erased(&self) -> Self {
        Self {
            payload: Bytes::new(),
            extra: None,
            carried: None,
            ..self.clone()
        }
    }

    /// What it says, for those who judge that: without what it carries, and for whom it was.
    #[must_use]
    pub fn evidence(&self) -> Self {
        Self {
            origin: self.origin,
            tag: Arc::clone(&self.tag),
            payload: self.payload.clone(),
            extra: self.extra.clone(),
            ..Self::default()
        }
    }

    /// This body with another content. Members of an envelope stay only beside a content of the
    /// same author's dialect.
    #[must_use]
    pub fn edited(&self, origin: Origin, tag: Arc<str>, payload: Bytes) -> Self {
        Self {
            extra: self.extra.clone().filter(|_| origin == self.origin),
            origin,
            tag,
            payload,
            ..self.clone()
        }
    }

    /// A digest of kind and content: tells a retry from a reused number.
    #[must_use]
    pub fn digest(&self) -> i64 {
        digest(self.origin, &self.tag, &self.payload)
    }
}

/// What the store found of a message's number and name when it was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Naming {
    /// As in [`Flags::number_taken`].
    pub number_taken: bool,
    /// Another message of the realm had its name: it has none.
    pub name_dropped: bool,
}

/// The digest of a body of this kind and content.
#[must_use]
pub fn digest(origin: Origin, tag: &str, payload: &[u8]) -> i64 {
    let mut hash = Xxh3::new();
    hash.update(&[origin.0]);
    hash.update(tag.as_bytes());
    hash.update(&[0]);
    hash.update(payload);
    hash.digest().cast_signed()
}

/// The dedup key of a client number (data-model.md §4); not unique by itself.
#[must_use]
pub fn client_key(realm: &Realm, client_no: &str) -> Option<i64> {
    if client_no.is_empty() {
        return None;
    }
    let seed = xxh3_64(realm.as_str().as_bytes());
    Some((xxh3_64(client_no.as_bytes()) ^ seed.rotate_left(17)).cast_signed())
}

/// What a sender wants said, and where.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where to.
    pub to: Address,
    /// What.
    pub body: Body,
    /// What to do with a reused client number.
    pub on_reuse: OnReuse,
    /// Refuse a direct message to a user who does not exist yet.
    pub require_peer: bool,
    /// What the edge found wrong with it, judged in its place among the access checks.
    pub fault: Option<Refusal>,
}

/// An accepted draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The server's id, unique in the realm and beyond; the log position on one node.
    pub id: MessageId,
    /// The log it stands in.
    pub channel: Arc<ChannelRef>,
    /// Its place in the channel's log, from 1 without gaps; 0 = not stored.
    pub seq: u64,
    /// How many counting messages the channel had up to and with this one.
    pub ordinal: u64,
    /// Who sent it.
    pub sender: UserRef,
    /// When the server accepted it, ms since 1970.
    pub sent_at_ms: i64,
    /// Its content as it was sent; what is left of it once the message is gone. What it says
    /// now is [`shown`](Self::shown).
    pub body: Arc<Body>,
    /// Set once it was revoked, deleted or had expired: a tombstone, which keeps its place
    /// without content. Boxed, since hardly any message has it.
    pub revoked: Option<Box<Revocation>>,
    /// What it says since it was edited. Boxed, since hardly any message has it.
    pub edited: Option<Box<Edited>>,
    /// True if it is directed and the reader is not one of those who may see it: it keeps its
    /// place and says nothing ([`Self::concealed`]).
    pub is_concealed: bool,
}

/// How a message has lost its content. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gone {
    /// It was taken back: its place says so.
    #[default]
    Revoked = 0,
    /// It was deleted for everybody: lists do not show its place.
    Deleted = 1,
    /// Its time is over: as with a deleted one.
    Expired = 2,
}

impl Gone {
    /// From its stored number; an unknown one is a revoked message.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Deleted,
            2 => Self::Expired,
            _ => Self::Revoked,
        }
    }

    /// Its stored number.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Revoked => 0,
            Self::Deleted => 1,
            Self::Expired => 2,
        }
    }
}

/// That a message has lost its content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocation {
    /// Who did it; `None` = the application itself.
    pub by: Option<UserRef>,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// How.
    pub how: Gone,
}

/// What a message says since it was edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// How often it was edited.
    pub n: u32,
    /// Who did it last; `None` = the application itself.
    pub by: Option<UserRef>,
    /// When that was, ms since 1970.
    pub at_ms: i64,
    /// The whole body as it is shown: that of the message with the new content.
    pub body: Arc<Body>,
}

impl Message {
    /// What the message is once it is revoked.
    #[must_use]
    pub fn tombstone(&self, revocation: Revocation) -> Self {
        Self {
            body: Arc::new(self.body.erased()),
            revoked: Some(Box::new(revocation)),
            edited: None,
            ..self.clone()
        }
    }

    /// Whether this user may see it: it is for everybody, or they are of its audience, or its
    /// sender.
    #[must_use]
    pub fn is_for(&self, user: UserNum) -> bool {
        let audience = self.body.audience.as_ref();
        audience.is_none_or(|audience| self.sender.num == user || audience.contains(&user))
    }

    /// What those see of it in seq-based reads for whom it is not: a place, a sender and a
    /// time. That it was revoked is not theirs to know either.
    #[must_use]
    pub fn concealed(&self) -> Self {
        let flags = Flags {
            command: self.body.flags.command,
            ..Flags::default()
        };
        Self {
            body: Arc::new(Body {
                flags,
                ..Body::default()
            }),
            revoked: None,
            edited: None,
            is_concealed: true,
            ..self.clone()
        }
    }

    /// The message as this user may read it.
    #[must_use]
    pub fn seen_by(self, user: UserNum) -> Self {
        if self.is_for(user) {
            self
        } else {
            self.concealed()
        }
    }

    /// What it says now: its content, or that of its last edit. How the message is called, and
    /// by whom, stays with [`body`](Self::body).
    #[must_use]
    pub fn shown(&self) -> &Arc<Body> {
        self.edited
            .as_ref()
            .map_or(&self.body, |edited| &edited.body)
    }

    /// True if lists leave its place out: it was deleted for everybody, or has expired.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        self.revoked
            .as_ref()
            .is_some_and(|revocation| revocation.how != Gone::Revoked)
    }

    /// The message with this edit.
    #[must_use]
    pub fn with_edit(self, edit: Edited) -> Self {
        Self {
            edited: Some(Box::new(edit)),
            ..self
        }
    }

    /// When it expires, ms since 1970, if ever.
    #[must_use]
    pub fn expires_at_ms(&self) -> Option<i64> {
        expires_at_ms(self.sent_at_ms, self.body.expire_secs)
    }

    /// Roughly what it costs to hold, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let edit = self
            .edited
            .as_ref()
            .map_or(0, |edited| edited.body.payload.len());
        self.body.payload.len() + edit + self.body.extra.as_ref().map_or(0, Bytes::len) + 256
    }
}

/// When a message sent at `sent_at_ms` with a life of `expire_secs` expires.
#[must_use]
pub fn expires_at_ms(sent_at_ms: i64, expire_secs: u32) -> Option<i64> {
    (expire_secs > 0).then(|| sent_at_ms.saturating_add(i64::from(expire_secs) * 1000))
}

/// What a sender is told of an accepted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The message's id: the first one's for a retry.
    pub id: MessageId,
    /// Its seq; 0 if not stored.
    pub seq: u64,
    /// Server time of acceptance, ms since 1970.
    pub sent_at_ms: i64,
    /// False for a retry of what was accepted before: nobody is given it again.
    pub is_new: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_survive_storage() {
        for bits in 0..64 {
            assert_eq!(Flags::from_bits(bits).bits(), bits);
        }
    }

    #[test]
    fn the_digest_tells_kind_and_content_apart() {
        let body = |origin, tag: &str, payload: &'static [u8]| {
            Body {
                client_no: "n".into(),
                origin: Origin(origin),
                tag: tag.into(),
                payload: Bytes::from_static(payload),
                ..Body::default()
            }
            .digest()
        };
        let digests = [
            body(1, "", b"x"),
            body(2, "", b"x"),
            body(1, "x", b""),
            body(1, "", b"y"),
        ];
        let distinct: std::collections::HashSet<_> = digests.into_iter().collect();
        assert_eq!(distinct.len(), 4);
        assert_eq!(body(1, "t", b"x"), body(1, "t", b"x"));
    }
}

//! What a channel is called: kind and id, and the address a sender uses for it.

use std::fmt;
use std::sync::Arc;

use crate::directory::Alias;
use crate::id::{ChannelNum, InvalidId, Realm, Uid, check_alphabet, is_reserved};
use crate::refusal::Refusal;

/// The kind of a channel. The numbers are fixed: clients put them on the wire
/// (architecture.md §2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelKind(pub u8);

impl ChannelKind {
    /// Two users.
    pub const DIRECT: Self = Self(1);
    /// Members with roles.
    pub const GROUP: Self = Self(2);
    /// `visitor|agent`, the older form of customer service.
    pub const CUSTOMER_SERVICE: Self = Self(3);
    /// A community.
    pub const COMMUNITY: Self = Self(4);
    /// `community@topic`.
    pub const TOPIC: Self = Self(5);
    /// Everybody may write: information.
    pub const INFO: Self = Self(6);
    /// Data without conversations.
    pub const DATA: Self = Self(7);
    /// Temporary.
    pub const TEMPORARY: Self = Self(8);
    /// A live room.
    pub const LIVE: Self = Self(9);
    /// A visitor and all agents.
    pub const VISITORS: Self = Self(10);
    /// `uid@agent`.
    pub const AGENT: Self = Self(11);
    /// A group of agents.
    pub const AGENT_GROUP: Self = Self(12);

    const NAMES: [&'static str; 12] = [
        "direct",
        "group",
        "customer_service",
        "community",
        "topic",
        "info",
        "data",
        "temporary",
        "live",
        "visitors",
        "agent",
        "agent_group",
    ];

    /// The kind with this number or name (contract.md §5), if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(at) = Self::NAMES.iter().position(|name| *name == text) {
            return u8::try_from(at + 1).ok().map(Self);
        }
        text.parse().ok().map(Self).filter(|kind| kind.is_known())
    }

    /// True for the twelve kinds there are.
    #[must_use]
    pub fn is_known(self) -> bool {
        (1..=12).contains(&self.0)
    }

    /// The kind's name in REST.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .get(usize::from(self.0).wrapping_sub(1))
            .copied()
            .unwrap_or("unknown")
    }

    /// Kinds whose ban and disband flags are not looked at.
    #[must_use]
    pub fn is_public(self) -> bool {
        matches!(
            self,
            Self::CUSTOMER_SERVICE | Self::INFO | Self::VISITORS | Self::AGENT
        )
    }

    /// Kinds that appear in conversation lists.
    #[must_use]
    pub fn has_conversations(self) -> bool {
        !matches!(self, Self::DATA | Self::TEMPORARY | Self::LIVE)
    }
}

impl fmt::Debug for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

/// Where a sender wants a message to go: for a direct channel the id is the peer's uid,
/// otherwise the channel's own id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The kind of channel.
    pub kind: ChannelKind,
    /// Peer uid or channel id.
    pub id: Arc<str>,
}

impl Address {
    /// The direct channel with a peer.
    #[must_use]
    pub fn direct(peer: &Uid) -> Self {
        Self {
            kind: ChannelKind::DIRECT,
            id: peer.shared(),
        }
    }

    /// Builds an address from a kind and a text.
    ///
    /// # Errors
    /// `UnsupportedChannelKind` for a kind that does not exist, `InvalidChannelId` for an
    /// id that cannot be one of that kind.
    pub fn parse(kind: ChannelKind, id: &str) -> Result<Self, Refusal> {
        if !kind.is_known() {
            return Err(Refusal::UnsupportedChannelKind);
        }
        check_channel_id(kind, id).map_err(|_| Refusal::InvalidChannelId)?;
        Ok(Self {
            kind,
            id: id.into(),
        })
    }

    /// The channel this address means when `sender` uses it.
    ///
    /// # Errors
    /// `InvalidChannelId` when a direct address is no uid.
    pub fn key(&self, realm: &Realm, sender: &Uid) -> Result<ChannelKey, Refusal> {
        if self.kind != ChannelKind::DIRECT {
            return Ok(ChannelKey {
                realm: realm.clone(),
                kind: self.kind,
                id: Arc::clone(&self.id),
            });
        }
        let peer = Uid::parse(&self.id).map_err(|_| Refusal::InvalidChannelId)?;
        Ok(ChannelKey::direct(realm, sender, &peer))
    }
}

/// A channel's name, the same whoever looks at it. A direct channel's id is its two uids in
/// byte order, joined by `|`, so that it is the same whichever comes first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChannelKey {
    /// The realm it belongs to.
    pub realm: Realm,
    /// The kind.
    pub kind: ChannelKind,
    /// The id within realm and kind.
    pub id: Arc<str>,
}

impl ChannelKey {
    /// The direct channel of two users. Both may be the same user: notes to oneself.
    #[must_use]
    pub fn direct(realm: &Realm, one: &Uid, other: &Uid) -> Self {
        let (low, high) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        let id = format!("{low}|{high}").into();
        Self {
            realm: realm.clone(),
            kind: ChannelKind::DIRECT,
            id,
        }
    }

    /// Whether its id alone would be taken for the server or for a user: dialects that name
    /// both alike must say of it that it is a channel's.
    #[must_use]
    pub fn looks_like_a_user(&self) -> bool {
        is_reserved(&self.id) || Alias::has_form(&self.id)
    }

    /// The two users of a direct channel, in byte order.
    #[must_use]
    pub fn pair(&self) -> Option<(&str, &str)> {
        (self.kind == ChannelKind::DIRECT).then(|| self.id.split_once('|'))?
    }

    /// True for the direct channel of a user with themselves.
    #[must_use]
    pub fn is_notes(&self) -> bool {
        self.pair().is_some_and(|(low, high)| low == high)
    }

    /// The other user of a direct channel, seen by `uid`.
    #[must_use]
    pub fn peer_of(&self, uid: &str) -> Option<&str> {
        let (low, high) = self.pair()?;
        Some(if low == uid { high } else { low })
    }

    /// The id by which `viewer` knows this channel: the peer in a direct one.
    #[must_use]
    pub fn id_for(&self, viewer: &str) -> &str {
        self.peer_of(viewer).unwrap_or(&self.id)
    }
}

/// Which of a channel's two logs (architecture.md §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// What people say.
    Chat = 0,
    /// What changes: never counts as unread.
    Command = 1,
}

/// One log of one channel, as messages and caches point at it.
#[derive(Debug, PartialEq, Eq)]
pub struct ChannelRef {
    /// The surrogate of this log.
    pub num: ChannelNum,
    /// The channel's name.
    pub key: ChannelKey,
    /// Which log.
    pub log: LogKind,
}

/// Checks a channel id of a kind: users and groups follow the id alphabet, composite kinds
/// are two ids joined by their separator (architecture.md §2), all others one id.
fn check_channel_id(kind: ChannelKind, id: &str) -> Result<(), InvalidId> {
    let joined = |separator: char| match id.split_once(separator) {
        Some((left, right)) => check_alphabet(left).and(check_alphabet(right)),
        None => Err(InvalidId::Alphabet),
    };
    match kind {
        ChannelKind::DIRECT => Uid::parse(id).map(|_| ()),
        ChannelKind::CUSTOMER_SERVICE => joined('|'),
        ChannelKind::TOPIC | ChannelKind::AGENT => joined('@'),
        _ => check_alphabet(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(text: &str) -> Uid {
        Uid::parse(text).expect("a valid uid")
    }

    #[test]
    fn a_direct_channel_is_the_same_from_both_sides() {
        let realm = Realm::default();
        let from_bob = Address::direct(&uid("alice")).key(&realm, &uid("bob"));
        let from_alice = Address::direct(&uid("bob")).key(&realm, &uid("alice"));
        assert_eq!(from_bob, from_alice);
        let key = from_bob.expect("a key");
        assert_eq!(key.id_for("bob"), "alice");
        assert_eq!(key.id_for("alice"), "bob");
    }

    #[test]
    fn ids_are_checked_by_kind() {
        let case = |kind: u8, id: &str| Address::parse(ChannelKind(kind), id).map(|_| ());
        assert_eq!(case(1, "bob"), Ok(()));
        assert_eq!(case(2, "g 1"), Err(Refusal::InvalidChannelId));
        assert_eq!(case(2, ""), Err(Refusal::InvalidChannelId));
        assert_eq!(case(3, "v|cs"), Ok(()));
        assert_eq!(case(3, "v"), Err(Refusal::InvalidChannelId));
        assert_eq!(case(5, "c@t"), Ok(()));
        assert_eq!(case(11, "u@a"), Ok(()));
        assert_eq!(case(77, "x"), Err(Refusal::UnsupportedChannelKind));
        assert_eq!(case(0, "x"), Err(Refusal::UnsupportedChannelKind));
        assert_eq!(case(1, "____system"), Err(Refusal::InvalidChannelId));
    }

    #[test]
    fn kinds_have_numbers_and_names() {
        for number in 1..=12 {
            let kind = ChannelKind(number);
            assert_eq!(ChannelKind::parse(kind.name()), Some(kind));
            assert_eq!(ChannelKind::parse(&number.to_string()), Some(kind));
        }
        assert_eq!(ChannelKind::parse("13"), None);
        assert_eq!(ChannelKind::parse("nonsense"), None);
    }
}

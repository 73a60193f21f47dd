//! What most tests begin with, and the words that they use.

use crosstalk_crossing::kinds::{Kind, shown, written};
use crosstalk_crossing::{Heard, Peer, Place};
use crosstalk_gateway::Dialect;
use serde_json::Value;

/// The ordered pairs of different dialects.
pub(crate) fn pairs() -> Vec<(Dialect, Dialect)> {
    let authors = Dialect::ALL.into_iter();
    let pairs = authors.flat_map(|author| Dialect::ALL.map(|reader| (author, reader)));
    pairs.filter(|(author, reader)| author != reader).collect()
}

/// The peer of a dialect.
pub(crate) fn peer_of(peers: &[Peer], dialect: Dialect) -> &Peer {
    let peer = peers.iter().find(|peer| peer.dialect == dialect);
    peer.expect("a peer of each dialect")
}

/// All peers but one.
pub(crate) fn others<'p>(peers: &'p [Peer], but: &'p Peer) -> impl Iterator<Item = &'p Peer> {
    peers.iter().filter(|peer| peer.uid != but.uid)
}

/// A conversation with somebody.
pub(crate) fn direct(uid: &str) -> Place {
    Place::Direct(uid.to_owned())
}

/// A group.
pub(crate) fn group(id: &str) -> Place {
    Place::Group(id.to_owned())
}

/// A text as an author's client writes it. All dialects can.
pub(crate) fn text_by(author: Dialect, label: &str) -> Value {
    written(Kind::Text, author, label).expect("text in every dialect")
}

/// Whether a message is the text with this label, as its reader is shown it.
pub(crate) fn is_text(heard: &Heard, author: Dialect, reader: Dialect, label: &str) -> bool {
    let expected = shown(Kind::Text, author, reader, label);
    crosstalk_crossing::kinds::differs(&heard.shown, &expected).is_none()
}

//! What most tests begin with, and the words that they use.

use std::panic::AssertUnwindSafe;

use crosstalk_crossing::kinds::{Kind, shown, written};
use crosstalk_crossing::{Heard, Peer, Place};
use crosstalk_gateway::Dialect;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde_json::Value;

/// The ordered pairs of different dialects.
pub(crate) fn pairs() -> Vec<(Dialect, Dialect)> {
    let authors = Dialect::ALL.into_iter();
    let pairs = authors.flat_map(|author| Dialect::ALL.map(|reader| (author, reader)));
    pairs.filter(|(author, reader)| author != reader).collect()
}

/// Does something for each ordered pair, all at once; each that fails is named.
///
/// # Panics
/// When one has failed.
pub(crate) async fn each_pair(peers: &[Peer], act: impl AsyncFn(&Peer, &Peer)) {
    let outcomes = pairs().into_iter().map(async |(author, reader)| {
        let (author, reader) = (peer_of(peers, author), peer_of(peers, reader));
        let acted = AssertUnwindSafe(act(author, reader)).catch_unwind().await;
        acted
            .err()
            .map(|_| format!("{} to {}", author.uid, reader.uid))
    });
    let failed: Vec<_> = join_all(outcomes).await.into_iter().flatten().collect();
    assert!(
        failed.is_empty(),
        "failed (see above): {}",
        failed.join(", ")
    );
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

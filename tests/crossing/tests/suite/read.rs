//! Readers say that they have read it, and authors are told in their way (G.8 TG-9).

use crosstalk_crossing::{Heard, Peer, World};
use crosstalk_gateway::Dialect;

use crate::cast::{direct, each_pair, text_by};

/// The author writes and asks for a receipt, the reader reads, the author is told.
async fn read_and_told(author: &Peer, reader: &Peer) {
    let label = format!("{} to {}", author.uid, reader.uid);
    let id = format!("read-{}-{}", author.dialect.name(), reader.dialect.name());
    let written = text_by(author.dialect, &label);
    let place = direct(&reader.uid);
    let sent = author.send_as(&place, &id, &written, true).await;
    let is_it = |heard: &Heard| heard.shown.to_string().contains(&label);
    let heard = reader.log().expect(&label, 1, is_it).await;
    let can_say = reader.read(&heard[0]).await;
    let can_be_told = author.dialect != Dialect::Wg;
    assert_eq!(
        can_say,
        reader.dialect != Dialect::Wg,
        "only wg's clients cannot"
    );
    if can_say {
        let is_told = author.learns_it_was_read(&sent, &reader.uid).await;
        assert_eq!(is_told, can_be_told, "only wg's clients are not told");
    }
}

/// One direction after the other: who answers before they say that they have read, has read
/// without a receipt.
#[tokio::test]
async fn authors_who_can_be_told_learn_that_it_was_read() {
    let world = World::start().await;
    let peers = world.peers().await;
    for is_first in [true, false] {
        each_pair(&peers, async |author, reader| {
            let is_turn = (author.uid < reader.uid) == is_first;
            if is_turn {
                read_and_told(author, reader).await;
            }
        })
        .await;
    }
}

//! Readers say that they have read it, and authors are told in their way (G.8 TG-9).

use crosstalk_crossing::{Heard, World};
use crosstalk_gateway::Dialect;
use futures_util::future::join_all;

use crate::cast::{direct, pairs, peer_of, text_by};

#[tokio::test]
async fn authors_who_can_be_told_learn_that_it_was_read() {
    let world = World::start().await;
    let peers = world.peers().await;
    let told = pairs().into_iter().map(async |(author, reader)| {
        let (author, reader) = (peer_of(&peers, author), peer_of(&peers, reader));
        let label = format!("{} to {}", author.uid, reader.uid);
        let id = format!("read-{}-{}", author.dialect.name(), reader.dialect.name());
        let written = text_by(author.dialect, &label);
        let sent = author
            .send_as(&direct(&reader.uid), &id, &written, true)
            .await;
        let is_it = |heard: &Heard| heard.shown.to_string().contains(&label);
        let heard = reader.log().expect(&label, 1, is_it).await;
        let can_say = reader.read(&heard[0]).await;
        assert_eq!(
            can_say,
            reader.dialect != Dialect::Wg,
            "only wg's clients cannot"
        );
        if can_say {
            let is_told = author.learns_it_was_read(&sent, &reader.uid).await;
            assert_eq!(
                is_told,
                author.dialect != Dialect::Wg,
                "only wg's clients are not told"
            );
        }
    });
    join_all(told).await;
}

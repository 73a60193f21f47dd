//! A client that is not sure sends again under the same id (G.8 TG-5).

use crosstalk_crossing::{Heard, World};

use crate::cast::{direct, each_pair, others, text_by};

#[tokio::test]
async fn what_is_sent_again_is_accepted_again_and_heard_once() {
    let world = World::start().await;
    let peers = world.peers().await;
    each_pair(&peers, async |author, reader| {
        let place = direct(&reader.uid);
        let id = format!("again-{}-{}", author.dialect.name(), reader.dialect.name());
        let written = text_by(author.dialect, "once");
        let first = author.send_as(&place, &id, &written, false).await;
        let second = author.send_as(&place, &id, &written, false).await;
        assert_eq!(first.id, second.id, "{id}");
        // What comes after shows that nothing more came before it.
        author.send(&place, &text_by(author.dialect, "after")).await;
    })
    .await;
    for reader in &peers {
        for author in others(&peers, reader) {
            let is_theirs = |heard: &Heard| heard.from == author.uid;
            let is_last =
                |heard: &Heard| is_theirs(heard) && heard.shown.to_string().contains("after");
            reader
                .log()
                .expect(format!("end of {}", author.uid), 1, is_last)
                .await;
            let heard = reader.log().messages(is_theirs);
            assert_eq!(
                heard.len(),
                2,
                "{} at {}: {heard:?}",
                author.uid,
                reader.uid
            );
        }
    }
}

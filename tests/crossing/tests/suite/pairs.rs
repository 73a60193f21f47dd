//! Twenty ordered pairs, each with every kind that its author can say (G.8 TG-1, 2, 4, 15).

use crosstalk_crossing::kinds::{Kind, differs, shown, written};
use crosstalk_crossing::{Clients, Heard, Peer, World};

use crate::cast::{direct, each_pair, pairs, peer_of};

fn label(author: &Peer, reader: &Peer, kind: Kind) -> String {
    let (author, reader) = (author.dialect.name(), reader.dialect.name());
    format!("{author}-to-{reader}-{kind:?}")
}

fn said_by(author: &Peer) -> impl Iterator<Item = Kind> {
    let kinds = Kind::ALL.into_iter();
    kinds.filter(|kind| written(*kind, author.dialect, "").is_some())
}

async fn all_say_all(world: World) {
    let peers = world.peers().await;
    each_pair(&peers, async |author, reader| {
        for kind in said_by(author) {
            let written = written(kind, author.dialect, &label(author, reader, kind));
            let written = written.expect("a kind that the author can say");
            author.send(&direct(&reader.uid), &written).await;
        }
    })
    .await;

    let mut wrong = Vec::new();
    for (author, reader) in pairs() {
        let (author, reader) = (peer_of(&peers, author), peer_of(&peers, reader));
        let kinds: Vec<_> = said_by(author).collect();
        let what = format!("message of {}", author.uid);
        let is_theirs =
            |heard: &Heard| heard.from == author.uid && heard.place == direct(&author.uid);
        let heard = reader.log().expect(what, kinds.len(), is_theirs).await;
        assert_eq!(
            heard.len(),
            kinds.len(),
            "{} to {}: {heard:?}",
            author.uid,
            reader.uid
        );
        for (kind, heard) in kinds.into_iter().zip(heard) {
            let label = label(author, reader, kind);
            let expected = shown(kind, author.dialect, reader.dialect, &label);
            if let Some(why) = differs(&heard.shown, &expected) {
                wrong.push(format!("{label}: {why}\n  in {}", heard.shown));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn every_kind_arrives_as_the_readers_dialect_shows_it() {
    all_say_all(World::start().await).await;
}

#[tokio::test]
async fn the_same_with_sockjs_and_paho() {
    all_say_all(World::start().await.with(Clients::Others)).await;
}

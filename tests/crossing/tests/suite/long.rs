//! A text that needs several packets, frames or fragments on its way.

use crosstalk_crossing::kinds::{Kind, differs, shown, written};
use crosstalk_crossing::{Heard, World};

use crate::cast::{direct, each_pair};

/// Characters of three bytes each: just below 32 KiB, the most that a text may have (A12).
const CHARS: usize = 10_600;

#[tokio::test]
async fn a_long_text_arrives_whole_between_all() {
    let world = World::start().await;
    let peers = world.peers().await;
    each_pair(&peers, async |author, reader| {
        let long = "字".repeat(CHARS);
        let written = written(Kind::Text, author.dialect, &long).expect("text");
        author.send(&direct(&reader.uid), &written).await;
        let is_theirs = |heard: &Heard| heard.from == author.uid;
        let heard = reader.log().expect("long message", 1, is_theirs).await;
        let expected = shown(Kind::Text, author.dialect, reader.dialect, &long);
        let why = differs(&heard[0].shown, &expected).map(|why| why.chars().take(99).collect());
        assert_eq!(why, None::<String>, "{} to {}", author.uid, reader.uid);
    })
    .await;
}

//! Among clients of one dialect nothing is mapped: what arrives is what was written (G.1).

use crosstalk_crossing::kinds::{Kind, written};
use crosstalk_crossing::{Peer, World};
use crosstalk_gateway::Dialect;
use futures_util::future::join_all;
use serde_json::Value;

use crate::cast::direct;

/// Every kind of a dialect, with members that nobody here knows where content is an object.
fn all_by(dialect: Dialect) -> Vec<Value> {
    let kinds = Kind::ALL.into_iter();
    let mut all: Vec<_> = kinds
        .filter_map(|kind| written(kind, dialect, "same"))
        .collect();
    for one in &mut all {
        for member in ["content", "message", "body"] {
            if let Some(Value::Object(content)) = one.get_mut(member) {
                content.insert(
                    "ours".to_owned(),
                    serde_json::json!([1, null, {"深": "🎉"}]),
                );
            }
        }
    }
    all
}

#[tokio::test]
async fn readers_of_the_authors_dialect_get_what_was_written() {
    let mut world = World::start().await;
    for dialect in Dialect::ALL {
        world.add_user(&format!("second-{}", dialect.name())).await;
    }
    let world = &world;
    let pairs: Vec<(Peer, Peer)> = join_all(Dialect::ALL.map(async |dialect| {
        let second = format!("second-{}", dialect.name());
        (
            world.peer(dialect).await,
            world.peer_as(dialect, &second).await,
        )
    }))
    .await;
    for (author, reader) in &pairs {
        let all = all_by(author.dialect);
        for written in &all {
            author.send(&direct(&reader.uid), written).await;
        }
        let heard = reader.log().expect("message", all.len(), |_| true).await;
        let shown: Vec<_> = heard.into_iter().map(|heard| heard.shown).collect();
        assert_eq!(shown, all, "{}", reader.uid);
    }
}

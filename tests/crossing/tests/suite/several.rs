//! One user with a client of every dialect at once (G.8 TG-13).

use crosstalk_crossing::{Heard, World};
use crosstalk_gateway::Dialect;
use crosstalk_tests::eventually;
use futures_util::future::join_all;
use serde_json::json;

use crate::cast::{direct, is_text, peer_of, text_by};

/// The longest id that there is, with all characters that ids may have besides letters and
/// digits (TG-16).
const EVERYWHERE: &str = "到处.-_=到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到处到Z";

#[tokio::test]
async fn all_clients_of_a_user_hear_it_once_and_reading_at_one_is_reading_at_all() {
    assert_eq!(EVERYWHERE.chars().count(), 64);
    let mut world = World::start().await;
    world.add_user(EVERYWHERE).await;
    let world = &world;
    let authors = world.peers().await;
    let clients =
        join_all(Dialect::ALL.map(async |dialect| world.peer_as(dialect, EVERYWHERE).await));
    let clients = clients.await;

    for author in &authors {
        author
            .send(&direct(EVERYWHERE), &text_by(author.dialect, "to all"))
            .await;
    }
    let mut last = None;
    for client in &clients {
        for author in &authors {
            let is_theirs = |heard: &Heard| heard.from == author.uid;
            let heard = client.log().expect(&author.uid, 1, is_theirs).await;
            let dialect = client.dialect.name();
            let [heard] = &heard[..] else {
                panic!("{} at {dialect}: {heard:?}", author.uid);
            };
            // The author's own dialect brings what was written, which is the same text.
            let is_it = is_text(heard, author.dialect, client.dialect, "to all");
            assert!(is_it, "{} at {dialect}: {heard:?}", author.uid);
            if client.dialect == Dialect::Stomp && author.dialect == Dialect::Gyyx {
                last = Some(heard.clone());
            }
        }
    }

    let counts = async |expected: u64| {
        for dialect in [Dialect::Gyyx, Dialect::Wukong] {
            let client = peer_of(&clients, dialect);
            eventually(
                format!("{expected} unread at {}", dialect.name()),
                async || (client.unread().await == Some(expected)).then_some(()),
            )
            .await;
        }
    };
    counts(authors.len() as u64).await;
    // Read at stomp, told at gyyx and wukong.
    peer_of(&clients, Dialect::Stomp)
        .read(&last.expect("a message"))
        .await;
    counts(authors.len() as u64 - 1).await;
}

#[tokio::test]
async fn ids_with_characters_of_addresses_are_refused_wherever_users_are_made() {
    let world = World::start().await;
    let server = world.server();
    for uid in ["a@b", "a:b", "a#b", "a b", "a,b", "group:a"] {
        let in_path = uid.replace('#', "%23").replace(' ', "%20");
        let rest = server.admin();
        let asked = rest
            .post(&format!("/v1/users/{in_path}/tokens"), json!({}))
            .await;
        asked.problem(422, "invalid_uid");
        let body = json!({"uid": uid, "token": "t", "device_flag": 1, "device_level": 1});
        let asked = server.wukong_api().post("/user/token", body).await;
        assert_eq!(asked.status, 400, "{uid}: {}", asked.text());
    }
}

//! A group with one member of each dialect (G.8 TG-7, 10).

use crosstalk_crossing::{Answer, Clients, Heard, Peer, World};
use futures_util::future::join_all;

use crate::cast::{group, is_text, others, text_by};

async fn all_hear_all(world: World) {
    let mut world = world;
    let members: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    world.add_group("g-1", &members).await;
    let peers = world.peers().await;
    let sent = peers.iter().map(async |author| {
        let written = text_by(author.dialect, &author.uid);
        author.send(&group("g-1"), &written).await;
    });
    join_all(sent).await;

    for author in &peers {
        let is_theirs = |heard: &Heard| heard.from == author.uid;
        let mut ids = Vec::new();
        let mut times = Vec::new();
        for reader in others(&peers, author) {
            let what = format!("message of {}", author.uid);
            let heard = reader.log().expect(what, 1, is_theirs).await;
            let [heard] = &heard[..] else {
                panic!("{} more than once at {}: {heard:?}", author.uid, reader.uid);
            };
            assert_eq!(heard.place, group("g-1"), "{}", reader.uid);
            let is_it = is_text(heard, author.dialect, reader.dialect, &author.uid);
            assert!(is_it, "{} to {}: {heard:?}", author.uid, reader.uid);
            check_names(reader, heard);
            ids.push(heard.id.clone());
            times.push((reader.uid.clone(), heard.at_ms));
        }
        // All are of other dialects than the author, and so they have the server's id.
        assert!(
            ids.iter().all(|id| *id == ids[0]),
            "{}: {ids:?}",
            author.uid
        );
        check_times(author, &times);
    }
    // All have been heard by all, and nobody hears themselves.
    for peer in &peers {
        let heard = peer.log().messages(|_| true);
        assert_eq!(heard.len(), peers.len() - 1, "{}: {heard:?}", peer.uid);
    }
}

/// How messages of other dialects are called (G.2).
fn check_names(reader: &Peer, heard: &Heard) {
    let is_decimal = heard.id.parse::<i64>().is_ok_and(|id| id > 0);
    assert!(is_decimal, "{}: {heard:?}", reader.uid);
    if reader.dialect.name() == "wukong" {
        let client_id = heard.client_id.as_deref();
        assert_eq!(client_id, Some(&*format!("x-{}", heard.id)), "{heard:?}");
    }
}

/// One message has one time, of which wukong shows whole seconds.
fn check_times(author: &Peer, times: &[(String, i64)]) {
    let exact = times.iter().filter(|(uid, _)| !uid.starts_with("wukong"));
    let exact: Vec<i64> = exact.map(|(_, at_ms)| *at_ms).collect();
    assert!(
        exact.iter().all(|at_ms| *at_ms == exact[0]),
        "{}: {times:?}",
        author.uid
    );
    for (uid, at_ms) in times {
        let expected = if uid.starts_with("wukong") {
            exact[0] / 1000 * 1000
        } else {
            exact[0]
        };
        assert_eq!(*at_ms, expected, "{} at {uid}: {times:?}", author.uid);
    }
}

#[tokio::test]
async fn each_member_hears_each_other_once_in_their_own_form() {
    all_hear_all(World::start().await).await;
}

#[tokio::test]
async fn the_same_with_sockjs_and_paho() {
    all_hear_all(World::start().await.with(Clients::Others)).await;
}

#[tokio::test]
async fn the_authors_own_answer_has_the_time_that_readers_see() {
    let world = World::start().await;
    let peers = world.peers().await;
    for author in &peers {
        for reader in others(&peers, author) {
            let label = format!("to {}", reader.uid);
            let place = crate::cast::direct(&reader.uid);
            let written = text_by(author.dialect, &label);
            let answer = author
                .try_send(&place, &label.replace(' ', "-"), &written)
                .await;
            let Answer::Accepted { at_ms, .. } = answer else {
                panic!("{}: {answer:?}", author.uid);
            };
            let is_theirs = |heard: &Heard| heard.from == author.uid;
            let heard = reader.log().expect("message", 1, is_theirs).await;
            if let Some(at_ms) = at_ms {
                let is_wukong = reader.dialect.name() == "wukong";
                let expected = if is_wukong {
                    at_ms / 1000 * 1000
                } else {
                    at_ms
                };
                assert_eq!(heard[0].at_ms, expected, "{} to {}", author.uid, reader.uid);
            }
        }
    }
}

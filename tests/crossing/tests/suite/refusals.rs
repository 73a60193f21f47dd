//! Rules bind authors of all dialects, each refused in their own way (G.5, G.8 TG-11).

use crosstalk_crossing::{Answer, Heard, Place, World};
use crosstalk_gateway::Dialect;
use serde_json::json;

use crate::cast::{direct, each_pair, group, is_text, text_by};

/// Why something is refused.
#[derive(Debug, Clone, Copy)]
enum Why {
    Blocked,
    NotAMember,
    Muted,
    Word,
    NoSuchUser,
}

/// The code of interop.md G.5.
fn code(why: Why, dialect: Dialect) -> i64 {
    match (dialect, why) {
        (Dialect::Wg, Why::NotAMember | Why::NoSuchUser) => 406,
        (Dialect::Wg, _) => 400,
        (Dialect::Wukong, Why::NotAMember) => 3,
        (Dialect::Wukong, Why::Blocked) => 4,
        (Dialect::Wukong, Why::NoSuchUser) => 5,
        (Dialect::Wukong, Why::Word) => 11,
        (Dialect::Wukong, Why::Muted) => 19,
        (Dialect::Stomp | Dialect::Mqtt, Why::NoSuchUser) => 404,
        (Dialect::Stomp | Dialect::Mqtt, _) => 403,
        (Dialect::Gyyx, Why::Word) => 133,
        (Dialect::Gyyx, _) => 10,
    }
}

/// All are refused in a place with a text; then `allow` changes whatever has to be, and direct
/// messages come through.
async fn all_are_refused(
    world: &World,
    place_for: impl Fn(&str) -> Place,
    label: &str,
    why: Why,
    allow: impl AsyncFn(&World),
) {
    let peers = world.peers().await;
    for author in &peers {
        let place = place_for(&author.uid);
        let written = text_by(author.dialect, label);
        let client_id = format!("{why:?}-{}", author.dialect.name());
        let answer = author.try_send(&place, &client_id, &written).await;
        let Answer::Refused { code: told, words } = &answer else {
            panic!("{why:?} for {}: {answer:?}", author.uid);
        };
        assert_eq!(
            *told,
            code(why, author.dialect),
            "{why:?} for {}: {words}",
            author.uid
        );
        match (why, author.dialect) {
            (Why::Word, Dialect::Wg) => assert_eq!(words, "包含敏感词"),
            (Why::Word, Dialect::Stomp) => assert_eq!(words, "Sensitive content"),
            _ => {}
        }
    }
    // The connections stay, and what is allowed comes through, alone.
    allow(world).await;
    each_pair(&peers, async |author, reader| {
        let written = text_by(author.dialect, "allowed");
        author.send(&direct(&reader.uid), &written).await;
    })
    .await;
    for reader in &peers {
        let others = peers.len() - 1;
        let heard = reader
            .log()
            .expect("allowed message", others, |_| true)
            .await;
        assert_eq!(heard.len(), others, "{}: {heard:?}", reader.uid);
        let is_forbidden = |heard: &Heard| heard.shown.to_string().contains(label);
        assert!(!heard.iter().any(is_forbidden), "{}: {heard:?}", reader.uid);
    }
}

/// Nothing has to change.
async fn as_it_is(_: &World) {}

/// Somebody else than this user.
fn somebody_else(world: &World, own: &str) -> Place {
    let uids = world.uids();
    let other = uids.into_iter().find(|uid| *uid != own);
    direct(other.expect("another user"))
}

/// All ordered pairs of users.
fn uid_pairs(world: &World) -> Vec<(String, String)> {
    let uids = world.uids();
    let pairs = uids
        .iter()
        .flat_map(|one| uids.iter().map(move |other| (*one, *other)));
    let pairs = pairs.filter(|(one, other)| one != other);
    pairs
        .map(|(one, other)| (one.to_owned(), other.to_owned()))
        .collect()
}

#[tokio::test]
async fn who_is_blocked() {
    let world = World::start().await;
    let admin = world.server().admin();
    for (reader, author) in uid_pairs(&world) {
        let path = format!("/v1/users/{reader}/blacklist/{author}");
        admin.put(&path, json!({})).await.ok();
    }
    let unblock = async |world: &World| {
        for (reader, author) in uid_pairs(world) {
            let path = format!("/v1/users/{reader}/blacklist/{author}");
            admin.delete(&path).await.ok();
        }
    };
    let place = |own: &str| somebody_else(&world, own);
    all_are_refused(&world, place, "forbidden", Why::Blocked, unblock).await;
}

#[tokio::test]
async fn who_is_not_a_member() {
    let mut world = World::start().await;
    world.server().user_token("somebody").await;
    world.add_group("g-1", &["somebody"]).await;
    all_are_refused(
        &world,
        |_| group("g-1"),
        "forbidden",
        Why::NotAMember,
        as_it_is,
    )
    .await;
}

#[tokio::test]
async fn a_muted_group() {
    let mut world = World::start().await;
    let members: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    world.add_group("g-1", &members).await;
    let admin = world.server().admin();
    admin
        .put("/v1/channels/group/g-1", json!({"send_ban": true}))
        .await
        .ok();
    all_are_refused(&world, |_| group("g-1"), "forbidden", Why::Muted, as_it_is).await;
}

#[tokio::test]
async fn a_forbidden_word() {
    let world = World::start_with(&["moderation.reject=[\"BADWORD\"]"]).await;
    let place = |own: &str| somebody_else(&world, own);
    all_are_refused(&world, place, "a badword in it", Why::Word, as_it_is).await;
}

#[tokio::test]
async fn nobody_is_there() {
    let world = World::start_with(&["wukong.strict_users=true"]).await;
    let nobody = |_: &str| direct("nobody-at-all");
    all_are_refused(&world, nobody, "forbidden", Why::NoSuchUser, as_it_is).await;
}

/// Each dialect's own payload is the text with asterisks, for its own readers' sake; all others
/// see them, too.
#[tokio::test]
async fn a_word_that_nobody_may_see() {
    let world = World::start_with(&["moderation.mask=[\"HUSHED\"]"]).await;
    let peers = world.peers().await;
    each_pair(&peers, async |author, reader| {
        let written = text_by(author.dialect, "it is hushed up");
        author.send(&direct(&reader.uid), &written).await;
        let is_theirs = |heard: &Heard| heard.from == author.uid;
        let heard = reader.log().expect("message", 1, is_theirs).await;
        let is_it = is_text(&heard[0], author.dialect, reader.dialect, "it is ****** up");
        assert!(is_it, "{} to {}: {heard:?}", author.uid, reader.uid);
    })
    .await;
}

//! Rules bind authors of all dialects, each refused in their own way (G.5, G.8 TG-11).

use crosstalk_crossing::{Answer, Event, Place, World};
use crosstalk_gateway::Dialect;
use serde_json::json;

use crate::cast::{direct, group, others, text_by};

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

async fn all_are_refused(world: &World, place_for: impl Fn(&str) -> Place, label: &str, why: Why) {
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
    for author in &peers {
        for reader in others(&peers, author) {
            if matches!(why, Why::Blocked) {
                continue;
            }
            author
                .send(&direct(&reader.uid), &text_by(author.dialect, "allowed"))
                .await;
        }
    }
    for reader in &peers {
        if !matches!(why, Why::Blocked) {
            reader
                .log()
                .expect("allowed message", peers.len() - 1, |_| true)
                .await;
        }
        reader.log().look(|events| {
            let heard = events
                .iter()
                .filter(|event| matches!(event, Event::Heard(_)));
            let forbidden = heard.filter(|event| format!("{event:?}").contains(label));
            assert_eq!(forbidden.count(), 0, "{}", reader.uid);
        });
    }
}

#[tokio::test]
async fn who_is_blocked() {
    let world = World::start().await;
    let admin = world.server().admin();
    for reader in world.uids() {
        for author in world.uids() {
            if reader != author {
                let path = format!("/v1/users/{reader}/blacklist/{author}");
                admin.put(&path, json!({})).await.ok();
            }
        }
    }
    let uids: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let somebody_else = |own: &str| {
        let other = uids.iter().find(|uid| *uid != own);
        direct(other.expect("another user"))
    };
    all_are_refused(&world, somebody_else, "forbidden", Why::Blocked).await;
}

#[tokio::test]
async fn who_is_not_a_member() {
    let mut world = World::start().await;
    world.server().user_token("somebody").await;
    world.add_group("g-1", &["somebody"]).await;
    all_are_refused(&world, |_| group("g-1"), "forbidden", Why::NotAMember).await;
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
    all_are_refused(&world, |_| group("g-1"), "forbidden", Why::Muted).await;
}

#[tokio::test]
async fn a_forbidden_word() {
    let world = World::start_with(&["moderation.reject=[\"BADWORD\"]"]).await;
    let uids: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let somebody_else = |own: &str| {
        let other = uids.iter().find(|uid| *uid != own);
        direct(other.expect("another user"))
    };
    all_are_refused(&world, somebody_else, "a badword in it", Why::Word).await;
}

#[tokio::test]
async fn nobody_is_there() {
    let world = World::start_with(&["wukong.strict_users=true"]).await;
    let nobody = |_: &str| direct("nobody-at-all");
    all_are_refused(&world, nobody, "forbidden", Why::NoSuchUser).await;
}

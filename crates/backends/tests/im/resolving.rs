//! Receivers named by a text: users before groups, and nobody before they exist.

use crosstalk_core::channel::{Address, ChannelKey, ChannelKind, Channels, LogKind};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::Im;
use crosstalk_core::refusal::Refusal;

use super::world::{World, to_group};

async fn resolve(im: &Im, name: &str) -> Result<Address, Refusal> {
    im.resolve(&Realm::default(), name).await
}

fn to_user(uid: &str) -> Address {
    Address::parse(ChannelKind::DIRECT, uid).expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn users_go_before_groups() {
    let world = World::new().await;
    let im = world.im();
    for name in ["alice", "team", "a b", "", "SYSTEM", "a|b"] {
        assert_eq!(resolve(im, name).await, Err(Refusal::NoSuchUser), "{name}");
    }
    // A name that is only known is nobody's.
    let known = Uid::parse("alice").expect("a uid");
    im.user_ref(&Realm::default(), &known).await.expect("known");
    assert_eq!(resolve(im, "alice").await, Err(Refusal::NoSuchUser));
    let alias = im.aliases().of(&Realm::default(), &known);
    assert_eq!(resolve(im, alias.as_str()).await, Err(Refusal::NoSuchUser));
    world.user("alice").await;
    assert_eq!(resolve(im, "alice").await, Ok(to_user("alice")));
    assert_eq!(resolve(im, alias.as_str()).await, Ok(to_user("alice")));
    world.join("team", "alice").await;
    for _ in 0..2 {
        assert_eq!(
            resolve(im, "team").await,
            Ok(to_group("team")),
            "found at once"
        );
    }
    world.user("team").await;
    assert_eq!(resolve(im, "team").await, Ok(to_user("team")), "likewise");
    assert_eq!(resolve(im, "group:team").await, Ok(to_group("team")));
    assert_eq!(resolve(im, "group:gone").await, Ok(to_group("gone")));
    assert_eq!(
        resolve(im, "group:a b").await,
        Err(Refusal::InvalidChannelId)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_goes_before_a_uid_that_looks_like_one() {
    let world = World::new().await;
    let im = world.im();
    world.user("alice").await;
    let alias = im
        .aliases()
        .of(&Realm::default(), &Uid::from_store("alice"));
    world.user(alias.as_str()).await;
    assert_eq!(resolve(im, alias.as_str()).await, Ok(to_user("alice")));
    let other = Realm::parse("other").expect("a realm");
    let elsewhere = im.resolve(&other, alias.as_str()).await;
    assert_eq!(elsewhere, Err(Refusal::NoSuchUser));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_there_takes_no_name_of_the_server_or_of_a_user() {
    let world = World::new().await;
    let im = world.im();
    let gone = Uid::parse("gone").expect("a uid");
    im.user_ref(&Realm::default(), &gone).await.expect("known");
    let alias = im.aliases().of(&Realm::default(), &gone);
    for id in ["SYSTEM", "system", alias.as_str()] {
        let key = ChannelKey {
            realm: Realm::default(),
            kind: ChannelKind::GROUP,
            id: id.into(),
        };
        let made = world.store().open(&key, LogKind::Chat, true).await;
        assert!(made.expect("the store works").is_some());
        assert_eq!(resolve(im, id).await, Err(Refusal::NoSuchUser), "{id}");
        let named = format!("group:{id}");
        assert_eq!(resolve(im, &named).await, Ok(to_group(id)));
    }
    world.user("system").await;
    assert_eq!(resolve(im, "system").await, Ok(to_user("system")));
}

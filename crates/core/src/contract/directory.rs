//! Users and their tokens.

use std::sync::Arc;

use super::user;
use crate::directory::{FlagToken, UserChange, UserFlags};
use crate::id::{Realm, Uid, UserNum};
use crate::im::Stores;
use crate::session::DeviceLevel;

/// The cases of users, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! directory_contract {
    ($make:path) => {
        $crate::contract_tests!($make, directory:
            a_name_is_interned_once,
            interning_keeps_the_order,
            many_who_intern_get_one_number,
            users_change_one_by_one,
            realms_do_not_mix,
            flag_tokens_are_replaced,
            flag_tokens_say_whose_they_are,
            aliases_name_users_of_their_realm,
        );
    };
}

fn uid(text: &str) -> Uid {
    Uid::parse(text).expect("a valid uid")
}

/// A name that is only known does not exist; its number stays.
pub async fn a_name_is_interned_once(stores: &Stores) {
    let directory = &stores.directory;
    let realm = Realm::default();
    assert_eq!(
        directory.user(&realm, &uid("alice")).await.expect("user"),
        None
    );
    let first = directory
        .intern(&realm, &[uid("alice")])
        .await
        .expect("interned")
        .remove(0);
    assert_eq!(first.flags, UserFlags::default());
    assert_eq!(
        (first.user.uid.as_str(), first.tokens_after_ms),
        ("alice", 0)
    );
    assert_eq!((&first.realm, &first.profile), (&realm, &None));
    let again = directory
        .intern(&realm, &[uid("alice")])
        .await
        .expect("interned");
    assert_eq!(again, std::slice::from_ref(&first));
    assert_eq!(
        directory.user(&realm, &uid("alice")).await.expect("user"),
        Some(first.clone())
    );
    let by_num = directory.user_by_num(first.user.num).await.expect("user");
    assert_eq!(by_num, Some(first));
    assert_eq!(
        directory
            .user_by_num(UserNum(i64::MAX))
            .await
            .expect("user"),
        None
    );
    let system = directory
        .intern(&realm, &[Uid::system()])
        .await
        .expect("interned")
        .remove(0);
    assert!(system.user.uid.is_system());
}

/// Known and new names mixed, some twice, some that differ little.
pub async fn interning_keeps_the_order(stores: &Stores) {
    let realm = Realm::default();
    let known = user(&*stores.directory, "known").await;
    let names: Vec<Uid> = ["b", "known", "B", "é", "张三", "b"].map(uid).into();
    let found = stores
        .directory
        .intern(&realm, &names)
        .await
        .expect("interned");
    let uids: Vec<Uid> = found.iter().map(|record| record.user.uid.clone()).collect();
    assert_eq!(uids, names);
    assert_eq!(found[1].user, known);
    assert_eq!(found[0], found[5]);
    let mut nums: Vec<_> = found.iter().map(|record| record.user.num).collect();
    nums.sort_unstable();
    nums.dedup();
    assert_eq!(nums.len(), 5);
    assert!(
        stores
            .directory
            .intern(&realm, &[])
            .await
            .expect("interned")
            .is_empty()
    );
}

/// Whoever interns a name at the same time gets the same number.
pub async fn many_who_intern_get_one_number(stores: &Stores) {
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let directory = Arc::clone(&stores.directory);
            tokio::spawn(async move { user(&*directory, "alice").await })
        })
        .collect();
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.expect("a task"));
    }
    assert!(found.iter().all(|user| *user == found[0]));
}

/// What a change does not name stays; the first change makes the record.
pub async fn users_change_one_by_one(stores: &Stores) {
    let directory = &stores.directory;
    let realm = Realm::default();
    let alice = uid("alice");
    let changes = [
        UserChange::exists(),
        UserChange {
            system: Some(true),
            ..UserChange::default()
        },
        UserChange {
            profile: Some("{\"n\":\"张\"}".to_owned()),
            ..UserChange::default()
        },
        UserChange {
            ban: Some(true),
            tokens_after_ms: Some(99),
            ..UserChange::default()
        },
        UserChange {
            send_ban: Some(true),
            allow_stranger: Some(true),
            ..UserChange::default()
        },
        UserChange {
            system: Some(false),
            ban: Some(false),
            ..UserChange::default()
        },
        UserChange::default(),
    ];
    let mut expected = None;
    for change in changes {
        let put = directory
            .put_user(&realm, &alice, &change)
            .await
            .expect("put");
        let mut record = expected.unwrap_or_else(|| put.clone());
        change.apply(&mut record);
        assert_eq!(put, record);
        assert_eq!(
            directory.user(&realm, &alice).await.expect("user").as_ref(),
            Some(&record)
        );
        expected = Some(record);
    }
    let end = expected.expect("changed");
    assert!(end.flags.exists && end.flags.send_ban && !end.flags.ban && !end.flags.system);
    assert_eq!(end.tokens_after_ms, 99);
    let interned = directory.intern(&realm, &[alice]).await.expect("interned");
    assert_eq!(interned, [end]);
}

/// The same name in another realm is another user.
pub async fn realms_do_not_mix(stores: &Stores) {
    let directory = &stores.directory;
    let other = Realm::parse("other").expect("a realm");
    let here = user(&**directory, "alice").await;
    assert_eq!(
        directory.user(&other, &uid("alice")).await.expect("user"),
        None
    );
    let there = directory
        .put_user(&other, &uid("alice"), &UserChange::exists())
        .await;
    let there = there.expect("put");
    assert_ne!(there.user.num, here.num);
    assert_eq!(there.realm, other);
    let here = directory
        .user(&Realm::default(), &uid("alice"))
        .await
        .expect("user");
    assert!(!here.expect("there").flags.exists);
}

/// One token per user and flag.
pub async fn flag_tokens_are_replaced(stores: &Stores) {
    let directory = &stores.directory;
    let alice = user(&**directory, "alice").await.num;
    let bob = user(&**directory, "bob").await.num;
    let first = FlagToken {
        hash: Some([7; 32]),
        level: DeviceLevel::Master,
    };
    let second = FlagToken {
        hash: Some([8; 32]),
        level: DeviceLevel::Slave,
    };
    let blank = FlagToken {
        hash: None,
        level: DeviceLevel::Master,
    };
    assert_eq!(directory.flag_token(alice, 1).await.expect("token"), None);
    for token in [&first, &second, &blank, &first] {
        directory
            .set_flag_token(alice, 1, token)
            .await
            .expect("set");
        let found = directory.flag_token(alice, 1).await.expect("token");
        assert_eq!(found.as_ref(), Some(token));
    }
    directory
        .set_flag_token(alice, 255, &second)
        .await
        .expect("set");
    assert_eq!(
        directory.flag_token(alice, 1).await.expect("token"),
        Some(first)
    );
    assert_eq!(
        directory.flag_token(alice, 255).await.expect("token"),
        Some(second)
    );
    assert_eq!(directory.flag_token(bob, 1).await.expect("token"), None);
}

/// A registered token says whose it is, in its own realm, until another takes its place.
pub async fn flag_tokens_say_whose_they_are(stores: &Stores) {
    let directory = &stores.directory;
    let (here, there) = (Realm::default(), Realm::parse("other").expect("a realm"));
    let alice = user(&**directory, "alice").await.num;
    let bob = user(&**directory, "bob").await.num;
    let set = async |user, flag, hash| {
        let level = DeviceLevel::Master;
        let token = FlagToken { hash, level };
        let set = directory.set_flag_token(user, flag, &token).await;
        set.expect("set");
    };
    let whose = async |realm: &Realm, byte: u8| {
        let found = directory.by_flag_token(realm, &[byte; 32], 2).await;
        let mut found = found.expect("users");
        found.sort_unstable();
        found
    };
    assert_eq!(whose(&here, 7).await, []);
    set(alice, 0, Some([7; 32])).await;
    set(alice, 1, Some([7; 32])).await;
    set(bob, 1, None).await;
    assert_eq!(whose(&here, 7).await, [alice], "once, of whatever flags");
    assert_eq!(whose(&there, 7).await, []);
    set(bob, 1, Some([7; 32])).await;
    assert_eq!(whose(&here, 7).await, [alice, bob]);
    set(alice, 0, Some([8; 32])).await;
    set(alice, 1, None).await;
    assert_eq!(whose(&here, 7).await, [bob]);
    assert_eq!(whose(&here, 8).await, [alice]);
}

/// Whoever is known has the alias that the port computes, in their own realm only.
pub async fn aliases_name_users_of_their_realm(stores: &Stores) {
    let directory = &stores.directory;
    let (here, there) = (Realm::default(), Realm::parse("other").expect("a realm"));
    let alias = directory.aliases().of(&here, &uid("alice"));
    let by_alias = |realm: Realm| {
        let alias = alias.clone();
        async move { directory.by_alias(&realm, &alias).await.expect("an answer") }
    };
    assert_eq!(by_alias(here.clone()).await, None, "nobody is known yet");
    let alice = user(&**directory, "alice").await;
    let bob = directory
        .put_user(&here, &uid("bob"), &UserChange::exists())
        .await
        .expect("put");
    directory
        .put_user(&there, &uid("alice"), &UserChange::exists())
        .await
        .expect("put");
    let found = by_alias(here.clone()).await.expect("alice");
    assert_eq!(found.user, alice);
    assert_eq!(by_alias(there.clone()).await, None);
    let changed = directory
        .put_user(&here, &uid("alice"), &UserChange::exists())
        .await
        .expect("put");
    assert_eq!(by_alias(here.clone()).await, Some(changed), "it stays");
    let alias = directory.aliases().of(&here, &uid("bob"));
    let found = directory.by_alias(&here, &alias).await.expect("an answer");
    assert_eq!(found, Some(bob));
}

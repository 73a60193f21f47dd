//! Finding users, and when they were last there.

use crate::directory::{
    FindUsers, Privacy, PrivacyChange, ProfileChange, Searchable, SeenBy, UserChange,
};
use crate::id::{Realm, Uid};
use crate::im::Stores;

/// The cases of many users, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! people_contract {
    ($make:path) => {
        $crate::contract_tests!($make, people:
            users_are_found_by_what_they_allow,
            found_users_come_in_pages,
            the_last_time_there_is_kept,
            members_of_a_profile_change_beside_each_other,
        );
    };
}

async fn put(stores: &Stores, uid: &str, change: UserChange) {
    let uid = Uid::parse(uid).expect("a uid");
    let realm = Realm::default();
    let put = stores.directory.put_user(&realm, &uid, &change);
    put.await.expect("put");
}

fn profile(json: &str) -> ProfileChange {
    serde_json::from_str(json).expect("a change")
}

fn searchable(searchable: Searchable) -> PrivacyChange {
    PrivacyChange {
        searchable: Some(searchable),
        ..PrivacyChange::default()
    }
}

fn query(keyword: &str, all: bool) -> FindUsers {
    FindUsers {
        realm: Realm::default(),
        keyword: keyword.to_owned(),
        all,
        after: None,
        limit: 100,
    }
}

async fn find(stores: &Stores, query: &FindUsers) -> Vec<String> {
    let found = stores.people.find_users(query).await.expect("found");
    assert_eq!(found.next, None);
    let uids = found.users.iter().map(|user| user.user.uid.as_str());
    uids.map(str::to_owned).collect()
}

/// By the beginning of the id and a part of the name; by phone number and address of mail if
/// they allow it; the application finds everybody.
pub async fn users_are_found_by_what_they_allow(stores: &Stores) {
    let people = [
        (
            "anna",
            r#"{"name":"Zoë","phone":"12345","email":"Z@x.y"}"#,
            Searchable::Name,
        ),
        ("annabel", r#"{"name":"x%y"}"#, Searchable::Nobody),
        (
            "berta",
            r#"{"name":"ANNA B","phone":"12345"}"#,
            Searchable::All,
        ),
        (
            "carl",
            r#"{"name":"李小龙","email":"c@x.y"}"#,
            Searchable::All,
        ),
    ];
    for (uid, json, by) in people {
        let change = UserChange {
            members: profile(json),
            privacy: searchable(by),
            ..UserChange::exists()
        };
        put(stores, uid, change).await;
    }
    // A place that no page has given is the end.
    for list in [i64::MIN, -1, 3, i64::MAX] {
        let mut odd = query("ann", false);
        odd.after = Some([list, 0]);
        assert_eq!(find(stores, &odd).await, [] as [&str; 0], "{list}");
    }
    // A name alone is no user, and one who is banned is found by the application only.
    put(stores, "annghost", UserChange::default()).await;
    let banned = UserChange {
        ban: Some(true),
        ..UserChange::exists()
    };
    put(stores, "annbad", banned).await;
    let cases: [(&str, &[&str], &[&str]); 9] = [
        (
            "ann",
            &["anna", "berta"],
            &["anna", "annabel", "annbad", "berta"],
        ),
        ("Ann", &["berta"], &["berta"]),
        ("zOË", &["anna"], &["anna"]),
        ("小龙", &["carl"], &["carl"]),
        ("%", &[], &["annabel"]),
        ("12345", &["berta"], &["anna", "berta"]),
        ("C@X.Y", &["carl"], &["carl"]),
        ("z@x.y", &[], &["anna"]),
        ("1234", &[], &[]),
    ];
    for (keyword, users, application) in cases {
        let found = find(stores, &query(keyword, false)).await;
        assert_eq!(found, users, "{keyword}");
        let found = find(stores, &query(keyword, true)).await;
        assert_eq!(found, application, "{keyword}");
    }
    let elsewhere = FindUsers {
        realm: Realm::parse("other").expect("a realm"),
        ..query("ann", true)
    };
    assert!(find(stores, &elsewhere).await.is_empty());
    // What a profile no longer says finds nobody.
    let change = UserChange {
        members: profile(r#"{"name":null,"email":null}"#),
        ..UserChange::default()
    };
    put(stores, "carl", change).await;
    assert!(find(stores, &query("小龙", true)).await.is_empty());
    assert!(find(stores, &query("c@x.y", true)).await.is_empty());
}

/// Each once, whatever the size of the pages.
pub async fn found_users_come_in_pages(stores: &Stores) {
    for n in 0..7 {
        // Some are found by all three.
        let json = format!(r#"{{"name":"u1 {n}","phone":"111"}}"#);
        let uid = if n % 2 == 0 {
            format!("u1{n}")
        } else {
            format!("x{n}")
        };
        let change = UserChange {
            members: profile(&json),
            privacy: searchable(Searchable::All),
            ..UserChange::exists()
        };
        put(stores, &uid, change).await;
    }
    for keyword in ["u1", "111"] {
        let whole = find(stores, &query(keyword, false)).await;
        assert_eq!(whole.len(), 7);
        for limit in 1..8 {
            let mut after = None;
            let mut uids = Vec::new();
            loop {
                let page = FindUsers {
                    after,
                    limit,
                    ..query(keyword, false)
                };
                let found = stores.people.find_users(&page).await.expect("found");
                assert!(found.users.len() <= limit as usize);
                uids.extend(
                    found
                        .users
                        .iter()
                        .map(|user| user.user.uid.as_str().to_owned()),
                );
                after = found.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(uids, whole, "{keyword} by {limit}");
        }
    }
}

/// The latest is kept.
pub async fn the_last_time_there_is_kept(stores: &Stores) {
    let alice = super::user(&*stores.directory, "alice").await.num;
    let bob = super::user(&*stores.directory, "bob").await.num;
    let people = &stores.people;
    people.seen(&[(alice, 5), (bob, 7)]).await.expect("noted");
    people.seen(&[(alice, 3)]).await.expect("noted");
    let nobody = crate::id::UserNum(i64::MAX);
    let seen = people.last_seen(&[bob, nobody, alice]).await;
    assert_eq!(seen.expect("times"), [7, 0, 5]);
}

/// Two who change different members take nothing from each other; choices are kept.
pub async fn members_of_a_profile_change_beside_each_other(stores: &Stores) {
    let one = UserChange {
        members: profile(r#"{"name":"A"}"#),
        status: Some("here".to_owned()),
        ..UserChange::exists()
    };
    let two = UserChange {
        members: profile(r#"{"gender":"other"}"#),
        privacy: PrivacyChange {
            presence: Some(SeenBy::Friends),
            invisible: Some(true),
            ..PrivacyChange::default()
        },
        ..UserChange::exists()
    };
    tokio::join!(put(stores, "alice", one), put(stores, "alice", two));
    let alice = Uid::parse("alice").expect("a uid");
    let found = stores.directory.user(&Realm::default(), &alice).await;
    let found = found.expect("a user").expect("a user");
    let json: serde_json::Value =
        serde_json::from_str(found.profile.as_deref().expect("a profile")).expect("JSON");
    assert_eq!(json, serde_json::json!({"name": "A", "gender": "other"}));
    assert_eq!(found.status.as_deref(), Some("here"));
    let expected = Privacy {
        presence: SeenBy::Friends,
        invisible: true,
        ..Privacy::default()
    };
    assert_eq!(found.privacy, expected);
}

//! Finding users by their names, whatever an older version kept of them.

use crosstalk_core::admin::Census;
use crosstalk_core::directory::{Directory, FindUsers, People, UserChange};
use crosstalk_core::id::{Realm, Uid};

use super::Bed;

#[tokio::test]
async fn names_that_an_older_version_kept_are_found_whatever_their_place() {
    let bed = Bed::new();
    let mut raw = bed.raw();
    crate::sqlite::migrate::migrate_to(&mut raw, 21);
    raw.execute_batch(
        r#"WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 6001)
         INSERT INTO user (realm, uid, flags, tokens_after_ms, profile, version)
         SELECT 'default', 'u' || n, 1, 0, '{"name":"Somebody ' || n || '"}', 0 FROM n;
         UPDATE user SET profile = '{"name":"Иван ＩＶ"}' WHERE uid = 'u6001';
         INSERT INTO user_card (realm, user, name)
         SELECT realm, num, lower(json_extract(profile, '$.name')) FROM user;"#,
    )
    .expect("an older file");
    drop(raw);
    let db = bed.open();
    let find = async |keyword: &str| {
        let query = FindUsers {
            realm: Realm::default(),
            keyword: keyword.to_owned(),
            all: false,
            after: None,
            limit: 10,
        };
        let found = db.find_users(&query).await.expect("found");
        assert_eq!(found.next, None, "{keyword}: one page");
        let uids = found.users.iter();
        let uids: Vec<_> = uids.map(|user| user.user.uid.to_string()).collect();
        uids.join(" ")
    };
    for keyword in ["иван", "ва", "И", "н iv", "Iv"] {
        assert_eq!(find(keyword).await, "u6001", "{keyword}");
    }
    assert_eq!(find("body 6000").await, "u6000");
    assert_eq!(find("nobody").await, "");
    // What somebody was called before says nothing of them any more.
    let renamed = UserChange {
        profile: Some(r#"{"name":"Пётр"}"#.to_owned()),
        ..UserChange::exists()
    };
    let uid = Uid::parse("u6001").expect("a uid");
    let put = db.put_user(&Realm::default(), &uid, &renamed).await;
    let user = put.expect("put").user;
    assert_eq!(find("иван").await, "");
    assert_eq!(find("ПЁТР").await, "u6001");
    db.purge(user.num).await.expect("purged");
    assert_eq!(find("пётр").await, "");
    let raw = bed.raw();
    let sql = "SELECT count(*) FROM user_names WHERE user_names MATCH 'пёт'";
    let left: i64 = raw.query_row(sql, [], |row| row.get(0)).expect("counted");
    assert_eq!(left, 0);
}

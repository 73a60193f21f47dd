//! Channels: who belongs to them.

use std::sync::Arc;

use super::{append, group, store, text, user};
use crate::channel::{
    ChannelKey, ChannelRef, LogKind, Member, MemberChange, MemberQuery, MemberRole, MemberRow,
    MemberState, MembersChanged,
};
use crate::id::{Realm, Uid, UserRef};
use crate::im::Stores;

async fn open(stores: &Stores, key: &ChannelKey) -> Arc<ChannelRef> {
    let opened = stores.channels.open(key, LogKind::Chat, true).await;
    opened.expect("open").expect("made")
}

async fn change(stores: &Stores, log: &ChannelRef, changes: &[MemberChange]) -> MembersChanged {
    stores
        .channels
        .change_members(log.num, changes)
        .await
        .expect("changed")
}

async fn members(stores: &Stores, log: &ChannelRef) -> Vec<Member> {
    stores
        .channels
        .members(log.num, None, 1000)
        .await
        .expect("members")
}

fn join(user: &UserRef) -> MemberChange {
    MemberChange::Join(user.clone(), MemberRole::Member)
}

fn leave(user: &UserRef) -> MemberChange {
    MemberChange::Leave(user.clone())
}

async fn many_users(stores: &Stores, count: usize) -> Vec<UserRef> {
    let uids: Vec<Uid> = (0..count)
        .map(|n| Uid::parse(&format!("user{n}")).expect("a uid"))
        .collect();
    let records = stores
        .directory
        .intern(&Realm::default(), &uids)
        .await
        .expect("interned");
    records.into_iter().map(|record| record.user).collect()
}

/// Joining, joining again, leaving, leaving again.
pub async fn members_come_and_go(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let first = change(stores, &log, &[join(&alice), join(&bob)]).await;
    assert_eq!(first.member_count, 2);
    let joined_at_ms = first.joined[0].joined_at_ms;
    assert!(joined_at_ms > 0);
    let plain = |user: &UserRef| Member {
        user: user.clone(),
        role: MemberRole::Member,
        join_seq: 0,
        muted_until_ms: 0,
        nick: String::new(),
        joined_at_ms,
    };
    assert_eq!(first.joined, [plain(&alice), plain(&bob)]);
    let again = change(stores, &log, &[join(&bob)]).await;
    assert_eq!((again.member_count, again.joined), (2, vec![plain(&bob)]));
    let left = change(stores, &log, &[leave(&alice)]).await;
    assert_eq!((left.member_count, left.joined), (1, Vec::new()));
    let again = change(stores, &log, &[leave(&alice)]).await;
    assert_eq!(again.member_count, 1);
    assert_eq!(members(stores, &log).await, [plain(&bob)]);
    let record = stores
        .channels
        .record(&group("g"))
        .await
        .expect("record")
        .expect("there");
    assert_eq!(record.member_count, 1);
    let nothing = change(stores, &log, &[]).await;
    assert_eq!((nothing.member_count, nothing.joined), (1, Vec::new()));
}

/// Pages in order of number, without those who left, until nothing is left.
pub async fn members_are_paged_by_number(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 7).await;
    let joins: Vec<_> = users.iter().rev().map(join).collect();
    change(stores, &log, &joins).await;
    change(stores, &log, &[leave(&users[3])]).await;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = stores
            .channels
            .members(log.num, after, 2)
            .await
            .expect("a page");
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.user.num);
        found.extend(page.into_iter().map(|member| member.user));
    }
    let mut expected = users.clone();
    expected.remove(3);
    expected.sort_by_key(|user| user.num);
    assert_eq!(found, expected);
    assert!(
        stores
            .channels
            .members(log.num, None, 0)
            .await
            .expect("a page")
            .is_empty()
    );
}

/// Who joins begins at the head; who stays keeps the place; who comes back gets a new one.
pub async fn a_join_is_at_the_head(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let say = || async { store(&*stores.log, vec![append(&log, &alice, text("x"))]).await };
    change(stores, &log, &[join(&alice)]).await;
    say().await;
    say().await;
    let joined = change(stores, &log, &[join(&alice), join(&bob)])
        .await
        .joined;
    assert_eq!(
        joined.iter().map(|m| m.join_seq).collect::<Vec<_>>(),
        [0, 2]
    );
    change(stores, &log, &[leave(&bob)]).await;
    say().await;
    let back = change(stores, &log, &[join(&bob)]).await.joined;
    assert_eq!(back[0].join_seq, 3);
    assert_eq!(members(stores, &log).await.len(), 2);
}

/// A new owner makes the old one an administrator; leaving gives a role up.
pub async fn there_is_one_owner(stores: &Stores) {
    use MemberRole::{Administrator, Member as Ordinary, Owner};
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 3).await;
    let role = |n: usize, role| MemberChange::Join(users[n].clone(), role);
    let roles = || async {
        let found = members(stores, &log).await;
        let of = |user: &UserRef| found.iter().find(|m| m.user == *user).map(|m| m.role);
        users.iter().map(of).collect::<Vec<_>>()
    };
    let named = change(stores, &log, &[role(0, Owner), role(1, Administrator)])
        .await
        .joined;
    assert_eq!(
        named.iter().map(|m| m.role).collect::<Vec<_>>(),
        [Owner, Administrator]
    );
    change(stores, &log, &[role(1, Owner), role(2, Ordinary)]).await;
    assert_eq!(
        roles().await,
        [Some(Administrator), Some(Owner), Some(Ordinary)]
    );
    let two = change(stores, &log, &[role(0, Owner), role(2, Owner)])
        .await
        .joined;
    assert_eq!(
        two.iter().map(|m| m.role).collect::<Vec<_>>(),
        [Administrator, Owner]
    );
    change(stores, &log, &[leave(&users[2])]).await;
    change(stores, &log, &[role(2, Ordinary)]).await;
    assert_eq!(
        roles().await,
        [Some(Administrator), Some(Administrator), Some(Ordinary)]
    );
    change(stores, &log, &[role(0, Ordinary)]).await;
    assert_eq!(roles().await[0], Some(Ordinary));
}

/// Entering leaves a role alone; whoever is new or comes back is an ordinary member.
pub async fn entering_keeps_the_role(stores: &Stores) {
    use MemberRole::{Administrator, Member as Ordinary, Owner};
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 3).await;
    let role = |n: usize, role| MemberChange::Join(users[n].clone(), role);
    let enter = |n: usize| MemberChange::Enter(users[n].clone());
    let roles = |changed: MembersChanged| -> Vec<_> {
        changed.joined.iter().map(|member| member.role).collect()
    };
    change(stores, &log, &[role(0, Owner), role(1, Administrator)]).await;
    let entered = change(stores, &log, &[enter(0), enter(1), enter(2)]).await;
    assert_eq!(entered.member_count, 3);
    assert_eq!(roles(entered), [Owner, Administrator, Ordinary]);
    change(stores, &log, &[leave(&users[1])]).await;
    let back = change(stores, &log, &[enter(1), enter(1)]).await;
    assert_eq!((back.member_count, roles(back)), (3, vec![Ordinary]));
}

/// Changes run in order; the answer names who is a member at the end, once each.
pub async fn one_change_may_name_somebody_twice(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 3).await;
    let changes = [
        join(&users[0]),
        join(&users[0]),
        join(&users[1]),
        leave(&users[1]),
        leave(&users[2]),
        join(&users[2]),
    ];
    let changed = change(stores, &log, &changes).await;
    let named: Vec<_> = changed.joined.iter().map(|m| m.user.clone()).collect();
    assert_eq!(named, [users[0].clone(), users[2].clone()]);
    assert_eq!(changed.member_count, 2);
}

/// The chat logs of channels one belongs to now; direct ones are not among them.
pub async fn a_user_finds_their_channels(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let (one, two, three) = (
        open(stores, &group("1")).await,
        open(stores, &group("2")).await,
        open(stores, &group("3")).await,
    );
    stores
        .channels
        .open(&group("1"), LogKind::Command, true)
        .await
        .expect("open");
    let direct = open(
        stores,
        &ChannelKey::direct(&Realm::default(), &alice.uid, &bob.uid),
    )
    .await;
    let mut hello = append(&direct, &alice, text("hello"));
    hello.first_contact = [alice.num, bob.num].into();
    store(&*stores.log, vec![hello]).await;
    for log in [&one, &two] {
        change(stores, log, &[join(&alice)]).await;
    }
    change(stores, &three, &[join(&bob)]).await;
    change(stores, &two, &[leave(&alice)]).await;
    let found = stores.channels.of_user(alice.num).await.expect("channels");
    assert_eq!(found, [Arc::clone(&one)]);
    change(stores, &two, &[join(&alice)]).await;
    let mut found = stores.channels.of_user(alice.num).await.expect("channels");
    found.sort_by_key(|log| log.num);
    let mut expected = [one, two];
    expected.sort_by_key(|log| log.num);
    assert_eq!(found, expected);
}

/// Several change the same channel at once.
pub async fn changes_beside_each_other_keep_the_count(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 60).await;
    let tasks: Vec<_> = (0..6)
        .map(|task| {
            let (channels, num) = (Arc::clone(&stores.channels), log.num);
            let mine: Vec<_> = users.iter().skip(task * 8).take(20).cloned().collect();
            tokio::spawn(async move {
                for user in &mine {
                    channels
                        .change_members(num, &[join(user)])
                        .await
                        .expect("changed");
                }
                for user in mine.iter().take(4) {
                    channels
                        .change_members(num, &[leave(user)])
                        .await
                        .expect("changed");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
    let count = change(stores, &log, &[]).await.member_count;
    assert_eq!(members(stores, &log).await.len(), count as usize);
}

/// Tens of thousands, in chunks.
pub async fn many_members_fit(stores: &Stores) {
    const MEMBERS: usize = 20_000;
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, MEMBERS).await;
    let joins: Vec<_> = users.iter().map(join).collect();
    for chunk in joins.chunks(5_000) {
        let changed = change(stores, &log, chunk).await;
        assert_eq!(changed.joined.len(), chunk.len());
    }
    let all = stores
        .channels
        .members(log.num, None, u32::MAX)
        .await
        .expect("members");
    assert_eq!(all.len(), MEMBERS);
    let record = stores
        .channels
        .record(&group("g"))
        .await
        .expect("record")
        .expect("there");
    assert_eq!(record.member_count as usize, MEMBERS);
}

/// Names there and mutings are kept, for those who are members. A name ends with the
/// membership, a muting at its time.
pub async fn members_have_names_and_are_muted(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 2).await;
    let (alice, bob) = (&users[0], &users[1]);
    let nick = |user: &UserRef, nick: &str| MemberChange::Nick(user.clone(), nick.to_owned());
    let mute = |user: &UserRef, until| MemberChange::Mute(user.clone(), until);
    let changes = [
        join(alice),
        nick(alice, "Captain"),
        mute(alice, i64::MAX),
        nick(bob, "Nobody"),
        mute(bob, 5),
    ];
    let changed = change(stores, &log, &changes).await;
    assert_eq!(changed.member_count, 1);
    let of = |user: &UserRef| {
        let num = user.num;
        let channels = Arc::clone(&stores.channels);
        let log = log.num;
        async move { channels.member(log, num).await.expect("read") }
    };
    let found = of(alice).await.expect("a member");
    assert_eq!((&*found.nick, found.muted_until_ms), ("Captain", i64::MAX));
    assert_eq!(of(bob).await, None);
    change(stores, &log, &[leave(alice), join(alice)]).await;
    let found = of(alice).await.expect("a member");
    assert_eq!((&*found.nick, found.muted_until_ms), ("", i64::MAX));
    let over = [mute(alice, 5), leave(alice), join(alice)];
    change(stores, &log, &over).await;
    assert_eq!(of(alice).await.expect("a member").muted_until_ms, 0);
}

/// Each change of a row has a version of its own, and those who left are told of.
pub async fn members_are_listed_by_version(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 6).await;
    let all: Vec<_> = users.iter().map(join).collect();
    change(stores, &log, &all).await;
    let since = |after: i64, limit: u32| {
        let (channels, num) = (Arc::clone(&stores.channels), log.num);
        async move {
            channels
                .members_since(num, after, limit)
                .await
                .expect("read")
        }
    };
    let rows = since(0, 100).await;
    assert_eq!(rows.len(), 6);
    assert!(
        rows.windows(2)
            .all(|pair| pair[0].version < pair[1].version)
    );
    let mut paged: Vec<MemberRow> = Vec::new();
    loop {
        let after = paged.last().map_or(0, |row| row.version);
        let page = since(after, 4).await;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 4);
        paged.extend(page);
    }
    assert_eq!(paged, rows);
    let head = rows[5].version;
    let nick = MemberChange::Nick(users[4].clone(), "n".to_owned());
    change(stores, &log, &[leave(&users[2]), nick]).await;
    let rows = since(head, 100).await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.member.user.clone(), row.state))
        .collect();
    let expected = [
        (users[2].clone(), MemberState::Left),
        (users[4].clone(), MemberState::Active),
    ];
    assert_eq!(seen, expected);
    let head = rows[1].version;
    change(stores, &log, &[join(&users[4]), leave(&users[2])]).await;
    assert!(since(head, 100).await.is_empty(), "nothing has changed");
    change(stores, &log, &[join(&users[2])]).await;
    assert_eq!(since(head, 100).await.len(), 1);
}

/// By role, and by what they are called there or everywhere.
pub async fn members_are_found(stores: &Stores) {
    let log = open(stores, &group("g")).await;
    let users = many_users(stores, 5).await;
    let mut changes: Vec<_> = users.iter().map(join).collect();
    changes.extend([
        MemberChange::Join(users[1].clone(), MemberRole::Owner),
        MemberChange::Join(users[3].clone(), MemberRole::Administrator),
        MemberChange::Nick(users[2].clone(), "The Cook 厨师 100% ＩＶ".to_owned()),
    ]);
    change(stores, &log, &changes).await;
    let named = crate::directory::UserChange {
        profile: Some(r#"{"name":"Quentin Cook Иван"}"#.to_owned()),
        ..crate::directory::UserChange::exists()
    };
    let realm = Realm::default();
    let put = stores.directory.put_user(&realm, &users[4].uid, &named);
    put.await.expect("a user");
    let find = |at_least, keyword: &str, limit| {
        let query = MemberQuery {
            at_least,
            keyword: keyword.to_owned(),
            after: None,
            limit,
        };
        let (channels, num) = (Arc::clone(&stores.channels), log.num);
        async move {
            let found = channels.find_members(num, &query).await.expect("read");
            let found = found.rows.into_iter().map(|row| row.member.user);
            found.collect::<Vec<_>>()
        }
    };
    use MemberRole::{Administrator, Member as Ordinary, Owner};
    assert_eq!(find(Owner, "", 10).await, [users[1].clone()]);
    let moderators = find(Administrator, "", 10).await;
    assert_eq!(moderators, [users[1].clone(), users[3].clone()]);
    assert_eq!(find(Ordinary, "", 2).await.len(), 2);
    let cooks = [users[2].clone(), users[4].clone()];
    assert_eq!(find(Ordinary, "cOOK", 10).await, cooks);
    assert_eq!(find(Ordinary, "厨师", 10).await, cooks[..1]);
    assert_eq!(find(Ordinary, "iv", 10).await, cooks[..1], "width");
    for name in ["иван", "ИВАН", "cook ива"] {
        assert_eq!(find(Ordinary, name, 10).await, cooks[1..], "{name}");
    }
    assert_eq!(find(Ordinary, "USER3", 10).await, [users[3].clone()]);
    assert_eq!(find(Owner, "user", 10).await, [users[1].clone()]);
    assert!(
        find(Ordinary, "name", 10).await.is_empty(),
        "no key of JSON"
    );
    assert_eq!(find(Ordinary, "100%", 10).await, cooks[..1]);
    assert!(find(Ordinary, "1_0%", 10).await.is_empty(), "no pattern");
}

//! Friends, requests to become one, friend groups.

use super::user;
use crate::directory::{FriendPolicy, PrivacyChange, UserChange};
use crate::id::{Realm, UserNum, UserRef};
use crate::im::Stores;
use crate::refusal::Refusal;
use crate::relation::RelationChange;
use crate::relation::friend::{
    ASK_AGAIN_MS, Answer, Asked, Friend, FriendChange, FriendQuery, MAX_FRIEND_GROUPS,
    MAX_OPEN_OUTGOING, NewRequest, REQUEST_MS, RequestQuery, RequestStatus, Sides, WhichFriends,
};

/// The cases of friends, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! friends_contract {
    ($make:path) => {
        $crate::contract_tests!($make, friends:
            who_accepts_is_a_friend,
            who_is_asked_by_the_one_they_ask_is_a_friend,
            a_friend_is_in_no_group_that_is_gone,
            asking_at_the_same_time_makes_friends_once,
            an_answer_is_given_once,
            a_request_ends_by_itself,
            who_may_be_asked,
            open_requests_have_a_limit,
            requests_come_in_pages,
            friendships_end_on_one_side_or_both,
            friends_are_found,
            friends_change_by_version,
            groups_of_friends,
            friends_and_blocks_do_not_touch_each_other,
        );
    };
}

const NOW: i64 = 1_700_000_000_000;

async fn ask_at(
    stores: &Stores,
    id: i64,
    from: &UserRef,
    to: &UserRef,
    now_ms: i64,
) -> Result<Asked, Refusal> {
    let ask = NewRequest {
        id,
        from: from.num,
        to: to.num,
        message: format!("m{id}"),
        keep: FriendChange::default(),
        now_ms,
    };
    stores.friends.ask(&ask).await.expect("the store answers")
}

async fn ask(stores: &Stores, id: i64, from: &UserRef, to: &UserRef) -> Result<Asked, Refusal> {
    ask_at(stores, id, from, to, NOW).await
}

async fn answer_at(
    stores: &Stores,
    id: i64,
    by: &UserRef,
    answer: Answer,
    now_ms: i64,
) -> Result<(RequestStatus, bool), Refusal> {
    let answered = stores.friends.answer(id, by.num, &answer, now_ms).await;
    let answered = answered.expect("the store answers");
    answered.map(|(request, is_new)| (request.status, is_new))
}

async fn accept(stores: &Stores, id: i64, by: &UserRef) -> Result<(RequestStatus, bool), Refusal> {
    answer_at(stores, id, by, Answer::Accept(FriendChange::default()), NOW).await
}

async fn friends(stores: &Stores, user: &UserRef, which: WhichFriends, limit: u32) -> Vec<Friend> {
    let query = FriendQuery {
        user: user.num,
        which,
        limit,
    };
    stores.friends.friends(&query).await.expect("friends")
}

fn all(keyword: &str, group: Option<i64>) -> WhichFriends {
    WhichFriends::Now {
        after: UserNum(i64::MIN),
        keyword: keyword.to_owned(),
        group,
    }
}

fn names(friends: &[Friend]) -> Vec<&str> {
    friends
        .iter()
        .map(|friend| friend.user.uid.as_str())
        .collect()
}

async fn names_of(stores: &Stores, user: &UserRef) -> Vec<String> {
    let friends = friends(stores, user, all("", None), 100).await;
    names(&friends).into_iter().map(str::to_owned).collect()
}

async fn befriend(stores: &Stores, pairs: &[(&UserRef, &UserRef)], sides: Sides) {
    let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a.num, b.num)).collect();
    let made = stores.friends.befriend(&pairs, sides, NOW).await;
    for made in made.expect("the store answers") {
        made.expect("friends");
    }
}

async fn people(stores: &Stores) -> (UserRef, UserRef, UserRef) {
    let directory = &*stores.directory;
    (
        user(directory, "alice").await,
        user(directory, "bob").await,
        user(directory, "carol").await,
    )
}

/// Both are friends, each keeps the other as they said, and the relation says so.
pub async fn who_accepts_is_a_friend(stores: &Stores) {
    let (alice, bob, carol) = people(stores).await;
    let store = &stores.friends;
    let group = store.name_friend_group(alice.num, 77, "Work", true).await;
    group.expect("the store answers").expect("a group");
    let new = NewRequest {
        id: 1,
        from: alice.num,
        to: bob.num,
        message: "hi".to_owned(),
        keep: FriendChange {
            remark: Some("my Bob".to_owned()),
            group: Some(77),
        },
        now_ms: NOW,
    };
    let asked = store.ask(&new).await.expect("answers").expect("asked");
    assert!(asked.is_new && asked.closed.is_empty());
    assert_eq!(asked.request.status, RequestStatus::Pending);
    assert_eq!(asked.request.from, alice);
    assert_eq!(asked.request.to, bob);
    assert!(names_of(stores, &alice).await.is_empty());

    // The same again changes nothing.
    let again = ask(stores, 2, &alice, &bob).await.expect("asked");
    assert!(!again.is_new);
    assert_eq!(again.request, asked.request);

    // Nobody else answers it, and whoever has asked does not.
    for other in [&alice, &carol] {
        let refused = accept(stores, 1, other).await;
        assert_eq!(refused, Err(Refusal::NoSuchRequest));
    }
    let keep = FriendChange {
        remark: Some("my Alice".to_owned()),
        group: None,
    };
    let accepted = answer_at(stores, 1, &bob, Answer::Accept(keep), NOW + 5).await;
    assert_eq!(accepted, Ok((RequestStatus::Accepted, true)));
    let [his] = &friends(stores, &bob, all("", None), 9).await[..] else {
        panic!("one friend")
    };
    assert_eq!((his.remark.as_str(), his.group), ("my Alice", 0));
    assert_eq!(his.since_ms, NOW + 5);
    let [hers] = &friends(stores, &alice, all("", None), 9).await[..] else {
        panic!("one friend")
    };
    assert_eq!((hers.remark.as_str(), hers.group), ("my Bob", 77));
    for (user, friend) in [(&alice, &bob), (&bob, &alice)] {
        let relations = stores.relations.of(user.num).await.expect("relations");
        assert_eq!(relations.len(), 1);
        assert!(relations[0].0 == friend.num && relations[0].1.friend);
    }
    assert_eq!(
        ask(stores, 3, &bob, &alice).await,
        Err(Refusal::AlreadyExists)
    );
}

/// Two who ask each other are friends, and no request waits.
pub async fn who_is_asked_by_the_one_they_ask_is_a_friend(stores: &Stores) {
    let (alice, bob, _) = people(stores).await;
    ask(stores, 1, &alice, &bob).await.expect("asked");
    let crossed = ask(stores, 2, &bob, &alice).await.expect("asked");
    assert!(crossed.is_new);
    assert_eq!(crossed.request.id, 1);
    assert_eq!(crossed.request.status, RequestStatus::Accepted);
    assert_eq!(names_of(stores, &alice).await, ["bob"]);
    assert_eq!(names_of(stores, &bob).await, ["alice"]);
    assert_eq!(
        accept(stores, 1, &bob).await,
        Ok((RequestStatus::Accepted, false))
    );
}

/// A group that is deleted while a request waits is none.
pub async fn a_friend_is_in_no_group_that_is_gone(stores: &Stores) {
    let (alice, bob, _) = people(stores).await;
    let store = &stores.friends;
    let named = store.name_friend_group(alice.num, 5, "A", true).await;
    named.expect("the store answers").expect("a group");
    let wish = NewRequest {
        id: 1,
        from: alice.num,
        to: bob.num,
        message: String::new(),
        keep: FriendChange {
            remark: Some("B".to_owned()),
            group: Some(5),
        },
        now_ms: NOW,
    };
    store.ask(&wish).await.expect("answers").expect("asked");
    let deleted = store.delete_friend_group(alice.num, 5).await;
    deleted.expect("the store answers").expect("deleted");
    ask(stores, 2, &bob, &alice).await.expect("asked");
    let friends = friends(stores, &alice, all("", None), 9).await;
    let kept: Vec<_> = friends.iter().map(|it| (&*it.remark, it.group)).collect();
    assert_eq!(kept, [("B", 0)]);
}

/// However the two requests fall, both are friends afterwards, once.
pub async fn asking_at_the_same_time_makes_friends_once(stores: &Stores) {
    for turn in 0..10 {
        let directory = &*stores.directory;
        let one = user(directory, &format!("one{turn}")).await;
        let two = user(directory, &format!("two{turn}")).await;
        let ids = [10 + 2 * turn, 11 + 2 * turn];
        let (first, second) = tokio::join!(
            ask(stores, ids[0], &one, &two),
            ask(stores, ids[1], &two, &one)
        );
        let statuses = [first, second].map(|asked| asked.expect("asked").request.status);
        let accepted = RequestStatus::Accepted;
        assert_eq!(statuses.iter().filter(|it| **it == accepted).count(), 1);
        assert_eq!(names_of(stores, &one).await, [two.uid.as_str()]);
        assert_eq!(names_of(stores, &two).await, [one.uid.as_str()]);
    }
}

/// The first answer counts; the same again is no other, another one is refused.
pub async fn an_answer_is_given_once(stores: &Stores) {
    let (alice, bob, _) = people(stores).await;
    ask(stores, 1, &alice, &bob).await.expect("asked");
    let rejected = answer_at(stores, 1, &bob, Answer::Reject, NOW).await;
    assert_eq!(rejected, Ok((RequestStatus::Rejected, true)));
    let again = answer_at(stores, 1, &bob, Answer::Reject, NOW).await;
    assert_eq!(again, Ok((RequestStatus::Rejected, false)));
    assert_eq!(accept(stores, 1, &bob).await, Err(Refusal::WrongState));
    let cancel = answer_at(stores, 1, &alice, Answer::Cancel, NOW).await;
    assert_eq!(cancel, Err(Refusal::WrongState));
    assert!(names_of(stores, &alice).await.is_empty());

    // Whoever was refused may ask again after a while; the earlier request is forgotten.
    let soon = ask_at(stores, 2, &alice, &bob, NOW + ASK_AGAIN_MS - 1).await;
    assert_eq!(soon.err(), Some(Refusal::RateLimited));
    let later = NOW + ASK_AGAIN_MS;
    let again = ask_at(stores, 2, &alice, &bob, later).await;
    let again = again.expect("asked");
    assert!(again.is_new && again.request.id == 2);
    assert_eq!(accept(stores, 1, &bob).await, Err(Refusal::NoSuchRequest));
    let cancel = answer_at(stores, 2, &alice, Answer::Cancel, later).await;
    assert_eq!(cancel, Ok((RequestStatus::Cancelled, true)));
    assert_eq!(accept(stores, 2, &bob).await, Err(Refusal::WrongState));
}

/// After its time a request is neither answered nor in the way of another one.
pub async fn a_request_ends_by_itself(stores: &Stores) {
    let (alice, bob, _) = people(stores).await;
    ask(stores, 1, &alice, &bob).await.expect("asked");
    let late = NOW + REQUEST_MS;
    let accepted = Answer::Accept(FriendChange::default());
    let answer = answer_at(stores, 1, &bob, accepted, late).await;
    assert_eq!(answer, Err(Refusal::WrongState));
    let list = |status, now_ms| RequestQuery {
        user: bob.num,
        incoming: true,
        status,
        before: i64::MAX,
        limit: 9,
        now_ms,
    };
    for (status, now_ms, count) in [
        (None, late, 1),
        (Some(RequestStatus::Pending), late - 1, 1),
        (Some(RequestStatus::Pending), late, 0),
        (Some(RequestStatus::Expired), late, 1),
        (Some(RequestStatus::Expired), late - 1, 0),
    ] {
        let found = stores.friends.requests(&list(status, now_ms)).await;
        assert_eq!(found.expect("requests").len(), count, "{status:?} {now_ms}");
    }
    // It does not count as an answer of the other one's, either.
    let other = ask_at(stores, 2, &bob, &alice, late).await.expect("asked");
    assert_eq!(other.request.status, RequestStatus::Pending);
    assert!(names_of(stores, &alice).await.is_empty());
    let again = ask_at(stores, 3, &alice, &bob, late).await.expect("asked");
    assert_eq!(again.request.status, RequestStatus::Accepted);
}

async fn takes(stores: &Stores, user: &UserRef, policy: FriendPolicy) {
    let change = UserChange {
        privacy: PrivacyChange {
            friend_requests: Some(policy),
            ..PrivacyChange::default()
        },
        ..UserChange::exists()
    };
    let realm = Realm::default();
    let put = stores.directory.put_user(&realm, &user.uid, &change);
    put.await.expect("put");
}

/// The one who is asked decides who may ask.
pub async fn who_may_be_asked(stores: &Stores) {
    let (alice, bob, carol) = people(stores).await;
    takes(stores, &bob, FriendPolicy::Nobody).await;
    assert_eq!(ask(stores, 1, &alice, &bob).await, Err(Refusal::Forbidden));
    // Whoever they ask themselves is a friend.
    ask(stores, 2, &bob, &alice).await.expect("asked");
    let asked = ask(stores, 3, &alice, &bob).await.expect("asked");
    assert_eq!(asked.request.status, RequestStatus::Accepted);

    takes(stores, &carol, FriendPolicy::Free).await;
    let asked = ask(stores, 4, &alice, &carol).await.expect("asked");
    assert!(asked.is_new);
    assert_eq!(asked.request.status, RequestStatus::Accepted);
    assert_eq!(names_of(stores, &carol).await, ["alice"]);

    let block = |blocked| RelationChange {
        blocked: Some(blocked),
        allowed: None,
    };
    let relate = |user: UserNum, other: UserNum, blocked| async move {
        let change = [(other, block(blocked))];
        let related = stores.relations.relate(user, &change).await;
        related.expect("related");
    };
    relate(carol.num, bob.num, true).await;
    assert_eq!(ask(stores, 5, &bob, &carol).await, Err(Refusal::Forbidden));
    takes(stores, &bob, FriendPolicy::Approval).await;
    assert_eq!(ask(stores, 6, &carol, &bob).await, Err(Refusal::WrongState));
    relate(carol.num, bob.num, false).await;
    ask(stores, 7, &carol, &bob).await.expect("asked");
    let unknown = NewRequest {
        id: 8,
        from: bob.num,
        to: carol.num,
        message: String::new(),
        keep: FriendChange {
            remark: None,
            group: Some(404),
        },
        now_ms: NOW,
    };
    let asked = stores.friends.ask(&unknown).await.expect("answers");
    assert_eq!(asked, Err(Refusal::NotFound));
    // Nor is anybody made a friend of one who blocks them since.
    relate(carol.num, bob.num, true).await;
    assert_eq!(accept(stores, 7, &bob).await, Err(Refusal::Forbidden));
    relate(carol.num, bob.num, false).await;
    relate(bob.num, carol.num, true).await;
    assert_eq!(accept(stores, 7, &bob).await, Err(Refusal::WrongState));
    relate(bob.num, carol.num, false).await;
    accept(stores, 7, &bob).await.expect("accepted");
}

/// Only so many requests of one user wait; one that ended makes room.
pub async fn open_requests_have_a_limit(stores: &Stores) {
    let (alice, bob, _) = people(stores).await;
    for n in 1..=i64::from(MAX_OPEN_OUTGOING) {
        let other = user(&*stores.directory, &format!("u{n}")).await;
        ask(stores, n, &alice, &other).await.expect("asked");
    }
    assert_eq!(ask(stores, 900, &alice, &bob).await, Err(Refusal::TooMany));
    ask(stores, 901, &bob, &alice).await.expect("others may");
    let cancel = answer_at(stores, 1, &alice, Answer::Cancel, NOW).await;
    assert_eq!(cancel, Ok((RequestStatus::Cancelled, true)));
    let carol = user(&*stores.directory, "carol").await;
    ask(stores, 902, &alice, &carol).await.expect("room again");
}

/// The newest first, to the user or of the user.
pub async fn requests_come_in_pages(stores: &Stores) {
    let (alice, bob, carol) = people(stores).await;
    ask(stores, 1, &alice, &carol).await.expect("asked");
    ask(stores, 2, &bob, &carol).await.expect("asked");
    ask(stores, 3, &alice, &bob).await.expect("asked");
    let ids = |user: UserNum, incoming, before, limit| async move {
        let query = RequestQuery {
            user,
            incoming,
            status: None,
            before,
            limit,
            now_ms: NOW,
        };
        let found = stores.friends.requests(&query).await.expect("requests");
        found.iter().map(|request| request.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(carol.num, true, i64::MAX, 9).await, [2, 1]);
    assert_eq!(ids(carol.num, true, i64::MAX, 1).await, [2]);
    assert_eq!(ids(carol.num, true, 2, 1).await, [1]);
    assert_eq!(ids(alice.num, false, i64::MAX, 9).await, [3, 1]);
    assert!(ids(carol.num, false, i64::MAX, 9).await.is_empty());
}

/// Who ends it on one side is still a friend of the other.
pub async fn friendships_end_on_one_side_or_both(stores: &Stores) {
    let (alice, bob, carol) = people(stores).await;
    befriend(stores, &[(&alice, &bob), (&alice, &carol)], Sides::Both).await;
    let again = [(alice.num, bob.num)];
    let again = stores.friends.befriend(&again, Sides::Both, NOW).await;
    assert_eq!(again.expect("the store answers"), [Ok(false)]);
    let unfriend = |user: UserNum, other: UserNum, sides| async move {
        let lost = stores.friends.unfriend(user, &[other], sides).await;
        lost.expect("the store answers")
    };
    let lost = unfriend(alice.num, bob.num, Sides::One).await;
    assert_eq!(lost, [(alice.num, bob.num)]);
    assert_eq!(names_of(stores, &alice).await, ["carol"]);
    assert_eq!(names_of(stores, &bob).await, ["alice"]);
    assert!(unfriend(alice.num, bob.num, Sides::One).await.is_empty());
    let lost = unfriend(alice.num, bob.num, Sides::Both).await;
    assert_eq!(lost, [(bob.num, alice.num)]);
    let lost = unfriend(carol.num, alice.num, Sides::Both).await;
    assert_eq!(lost.len(), 2);
    assert!(names_of(stores, &alice).await.is_empty());
    befriend(stores, &[(&bob, &carol)], Sides::One).await;
    assert_eq!(names_of(stores, &bob).await, ["carol"]);
    assert!(names_of(stores, &carol).await.is_empty());
    // Whoever is still kept as a friend is taken back.
    let back = ask(stores, 1, &carol, &bob).await.expect("asked");
    assert_eq!(back.request.status, RequestStatus::Accepted);
}

/// By a part of id, name or remark, and by group, in pages.
pub async fn friends_are_found(stores: &Stores) {
    let (alice, bob, carol) = people(stores).await;
    let named = UserChange {
        profile: Some(r#"{"name":"Robert Öz"}"#.to_owned()),
        ..UserChange::exists()
    };
    let realm = Realm::default();
    let put = stores.directory.put_user(&realm, &bob.uid, &named);
    put.await.expect("put");
    befriend(stores, &[(&alice, &bob), (&alice, &carol)], Sides::Both).await;
    let remark = FriendChange {
        remark: Some("姐姐 Aunt Máy".to_owned()),
        group: None,
    };
    let kept = stores.friends.change_friend(alice.num, carol.num, &remark);
    let kept = kept.await.expect("answers").expect("kept");
    assert_eq!(kept.remark, "姐姐 Aunt Máy");
    for (keyword, found) in [
        ("", vec!["bob", "carol"]),
        ("o", vec!["bob", "carol"]),
        ("robert ö", vec!["bob"]),
        ("ÖZ", vec!["bob"]),
        ("姐", vec!["carol"]),
        ("aunt", vec!["carol"]),
        ("ＡＵＮＴ MÁ", vec!["carol"]),
        ("CARO", vec!["carol"]),
        ("%", vec![]),
    ] {
        let friends = friends(stores, &alice, all(keyword, None), 9).await;
        assert_eq!(names(&friends), found, "{keyword}");
    }
    let first = friends(stores, &alice, all("", None), 1).await;
    assert_eq!(names(&first), ["bob"]);
    assert_eq!(first[0].name, "Robert Öz");
    let rest = WhichFriends::Now {
        after: bob.num,
        keyword: String::new(),
        group: None,
    };
    assert_eq!(names(&friends(stores, &alice, rest, 9).await), ["carol"]);
    let these = WhichFriends::These(vec![carol.num, alice.num]);
    assert_eq!(names(&friends(stores, &alice, these, 9).await), ["carol"]);
    let stranger = stores
        .friends
        .change_friend(bob.num, carol.num, &remark)
        .await;
    assert_eq!(stranger.expect("answers"), Err(Refusal::NotFound));
}

/// Each change has a later version than the one before; who was a friend is told so.
pub async fn friends_change_by_version(stores: &Stores) {
    let (alice, bob, carol) = people(stores).await;
    befriend(stores, &[(&alice, &bob), (&alice, &carol)], Sides::Both).await;
    let since = |version| friends(stores, &alice, WhichFriends::Since(version), 9);
    let begun = since(0).await;
    assert_eq!(names(&begun), ["bob", "carol"]);
    assert!(begun[0].version < begun[1].version);
    let last = begun[1].version;
    assert!(since(last).await.is_empty());
    let lost = stores
        .friends
        .unfriend(alice.num, &[bob.num], Sides::Both)
        .await;
    lost.expect("lost");
    let remark = FriendChange {
        remark: Some("C".to_owned()),
        group: None,
    };
    let kept = stores.friends.change_friend(alice.num, carol.num, &remark);
    kept.await.expect("answers").expect("kept");
    let changed = since(last).await;
    assert_eq!(names(&changed), ["bob", "carol"]);
    assert_eq!(
        changed.iter().map(|it| it.is_friend).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(changed[0].remark.is_empty() && changed[1].remark == "C");
    let relations = stores.relations.of(alice.num).await.expect("relations");
    assert_eq!(relations.len(), 1, "nothing is decided about bob any more");
}

/// Made, named, ordered, filled and deleted.
pub async fn groups_of_friends(stores: &Stores) {
    let (alice, bob, carol) = people(stores).await;
    let store = &stores.friends;
    befriend(stores, &[(&alice, &bob), (&alice, &carol)], Sides::Both).await;
    let name = |id, name: &'static str, is_new| async move {
        let named = store.name_friend_group(alice.num, id, name, is_new).await;
        named.expect("the store answers")
    };
    for (id, called, position) in [(5, "A", 0), (3, "B", 1), (9, "C", 2)] {
        let group = name(id, called, true).await.expect("a group");
        assert_eq!((group.id, group.position), (id, position));
    }
    assert_eq!(name(10, "A", true).await, Err(Refusal::AlreadyExists));
    assert_eq!(name(3, "A", false).await, Err(Refusal::AlreadyExists));
    assert_eq!(name(404, "X", false).await, Err(Refusal::NotFound));
    assert_eq!(name(3, "B2", false).await.expect("renamed").name, "B2");
    let order = |ids: Vec<i64>| async move {
        let ordered = store.order_friend_groups(alice.num, &ids).await;
        let ordered = ordered.expect("the store answers")?;
        Ok(ordered.iter().map(|group| group.id).collect::<Vec<_>>())
    };
    assert_eq!(order(vec![9, 9, 5]).await, Ok(vec![9, 5, 3]));
    assert_eq!(order(vec![404]).await, Err(Refusal::NotFound));
    let groups = store.friend_groups(alice.num).await.expect("groups");
    assert_eq!(groups.iter().map(|it| it.id).collect::<Vec<_>>(), [9, 5, 3]);

    let into = |other: UserNum, group| async move {
        let change = FriendChange {
            remark: None,
            group: Some(group),
        };
        let kept = store.change_friend(alice.num, other, &change).await;
        kept.expect("the store answers").map(|friend| friend.group)
    };
    assert_eq!(into(bob.num, 9).await, Ok(9));
    assert_eq!(into(carol.num, 9).await, Ok(9));
    assert_eq!(into(carol.num, 404).await, Err(Refusal::NotFound));
    assert_eq!(into(carol.num, 0).await, Ok(0));
    let inside = friends(stores, &alice, all("", Some(9)), 9).await;
    assert_eq!(names(&inside), ["bob"]);
    let groups = store.friend_groups(alice.num).await.expect("groups");
    assert_eq!(groups[0].members, 1);
    assert!(
        store
            .friend_groups(bob.num)
            .await
            .expect("groups")
            .is_empty()
    );

    let left = store.delete_friend_group(alice.num, 9).await;
    let left = left.expect("the store answers").expect("deleted");
    assert_eq!((names(&left), left[0].group), (vec!["bob"], 0));
    let gone = store.delete_friend_group(alice.num, 9).await;
    assert_eq!(gone.expect("the store answers"), Err(Refusal::NotFound));
    let alone = friends(stores, &alice, all("", Some(0)), 9).await;
    assert_eq!(names(&alone), ["bob", "carol"]);
    for n in 2..i64::from(MAX_FRIEND_GROUPS) {
        let called = format!("g{n}");
        let named = store.name_friend_group(alice.num, 100 + n, &called, true);
        named.await.expect("the store answers").expect("a group");
    }
    assert_eq!(name(999, "one more", true).await, Err(Refusal::TooMany));
}

/// A block is no end of a friendship, and its end no end of a block.
pub async fn friends_and_blocks_do_not_touch_each_other(stores: &Stores) {
    let (alice, bob, _) = people(stores).await;
    let block = RelationChange {
        blocked: Some(true),
        allowed: Some(true),
    };
    befriend(stores, &[(&alice, &bob)], Sides::Both).await;
    let related = stores
        .relations
        .relate(alice.num, &[(bob.num, block)])
        .await;
    related.expect("related");
    let of = || async {
        let relations = stores.relations.of(alice.num).await.expect("relations");
        relations.first().map(|(_, it)| (it.friend, it.blocked))
    };
    assert_eq!(of().await, Some((true, true)));
    let lost = stores
        .friends
        .unfriend(alice.num, &[bob.num], Sides::One)
        .await;
    lost.expect("lost");
    assert_eq!(of().await, Some((false, true)));
    let free = RelationChange {
        blocked: Some(false),
        allowed: Some(false),
    };
    let related = stores.relations.relate(alice.num, &[(bob.num, free)]).await;
    related.expect("related");
    assert_eq!(of().await, None);
    befriend(stores, &[(&alice, &bob)], Sides::Both).await;
    assert_eq!(of().await, Some((true, false)));
}

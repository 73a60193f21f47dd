//! Requests to join, invitations and links.

use std::sync::Arc;

use super::{group, user};
use crate::channel::joining::{MAX_LINKS, MAX_WAITING_OF_USER, REQUEST_KEPT_MS, REQUEST_LIFE_MS};
use crate::channel::{
    ChannelRef, Decider, InviteLink, JoinRequest, JoinStatus, LogKind, RequestId,
};
use crate::id::UserRef;
use crate::im::Stores;

/// The cases of requests and links, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! joining_contract {
    ($make:path) => {
        $crate::contract_tests!($make, joining:
            a_request_is_kept_and_answered_once,
            one_that_waits_is_not_asked_again,
            requests_are_paged_newest_first,
            there_are_not_too_many_requests,
            requests_end_with_the_channel,
            links_come_and_go,
            the_last_use_of_a_link_is_one_users,
            there_are_not_too_many_links,
        );
    };
}

const NOW_MS: i64 = 1_700_000_000_000;

async fn open(stores: &Stores, id: &str) -> Arc<ChannelRef> {
    let opened = stores.channels.open(&group(id), LogKind::Chat, true).await;
    opened.expect("open").expect("made")
}

fn request(id: i64, channel: &Arc<ChannelRef>, user: &UserRef) -> JoinRequest {
    JoinRequest {
        id: RequestId(id),
        channel: Arc::clone(channel),
        user: user.clone(),
        inviter: None,
        decider: Decider::Moderators,
        message: "let me in".to_owned(),
        status: JoinStatus::Pending,
        by: None,
        created_at_ms: NOW_MS,
        decided_at_ms: 0,
    }
}

async fn keep(stores: &Stores, request: &JoinRequest) -> Option<JoinRequest> {
    let kept = stores.joining.keep_request(request).await;
    kept.expect("kept")
}

/// It comes back as it was kept; only the first answer counts.
pub async fn a_request_is_kept_and_answered_once(stores: &Stores) {
    let channel = open(stores, "g").await;
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let invitation = JoinRequest {
        inviter: Some(bob.clone()),
        decider: Decider::User,
        message: "来 \"here\"".to_owned(),
        ..request(7, &channel, &alice)
    };
    assert_eq!(keep(stores, &invitation).await, Some(invitation.clone()));
    let joining = &stores.joining;
    let found = joining.request(RequestId(7)).await.expect("read");
    assert_eq!(found, Some(invitation.clone()));
    assert_eq!(joining.request(RequestId(8)).await.expect("read"), None);
    let answer = |status, by: &UserRef| {
        let num = by.num;
        async move {
            let at_ms = NOW_MS + 5;
            let answered = joining.decide_request(RequestId(7), status, Some(num), at_ms);
            answered.await.expect("answered")
        }
    };
    assert!(answer(JoinStatus::Accepted, &alice).await);
    assert!(!answer(JoinStatus::Rejected, &bob).await, "it was answered");
    let found = joining.request(RequestId(7)).await.expect("read");
    let expected = JoinRequest {
        status: JoinStatus::Accepted,
        by: Some(alice),
        decided_at_ms: NOW_MS + 5,
        ..invitation
    };
    assert_eq!(found, Some(expected));
}

/// Asking again changes what is said with it, as long as it waits.
pub async fn one_that_waits_is_not_asked_again(stores: &Stores) {
    let (channel, other) = (open(stores, "g").await, open(stores, "h").await);
    let alice = user(&*stores.directory, "alice").await;
    let joining = &stores.joining;
    let waiting = |of: &ChannelRef, decider, since_ms| {
        let (num, user) = (of.num, alice.num);
        async move {
            let found = joining.waiting(num, user, decider, since_ms).await;
            found.expect("read").map(|request| request.id)
        }
    };
    keep(stores, &request(1, &channel, &alice)).await;
    let again = JoinRequest {
        inviter: Some(user(&*stores.directory, "bob").await),
        message: "please".to_owned(),
        created_at_ms: NOW_MS + 10,
        ..request(2, &channel, &alice)
    };
    let kept = keep(stores, &again).await.expect("kept");
    assert_eq!((kept.id, &*kept.message), (RequestId(1), "please"));
    assert_eq!(kept.inviter, None, "who asks is invited by nobody");
    let read = joining.request(RequestId(1)).await.expect("read");
    assert_eq!(read.as_ref(), Some(&kept));
    let first = Some(RequestId(1));
    assert_eq!(waiting(&channel, Decider::Moderators, 0).await, first);
    assert_eq!(waiting(&channel, Decider::User, 0).await, None);
    assert_eq!(waiting(&other, Decider::Moderators, 0).await, None);
    let at_birth = waiting(&channel, Decider::Moderators, NOW_MS).await;
    assert_eq!(at_birth, None, "made after, not at");
    // One that nobody has answered in time does not wait any more.
    let late = JoinRequest {
        created_at_ms: NOW_MS + REQUEST_LIFE_MS,
        ..request(3, &channel, &alice)
    };
    let kept = keep(stores, &late).await.expect("kept");
    assert_eq!(kept.id, RequestId(3));
    // And is forgotten at last.
    let at_last = JoinRequest {
        created_at_ms: NOW_MS + REQUEST_KEPT_MS + 1,
        ..request(4, &channel, &alice)
    };
    keep(stores, &at_last).await;
    assert_eq!(joining.request(RequestId(1)).await.expect("read"), None);
    assert!(joining.request(RequestId(3)).await.expect("read").is_some());
}

/// Of a channel, and of a user.
pub async fn requests_are_paged_newest_first(stores: &Stores) {
    let (channel, other) = (open(stores, "g").await, open(stores, "h").await);
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    keep(stores, &request(1, &channel, &alice)).await;
    keep(stores, &request(2, &channel, &bob)).await;
    keep(stores, &request(3, &other, &alice)).await;
    let ids = |found: Vec<JoinRequest>| found.iter().map(|it| it.id.0).collect::<Vec<_>>();
    let joining = &stores.joining;
    let of_channel = |before: Option<i64>, limit| {
        let found = joining.requests_of_channel(channel.num, before.map(RequestId), limit);
        async move { ids(found.await.expect("read")) }
    };
    assert_eq!(of_channel(None, 10).await, [2, 1]);
    assert_eq!(of_channel(None, 1).await, [2]);
    assert_eq!(of_channel(Some(2), 10).await, [1]);
    assert!(of_channel(Some(1), 10).await.is_empty());
    let of_alice = joining.requests_of_user(alice.num, None, 10).await;
    assert_eq!(ids(of_alice.expect("read")), [3, 1]);
}

/// Nobody fills the store with requests.
pub async fn there_are_not_too_many_requests(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let most = i64::from(MAX_WAITING_OF_USER);
    for id in 0..most {
        let channel = open(stores, &format!("g{id}")).await;
        assert!(
            keep(stores, &request(id + 1, &channel, &alice))
                .await
                .is_some()
        );
    }
    let channel = open(stores, "one-more").await;
    let more = request(most + 1, &channel, &alice);
    assert_eq!(keep(stores, &more).await, None);
    let answered = stores
        .joining
        .decide_request(RequestId(1), JoinStatus::Cancelled, None, NOW_MS)
        .await;
    assert!(answered.expect("answered"));
    assert!(keep(stores, &more).await.is_some(), "there is room again");
}

/// All that wait, and no others.
pub async fn requests_end_with_the_channel(stores: &Stores) {
    let (gone, other) = (open(stores, "g").await, open(stores, "h").await);
    let mut users = Vec::new();
    for name in ["alice", "bob", "carol"] {
        users.push(user(&*stores.directory, name).await);
    }
    let joining = &stores.joining;
    for (id, (channel, user)) in [(&gone, 0), (&gone, 1), (&other, 1), (&gone, 2)]
        .into_iter()
        .enumerate()
    {
        let id = i64::try_from(id).expect("few") + 1;
        let kept = keep(stores, &request(id, channel, &users[user])).await;
        assert!(kept.is_some());
    }
    let answered = joining.decide_request(RequestId(2), JoinStatus::Rejected, None, NOW_MS);
    assert!(answered.await.expect("answered"));
    let by = Some(users[0].num);
    let ended = joining.end_requests(gone.num, by, NOW_MS + 5).await;
    let ended = ended.expect("ended");
    let ids: Vec<_> = ended.iter().map(|request| request.id.0).collect();
    assert_eq!(ids, [4, 1]);
    for (id, status) in [
        (1, JoinStatus::Cancelled),
        (2, JoinStatus::Rejected),
        (3, JoinStatus::Pending),
        (4, JoinStatus::Cancelled),
    ] {
        let kept = joining.request(RequestId(id)).await.expect("read");
        let kept = kept.expect("kept");
        assert_eq!(kept.status, status, "{id}");
        if let Some(told) = ended.iter().find(|told| told.id == kept.id) {
            assert_eq!(*told, kept);
        }
    }
    let again = joining.end_requests(gone.num, None, NOW_MS + 9).await;
    assert!(again.expect("ended").is_empty());
}

fn link(token: &str, max_uses: u32, expires_at_ms: i64) -> InviteLink {
    InviteLink {
        token: token.to_owned(),
        key: group("g"),
        by: None,
        max_uses,
        uses: 0,
        expires_at_ms,
        created_at_ms: NOW_MS,
    }
}

/// Made, listed, used, taken away.
pub async fn links_come_and_go(stores: &Stores) {
    let channel = open(stores, "g").await;
    let other = open(stores, "h").await;
    let joining = &stores.joining;
    let alice = user(&*stores.directory, "alice").await;
    let by_alice = InviteLink {
        by: Some(alice),
        created_at_ms: NOW_MS + 1,
        ..link("a", 2, NOW_MS + 100)
    };
    for link in [&by_alice, &link("b", 0, 0)] {
        assert!(joining.keep_link(channel.num, link).await.expect("kept"));
    }
    let found = joining.links(channel.num).await.expect("read");
    assert_eq!(found, [by_alice.clone(), link("b", 0, 0)]);
    assert!(joining.links(other.num).await.expect("read").is_empty());
    let used = |token: &'static str, at_ms| async move {
        joining.use_link(token, at_ms).await.expect("answered")
    };
    assert!(used("a", NOW_MS).await);
    assert!(!used("a", NOW_MS + 100).await, "it is over");
    assert!(used("a", NOW_MS + 99).await);
    assert!(!used("a", NOW_MS).await, "used up");
    assert!(!used("c", NOW_MS).await, "no such link");
    for _ in 0..5 {
        assert!(used("b", i64::MAX).await);
    }
    let read = joining.link("a").await.expect("read").expect("there");
    assert_eq!(
        read,
        InviteLink {
            uses: 2,
            ..by_alice
        }
    );
    let removed = |num, token: &'static str| async move {
        joining.remove_link(num, token).await.expect("answered")
    };
    assert!(!removed(other.num, "b").await, "another channel's");
    assert!(removed(channel.num, "b").await);
    assert!(!removed(channel.num, "b").await);
    assert!(!used("b", NOW_MS).await);
}

/// Several use it at once.
pub async fn the_last_use_of_a_link_is_one_users(stores: &Stores) {
    let channel = open(stores, "g").await;
    let kept = stores
        .joining
        .keep_link(channel.num, &link("a", 5, 0))
        .await;
    assert!(kept.expect("kept"));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let joining = Arc::clone(&stores.joining);
            tokio::spawn(async move { joining.use_link("a", NOW_MS).await.expect("answered") })
        })
        .collect();
    let mut used = 0;
    for task in tasks {
        used += u32::from(task.await.expect("a task"));
    }
    assert_eq!(used, 5);
}

/// Those that are over make room.
pub async fn there_are_not_too_many_links(stores: &Stores) {
    let channel = open(stores, "g").await;
    let joining = &stores.joining;
    for n in 0..MAX_LINKS {
        let made = link(&format!("l{n}"), 1, 0);
        assert!(joining.keep_link(channel.num, &made).await.expect("kept"));
    }
    let more = link("more", 0, 0);
    assert!(
        !joining
            .keep_link(channel.num, &more)
            .await
            .expect("answered")
    );
    assert!(joining.use_link("l7", NOW_MS).await.expect("used"));
    assert!(joining.keep_link(channel.num, &more).await.expect("kept"));
    assert_eq!(joining.link("l7").await.expect("read"), None);
}

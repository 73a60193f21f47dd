//! Channels with members as users act on them: rights, ways in, what is told, and what is left
//! when several act at once.

mod many;

use std::sync::Arc;

use crosstalk_core::change::Change;
use crosstalk_core::channel::joining::REQUEST_LIFE_MS;
use crosstalk_core::channel::{
    ChannelChange, ChannelKey, Circle, JoinMode, JoinRequest, JoinStatus, MemberQuery, MemberRole,
    MemberState, RequestId,
};
use crosstalk_core::content::Content;
use crosstalk_core::contract::text;
use crosstalk_core::deliver::{Changed, Decision, GroupVerb, Operator};
use crosstalk_core::id::{Realm, UserRef};
use crosstalk_core::im::{HistoryQuery, Viewer};
use crosstalk_core::message::{Message, Origin};
use crosstalk_core::refusal::Refusal;

use super::world::{Client, PATIENCE, PULLING, PUSHED, World, key, to_group};

/// A group of alice (owner), bob (administrator), carol and dave.
async fn team(world: &World, change: ChannelChange) -> ChannelKey {
    let members = vec![world.user("carol").await, world.user("dave").await];
    let create = GroupVerb::Create {
        change: Box::new(change),
        owner: Some(world.user("alice").await),
        members: [vec![world.user("bob").await], members].concat(),
    };
    act(world, "alice", create).await.expect("made");
    let bob = world.user("bob").await;
    let role = GroupVerb::Role(bob, MemberRole::Administrator);
    act(world, "alice", role).await.expect("named");
    key("team")
}

/// What somebody does with the group; nobody = the application.
async fn act(world: &World, by: &str, verb: GroupVerb) -> Result<Changed, Refusal> {
    let by = if by.is_empty() {
        Operator::Application
    } else {
        Operator::User(world.user(by).await)
    };
    world.im().group(&key("team"), by, verb).await
}

/// What comes of it, without what it led to.
async fn outcome(world: &World, by: &str, verb: GroupVerb) -> Result<(), Refusal> {
    act(world, by, verb).await.map(drop)
}

fn mode(join_mode: JoinMode) -> ChannelChange {
    ChannelChange {
        join_mode: Some(join_mode),
        ..ChannelChange::default()
    }
}

fn update(change: ChannelChange) -> GroupVerb {
    GroupVerb::Update(Box::new(change))
}

fn join() -> GroupVerb {
    GroupVerb::Join {
        message: "me".to_owned(),
        link: None,
    }
}

fn by_link(token: &str) -> GroupVerb {
    GroupVerb::Join {
        message: String::new(),
        link: Some(token.to_owned()),
    }
}

async fn role(world: &World, uid: &str) -> Option<MemberRole> {
    let user = world.user(uid).await;
    let member = world.im().member(&key("team"), &user).await;
    member.ok().map(|member| member.role)
}

async fn says(world: &World, uid: &str) -> Result<(), Refusal> {
    world.send(uid, to_group("team"), text("x")).await.map(drop)
}

/// Everything that the client is given until a change of this name, changes alone.
async fn told_until(world: &World, client: &Client, name: &str) -> Vec<Change> {
    let waiting = async {
        let mut all = Vec::new();
        loop {
            let (messages, behind) = client.drain();
            all.extend(messages.iter().filter_map(|message| Change::of(message)));
            if all.iter().any(|change| change.name() == name) {
                return all;
            }
            if behind {
                client.resync(world).await;
            } else {
                client.session.mailbox.ready().await;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, waiting).await;
    told.expect("in time")
}

fn names(changes: &[Change]) -> Vec<&'static str> {
    changes.iter().map(Change::name).collect()
}

/// What stands in the group's chat, as the application reads it.
async fn chat(world: &World) -> Vec<Message> {
    let everything = HistoryQuery {
        from: 1,
        to: u64::MAX,
        limit: 100,
        newest: false,
    };
    let team = key("team");
    let read = world.im().history(&team, &Viewer::Application, everything);
    read.await.expect("read")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_do_what_to_whom() {
    let world = World::new().await;
    team(&world, ChannelChange::default()).await;
    let user = async |uid: &str| world.user(uid).await;
    let remove = async |uid: &str| GroupVerb::Remove(vec![user(uid).await]);
    let mute = async |uid: &str| GroupVerb::Mute(user(uid).await, i64::MAX);
    let nick = async |uid: &str| GroupVerb::Nick(user(uid).await, "n".to_owned());
    let admin = async |uid: &str| GroupVerb::Role(user(uid).await, MemberRole::Administrator);
    let (no, stranger) = (Err(Refusal::Forbidden), Err(Refusal::NotAMember));
    let cases = [
        ("carol", remove("dave").await, no),
        ("mallory", remove("dave").await, stranger),
        ("bob", remove("alice").await, no),
        ("carol", mute("dave").await, no),
        ("bob", mute("alice").await, no),
        ("bob", mute("dave").await, Ok(())),
        ("alice", mute("bob").await, Ok(())),
        ("carol", nick("carol").await, Ok(())),
        ("carol", nick("dave").await, no),
        ("bob", nick("dave").await, Ok(())),
        ("bob", nick("alice").await, no),
        ("mallory", nick("mallory").await, stranger),
        ("alice", nick("mallory").await, Err(Refusal::NotFound)),
        ("bob", admin("carol").await, no),
        ("alice", admin("carol").await, Ok(())),
        ("bob", remove("carol").await, no),
        ("carol", GroupVerb::Dissolve, no),
        ("carol", GroupVerb::Transfer(user("carol").await), no),
        ("alice", GroupVerb::Leave, Err(Refusal::WrongState)),
        ("alice", remove("alice").await, Err(Refusal::WrongState)),
        ("mallory", GroupVerb::Leave, stranger),
        ("mallory", join(), no),
        ("dave", update(mode(JoinMode::Free)), no),
        ("bob", update(mode(JoinMode::Approval)), Ok(())),
        ("alice", remove("dave").await, Ok(())),
        ("", remove("carol").await, Ok(())),
    ];
    for (by, verb, expected) in cases {
        let what = format!("{by} {verb:?}");
        assert_eq!(outcome(&world, by, verb).await, expected, "{what}");
    }
    assert_eq!(role(&world, "bob").await, Some(MemberRole::Administrator));
    assert_eq!(role(&world, "dave").await, None);
    let flag = ChannelChange {
        ban: Some(true),
        ..ChannelChange::default()
    };
    assert_eq!(outcome(&world, "alice", update(flag)).await, no);
    let again = GroupVerb::Create {
        change: Box::default(),
        owner: None,
        members: Vec::new(),
    };
    let again = outcome(&world, "mallory", again).await;
    assert_eq!(again, Err(Refusal::AlreadyExists));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_sent_ends_and_begins_with_the_time() {
    let world = World::new().await;
    team(&world, ChannelChange::default()).await;
    let now_ms = world.im().clock().now_ms();
    let all = |until_ms| {
        update(ChannelChange {
            muted_until_ms: Some(until_ms),
            ..ChannelChange::default()
        })
    };
    act(&world, "bob", all(now_ms + 1000)).await.expect("muted");
    assert_eq!(says(&world, "carol").await, Err(Refusal::Muted));
    assert_eq!(says(&world, "alice").await, Ok(()));
    assert_eq!(says(&world, "bob").await, Ok(()));
    world.clock.advance_ms(1000);
    assert_eq!(says(&world, "carol").await, Ok(()), "it is over");
    act(&world, "bob", all(i64::MAX)).await.expect("muted");
    assert_eq!(says(&world, "carol").await, Err(Refusal::Muted));
    act(&world, "bob", all(0)).await.expect("not muted");

    let carol = world.user("carol").await;
    let until_ms = world.im().clock().now_ms() + 500;
    let one = GroupVerb::Mute(carol, until_ms);
    act(&world, "bob", one).await.expect("muted");
    assert_eq!(says(&world, "carol").await, Err(Refusal::Muted));
    assert_eq!(says(&world, "dave").await, Ok(()));
    world.clock.advance_ms(500);
    assert_eq!(says(&world, "carol").await, Ok(()));

    let speak = |circle| {
        update(ChannelChange {
            speak: Some(circle),
            ..ChannelChange::default()
        })
    };
    act(&world, "alice", speak(Circle::Administrators))
        .await
        .expect("changed");
    assert_eq!(says(&world, "carol").await, Err(Refusal::Muted));
    assert_eq!(says(&world, "bob").await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ways_in_by_mode() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Free)).await;
    act(&world, "erin", join()).await.expect("joined");
    assert_eq!(role(&world, "erin").await, Some(MemberRole::Member));
    act(&world, "erin", join()).await.expect("once more");

    act(&world, "alice", update(mode(JoinMode::Approval)))
        .await
        .expect("changed");
    let asked = act(&world, "frank", join()).await.expect("asked").requests;
    assert_eq!((asked.len(), asked[0].status), (1, JoinStatus::Pending));
    assert_eq!(role(&world, "frank").await, None);
    let decide = |id: RequestId, decision| GroupVerb::Decide(id, decision);
    let accept = decide(asked[0].id, Decision::Accept);
    let cases = [
        ("frank", Err(Refusal::Forbidden)),
        ("carol", Err(Refusal::NoSuchRequest)),
        ("mallory", Err(Refusal::NoSuchRequest)),
        ("bob", Ok(())),
        ("alice", Err(Refusal::WrongState)),
    ];
    for (by, expected) in cases {
        assert_eq!(outcome(&world, by, accept.clone()).await, expected, "{by}");
    }
    assert_eq!(role(&world, "frank").await, Some(MemberRole::Member));

    let asked = act(&world, "grace", join()).await.expect("asked").requests;
    let reject = decide(asked[0].id, Decision::Reject);
    act(&world, "alice", reject).await.expect("rejected");
    assert_eq!(role(&world, "grace").await, None);
    let asked = act(&world, "grace", join()).await.expect("asked").requests;
    let cancel = decide(asked[0].id, Decision::Cancel);
    assert_eq!(
        outcome(&world, "alice", cancel.clone()).await,
        Err(Refusal::Forbidden)
    );
    act(&world, "grace", cancel).await.expect("taken back");
    let asked = act(&world, "grace", join()).await.expect("asked").requests;
    world.clock.advance_ms(REQUEST_LIFE_MS);
    let late = decide(asked[0].id, Decision::Accept);
    let late = outcome(&world, "alice", late).await;
    assert_eq!(late, Err(Refusal::WrongState), "nobody answered in time");

    act(&world, "alice", update(mode(JoinMode::Invite)))
        .await
        .expect("changed");
    assert_eq!(
        outcome(&world, "heidi", join()).await,
        Err(Refusal::Forbidden)
    );
    let heidi = world.user("heidi").await;
    let invite = GroupVerb::Invite(vec![heidi.clone()], "come".to_owned());
    assert_eq!(
        outcome(&world, "carol", invite.clone()).await,
        Err(Refusal::Forbidden)
    );
    let invited = act(&world, "bob", invite).await.expect("invited").requests;
    let accept = decide(invited[0].id, Decision::Accept);
    assert_eq!(
        outcome(&world, "bob", accept.clone()).await,
        Err(Refusal::Forbidden)
    );
    act(&world, "heidi", accept).await.expect("accepted");
    assert_eq!(role(&world, "heidi").await, Some(MemberRole::Member));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ordinary_members_may_let_in() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Approval)).await;
    let erin = world.user("erin").await;
    let add = GroupVerb::Add(vec![erin.clone()], String::new());
    assert_eq!(
        outcome(&world, "carol", add.clone()).await,
        Err(Refusal::Forbidden)
    );
    let open = ChannelChange {
        invite_by: Some(Circle::All),
        ..ChannelChange::default()
    };
    act(&world, "alice", update(open)).await.expect("changed");
    let asked = act(&world, "carol", add.clone()).await.expect("asked");
    assert_eq!(
        role(&world, "erin").await,
        None,
        "those who moderate decide"
    );
    let inviter = asked.requests[0].inviter.as_ref().expect("an inviter");
    assert_eq!(inviter.uid.as_str(), "carol");
    assert_eq!(asked.moderators.len(), 2);

    // An invitation of hers leads to a request; a link, too.
    let frank = world.user("frank").await;
    let invite = GroupVerb::Invite(vec![frank], String::new());
    let invited = act(&world, "carol", invite)
        .await
        .expect("invited")
        .requests;
    let accept = GroupVerb::Decide(invited[0].id, Decision::Accept);
    let accepted = act(&world, "frank", accept)
        .await
        .expect("accepted")
        .requests;
    let statuses: Vec<_> = accepted.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [JoinStatus::Accepted, JoinStatus::Pending]);
    assert_eq!(role(&world, "frank").await, None);
    let accept = GroupVerb::Decide(accepted[1].id, Decision::Accept);
    act(&world, "bob", accept).await.expect("let in");
    assert_eq!(role(&world, "frank").await, Some(MemberRole::Member));

    let link = GroupVerb::AddLink {
        max_uses: 0,
        expires_at_ms: 0,
    };
    let made = act(&world, "carol", link.clone()).await.expect("made").link;
    let carols = made.expect("a link").token;
    let followed = act(&world, "grace", by_link(&carols)).await.expect("asked");
    assert_eq!(followed.requests.len(), 1);
    let made = act(&world, "bob", link).await.expect("made").link;
    let bobs = made.expect("a link").token;
    act(&world, "grace", by_link(&bobs)).await.expect("joined");
    assert_eq!(role(&world, "grace").await, Some(MemberRole::Member));
    let of_grace = world.user("grace").await;
    let requests = world.im().join_requests_of(&of_grace, None, 10).await;
    let requests = requests.expect("read");
    assert_eq!(requests[0].status, JoinStatus::Accepted, "answered with it");

    // Only those who moderate see links that are worth more.
    for (uid, tokens) in [("carol", vec![&carols]), ("bob", vec![&bobs, &carols])] {
        let by = Operator::User(world.user(uid).await);
        let links = world.im().invite_links(&key("team"), &by).await;
        let links = links.expect("links");
        let mut seen: Vec<_> = links.iter().map(|link| &link.token).collect();
        let mut tokens = tokens;
        seen.sort();
        tokens.sort();
        assert_eq!(seen, tokens, "{uid}");
    }

    // Once the maker of a link is gone, it is worth nothing.
    let carol = world.user("carol").await;
    act(&world, "alice", GroupVerb::Remove(vec![carol]))
        .await
        .expect("removed");
    assert_eq!(
        outcome(&world, "heidi", by_link(&carols)).await,
        Err(Refusal::NotFound)
    );
    act(&world, "alice", add).await.expect("added");
    assert_eq!(role(&world, "erin").await, Some(MemberRole::Member));
}

/// Who asks again uses a link once, and an invitation that is worth nothing any more is in
/// nobody's way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_again_and_old_invitations() {
    let world = World::new().await;
    let open = ChannelChange {
        invite_by: Some(Circle::All),
        ..mode(JoinMode::Approval)
    };
    team(&world, open).await;
    let link = GroupVerb::AddLink {
        max_uses: 2,
        expires_at_ms: 0,
    };
    let made = act(&world, "carol", link).await.expect("made").link;
    let token = made.expect("a link").token;
    for who in ["erin", "erin", "erin", "frank"] {
        let asked = act(&world, who, by_link(&token)).await.expect("asked");
        assert_eq!(asked.requests.len(), 1, "{who}");
    }
    assert_eq!(
        outcome(&world, "grace", by_link(&token)).await,
        Err(Refusal::NotFound),
        "used twice"
    );

    let heidi = world.user("heidi").await;
    let invite = GroupVerb::Invite(vec![heidi], String::new());
    act(&world, "carol", invite).await.expect("invited");
    act(&world, "carol", GroupVerb::Leave).await.expect("left");
    let asked = act(&world, "heidi", join()).await.expect("asked");
    assert_eq!(asked.requests[0].status, JoinStatus::Pending);
    act(&world, "alice", update(mode(JoinMode::Free)))
        .await
        .expect("changed");
    act(&world, "heidi", join()).await.expect("joined");
    assert_eq!(role(&world, "heidi").await, Some(MemberRole::Member));
}

/// Whom somebody blocks does not bring them into groups; what only the application may set
/// is nothing that a user makes a group with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_brings_in_who_blocks_them() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Free)).await;
    let erin = world.user("erin").await;
    let (realm, bob) = (Realm::default(), world.user("bob").await);
    let blocked = world.im().block(&realm, &erin.uid, &bob.uid, true).await;
    blocked.expect("blocked");
    let users = || vec![erin.clone()];
    for verb in [
        GroupVerb::Add(users(), String::new()),
        GroupVerb::Invite(users(), String::new()),
    ] {
        let refused = outcome(&world, "bob", verb).await;
        assert_eq!(refused, Err(Refusal::Blocked));
    }
    let add = GroupVerb::Add(users(), String::new());
    act(&world, "alice", add).await.expect("added");
    let create = async |change, members| {
        let verb = GroupVerb::Create {
            change: Box::new(change),
            owner: Some(world.user("bob").await),
            members,
        };
        let by = Operator::User(world.user("bob").await);
        world.im().group(&key("other"), by, verb).await.map(drop)
    };
    let with_erin = create(ChannelChange::default(), users()).await;
    assert_eq!(with_erin, Err(Refusal::Blocked));
    let banned = ChannelChange {
        large: Some(true),
        ..ChannelChange::default()
    };
    assert_eq!(create(banned, Vec::new()).await, Err(Refusal::Forbidden));
    let alone = create(ChannelChange::default(), Vec::new()).await;
    assert_eq!(alone, Ok(()), "what was refused has left nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_banned_stays_out() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Free)).await;
    let carol = world.user("carol").await;
    let ban = GroupVerb::Ban(vec![carol.clone()]);
    assert_eq!(
        outcome(&world, "dave", ban.clone()).await,
        Err(Refusal::Forbidden)
    );
    act(&world, "bob", ban).await.expect("banned");
    assert_eq!(role(&world, "carol").await, None);
    let blocked = Err(Refusal::Blocked);
    assert_eq!(outcome(&world, "carol", join()).await, blocked);
    let add = GroupVerb::Add(vec![carol.clone()], String::new());
    assert_eq!(outcome(&world, "alice", add).await, blocked);
    act(&world, "bob", GroupVerb::Unban(vec![carol]))
        .await
        .expect("let in again");
    act(&world, "carol", join()).await.expect("joined");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dissolved_group_is_read_and_left_and_nothing_else() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Free)).await;
    let carol = world.client("carol", "phone", PUSHED).await;
    says(&world, "carol").await.expect("said");
    act(&world, "alice", GroupVerb::Dissolve)
        .await
        .expect("dissolved");
    told_until(&world, &carol, "channel_dissolved").await;
    let gone = Err(Refusal::ChannelDisbanded);
    assert_eq!(says(&world, "alice").await, gone);
    assert_eq!(outcome(&world, "erin", join()).await, gone);
    let transfer = GroupVerb::Transfer(world.user("bob").await);
    assert_eq!(outcome(&world, "alice", transfer).await, gone);
    assert_eq!(chat(&world).await.len(), 1);
    act(&world, "alice", GroupVerb::Leave).await.expect("left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_told_in_the_order_of_what_happens() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Approval)).await;
    let carol = world.client("carol", "phone", PUSHED).await;
    let name = ChannelChange {
        name: Some("The team".to_owned()),
        ..ChannelChange::default()
    };
    act(&world, "bob", update(name)).await.expect("renamed");
    says(&world, "dave").await.expect("said");
    let erin = world.user("erin").await;
    let add = GroupVerb::Add(vec![erin.clone()], String::new());
    act(&world, "bob", add).await.expect("added");
    act(&world, "alice", GroupVerb::Transfer(erin))
        .await
        .expect("given away");
    act(&world, "dave", GroupVerb::Leave).await.expect("left");
    let told = told_until(&world, &carol, "departed").await;
    let expected = [
        "channel_updated",
        "joined",
        "member_changed",
        "member_changed",
        "departed",
    ];
    // What was before the session is history.
    let told: Vec<_> = told
        .into_iter()
        .skip_while(|change| change.name() != "channel_updated")
        .collect();
    assert_eq!(names(&told), expected);
    let Change::ChannelUpdated { by, channel, .. } = &told[0] else {
        panic!("{told:?}");
    };
    assert_eq!((by.as_deref(), &*channel.title), (Some("bob"), "The team"));
    assert_eq!((&*channel.owner, channel.member_count), ("alice", 4));
    assert_eq!(channel.changed, ["title"]);
    let roles: Vec<_> = told[2..4]
        .iter()
        .map(|change| match change {
            Change::MemberChanged { user, role, .. } => (user.clone(), role.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let as_text = |user: &str, role: &str| (user.to_owned(), Some(role.to_owned()));
    let expected = [as_text("erin", "owner"), as_text("alice", "administrator")];
    assert_eq!(roles, expected);
    let Change::Departed { users, by, .. } = &told[4] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (users.as_slice(), by.as_deref()),
        (&["dave".to_owned()][..], Some("dave"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_told_to_those_who_decide_and_who_asked() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Approval)).await;
    let mut clients = Vec::new();
    for uid in ["alice", "bob", "carol", "erin"] {
        clients.push(world.client(uid, "phone", PUSHED).await);
    }
    let asked = act(&world, "erin", join()).await.expect("asked").requests;
    let mut statuses = Vec::new();
    for at in [0, 1, 3] {
        let told = told_until(&world, &clients[at], "join_request").await;
        let Some(Change::JoinRequest { request, .. }) = told.last() else {
            panic!("{told:?}");
        };
        assert_eq!((&*request.user, &*request.decider), ("erin", "moderators"));
        statuses.push(request.status.clone());
    }
    assert_eq!(statuses, ["pending"; 3]);
    let accept = GroupVerb::Decide(asked[0].id, Decision::Accept);
    act(&world, "bob", accept).await.expect("accepted");
    let told = told_until(&world, &clients[3], "join_request").await;
    let request = told.iter().find_map(|change| match change {
        Change::JoinRequest { request, .. } => Some(request),
        _ => None,
    });
    let request = request.expect("a request");
    assert_eq!((&*request.status, &*request.by), ("accepted", "bob"));
    let told = told_until(&world, &clients[2], "joined").await;
    assert!(!names(&told).contains(&"join_request"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_and_goes_is_said_where_it_is_wished() {
    let world = World::new().await;
    team(&world, mode(JoinMode::Free)).await;
    act(&world, "erin", join()).await.expect("joined");
    assert!(chat(&world).await.is_empty(), "it was not wished");
    let tips = ChannelChange {
        tips: Some(true),
        ..ChannelChange::default()
    };
    act(&world, "alice", update(tips)).await.expect("changed");
    act(&world, "frank", join()).await.expect("joined");
    let erin = world.user("erin").await;
    act(&world, "bob", GroupVerb::Remove(vec![erin]))
        .await
        .expect("removed");
    act(&world, "frank", GroupVerb::Leave).await.expect("left");
    // Who has asked is let in by those who moderate, and invited by nobody…
    let asks = ChannelChange {
        invite_by: Some(Circle::All),
        ..mode(JoinMode::Approval)
    };
    act(&world, "alice", update(asks)).await.expect("changed");
    let asked = act(&world, "frank", join()).await.expect("asked").requests;
    let accept = |request: &JoinRequest| GroupVerb::Decide(request.id, Decision::Accept);
    act(&world, "bob", accept(&asked[0])).await.expect("let in");
    // … or by the member who has asked for them.
    let erin = world.user("erin").await;
    let add = GroupVerb::Add(vec![erin], String::new());
    let asked = act(&world, "carol", add).await.expect("asked").requests;
    act(&world, "bob", accept(&asked[0])).await.expect("let in");
    says(&world, "alice").await.expect("said");
    let said = chat(&world).await;
    let tips: Vec<_> = said
        .iter()
        .filter(|message| message.body.origin == Origin::REST && message.sender.uid.is_system())
        .map(|message| serde_json::from_slice::<Content>(&message.body.payload).expect("content"))
        .collect();
    let tip = |text: &str| Content::Tip {
        text: text.to_owned(),
    };
    let expected = [
        tip("frank 加入了群聊"),
        tip("bob 将 erin 移出了群聊"),
        tip("frank 退出了群聊"),
        tip("frank 加入了群聊"),
        tip("carol 邀请 erin 加入了群聊"),
    ];
    assert_eq!(tips, expected);
    assert!(said[..3].iter().all(|message| !message.body.flags.counts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_at_most_fifty_administrators() {
    let world = World::new().await;
    team(&world, ChannelChange::default()).await;
    let mut users = Vec::new();
    for n in 0..51 {
        users.push(world.user(&format!("u{n}")).await);
    }
    let add = GroupVerb::Add(users.clone(), String::new());
    act(&world, "alice", add).await.expect("added");
    let name = |user: &UserRef| GroupVerb::Role(user.clone(), MemberRole::Administrator);
    for user in &users[..49] {
        act(&world, "alice", name(user)).await.expect("named");
    }
    let more = outcome(&world, "alice", name(&users[49])).await;
    assert_eq!(more, Err(Refusal::TooMany));
    let transfer = GroupVerb::Transfer(users[50].clone());
    act(&world, "alice", transfer).await.expect("given away");
    assert_eq!(role(&world, "u50").await, Some(MemberRole::Owner));
    assert_eq!(role(&world, "alice").await, Some(MemberRole::Member));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_group_takes_nobody() {
    let world = World::new().await;
    let small = ChannelChange {
        max_members: Some(5),
        ..mode(JoinMode::Free)
    };
    team(&world, small).await;
    act(&world, "erin", join()).await.expect("the last one");
    let full = Err(Refusal::TooMany);
    assert_eq!(outcome(&world, "frank", join()).await, full);
    let add = GroupVerb::Add(vec![world.user("frank").await], String::new());
    assert_eq!(outcome(&world, "alice", add).await, full);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_come_at_once_are_told_of_once() {
    let world = World::new().await;
    team(&world, ChannelChange::default()).await;
    let alice = world.client("alice", "phone", PUSHED).await;
    let uids: Vec<_> = (0..2500)
        .map(|n| crosstalk_core::id::Uid::parse(&format!("u{n}")).expect("a uid"))
        .collect();
    let realm = crosstalk_core::id::Realm::default();
    let users = world.im().user_refs(&realm, &uids).await.expect("users");
    let enter = users
        .into_iter()
        .map(crosstalk_core::channel::MemberChange::Enter);
    let count = world
        .im()
        .change_members(&key("team"), enter.collect())
        .await;
    assert_eq!(count, Ok(2504));
    let leave = GroupVerb::Leave;
    act(&world, "dave", leave).await.expect("left");
    let told = told_until(&world, &alice, "departed").await;
    let joined: Vec<_> = told
        .iter()
        .filter_map(|change| match change {
            Change::Joined {
                users, count, by, ..
            } => Some((users.len(), *count, by.clone())),
            _ => None,
        })
        .filter(|(_, count, _)| *count > 10)
        .collect();
    assert_eq!(joined, [(100, 2500, None)]);
}

/// Roles, names, mutings, requests and links are found again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_all_there_after_a_crash() {
    let mut world = World::new().await;
    team(&world, mode(JoinMode::Approval)).await;
    let carol = world.user("carol").await;
    let nick = GroupVerb::Nick(carol.clone(), "Captain".to_owned());
    act(&world, "carol", nick).await.expect("named");
    let mute = GroupVerb::Mute(carol.clone(), i64::MAX);
    act(&world, "bob", mute).await.expect("muted");
    let asked = act(&world, "erin", join()).await.expect("asked").requests;
    let link = GroupVerb::AddLink {
        max_uses: 1,
        expires_at_ms: 0,
    };
    let link = act(&world, "bob", link).await.expect("made").link;
    let token = link.expect("a link").token;
    let text = ChannelChange {
        announcement: Some(crosstalk_core::channel::Announcement {
            text: "hear".to_owned(),
            ..crosstalk_core::channel::Announcement::default()
        }),
        ..ChannelChange::default()
    };
    act(&world, "bob", update(text)).await.expect("announced");
    world.crash().await;
    let settings = world
        .im()
        .channel(&key("team"))
        .await
        .expect("there")
        .settings;
    assert_eq!(settings.join_mode, JoinMode::Approval);
    assert_eq!(
        (&*settings.announcement.text, &*settings.announcement.by),
        ("hear", "bob")
    );
    assert!(settings.announcement.at_ms > 0 && settings.created_at_ms > 0);
    assert_eq!(says(&world, "carol").await, Err(Refusal::Muted));
    let member = world
        .im()
        .member(&key("team"), &carol)
        .await
        .expect("there");
    assert_eq!(member.nick, "Captain");
    assert_eq!(role(&world, "bob").await, Some(MemberRole::Administrator));
    let accept = GroupVerb::Decide(asked[0].id, Decision::Accept);
    act(&world, "bob", accept).await.expect("accepted");
    act(&world, "frank", by_link(&token)).await.expect("joined");
    assert_eq!(
        outcome(&world, "grace", by_link(&token)).await,
        Err(Refusal::NotFound)
    );
}

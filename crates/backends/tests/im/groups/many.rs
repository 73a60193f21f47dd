//! Several who act on a group at once, and many members.

use super::*;

/// Somebody of these remains, and the group is in a state that the rules allow.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_act_on_each_other_end_in_an_allowed_state() {
    for _ in 0..20 {
        let world = Arc::new(World::new().await);
        team(&world, ChannelChange::default()).await;
        // Both are asked for at once: alice gives the group to bob, bob is removed.
        let (bob, dave) = (world.user("bob").await, world.user("dave").await);
        let racers = [
            ("alice", GroupVerb::Transfer(bob.clone())),
            ("", GroupVerb::Remove(vec![bob])),
            ("bob", GroupVerb::Remove(vec![dave.clone()])),
            ("alice", GroupVerb::Dissolve),
            ("dave", GroupVerb::Leave),
            ("alice", GroupVerb::Role(dave, MemberRole::Administrator)),
        ];
        let tasks: Vec<_> = racers
            .into_iter()
            .map(|(by, verb)| {
                let world = Arc::clone(&world);
                tokio::spawn(async move { outcome(&world, by, verb).await })
            })
            .collect();
        for task in tasks {
            let ended = task.await.expect("a task");
            let allowed = [
                Ok(()),
                Err(Refusal::NotFound),
                Err(Refusal::Forbidden),
                Err(Refusal::NotAMember),
                Err(Refusal::ChannelDisbanded),
            ];
            assert!(allowed.contains(&ended), "{ended:?}");
        }
        let everybody = MemberQuery {
            limit: 100,
            ..MemberQuery::default()
        };
        let members = world.im().find_members(&key("team"), &everybody).await;
        let members = members.expect("read");
        let owners = members.iter().filter(|it| it.role == MemberRole::Owner);
        assert!(owners.count() <= 1);
        assert_eq!(
            role(&world, "bob").await,
            None,
            "the application removed him"
        );
        let record = world.im().channel(&key("team")).await.expect("there");
        assert_eq!(record.member_count as usize, members.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_administrators_removing_each_other_leave_one() {
    for _ in 0..20 {
        let world = Arc::new(World::new().await);
        team(&world, mode(JoinMode::Free)).await;
        // The owner's word and an administrator's: whoever is first is effective.
        let carol = world.user("carol").await;
        let name = GroupVerb::Role(carol.clone(), MemberRole::Administrator);
        let remove = GroupVerb::Remove(vec![carol]);
        let (named, removed) = {
            let (one, two) = (Arc::clone(&world), Arc::clone(&world));
            let one = tokio::spawn(async move { outcome(&one, "alice", name).await });
            let two = tokio::spawn(async move { outcome(&two, "bob", remove).await });
            (one.await.expect("a task"), two.await.expect("a task"))
        };
        let state = role(&world, "carol").await;
        match (named, removed) {
            (Ok(()), Err(Refusal::Forbidden)) => {
                assert_eq!(state, Some(MemberRole::Administrator));
            }
            (Err(Refusal::NotFound), Ok(())) => assert_eq!(state, None),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_use_of_a_link_lets_one_in() {
    let world = Arc::new(World::new().await);
    team(&world, ChannelChange::default()).await;
    let link = GroupVerb::AddLink {
        max_uses: 1,
        expires_at_ms: 0,
    };
    let made = act(&world, "alice", link).await.expect("made").link;
    let token = made.expect("a link").token;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move { outcome(&world, &format!("new{n}"), by_link(&token)).await })
        })
        .collect();
    let mut joined = 0;
    for task in tasks {
        match task.await.expect("a task") {
            Ok(()) => joined += 1,
            Err(why) => assert_eq!(why, Refusal::NotFound),
        }
    }
    assert_eq!(joined, 1);
    let record = world.im().channel(&key("team")).await.expect("there");
    assert_eq!(record.member_count, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_leaves_while_sending_is_heard_or_refused() {
    let world = Arc::new(World::new().await);
    team(&world, ChannelChange::default()).await;
    let sending = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut accepted = 0;
            for _ in 0..200 {
                match says(&world, "carol").await {
                    Ok(()) => accepted += 1,
                    Err(why) => {
                        assert_eq!(why, Refusal::NotAMember);
                        break;
                    }
                }
            }
            accepted
        })
    };
    tokio::task::yield_now().await;
    act(&world, "carol", GroupVerb::Leave).await.expect("left");
    let accepted = sending.await.expect("a task");
    assert_eq!(chat(&world).await.len().min(100), accepted.min(100));
    assert_eq!(says(&world, "carol").await, Err(Refusal::NotAMember));
}

/// Members by version, with those who have gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_synchronised_by_version() {
    let world = World::new().await;
    team(&world, ChannelChange::default()).await;
    let _away = world.client("alice", "phone", PULLING).await;
    let since = async |version| {
        let rows = world.im().members_since(&key("team"), version, 100).await;
        rows.expect("read")
    };
    let all = since(0).await;
    assert_eq!(all.len(), 4);
    let last = all[3].version;
    act(&world, "dave", GroupVerb::Leave).await.expect("left");
    let rows = since(last).await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.member.user.uid.as_str(), row.state))
        .collect();
    assert_eq!(seen, [("dave", MemberState::Left)]);
}

/// A hundred thousand members: joined, listed by version, and a message reaches those who are
/// there. It prints how long each took.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_a_hundred_thousand() {
    use crosstalk_core::channel::MemberChange;
    use crosstalk_core::id::{Realm, Uid};
    use std::time::Instant;

    const MEMBERS: usize = 100_000;
    let world = World::new().await;
    let uids: Vec<_> = (0..MEMBERS)
        .map(|n| Uid::parse(&format!("u{n}")).expect("a uid"))
        .collect();
    let realm = Realm::default();
    let began = Instant::now();
    let mut users = Vec::new();
    for chunk in uids.chunks(5000) {
        users.extend(world.im().user_refs(&realm, chunk).await.expect("users"));
    }
    println!("users named: {:?}", began.elapsed());
    let began = Instant::now();
    let enter = users.into_iter().map(MemberChange::Enter).collect();
    let count = world.im().change_members(&key("big"), enter).await;
    assert_eq!(count, Ok(100_000));
    println!("joined: {:?}", began.elapsed());
    let began = Instant::now();
    let (mut seen, mut version) = (0, 0);
    loop {
        let rows = world.im().members_since(&key("big"), version, 1000).await;
        let rows = rows.expect("read");
        let Some(last) = rows.last() else { break };
        version = last.version;
        seen += rows.len();
    }
    assert_eq!(seen, MEMBERS);
    println!("listed by version: {:?}", began.elapsed());
    let client = world.client("u77777", "phone", PUSHED).await;
    client.take(&world).await;
    let began = Instant::now();
    let id = world.say("u5", to_group("big")).await;
    world.handed_out(id).await;
    println!("first message: {:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..99 {
        world.say("u5", to_group("big")).await;
    }
    println!("99 messages: {:?}", began.elapsed());
    let taken = client.take(&world).await;
    assert!(taken.iter().any(|message| message.id == id));
    let began = Instant::now();
    let find = MemberQuery {
        keyword: "u99999".to_owned(),
        limit: 10,
        ..MemberQuery::default()
    };
    let found = world.im().find_members(&key("big"), &find).await;
    assert_eq!(found.expect("read").len(), 1);
    println!("found by keyword: {:?}", began.elapsed());
}

//! What devices were given, and what waits for them.

use std::sync::Arc;

use super::room::{Room, open};
use super::{append, group, store, text, user};
use crate::channel::{ChannelKey, ChannelRef, LogKind, MemberChange, MemberRole};
use crate::delivered::{
    DeviceKey, Given, MAX_DEVICES, MAX_UNACKED, Stretch, Waiting, WaitingQuery,
};
use crate::id::{MessageId, Realm, UserNum, UserRef};
use crate::im::Stores;
use crate::log::AppendOutcome;
use crate::message::Origin;

/// The cases of devices, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! devices_contract {
    ($make:path) => {
        $crate::contract_tests!($make, devices:
            what_was_given_adds_up,
            devices_are_told_apart,
            random_histories_are_kept,
            too_many_devices_are_forgotten,
            nothing_waits_where_nothing_was_said,
            what_waits_is_in_the_order_of_the_log,
            pages_go_on_where_they_ended,
            only_what_is_asked_for,
            only_the_newest_of_a_log,
            only_since_the_join,
            direct_channels_and_notes_to_oneself,
            commands_wait_as_well,
            the_newest_are_counted_over_all_logs,
        );
    };
}

fn device(user: i64, origin: u8, id: &str) -> DeviceKey {
    DeviceKey {
        user: UserNum(user),
        origin: Origin(origin),
        id: id.into(),
    }
}

fn stretch(lo: i64, hi: i64) -> Stretch {
    Stretch {
        lo: MessageId(lo),
        hi: MessageId(hi),
    }
}

fn part(lo: i64, hi: i64, unacked: &[i64]) -> Given {
    Given::stretch(stretch(lo, hi), unacked.iter().copied().map(MessageId))
}

async fn absorb(stores: &Stores, batch: Vec<(DeviceKey, Given)>) {
    stores.devices.absorb(batch).await.expect("absorbed");
}

async fn given(stores: &Stores, device: &DeviceKey) -> Option<Given> {
    stores.devices.given(device).await.expect("devices")
}

/// A device is unknown until something is added, and then what was added is one set.
pub async fn what_was_given_adds_up(stores: &Stores) {
    let phone = device(1, 2, "phone");
    assert_eq!(given(stores, &phone).await, None);
    absorb(stores, vec![(phone.clone(), part(10, 20, &[12, 15]))]).await;
    assert_eq!(given(stores, &phone).await, Some(part(10, 20, &[12, 15])));
    // Acknowledged meanwhile, and a stretch beside it; twice is once.
    let more = part(15, 30, &[25]);
    for _ in 0..2 {
        absorb(stores, vec![(phone.clone(), more.clone())]).await;
        assert_eq!(given(stores, &phone).await, Some(part(10, 30, &[12, 25])));
    }
    // Several of one device in one batch.
    let batch = vec![
        (phone.clone(), part(50, 60, &[55])),
        (phone.clone(), part(31, 49, &[])),
        (phone.clone(), part(20, 26, &[])),
    ];
    absorb(stores, batch).await;
    assert_eq!(given(stores, &phone).await, Some(part(10, 60, &[12, 55])));
    absorb(stores, Vec::new()).await;
}

/// User, dialect and id together are the device.
pub async fn devices_are_told_apart(stores: &Stores) {
    let devices = [
        device(1, 2, "a"),
        device(1, 2, "A"),
        device(1, 3, "a"),
        device(2, 2, "a"),
        device(1, 2, "default"),
    ];
    let each = (1..).zip(&devices);
    absorb(
        stores,
        each.clone()
            .map(|(n, device)| (device.clone(), part(n, n, &[])))
            .collect(),
    )
    .await;
    for (n, device) in each {
        assert_eq!(
            given(stores, device).await,
            Some(part(n, n, &[])),
            "{device:?}"
        );
    }
}

/// Whatever comes in whatever order, it is what the set says of it.
pub async fn random_histories_are_kept(stores: &Stores) {
    let tablet = device(7, 4, "tablet");
    let mut expected = Given::default();
    let mut fullest = 0;
    let mut seed = 7_u64;
    let mut random = move |below: i64| {
        // A plain linear congruence: the same history each time.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from(seed >> 33).expect("31 bits") % below
    };
    for round in 0..60 {
        let lo = random(3000);
        // The last one is too much at once.
        let hi = lo + random(if round % 10 == 0 { 1500 } else { 60 }) + 3000 * (round / 59);
        let step = usize::try_from(random(4) + 1).expect("small");
        let unacked: Vec<i64> = (lo..=hi).step_by(step).collect();
        let next = part(lo, hi, &unacked);
        absorb(stores, vec![(tablet.clone(), next.clone())]).await;
        expected.absorb(&next);
        fullest = fullest.max(expected.unacked().count());
        assert_eq!(
            given(stores, &tablet).await.as_ref(),
            Some(&expected),
            "round {round}"
        );
    }
    assert_eq!(fullest, MAX_UNACKED, "the bound was reached");
}

/// Clients may name a new device at each login; those that are in use stay.
pub async fn too_many_devices_are_forgotten(stores: &Stores) {
    let old = device(1, 2, "old but in use");
    absorb(stores, vec![(old.clone(), part(1, 1, &[]))]).await;
    let other = device(1, 3, "of another dialect");
    absorb(stores, vec![(other.clone(), part(1, 1, &[]))]).await;
    for n in 0..i64::from(MAX_DEVICES) + 5 {
        let new = device(1, 2, &format!("new {n}"));
        let batch = vec![
            (new, part(n, n, &[n])),
            (old.clone(), part(1, n.max(1), &[])),
        ];
        absorb(stores, batch).await;
    }
    assert_eq!(given(stores, &device(1, 2, "new 0")).await, None);
    assert_eq!(
        given(stores, &old).await,
        Some(part(1, i64::from(MAX_DEVICES) + 4, &[]))
    );
    let last = device(1, 2, &format!("new {}", MAX_DEVICES + 4));
    assert!(given(stores, &last).await.is_some());
    assert!(given(stores, &other).await.is_some());
}

const ALL: WaitingQuery = WaitingQuery {
    per_log: 10_000,
    messages: 1000,
    bytes: usize::MAX,
    only: None,
};

async fn waiting(
    stores: &Stores,
    user: &UserRef,
    at: &[Stretch],
    query: WaitingQuery,
) -> (Vec<MessageId>, MessageId) {
    let found = stores.devices.waiting(user.num, at.to_vec(), query).await;
    let Waiting { messages, through } = found.expect("waiting");
    for message in &messages {
        // What is found is the message, not only its id.
        let there = stores.log.by_id(message.id).await.expect("by id");
        assert_eq!(there.as_ref(), Some(message));
    }
    (
        messages.into_iter().map(|message| message.id).collect(),
        through,
    )
}

/// Everything that waits for a user.
async fn everything(stores: &Stores, user: &UserRef) -> Vec<MessageId> {
    let at = [stretch(1, i64::MAX - 1)];
    let (ids, through) = waiting(stores, user, &at, ALL).await;
    assert_eq!(through, at[0].hi);
    ids
}

async fn say(
    stores: &Stores,
    log: &Arc<ChannelRef>,
    user: &UserRef,
    times: usize,
) -> Vec<MessageId> {
    let batch = (0..times).map(|_| append(log, user, text("x"))).collect();
    let outcomes = store(&*stores.log, batch).await;
    outcomes.iter().map(stored).collect()
}

fn stored(outcome: &AppendOutcome) -> MessageId {
    match outcome {
        AppendOutcome::Stored { id, .. } => *id,
        other => panic!("not stored: {other:?}"),
    }
}

async fn join(stores: &Stores, log: &ChannelRef, user: &UserRef) {
    let join = MemberChange::Join(user.clone(), MemberRole::Member);
    let changed = stores.channels.change_members(log.num, &[join]).await;
    changed.expect("joined");
}

/// Of one who has no channels, whose channels are silent, and at no positions.
pub async fn nothing_waits_where_nothing_was_said(stores: &Stores) {
    let room = Room::new(stores).await;
    let stranger = user(&*stores.directory, "stranger").await;
    for user in [&stranger, &room.bob] {
        assert!(everything(stores, user).await.is_empty());
        let newest = stores.devices.newest(user.num, MessageId(5), 10).await;
        assert_eq!(newest.expect("newest"), MessageId(5));
    }
    let said = say(stores, &room.log, &room.alice, 2).await;
    assert!(everything(stores, &stranger).await.is_empty());
    let (none, _) = waiting(stores, &room.bob, &[], ALL).await;
    assert!(none.is_empty());
    let after = [stretch(said[1].0 + 1, i64::MAX - 1)];
    assert!(waiting(stores, &room.bob, &after, ALL).await.0.is_empty());
}

/// Over all channels, ascending by id.
pub async fn what_waits_is_in_the_order_of_the_log(stores: &Stores) {
    let room = Room::new(stores).await;
    let mut logs = vec![Arc::clone(&room.log)];
    for id in ["two", "three"] {
        let log = open(stores, &group(id), LogKind::Chat).await;
        join(stores, &log, &room.bob).await;
        logs.push(log);
    }
    let foreign = open(stores, &group("foreign"), LogKind::Chat).await;
    let mut said = Vec::new();
    for n in 0..40 {
        said.extend(say(stores, &logs[n * n % 3], &room.alice, n % 4).await);
        say(stores, &foreign, &room.alice, 1).await;
    }
    assert_eq!(everything(stores, &room.bob).await, said);
    let middle = [stretch(said[10].0, said[20].0)];
    assert_eq!(
        waiting(stores, &room.bob, &middle, ALL).await,
        (said[10..=20].to_vec(), said[20])
    );
}

/// By number of messages and by bytes.
pub async fn pages_go_on_where_they_ended(stores: &Stores) {
    let room = Room::new(stores).await;
    let two = open(stores, &group("two"), LogKind::Chat).await;
    join(stores, &two, &room.bob).await;
    let mut said = Vec::new();
    for n in 0..30 {
        let log = if n % 3 == 0 { &two } else { &room.log };
        said.extend(say(stores, log, &room.alice, 1).await);
    }
    let end = said[29].0 + 100;
    for query in [
        WaitingQuery { messages: 7, ..ALL },
        WaitingQuery { messages: 1, ..ALL },
        // Each weighs a little more than 256.
        WaitingQuery { bytes: 700, ..ALL },
        WaitingQuery { bytes: 1, ..ALL },
    ] {
        // With holes between the pages' ends, and a message that stands alone.
        let mut wanted = vec![stretch(said[2].0, said[12].0)];
        wanted.push(stretch(said[14].0, said[14].0));
        wanted.push(stretch(said[16].0, end));
        let mut found = Vec::new();
        let mut at = wanted.clone();
        while !at.is_empty() {
            let (page, through) = waiting(stores, &room.bob, &at, query).await;
            assert!(page.len() <= query.messages as usize);
            assert!(query.bytes != 700 || page.len() <= 3, "{page:?}");
            found.extend(page);
            at.retain(|at| at.hi > through);
            if let Some(first) = at.first_mut() {
                assert!(through.0 >= wanted[0].lo.0, "it goes on");
                first.lo = first.lo.max(MessageId(through.0 + 1));
            }
        }
        let expected = [&said[2..=12], &said[14..=14], &said[16..]].concat();
        assert_eq!(found, expected, "{query:?}");
    }
}

/// Single positions are messages of the user's channels, or nothing.
pub async fn only_what_is_asked_for(stores: &Stores) {
    let room = Room::new(stores).await;
    let foreign = open(stores, &group("foreign"), LogKind::Chat).await;
    let mine = say(stores, &room.log, &room.alice, 3).await;
    let theirs = say(stores, &foreign, &room.alice, 2).await;
    let alone = |id: MessageId| stretch(id.0, id.0);
    let at = [
        alone(mine[0]),
        alone(mine[2]),
        alone(theirs[0]),
        alone(theirs[1]),
    ];
    assert_eq!(
        waiting(stores, &room.bob, &at, ALL).await,
        (vec![mine[0], mine[2]], theirs[1])
    );
    assert!(
        waiting(stores, &room.bob, &[stretch(1, 1)], ALL)
            .await
            .0
            .is_empty()
    );
}

/// Older ones are history.
pub async fn only_the_newest_of_a_log(stores: &Stores) {
    let room = Room::new(stores).await;
    let two = open(stores, &group("two"), LogKind::Chat).await;
    join(stores, &two, &room.bob).await;
    let few = say(stores, &two, &room.alice, 4).await;
    let many = say(stores, &room.log, &room.alice, 20).await;
    let at = [stretch(1, i64::MAX - 1)];
    let query = WaitingQuery { per_log: 5, ..ALL };
    let (found, _) = waiting(stores, &room.bob, &at, query).await;
    assert_eq!(found, [&few[..], &many[15..]].concat());
}

/// What was said before the last join, or after leaving, waits for nobody.
pub async fn only_since_the_join(stores: &Stores) {
    let room = Room::new(stores).await;
    say(stores, &room.log, &room.alice, 3).await;
    let carol = user(&*stores.directory, "carol").await;
    join(stores, &room.log, &carol).await;
    let first = say(stores, &room.log, &room.alice, 2).await;
    assert_eq!(everything(stores, &carol).await, first);
    room.leave(&carol).await;
    assert!(everything(stores, &carol).await.is_empty());
    let single = [stretch(first[0].0, first[0].0)];
    assert!(waiting(stores, &carol, &single, ALL).await.0.is_empty());
    say(stores, &room.log, &room.alice, 2).await;
    join(stores, &room.log, &carol).await;
    let last = say(stores, &room.log, &room.alice, 2).await;
    assert_eq!(everything(stores, &carol).await, last);
    assert!(waiting(stores, &carol, &single, ALL).await.0.is_empty());
}

/// Both sides have what either says.
pub async fn direct_channels_and_notes_to_oneself(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let mut said = Vec::new();
    for (one, other) in [(&alice, &bob), (&alice, &alice), (&bob, &alice)] {
        let key = ChannelKey::direct(&Realm::default(), &one.uid, &other.uid);
        let log = open(stores, &key, LogKind::Chat).await;
        let mut item = append(&log, one, text("x"));
        item.first_contact = [one.num, other.num].into();
        said.push(stored(&store(&*stores.log, vec![item]).await[0]));
    }
    assert_eq!(everything(stores, &alice).await, said);
    assert_eq!(everything(stores, &bob).await, [said[0], said[2]]);
}

/// The command log of a channel waits for its members, since they joined.
pub async fn commands_wait_as_well(stores: &Stores) {
    let room = Room::new(stores).await;
    let commands = open(stores, &group("g"), LogKind::Command).await;
    let mut said = say(stores, &commands, &room.alice, 2).await;
    said.extend(say(stores, &room.log, &room.alice, 1).await);
    let carol = user(&*stores.directory, "carol").await;
    join(stores, &room.log, &carol).await;
    let later = say(stores, &commands, &room.alice, 2).await;
    said.extend(&later);
    assert_eq!(everything(stores, &room.bob).await, said);
    assert_eq!(everything(stores, &carol).await, later);
    for (only, expected) in [
        (LogKind::Command, vec![0, 1, 3, 4]),
        (LogKind::Chat, vec![2]),
    ] {
        let query = WaitingQuery {
            only: Some(only),
            ..ALL
        };
        let at = [stretch(1, i64::MAX - 1)];
        let found = waiting(stores, &room.bob, &at, query).await;
        let expected = expected.into_iter().map(|n: usize| said[n]).collect();
        assert_eq!(found, (expected, at[0].hi), "{only:?}");
    }
    // One position, which is a chat message's.
    let single = [stretch(said[2].0, said[2].0)];
    let query = WaitingQuery {
        only: Some(LogKind::Command),
        ..ALL
    };
    let found = waiting(stores, &room.bob, &single, query).await;
    assert_eq!(found.0, []);
    room.leave(&carol).await;
    assert!(everything(stores, &carol).await.is_empty());
    let direct = ChannelKey::direct(&Realm::default(), &room.alice.uid, &carol.uid);
    let chat = open(stores, &direct, LogKind::Chat).await;
    let mut hello = append(&chat, &room.alice, text("x"));
    hello.first_contact = [room.alice.num, carol.num].into();
    let mut between = vec![stored(&store(&*stores.log, vec![hello]).await[0])];
    let commands = open(stores, &direct, LogKind::Command).await;
    between.extend(say(stores, &commands, &room.alice, 1).await);
    assert_eq!(everything(stores, &carol).await, between);
}

/// A place below which nothing is to be offered to a device that was never seen.
pub async fn the_newest_are_counted_over_all_logs(stores: &Stores) {
    let room = Room::new(stores).await;
    let two = open(stores, &group("two"), LogKind::Chat).await;
    say(stores, &two, &room.alice, 2).await;
    join(stores, &two, &room.bob).await;
    let mut said = Vec::new();
    for n in 0..12 {
        let log = if n % 4 == 1 { &two } else { &room.log };
        said.extend(say(stores, log, &room.alice, 1).await);
    }
    for (after, count) in [(0, 5), (0, 12), (0, 100), (3, 12), (8, 2), (11, 1), (0, 0)] {
        let from = if after == 0 {
            MessageId(1)
        } else {
            said[after - 1]
        };
        let floor = stores.devices.newest(room.bob.num, from, count).await;
        let floor = floor.expect("newest");
        assert!(floor >= from);
        let at = [stretch(floor.0 + 1, i64::MAX - 1)];
        let (found, _) = waiting(stores, &room.bob, &at, ALL).await;
        let expected = said[after..].len().min(count as usize);
        assert_eq!(found, said[12 - expected..], "{count} after {after}");
    }
}

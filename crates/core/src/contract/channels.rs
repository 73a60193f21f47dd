//! Channels: names, settings and access lists.

use std::sync::Arc;

use super::{group, user};
use crate::channel::{
    ChannelChange, ChannelKey, ChannelKind, ChannelSettings, HistoryFrom, List, ListChange,
    LogKind, MemberChange, MemberRole,
};
use crate::id::{Realm, Uid, UserNum};
use crate::im::Stores;

/// The cases of channels and members, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! channels_contract {
    ($make:path) => {
        $crate::contract_tests!($make, channels:
            a_channel_is_made_once,
            a_channel_is_made_with_its_members,
            the_command_log_brings_the_chat_log,
            names_are_told_apart,
            many_openers_get_one_channel,
            settings_change_one_by_one,
            lists_are_sets,
        );
        $crate::contract_tests!($make, members:
            members_come_and_go,
            members_are_paged_by_number,
            a_join_is_at_the_head,
            there_is_one_owner,
            entering_keeps_the_role,
            one_change_may_name_somebody_twice,
            a_user_finds_their_channels,
            changes_beside_each_other_keep_the_count,
            members_have_names_and_are_muted,
            members_are_listed_by_version,
            members_are_found,
            many_members_fit,
        );
    };
}

/// Nothing there, then made, then the same one.
pub async fn a_channel_is_made_once(stores: &Stores) {
    let channels = &stores.channels;
    let key = group("g");
    assert_eq!(
        channels
            .open(&key, LogKind::Chat, false)
            .await
            .expect("open"),
        None
    );
    assert_eq!(channels.record(&key).await.expect("record"), None);
    let made = channels
        .open(&key, LogKind::Chat, true)
        .await
        .expect("open")
        .expect("made");
    assert_eq!((&made.key, made.log), (&key, LogKind::Chat));
    let again = channels
        .open(&key, LogKind::Chat, false)
        .await
        .expect("open");
    assert_eq!(again.as_ref(), Some(&made));
    assert_eq!(
        channels
            .open(&key, LogKind::Command, false)
            .await
            .expect("open"),
        None
    );
    let record = channels.record(&key).await.expect("record").expect("there");
    assert_eq!(record.channel, made);
    assert_eq!(record.settings, ChannelSettings::default());
    assert_eq!(record.member_count, 0);
}

/// What it is and who belongs to it come together, once.
pub async fn a_channel_is_made_with_its_members(stores: &Stores) {
    let channels = &stores.channels;
    let key = group("g");
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let change = ChannelChange {
        name: Some("n".to_owned()),
        ..ChannelChange::default()
    };
    let members = [
        MemberChange::Enter(bob),
        MemberChange::Join(alice.clone(), MemberRole::Owner),
    ];
    let made = channels.create(&key, &change, &members).await;
    let (record, changed) = made.expect("create").expect("made");
    assert_eq!((record.member_count, changed.joined.len()), (2, 2));
    assert_eq!(record.settings.name.as_deref(), Some("n"));
    let read = channels.record(&key).await.expect("record");
    assert_eq!(read.as_ref(), Some(&record));
    let num = record.channel.num;
    let owner = channels.member(num, alice.num).await.expect("read");
    assert_eq!(owner.expect("a member").role, MemberRole::Owner);

    let other = ChannelChange {
        name: Some("other".to_owned()),
        ..ChannelChange::default()
    };
    let again = channels.create(&key, &other, &members).await;
    assert_eq!(again.expect("create"), None);
    assert_eq!(channels.record(&key).await.expect("record"), Some(record));
}

/// A channel with a command log has a chat log, which is another one.
pub async fn the_command_log_brings_the_chat_log(stores: &Stores) {
    let channels = &stores.channels;
    let key = group("g");
    let command = channels
        .open(&key, LogKind::Command, true)
        .await
        .expect("open")
        .expect("made");
    let chat = channels
        .open(&key, LogKind::Chat, false)
        .await
        .expect("open")
        .expect("there");
    assert_ne!(command.num, chat.num);
    assert_eq!((command.log, chat.log), (LogKind::Command, LogKind::Chat));
    let record = channels.record(&key).await.expect("record").expect("there");
    assert_eq!(record.channel, chat);
}

/// Realm, kind and id each make another channel; ids differ by case.
pub async fn names_are_told_apart(stores: &Stores) {
    let realm = Realm::parse("other").expect("a realm");
    let uid = |text| Uid::parse(text).expect("a uid");
    let keys = [
        group("g"),
        group("G"),
        ChannelKey {
            realm,
            ..group("g")
        },
        ChannelKey {
            kind: ChannelKind::COMMUNITY,
            ..group("g")
        },
        ChannelKey::direct(&Realm::default(), &uid("a"), &uid("b")),
        ChannelKey {
            kind: ChannelKind::CUSTOMER_SERVICE,
            ..group("a|b")
        },
    ];
    let mut nums = Vec::new();
    for key in &keys {
        let made = stores
            .channels
            .open(key, LogKind::Chat, true)
            .await
            .expect("open");
        let made = made.expect("made");
        assert_eq!(made.key, *key);
        nums.push(made.num);
    }
    nums.sort_unstable();
    nums.dedup();
    assert_eq!(nums.len(), keys.len());
}

/// Whoever opens at the same time gets the same channel.
pub async fn many_openers_get_one_channel(stores: &Stores) {
    let openers: Vec<_> = (0..12)
        .map(|n| {
            let channels = Arc::clone(&stores.channels);
            let log = if n % 2 == 0 {
                LogKind::Chat
            } else {
                LogKind::Command
            };
            tokio::spawn(async move { (log, channels.open(&group("g"), log, true).await) })
        })
        .collect();
    let mut nums = Vec::new();
    for opener in openers {
        let (log, opened) = opener.await.expect("an opener");
        nums.push((log as u8, opened.expect("open").expect("made").num));
    }
    nums.sort_unstable();
    nums.dedup();
    assert_eq!(nums.len(), 2, "one number per log: {nums:?}");
}

/// What a change does not name stays; the first change makes the channel.
pub async fn settings_change_one_by_one(stores: &Stores) {
    let channels = &stores.channels;
    let key = group("g");
    let change = ChannelChange {
        name: Some("名字 \"quoted\"".to_owned()),
        history: Some(HistoryFrom::SinceJoin),
        ..ChannelChange::default()
    };
    let first = channels.put(&key, &change).await.expect("put");
    let mut expected = ChannelSettings {
        name: Some("名字 \"quoted\"".to_owned()),
        history: HistoryFrom::SinceJoin,
        ..ChannelSettings::default()
    };
    assert_eq!(first.settings, expected);
    let change = ChannelChange {
        ban: Some(true),
        send_ban: Some(true),
        large: Some(true),
        allow_stranger: Some(true),
        disband: Some(true),
        ..ChannelChange::default()
    };
    let second = channels.put(&key, &change).await.expect("put");
    change.apply(&mut expected);
    assert_eq!(second.settings, expected);
    let record = channels.record(&key).await.expect("record").expect("there");
    assert_eq!(record, second);
    assert_eq!(record.channel, first.channel);
    let member = user(&*stores.directory, "alice").await;
    let join = MemberChange::Join(member, MemberRole::Member);
    channels
        .change_members(record.channel.num, &[join])
        .await
        .expect("joined");
    let third = channels
        .put(&key, &ChannelChange::default())
        .await
        .expect("put");
    assert_eq!((third.settings, third.member_count), (expected, 1));
}

/// Two sets per channel, changed by adding, removing and replacing.
pub async fn lists_are_sets(stores: &Stores) {
    use List::{Allow, Deny};
    use ListChange::{Add, Remove, Set};
    let channels = &stores.channels;
    let open = |id: &'static str| async move {
        let opened = channels
            .open(&group(id), LogKind::Chat, true)
            .await
            .expect("open");
        opened.expect("made").num
    };
    let (one, other) = (open("one").await, open("other").await);
    let users = |nums: &[i64]| nums.iter().map(|num| UserNum(*num)).collect::<Vec<_>>();
    type Step = (
        List,
        ListChange,
        &'static [i64],
        &'static [i64],
        &'static [i64],
    );
    let steps: &[Step] = &[
        (Deny, Add, &[1, 2, 2], &[1, 2], &[]),
        (Allow, Add, &[2, 3], &[1, 2], &[2, 3]),
        (Deny, Add, &[2], &[1, 2], &[2, 3]),
        (Deny, Remove, &[2, 9], &[1], &[2, 3]),
        (Allow, Set, &[7, 2], &[1], &[2, 7]),
        (Deny, Set, &[], &[], &[2, 7]),
        (Allow, Remove, &[], &[], &[2, 7]),
    ];
    for (step, (list, change, named, denied, allowed)) in steps.iter().enumerate() {
        channels
            .change_list(one, *list, *change, &users(named))
            .await
            .expect("changed");
        let found = channels.lists(one).await.expect("lists");
        for (list, expected) in [(Deny, denied), (Allow, allowed)] {
            let on_list = found.iter().filter(|(on, _)| *on == list);
            let mut nums: Vec<i64> = on_list.map(|(_, user)| user.0).collect();
            nums.sort_unstable();
            assert_eq!(nums, **expected, "step {step}, {list:?}");
        }
    }
    assert!(channels.lists(other).await.expect("lists").is_empty());
}

//! The access rules as a table: each row changes a few facts of an ordinary send.

use super::*;

/// An ordinary send by a member without any list.
fn ordinary(kind: ChannelKind) -> Facts {
    Facts {
        kind,
        fault: None,
        sender_is_system: false,
        sender_banned: false,
        sender_send_ban: false,
        banned: false,
        disbanded: false,
        muted_for_all: false,
        sender_moderates: false,
        sender_muted: false,
        takes_part: false,
        peer_known: true,
        peer_is_system: false,
        denied: false,
        is_member: true,
        allow_list_in_force: false,
        allow_listed: false,
    }
}

type Case = (
    &'static str,
    ChannelKind,
    fn(&mut Facts),
    Result<(), Refusal>,
);

const DIRECT: ChannelKind = ChannelKind::DIRECT;
const GROUP: ChannelKind = ChannelKind::GROUP;

const TABLE: &[Case] = &[
    ("a stranger writes", DIRECT, |f| f.is_member = false, Ok(())),
    ("a member writes", GROUP, |_| {}, Ok(())),
    (
        "a non-member writes",
        GROUP,
        |f| f.is_member = false,
        Err(Refusal::NotAMember),
    ),
    (
        "banned user",
        DIRECT,
        |f| f.sender_banned = true,
        Err(Refusal::ChannelBanned),
    ),
    (
        "send ban",
        DIRECT,
        |f| f.sender_send_ban = true,
        Err(Refusal::SendBanned),
    ),
    (
        "send ban is before the fault",
        DIRECT,
        |f| {
            f.sender_send_ban = true;
            f.fault = Some(Refusal::UndecodableContent);
        },
        Err(Refusal::SendBanned),
    ),
    (
        "the fault is before the ban",
        GROUP,
        |f| {
            f.fault = Some(Refusal::UndecodableContent);
            f.banned = true;
        },
        Err(Refusal::UndecodableContent),
    ),
    (
        "banned group",
        GROUP,
        |f| f.banned = true,
        Err(Refusal::ChannelBanned),
    ),
    (
        "banned peer",
        DIRECT,
        |f| f.banned = true,
        Err(Refusal::ChannelBanned),
    ),
    (
        "ban is before disband",
        GROUP,
        |f| {
            f.banned = true;
            f.disbanded = true;
        },
        Err(Refusal::ChannelBanned),
    ),
    (
        "disbanded",
        GROUP,
        |f| f.disbanded = true,
        Err(Refusal::ChannelDisbanded),
    ),
    (
        "disbanded binds the system too",
        GROUP,
        |f| {
            f.disbanded = true;
            f.sender_is_system = true;
        },
        Err(Refusal::ChannelDisbanded),
    ),
    (
        "public kinds ignore ban and disband",
        ChannelKind::INFO,
        |f| {
            f.banned = true;
            f.disbanded = true;
            f.is_member = false;
        },
        Ok(()),
    ),
    (
        "customer service is open",
        ChannelKind::CUSTOMER_SERVICE,
        |f| f.is_member = false,
        Ok(()),
    ),
    (
        "one of an agent channel's two",
        ChannelKind::AGENT,
        |f| {
            f.is_member = false;
            f.takes_part = true;
        },
        Ok(()),
    ),
    (
        "an outsider in an agent channel",
        ChannelKind::AGENT,
        |f| f.is_member = false,
        Err(Refusal::NotAMember),
    ),
    (
        "a visitor in the own channel",
        ChannelKind::VISITORS,
        |f| {
            f.is_member = false;
            f.takes_part = true;
        },
        Ok(()),
    ),
    (
        "taking part by id means nothing in a group",
        GROUP,
        |f| {
            f.is_member = false;
            f.takes_part = true;
        },
        Err(Refusal::NotAMember),
    ),
    (
        "the system passes membership, deny and allow lists",
        GROUP,
        |f| {
            f.sender_is_system = true;
            f.is_member = false;
            f.denied = true;
            f.allow_list_in_force = true;
        },
        Ok(()),
    ),
    (
        "a system peer is never blocked",
        DIRECT,
        |f| {
            f.peer_is_system = true;
            f.denied = true;
        },
        Ok(()),
    ),
    (
        "unknown peer",
        DIRECT,
        |f| f.peer_known = false,
        Err(Refusal::NoSuchUser),
    ),
    (
        "blocked by the peer",
        DIRECT,
        |f| f.denied = true,
        Err(Refusal::Blocked),
    ),
    (
        "deny is before membership",
        GROUP,
        |f| {
            f.denied = true;
            f.is_member = false;
        },
        Err(Refusal::Blocked),
    ),
    (
        "friends only, a stranger",
        DIRECT,
        |f| f.allow_list_in_force = true,
        Err(Refusal::NotAllowListed),
    ),
    (
        "friends only, a friend",
        DIRECT,
        |f| {
            f.allow_list_in_force = true;
            f.allow_listed = true;
        },
        Ok(()),
    ),
    (
        "allow list of a group, not on it",
        GROUP,
        |f| f.allow_list_in_force = true,
        Err(Refusal::NotAllowListed),
    ),
    (
        "allow list of a group, on it",
        GROUP,
        |f| {
            f.allow_list_in_force = true;
            f.allow_listed = true;
        },
        Ok(()),
    ),
    (
        "on the allow list but no member",
        GROUP,
        |f| {
            f.allow_list_in_force = true;
            f.allow_listed = true;
            f.is_member = false;
        },
        Err(Refusal::NotAMember),
    ),
    (
        "muted channel",
        GROUP,
        |f| f.muted_for_all = true,
        Err(Refusal::Muted),
    ),
    (
        "an administrator in a muted channel",
        GROUP,
        |f| {
            f.muted_for_all = true;
            f.sender_moderates = true;
        },
        Ok(()),
    ),
    (
        "muted member",
        GROUP,
        |f| f.sender_muted = true,
        Err(Refusal::Muted),
    ),
];

#[test]
fn every_row_of_the_table_holds() {
    for (name, kind, change, expected) in TABLE {
        let mut facts = ordinary(*kind);
        change(&mut facts);
        assert_eq!(judge(&facts), *expected, "{name}");
    }
}

#[test]
fn every_rule_decides_some_row() {
    for (at, rule) in RULES.iter().enumerate() {
        let decides = TABLE.iter().any(|(_, kind, change, _)| {
            let mut facts = ordinary(*kind);
            change(&mut facts);
            let first = RULES
                .iter()
                .position(|r| (r.check)(&facts) != Verdict::Next);
            first == Some(at)
        });
        assert!(
            decides,
            "no row of the table is decided by the rule {:?}",
            rule.name
        );
    }
}

//! The plan of each scenario that has clients.

use super::{Flow, Names, Plan, Sender, Speed};
use crate::dialect::{Address, Group};
use crate::options::{
    DirectOptions, FanoutOptions, GroupOptions, IdleOptions, LoadOptions, MixedOptions,
    StormOptions,
};

/// Pairs: clients 0 and 1, 2 and 3, and so on.
pub(crate) fn direct(options: &DirectOptions, names: &Names) -> Plan {
    let clients = options.pairs * 2;
    let senders = pairs(clients, options.duplex, names);
    Plan {
        logins: names.logins(clients),
        groups: Vec::new(),
        flows: vec![flow(&options.load, senders)],
    }
}

fn pairs(clients: u32, is_duplex: bool, names: &Names) -> Vec<Sender> {
    let writers = (0..clients).filter(|index| is_duplex || index % 2 == 0);
    writers
        .map(|index| {
            let other = index ^ 1;
            Sender {
                index,
                to: Address::User(names.uid(other)),
                audience: other..other + 1,
            }
        })
        .collect()
}

fn flow(load: &LoadOptions, senders: Vec<Sender>) -> Flow {
    Flow {
        speed: Speed::of(load),
        count: load.count,
        senders,
    }
}

/// Groups of neighbours; members beyond those who are online never connect.
pub(crate) fn group(options: &GroupOptions, names: &Names) -> Plan {
    let online = options.online.unwrap_or(options.members);
    let size = Size {
        groups: options.groups,
        members: options.members,
        online,
        senders: options.senders,
    };
    groups(&size, &options.load, names)
}

/// One group.
pub(crate) fn fanout(options: &FanoutOptions, names: &Names) -> Plan {
    let size = Size {
        groups: 1,
        members: options.members,
        online: options.online,
        senders: options.senders,
    };
    groups(&size, &options.load, names)
}

struct Size {
    groups: u32,
    members: u32,
    online: u32,
    senders: u32,
}

fn groups(size: &Size, load: &LoadOptions, names: &Names) -> Plan {
    let online = |group: u32| group * size.online..(group + 1) * size.online;
    let away_each = size.members - size.online;
    let groups = (0..size.groups).map(|group| {
        let here = online(group).map(|index| names.uid(index));
        let away = group * away_each..(group + 1) * away_each;
        let away = away.map(|number| names.absent(number));
        Group {
            id: names.group(group),
            members: here.chain(away).collect(),
        }
    });
    let senders = (0..size.groups).flat_map(|group| {
        online(group)
            .take(size.senders as usize)
            .map(move |index| Sender {
                index,
                to: Address::Group(names.group(group)),
                audience: online(group),
            })
    });
    Plan {
        logins: names.logins(size.groups * size.online),
        groups: groups.collect(),
        flows: vec![flow(load, senders.collect())],
    }
}

/// Clients that say nothing.
pub(crate) fn idle(options: &IdleOptions, names: &Names) -> Plan {
    Plan {
        logins: names.logins(options.connections),
        groups: Vec::new(),
        flows: Vec::new(),
    }
}

/// Users in pairs, all in a group, too; each group has one more client that
/// writes to it and does nothing else.
pub(crate) fn mixed(options: &MixedOptions, names: &Names) -> Plan {
    let users = options.users;
    let (groups, writers) = written_groups(users, options.members, names);
    let rated = |share, senders| Flow {
        speed: Speed::Rate(options.rate_of(share)),
        count: None,
        senders,
    };
    let flows = [
        (options.direct, pairs(users, true, names)),
        (options.group, writers),
    ];
    let flows = flows.into_iter().filter(|(share, _)| *share > 0);
    Plan {
        logins: names.logins(users + groups.len() as u32),
        groups,
        flows: flows
            .map(|(share, senders)| rated(share, senders))
            .collect(),
    }
}

/// Clients in groups, and a writer of each who stays when they go.
pub(crate) fn storm(options: &StormOptions, names: &Names) -> Plan {
    let (groups, senders) = written_groups(options.clients, options.members, names);
    let flow = Flow {
        speed: Speed::Rate(options.rate),
        count: None,
        senders,
    };
    Plan {
        logins: names.logins(options.clients + groups.len() as u32),
        groups,
        flows: vec![flow],
    }
}

/// The first `users` clients in groups of neighbours, and the clients after
/// them as the groups' writers.
fn written_groups(users: u32, members: u32, names: &Names) -> (Vec<Group>, Vec<Sender>) {
    let each = (0..users.div_ceil(members)).map(|number| {
        let readers = number * members..users.min((number + 1) * members);
        let writer = users + number;
        let uids = readers.clone().chain([writer]).map(|it| names.uid(it));
        let id = names.group(number);
        let group = Group {
            id: id.clone(),
            members: uids.collect(),
        };
        let sender = Sender {
            index: writer,
            to: Address::Group(id),
            audience: readers,
        };
        (group, sender)
    });
    each.unzip()
}

//! Who talks to whom.
//!
//! A plan names the clients by index. Those who get what a client sends are
//! always neighbours, so that a range tells them.

use std::ops::Range;

use crate::dialect::{Address, Group, Login};
use crate::options::{DirectOptions, GroupOptions};

/// Clients, groups and senders of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Who connects.
    pub(crate) logins: Vec<Login>,
    pub(crate) groups: Vec<Group>,
    pub(crate) senders: Vec<Sender>,
}

/// A client that sends.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) index: u32,
    pub(crate) to: Address,
    /// Who must get it, by index; the sender itself does not.
    pub(crate) audience: Range<u32>,
}

/// Names and secrets of one run's users, so that runs on the same server do
/// not meet.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) run: u32,
    pub(crate) secret: String,
}

impl Names {
    fn uid(&self, index: u32) -> String {
        format!("b{:08x}-{index}", self.run)
    }

    /// So many users who will connect.
    pub(crate) fn logins(&self, count: u32) -> Vec<Login> {
        let login = |index| Login {
            uid: self.uid(index),
            token: format!("{}-{index}", self.secret),
        };
        (0..count).map(login).collect()
    }
}

/// Pairs: clients 0 and 1, 2 and 3, and so on.
pub(crate) fn direct(options: &DirectOptions, names: &Names) -> Plan {
    let clients = options.pairs * 2;
    let senders = (0..clients)
        .filter(|index| options.duplex || index % 2 == 0)
        .map(|index| {
            let other = index ^ 1;
            Sender {
                index,
                to: Address::User(names.uid(other)),
                audience: other..other + 1,
            }
        });
    Plan {
        logins: names.logins(clients),
        groups: Vec::new(),
        senders: senders.collect(),
    }
}

/// Groups of neighbours; members beyond those who are online never connect.
pub(crate) fn group(options: &GroupOptions, names: &Names) -> Plan {
    let online = options.online.unwrap_or(options.members);
    let id = |group| format!("b{:08x}-g{group}", names.run);
    let groups = (0..options.groups).map(|group| {
        let here = (group * online..(group + 1) * online).map(|index| names.uid(index));
        let away = (online..options.members).map(|at| format!("{}-away{at}", id(group)));
        Group {
            id: id(group),
            members: here.chain(away).collect(),
        }
    });
    let senders = (0..options.groups).flat_map(|group| {
        let audience = group * online..(group + 1) * online;
        audience
            .clone()
            .take(options.senders as usize)
            .map(move |index| Sender {
                index,
                to: Address::Group(id(group)),
                audience: audience.clone(),
            })
    });
    Plan {
        logins: names.logins(options.groups * online),
        groups: groups.collect(),
        senders: senders.collect(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::options::{Options, Scenario};

    fn plan(line: &str) -> Plan {
        let words = std::iter::once("crosstalk-bench").chain(line.split_whitespace());
        let names = Names {
            run: 0xab,
            secret: "s".to_owned(),
        };
        match Options::try_parse_from(words).expect(line).scenario {
            Scenario::Direct(options) => direct(&options, &names),
            Scenario::Group(options) => group(&options, &names),
            Scenario::Idle(_) => panic!("no plan"),
        }
    }

    fn senders(plan: &Plan) -> Vec<String> {
        let shown = |sender: &Sender| {
            let (Address::User(to) | Address::Group(to)) = &sender.to;
            format!("{}>{to}={:?}", sender.index, sender.audience)
        };
        plan.senders.iter().map(shown).collect()
    }

    #[test]
    fn one_of_each_pair_writes_or_both() {
        let one_way = plan("direct --pairs 2");
        assert_eq!(one_way.logins.len(), 4);
        assert_eq!(
            senders(&one_way),
            ["0>b000000ab-1=1..2", "2>b000000ab-3=3..4"]
        );
        let both = plan("direct --pairs 1 --duplex");
        assert_eq!(senders(&both), ["0>b000000ab-1=1..2", "1>b000000ab-0=0..1"]);
    }

    #[test]
    fn groups_share_nobody() {
        let plan = plan("group --groups 2 --members 4 --online 3 --senders 2");
        assert_eq!(plan.logins.len(), 6);
        assert_eq!(plan.groups[1].id, "b000000ab-g1");
        let members = [
            "b000000ab-3",
            "b000000ab-4",
            "b000000ab-5",
            "b000000ab-g1-away3",
        ];
        assert_eq!(plan.groups[1].members, members);
        let expected = [
            "0>b000000ab-g0=0..3",
            "1>b000000ab-g0=0..3",
            "3>b000000ab-g1=3..6",
            "4>b000000ab-g1=3..6",
        ];
        assert_eq!(senders(&plan), expected);
    }
}

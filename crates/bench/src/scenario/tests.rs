//! Who is in which plan.

use clap::Parser as _;

use super::*;
use crate::options::{Command, Options, Scenario};

fn plan(line: &str) -> Plan {
    let words = std::iter::once("crosstalk-bench").chain(line.split_whitespace());
    let names = Names {
        run: 0xab,
        secret: "s".to_owned(),
    };
    let Command::Run(scenario) = Options::try_parse_from(words).expect(line).command else {
        panic!("no scenario")
    };
    match scenario {
        Scenario::Direct(options) => direct(&options, &names),
        Scenario::Group(options) => group(&options, &names),
        Scenario::Fanout(options) => fanout(&options, &names),
        Scenario::Idle(options) => idle(&options, &names),
        Scenario::Mixed(options) => mixed(&options, &names),
        Scenario::Storm(options) => storm(&options, &names),
        Scenario::Sync(_) => panic!("no plan"),
    }
}

fn senders(plan: &Plan) -> Vec<String> {
    let shown = |sender: &Sender| {
        let (Address::User(to) | Address::Group(to)) = &sender.to;
        format!("{}>{to}={:?}", sender.index, sender.audience)
    };
    plan.senders().map(shown).collect()
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
    assert_eq!(
        (one_way.rate(), both.flows[0].speed),
        (None, Speed::Window(16))
    );
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
        "b000000ab-away1",
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

#[test]
fn who_will_connect_knows_its_groups() {
    let mut plan = plan("group --groups 2 --members 4 --online 3");
    plan.enrol();
    let groups: Vec<&[String]> = plan.logins.iter().map(|it| &it.groups[..]).collect();
    let [first, second] = ["b000000ab-g0".to_owned(), "b000000ab-g1".to_owned()];
    let (first, second) = ([first], [second]);
    assert_eq!(groups[..3], [&first[..]; 3]);
    assert_eq!(groups[3..], [&second[..]; 3]);
}

#[test]
fn a_fanout_is_one_group() {
    let plan = plan("fanout --members 10 --online 3 --senders 1 --rate 7");
    assert_eq!((plan.logins.len(), plan.groups.len()), (3, 1));
    assert_eq!(plan.groups[0].members.len(), 10);
    assert_eq!(senders(&plan), ["0>b000000ab-g0=0..3"]);
    assert_eq!(plan.rate(), Some(7));
}

#[test]
fn writers_of_a_storm_stay_apart() {
    let plan = plan("storm --clients 5 --members 3 --rate 9");
    assert_eq!(plan.logins.len(), 7);
    let last = ["b000000ab-3", "b000000ab-4", "b000000ab-6"];
    assert_eq!(plan.groups[1].members, last);
    assert_eq!(
        senders(&plan),
        ["5>b000000ab-g0=0..3", "6>b000000ab-g1=3..5"]
    );
    assert_eq!(plan.rate(), Some(9));
}

#[test]
fn a_mix_has_flows_by_its_proportions() {
    let line = "mixed --users 4 --members 4 --rate 100 --direct 50 --group 25 --reads 25 \
                --syncs 0 --histories 0 --reconnects 0";
    let plan = plan(line);
    assert_eq!(plan.logins.len(), 5);
    let speeds: Vec<Speed> = plan.flows.iter().map(|flow| flow.speed).collect();
    assert_eq!(speeds, [Speed::Rate(50), Speed::Rate(25)]);
    let expected = [
        "0>b000000ab-1=1..2",
        "1>b000000ab-0=0..1",
        "2>b000000ab-3=3..4",
        "3>b000000ab-2=2..3",
        "4>b000000ab-g0=0..4",
    ];
    assert_eq!(senders(&plan), expected);
    let one_kind = line.replace("--group 25", "--group 0");
    assert_eq!(super::tests::plan(&one_kind).flows.len(), 1);
}

//! What can be typed, and what is refused.

use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Options, String> {
    let words = line.split_whitespace();
    let options = Options::try_parse_from(std::iter::once("crosstalk-bench").chain(words));
    let options = options.map_err(|error| error.to_string())?;
    options.check().map(|()| options)
}

fn scenario(line: &str) -> Scenario {
    match parse(line).expect(line).command {
        Command::Run(scenario) => scenario,
        Command::Compare(_) => panic!("{line} is no scenario"),
    }
}

#[test]
fn the_command_line_is_consistent() {
    Options::command().debug_assert();
}

#[test]
fn server_options_stand_before_or_after_the_scenario() {
    for line in [
        "--transport ws --verify direct --pairs 3",
        "direct --pairs 3 --verify --transport ws",
    ] {
        let options = parse(line).expect(line);
        assert_eq!(options.server.transport(), Transport::Ws);
        assert!(options.server.verify);
        assert!(matches!(scenario(line), Scenario::Direct(it) if it.pairs == 3));
    }
}

#[test]
fn contradictions_and_excesses_are_refused() {
    for line in [
        "",
        "direct --rate 5 --window 5",
        "direct --payload 10",
        "direct --seconds 0",
        "direct --pairs 100000000",
        "group --members 10 --online 11",
        "group --members 10 --online 5 --senders 6",
        "group --groups 100000 --members 100",
        "fanout --members 10",
        "fanout --members 10 --online 4 --senders 5",
        "idle --version 7",
        "idle --dialect stomp --transport tcp",
        "idle --dialect wg --version 5",
        "idle --dialect mqtt --version 6",
        "sync --dialect mqtt",
        "mixed --dialect gyyx",
        "storm --dialect wg",
        "direct --dialect smtp",
        "idle --admin-key a --admin-key-file b",
        "sync --conversations 10 --groups 11",
        "sync --conversations 100000 --messages 10000",
        "sync --page 501",
        "mixed --users 3",
        "mixed --direct 0 --group 0",
        "mixed --rate 50",
        "storm --clients 0",
        "compare",
        "compare --b x.json",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn each_dialect_has_its_transport_and_version() {
    let of = |line: &str| {
        let server = parse(line).expect(line).server;
        (server.transport().name(), server.version())
    };
    assert_eq!(of("direct"), ("tcp", 5));
    assert_eq!(of("direct --dialect wukong --version 6"), ("tcp", 6));
    assert_eq!(of("direct --dialect mqtt --version 4"), ("tcp", 4));
    assert_eq!(of("direct --dialect mqtt --transport ws"), ("ws", 5));
    for name in ["stomp", "gyyx", "wg"] {
        for scenario in ["direct", "group", "fanout", "idle"] {
            let line = format!("{scenario} --dialect {name}");
            assert_eq!(of(&line).0, "ws", "{line}");
            assert_eq!(parse(&line).expect("good").server.dialect.name(), name);
        }
    }
}

#[test]
fn a_count_gets_a_longer_bound() {
    let seconds = |line| match scenario(line) {
        Scenario::Direct(direct) => direct.load.measured_seconds(),
        _ => 0,
    };
    assert_eq!(seconds("direct"), 10);
    assert_eq!(seconds("direct --count 5"), 600);
    assert_eq!(seconds("direct --count 5 --seconds 7"), 7);
}

#[test]
fn proportions_are_parts_of_the_rate() {
    let Scenario::Mixed(mixed) = scenario("mixed --rate 200") else {
        panic!("not mixed")
    };
    let rates = mixed.shares().map(|(_, share)| mixed.rate_of(share));
    assert_eq!(rates, [120, 20, 30, 8, 20, 2]);
    assert!(parse("mixed --rate 50 --reconnects 0").is_ok());
}

#[test]
fn a_report_says_what_was_asked_for() {
    let settings = |line| {
        let settings = scenario(line).settings().into_iter();
        let shown = settings.map(|(key, value)| format!("{key}={value}"));
        shown.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        settings("direct --rate 5 --count 9"),
        "count=9 duplex=0 pairs=50 payload=100 rate=5 seconds=600 warmup=2"
    );
    assert_eq!(
        settings("fanout --seconds 3"),
        "members=10000 online=1000 payload=100 seconds=3 senders=4 warmup=2 window=16"
    );
    assert_eq!(
        settings("sync --conversations 100"),
        "at_once=1 conversations=100 groups=25 messages=5 page=500 payload=100 recents=200 \
         rounds=10 users=4"
    );
}

#[test]
fn reports_are_compared_in_two_lists() {
    let options = parse("compare --a 1.json 2.json --b 3.json --json out.json").expect("good");
    let Command::Compare(compare) = options.command else {
        panic!("no comparison")
    };
    assert_eq!((compare.a.len(), compare.b.len()), (2, 1));
    assert!(options.server.json.is_some());
}

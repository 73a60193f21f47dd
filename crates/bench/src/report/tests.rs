//! The report's arithmetic and its two forms.

use super::*;
use crate::account::histogram;

fn machine() -> MachineReport {
    MachineReport {
        cores: 2,
        cpu: "Example CPU".to_owned(),
        memory_bytes: 24 << 30,
        kernel: "6.1".to_owned(),
        fsync_p50_us: Some(850.0),
        fsync_p99_us: Some(2_100.0),
        echo_round_trips_per_s: Some(41_234.5),
    }
}

fn report() -> Report {
    let mut times = histogram();
    for at in 1..=1_000_u64 {
        times.saturating_record(at * 10_000);
    }
    let load = LoadReport {
        measured_secs: 20.0,
        offered_per_s: 61_000.0,
        achieved_per_s: 60_500.5,
        deliveries_per_s: 60_400.0,
        ack: LatencyReport::new(&times),
        delivery: LatencyReport::new(&times),
        sent: 1_300_000,
        accepted: 1_299_988,
        refused: BTreeMap::from([("22 RateLimit".to_owned(), 12)]),
        deliveries_expected: 1_299_988,
        deliveries: 1_299_986,
        losses: 2,
        ..LoadReport::default()
    };
    Report {
        scenario: "direct",
        dialect: "wukong v5".to_owned(),
        transport: "tcp",
        settings: BTreeMap::from([("pairs", 50), ("window", 16)]),
        is_interrupted: true,
        faults: load.faults(),
        load: Some(load),
        idle: None,
        server: None,
        others_cores_busy: Some(0.25),
        generator: GeneratorReport {
            threads: 1,
            cpu_secs: 11.0,
            cores_busy: 0.55,
        },
        machine: machine(),
        hints: vec!["a hint".to_owned()],
    }
}

#[test]
fn percentiles_are_those_of_the_histogram() {
    let load = report().load.expect("a load");
    let near = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.002;
    assert_eq!(load.ack.count, 1_000);
    assert!(near(load.ack.p50_us, 5_000.0), "{:?}", load.ack);
    assert!(near(load.ack.p99_us, 9_900.0), "{:?}", load.ack);
    assert!(near(load.ack.p999_us, 9_990.0), "{:?}", load.ack);
    assert!(near(load.ack.max_us, 10_000.0), "{:?}", load.ack);
    assert_eq!(LatencyReport::new(&histogram()), LatencyReport::default());
}

#[test]
fn costs_are_per_message_and_per_delivery() {
    let before = Sample {
        cpu_secs: 10.0,
        written_bytes: Some(1_000),
        ..Sample::default()
    };
    let after = Sample {
        cpu_secs: 25.0,
        rss_bytes: 1,
        peak_rss_bytes: 2 << 20,
        written_bytes: Some(401_000),
    };
    let server = ServerReport::new(&before, &after, 10.0, 1_000, 50_000);
    assert_eq!((server.cpu_secs, server.cores_busy), (15.0, 1.5));
    assert_eq!(server.cpu_secs_per_million_messages, Some(15_000.0));
    assert_eq!(server.cpu_secs_per_million_deliveries, Some(300.0));
    assert_eq!(server.written_bytes_per_message, Some(400.0));

    let unknown = Sample {
        written_bytes: None,
        ..after
    };
    let server = ServerReport::new(&before, &unknown, 10.0, 0, 0);
    assert_eq!(
        (server.written_bytes, server.cpu_secs_per_million_messages),
        (None, None)
    );
}

#[test]
fn only_what_is_wrong_is_a_fault() {
    let report = report();
    assert_eq!(
        report.faults,
        ["2 accepted messages never reached a member who was online"]
    );
    assert!(!report.is_sound());
    let slow = LoadReport {
        duplicates: 3,
        unsent: Some(9),
        ..LoadReport::default()
    };
    assert!(slow.faults().is_empty());
    let idle = IdleReport {
        failed: 1,
        broken_connections: 2,
        ..IdleReport::default()
    };
    assert_eq!(idle.faults(), ["1 logins failed", "2 connections broke"]);
}

#[test]
fn the_text_names_every_number_with_its_unit() {
    let text = report().to_string();
    for line in [
        "direct: wukong v5 over tcp (pairs 50, window 16)",
        "interrupted: what follows is what was seen until then",
        "  offered            61,000 messages/s",
        "  achieved           60,501 messages/s",
        "  send to ack        p50 5.00 ms   p99 9.90 ms   p99.9 9.99 ms   max 10.0 ms",
        "  refused            12 (22 RateLimit)",
        "  losses             2",
        "  load generator     11.0 s of CPU, 0.55 cores busy of 1 thread",
        "  everything else    0.25 cores busy",
        "  fsync of 4 KiB     p50 850 µs   p99 2.10 ms",
        "  loopback           41,235 round trips/s on one TCP connection",
        "FAULT 2 accepted messages never reached a member who was online",
        "hint  a hint",
    ] {
        assert!(
            text.lines().any(|it| it == line),
            "{line:?} is not in\n{text}"
        );
    }
}

#[test]
fn the_json_has_the_same_numbers() {
    let json = serde_json::to_value(report()).expect("JSON");
    assert_eq!(json["load"]["losses"], 2);
    assert_eq!(json["load"]["refused"]["22 RateLimit"], 12);
    assert_eq!(json["settings"]["pairs"], 50);
    assert_eq!(json["machine"]["cores"], 2);
    assert!(json["idle"].is_null() && json["load"]["unsent"].is_null());
}

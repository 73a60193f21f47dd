//! The report's arithmetic and its two forms.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::account::histogram;
use crate::measure::{EchoReport, Sample};

fn machine() -> MachineReport {
    MachineReport {
        cores: 2,
        cpu: "Example CPU".to_owned(),
        memory_bytes: 24 << 30,
        kernel: "6.1".to_owned(),
        fsync_p50_us: Some(850.0),
        fsync_p99_us: Some(2_100.0),
        echo: Some(EchoReport {
            messages_per_s: 1_234_567.0,
            round_trips_per_s: 41_234.5,
            round_trip_p50_us: 22.0,
            round_trip_p99_us: 60.0,
        }),
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
    let findings = Findings {
        load: Some(load),
        ..Findings::default()
    };
    Report {
        format: FORMAT,
        ended_at_secs: 1_750_000_000,
        scenario: "direct",
        dialect: "wukong v5".to_owned(),
        transport: "tcp",
        settings: BTreeMap::from([("pairs", 50), ("window", 16)]),
        is_interrupted: true,
        faults: findings.faults(),
        findings,
        server: None,
        others_cores_busy: Some(0.25),
        generator: GeneratorReport {
            threads: 1,
            cpu_secs: 11.0,
            cores_busy: 0.55,
            cpu_secs_per_million_messages: Some(8.46),
            cpu_secs_per_million_deliveries: Some(8.5),
            peak_rss_bytes: 40 << 20,
        },
        machine: machine(),
        hints: vec!["a hint".to_owned()],
    }
}

#[test]
fn percentiles_are_those_of_the_histogram() {
    let load = report().findings.load.expect("a load");
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
    let work = Work {
        messages: 1_000,
        deliveries: 50_000,
    };
    let server = ServerReport::new(&before, &after, 10.0, work);
    assert_eq!((server.cpu_secs, server.cores_busy), (15.0, 1.5));
    assert_eq!(server.cpu_secs_per_million_messages, Some(15_000.0));
    assert_eq!(server.cpu_secs_per_million_deliveries, Some(300.0));
    assert_eq!(server.written_bytes_per_message, Some(400.0));

    let counters = [("store_commits", 250), ("store_rows_written", 2_000)];
    let counters = counters.map(|(name, count)| (name.to_owned(), count));
    let server = server.counted(counters.into(), work);
    assert_eq!(server.commits_per_message, Some(0.25));
    assert_eq!(server.rows_written_per_message, Some(2.0));
    let own = GeneratorReport::new(1, &before, &after, 10.0, work);
    assert_eq!(own.cpu_secs_per_million_messages, Some(15_000.0));

    let unknown = Sample {
        written_bytes: None,
        ..after
    };
    let server = ServerReport::new(&before, &unknown, 10.0, Work::default());
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
    let findings = Findings {
        idle: Some(idle),
        reconnects: Some(ReconnectReport {
            failures: 5,
            throttled: 6,
            not_back: 3,
            ..ReconnectReport::default()
        }),
        requests: [("reads", RequestReport::default())].into(),
        ..Findings::default()
    };
    assert_eq!(findings.faults().len(), 3);
    assert_eq!(findings.faults()[2], "3 clients did not come back");
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
        "                     8.5 s of CPU per million messages, 8.5 s of CPU per million deliveries",
        "  loopback echo      one TCP connection: 41,235 round trips/s, p50 22.0 µs   p99 60.0 µs; \
         pipelined 1,234,567 messages/s of 100 B",
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
    assert_eq!(json["format"], 1);
    assert_eq!(json["load"]["losses"], 2);
    assert_eq!(json["load"]["refused"]["22 RateLimit"], 12);
    assert_eq!(json["settings"]["pairs"], 50);
    assert_eq!(json["machine"]["cores"], 2);
    assert!(json["idle"].is_null() && json["load"]["unsent"].is_null());
}

/// A report with everything in it.
fn full() -> Report {
    let mut report = report();
    report.findings.load = Some(LoadReport {
        lag: Some(LatencyReport::default()),
        ..LoadReport::default()
    });
    report.findings.idle = Some(IdleReport::default());
    report.findings.sync = Some(SyncReport::default());
    report.findings.storm = Some(StormReport::default());
    report.findings.reconnects = Some(ReconnectReport::default());
    report.findings.requests = [("NAME", RequestReport::default())].into();
    report.server = Some(ServerReport::default());
    report.settings = [("NAME", 0)].into();
    report
}

/// The paths of all values that are no objects, without latencies' parts.
fn paths(json: &Value, path: &str, found: &mut BTreeSet<String>) {
    match json.as_object() {
        Some(parts) if parts.contains_key("p999_us") => {
            let keys: Vec<&str> = parts.keys().map(String::as_str).collect();
            assert_eq!(keys, ["count", "max_us", "p50_us", "p999_us", "p99_us"]);
            found.insert(path.to_owned());
        }
        Some(parts) if !parts.is_empty() => {
            for (key, value) in parts {
                let dot = if path.is_empty() { "" } else { "." };
                paths(value, &format!("{path}{dot}{key}"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_key_of_the_json_is_documented_and_no_other() {
    let mut found = BTreeSet::new();
    paths(&serde_json::to_value(full()).expect("JSON"), "", &mut found);
    let document = include_str!("../../REPORT.md");
    let rows = document.lines().filter_map(|line| {
        let (key, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(key.to_owned())
    });
    let documented: BTreeSet<String> = rows.collect();
    let missing: Vec<_> = found.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&found).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "missing {missing:?}, gone {gone:?}"
    );
    assert!(
        document.contains(&format!("format {FORMAT}")),
        "another format"
    );
}

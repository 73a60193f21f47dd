//! Whole runs against a small server, well-behaved and not.

mod clients;
mod fanout;

use std::collections::BTreeMap;

use clap::Parser as _;
use tokio_util::sync::CancellationToken;

use super::fake::{Fake, Mischief};
use super::*;
use crate::options::{Command, Options};

/// Runs a command line against a fake server; an interrupt comes when that has got so many
/// messages.
async fn bench(line: &str, mischief: Mischief, interrupt_after: Option<u64>) -> Result<Report> {
    let fake = Fake::start(mischief).await;
    let interrupt = CancellationToken::new();
    if let Some(sends) = interrupt_after {
        fake.cancel_after(sends, interrupt.clone());
    }
    let listeners = fake
        .folder
        .path()
        .join("listeners.json")
        .display()
        .to_string();
    let words = [
        "crosstalk-bench",
        "--skip-machine",
        "--listeners",
        listeners.as_str(),
    ];
    let words = words.into_iter().chain(line.split_whitespace());
    let options = Options::try_parse_from(words).expect("good options");
    options.check().expect("good options");
    let Command::Run(scenario) = &options.command else {
        panic!("no scenario")
    };
    let progress = Progress::silent();
    let bench = Bench {
        scenario,
        server: &options.server,
        threads: 2,
        patience_ns: 2 * SECOND_NS,
        clock: Clock::start(),
        target: Arc::new(Target::read(&options.server, progress.clone())?),
        progress,
        interrupt: Interrupt::of(interrupt),
        dialect: dialect::of(&options.server),
    };
    bench.run().await
}

async fn well_behaved(line: &str) -> Report {
    let report = misled(line, Mischief::default()).await;
    assert!(report.is_sound(), "{report}");
    report
}

async fn misled(line: &str, mischief: Mischief) -> Report {
    let report = bench(line, mischief, None).await;
    report.expect("a report")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_of_direct_messages_all_arrive() {
    for transport in ["tcp", "ws"] {
        let line = format!(
            "direct --pairs 3 --duplex --count 1000 --warmup 0 --verify --transport {transport}"
        );
        let report = well_behaved(&line).await;
        let load = report.findings.load.expect("a load");
        assert_eq!(
            (load.sent, load.accepted, load.deliveries),
            (1_000, 1_000, 1_000)
        );
        assert_eq!(
            (load.checked, load.ack.count, load.delivery.count),
            (1_000, 1_000, 1_000)
        );
        assert!(load.ack.p50_us > 0.0 && load.achieved_per_s > 0.0);
        assert!(load.lag.is_none() && load.unsent.is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_message_is_due_to_all_others_online() {
    let line = "group --groups 2 --members 6 --online 4 --senders 2 --count 300 --warmup 0";
    let load = well_behaved(line).await.findings.load.expect("a load");
    assert_eq!(
        (load.accepted, load.deliveries_expected, load.deliveries),
        (300, 900, 900)
    );
    assert!(load.checked > 0 && load.checked < 100, "{}", load.checked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_kept_and_only_the_measured_time_counts() {
    let line = "direct --pairs 5 --rate 1000 --seconds 1 --warmup 1";
    let load = well_behaved(line).await.findings.load.expect("a load");
    assert_eq!(load.offered_per_s, 1_000.0);
    // The last few may be due and not sent when time is up.
    let measured = load.ack.count + load.unsent.expect("a rate");
    assert!((995..=1_000).contains(&measured), "{measured}");
    assert!(load.sent > load.ack.count && load.deliveries == load.accepted);
    assert!(load.lag.is_some_and(|lag| lag.count == load.ack.count));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_bad_server_does_is_told() {
    let mischief = Mischief {
        drop_every: Some(101),
        repeat_every: Some(37),
        forge_every: Some(53),
        refuse_every: Some(211),
        ..Mischief::default()
    };
    let line = "direct --pairs 2 --count 1000 --warmup 0 --verify";
    let report = misled(line, mischief).await;
    let load = report.findings.load.as_ref().expect("a load");
    let accepted = 1_000 - 1_000 / 211;
    assert_eq!((load.sent, load.accepted), (1_000, accepted));
    assert_eq!(
        load.refused,
        BTreeMap::from([("22 RateLimit".to_owned(), 1_000 / 211)])
    );
    assert_eq!(load.losses, accepted / 101);
    assert_eq!(load.duplicates, accepted / 37);
    assert_eq!(load.corrupt, accepted / 53);
    assert_eq!(
        (load.order_errors, load.sender_order_errors, load.foreign),
        (0, 0, 0)
    );
    assert_eq!(report.faults.len(), 2);
    assert!(
        report
            .hints
            .iter()
            .any(|hint| hint.contains("limits.send_rate=0")),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_or_a_silent_server_ends_with_a_report() {
    let mischief = Mischief {
        hang_after: Some(500),
        ..Mischief::default()
    };
    let line = "direct --pairs 2 --seconds 600 --warmup 0 --window 8";
    let report = bench(line, mischief, Some(516)).await.expect("a report");
    let load = report.findings.load.as_ref().expect("a load");
    assert!(report.is_interrupted);
    assert_eq!((load.accepted, load.unanswered, load.losses), (500, 16, 0));
    assert_eq!(report.faults, ["16 messages got no answer"]);
    assert!(load.measured_secs < 10.0, "{}", load.measured_secs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_are_held_and_weighed() {
    let line = format!(
        "idle --connections 30 --seconds 1 --server-pid {}",
        std::process::id()
    );
    let report = well_behaved(&line).await;
    let idle = report.findings.idle.expect("an idle report");
    assert_eq!(
        (idle.connections, idle.failed, idle.broken_connections),
        (30, 0, 0)
    );
    assert_eq!(idle.login.count, 30);
    assert!(idle.bytes_per_connection.is_some() && report.server.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_the_wrong_order_is_told() {
    let mischief = Mischief {
        swap_every: Some(50),
        ..Mischief::default()
    };
    let report = misled("direct --pairs 1 --count 400 --warmup 0", mischief).await;
    let load = report.findings.load.as_ref().expect("a load");
    // Each is one that came after a later one, of its channel and its sender alike; the last may
    // have nobody to come after.
    assert_eq!((load.deliveries + load.losses, load.duplicates), (400, 0));
    assert_eq!((load.order_errors, load.sender_order_errors), (7, 7));
    assert!(!report.is_sound());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("listeners.json");
    let text = r#"{"wukong_api":"127.0.0.1:1","wukong_tcp":"127.0.0.1:1"}"#;
    fs::write(&file, text).expect("a file");
    let shown = file.display().to_string();
    let line = [
        "crosstalk-bench",
        "--skip-machine",
        "--listeners",
        shown.as_str(),
        "direct",
    ];
    let options = Options::try_parse_from(line).expect("good options");
    let running = move || match &options.command {
        Command::Run(scenario) => run(scenario, &options.server),
        Command::Compare(_) => panic!("no scenario"),
    };
    let failure = tokio::task::spawn_blocking(running).await.expect("ended");
    let why = format!("{:#}", failure.expect_err("nobody listens"));
    assert!(why.contains("POST http://127.0.0.1:1/user/token"), "{why}");
}

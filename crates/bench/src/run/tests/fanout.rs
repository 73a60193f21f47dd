//! One large group.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_online_get_a_message_of_a_large_group() {
    let line = format!(
        "fanout --members 2500 --online 20 --senders 2 --count 50 --warmup 0 --server-pid {}",
        std::process::id()
    );
    let report = well_behaved(&line).await;
    let load = report.findings.load.expect("a load");
    assert_eq!(
        (load.accepted, load.deliveries_expected, load.deliveries),
        (50, 950, 950)
    );
    let server = report.server.expect("a server");
    assert!(server.cpu_secs_per_million_deliveries.is_some());
    assert_eq!(server.counters, [("store_commits".to_owned(), 0)].into());
    assert_eq!(server.commits_per_message, Some(0.0));
    assert_eq!(server.rows_written_per_message, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_fanout_loses_repeats_and_mixes_up_is_told() {
    let mischief = Mischief {
        drop_every: Some(97),
        repeat_every: Some(31),
        swap_every: Some(41),
        ..Mischief::default()
    };
    let line = "fanout --members 30 --online 20 --senders 1 --count 50 --warmup 0";
    let report = misled(line, mischief).await;
    let load = report.findings.load.as_ref().expect("a load");
    assert_eq!(load.deliveries_expected, 950);
    assert!(load.losses >= 950 / 97, "{report}");
    assert!(load.duplicates > 0 && load.order_errors > 0, "{report}");
    assert_eq!(load.deliveries + load.losses, 950);
    assert!(!report.is_sound());
}

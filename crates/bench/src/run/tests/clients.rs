//! Clients that ask, leave and come back.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_start_gets_every_conversation_once() {
    for (api, requests) in [("native", 12), ("rest", 12)] {
        let line = format!(
            "sync --conversations 20 --groups 5 --messages 3 --users 2 --rounds 3 --page 10 \
             --recents 2 --at-once 2 --api {api}"
        );
        let report = well_behaved(&line).await;
        let sync = report.findings.sync.expect("a sync");
        assert_eq!(
            (
                sync.cold_starts,
                sync.cold_start.count,
                sync.conversations_expected
            ),
            (6, 6, 120)
        );
        let asked = &report.findings.requests["conversations"];
        assert_eq!(
            (asked.latency.count, asked.failed, asked.wrong),
            (requests, 0, 0),
            "{api}"
        );
        assert!(sync.bytes_per_cold_start > asked.bytes_per_answer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_conversations_are_told() {
    let mischief = Mischief {
        hide_every: Some(20),
        double_every: Some(21),
        miscount_every: Some(23),
        ..Mischief::default()
    };
    let line = "sync --conversations 20 --messages 2 --users 1 --rounds 5 --page 20";
    let report = misled(line, mischief).await;
    let sync = report.findings.sync.as_ref().expect("a sync");
    // One of 20, of 21 and of 23 of a hundred.
    assert_eq!(
        (
            sync.conversations_missing,
            sync.conversations_repeated,
            sync.conversations_wrong
        ),
        (5, 4, 4)
    );
    let why = sync.first_wrong.as_deref().expect("a reason");
    assert!(why.contains("(2, 3, 2), not (2, 2, 2)"), "{why}");
    assert_eq!(report.faults.len(), 3, "{report}");

    let mischief = Mischief {
        jumble_every: Some(30),
        ..Mischief::default()
    };
    let report = misled(line, mischief).await;
    let asked = &report.findings.requests["conversations"];
    assert_eq!((asked.latency.count, asked.wrong), (5, 3));
    assert_eq!(report.faults.len(), 1, "{report}");
}

const MIXED: &str = "mixed --users 20 --members 10 --rate 400 --direct 40 --group 10 --reads 10 \
                     --syncs 10 --histories 20 --reconnects 10 --seconds 1 --warmup 0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mix_keeps_its_proportions_and_loses_nothing() {
    let report = well_behaved(MIXED).await;
    let Findings {
        load,
        reconnects,
        requests,
        ..
    } = report.findings;
    let load = load.expect("a load");
    assert_eq!(load.offered_per_s, 200.0);
    // The last few may be due and not sent when time is up.
    let due = load.ack.count + load.unsent.expect("a rate");
    assert!((195..=200).contains(&due), "{due}");
    assert_eq!(load.deliveries, load.deliveries_expected);
    for (name, rate) in [("reads", 40_u32), ("conversations", 40), ("histories", 80)] {
        let asked = &requests[name];
        assert_eq!(asked.offered_per_s, Some(f64::from(rate)), "{name}");
        let count = asked.latency.count;
        assert!((1..=rate.into()).contains(&count), "{name}: {count}");
    }
    let reconnects = reconnects.expect("reconnects");
    assert!((1..=40).contains(&reconnects.count), "{}", reconnects.count);
    assert_eq!(reconnects.count, reconnects.login.count);
    assert_eq!(requests["missed"].latency.count, reconnects.count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_in_a_mix_is_told() {
    let mischief = Mischief {
        forget_every: Some(20),
        repeat_every: Some(50),
        fail_every: Some(10),
        ..Mischief::default()
    };
    let report = misled(MIXED, mischief).await;
    let load = report.findings.load.as_ref().expect("a load");
    assert!(load.losses > 0 && load.duplicates > 0, "{report}");
    let histories = &report.findings.requests["histories"];
    assert!(histories.failed > 0 && histories.wrong > 0, "{report}");
    let told = |what: &str| report.faults.iter().any(|fault| fault.contains(what));
    assert!(
        told("never reached") && told("histories failed"),
        "{report}"
    );
    assert!(told("some are missing"), "{report}");
}

const STORM: &str = "storm --clients 30 --members 10 --rate 60 --before 1 --after 0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_storm_all_are_back_and_have_everything() {
    // The first logins are those of 30 clients and 3 writers; two of the next ones fail and are
    // tried again.
    let mischief = Mischief {
        throttle_logins: Some((50, 50)),
        reset_every: Some(47),
        ..Mischief::default()
    };
    let report = misled(STORM, mischief).await;
    assert!(report.is_sound(), "{report}");
    let storm = report.findings.storm.as_ref().expect("a storm");
    assert_eq!((storm.clients, storm.calm_login.count), (30, 33));
    assert!(storm.all_back_secs.is_some_and(|secs| secs > 0.0));
    let reconnects = report.findings.reconnects.as_ref().expect("reconnects");
    assert_eq!((reconnects.count, reconnects.not_back), (30, 0));
    assert_eq!((reconnects.failures, reconnects.throttled), (1, 1));
    assert_eq!((reconnects.login.count, reconnects.away.count), (30, 30));
    assert!(reconnects.away.max_us >= reconnects.login.max_us);
    let load = report.findings.load.as_ref().expect("a load");
    assert!(load.sent >= 60 && load.deliveries == load.deliveries_expected);
    assert_eq!((load.losses, load.duplicates), (0, 0));
    assert_eq!(report.findings.requests["missed"].latency.count, 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_long_asks_for_history_until_all_is_there() {
    // Each client fails three times and is away for 0.7 s, in which its group says more than is
    // shown of a conversation.
    let mischief = Mischief {
        throttle_logins: Some((34, 33 + 3 * 30)),
        recents_at_most: Some(3),
        ..Mischief::default()
    };
    let report = misled(STORM, mischief).await;
    assert!(report.is_sound(), "{report}");
    let reconnects = report.findings.reconnects.as_ref().expect("reconnects");
    assert_eq!((reconnects.throttled, reconnects.failures), (90, 0));
    assert!(reconnects.recovered > 30 * 5, "{report}");
    let load = report.findings.load.as_ref().expect("a load");
    assert_eq!((load.losses, load.duplicates), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_got_no_answer_is_sent_again_after_coming_back() {
    let mischief = Mischief {
        mute_nth: Some(3),
        ..Mischief::default()
    };
    let line = "mixed --users 2 --members 2 --rate 60 --direct 40 --group 0 --reads 0 --syncs 0 \
                --histories 0 --reconnects 20 --seconds 1 --warmup 0";
    let report = misled(line, mischief).await;
    assert!(report.is_sound(), "{report}");
    let load = report.findings.load.as_ref().expect("a load");
    assert!(load.ack.max_us > 20_000.0, "nothing had to wait: {report}");
    assert_eq!((load.unanswered, load.duplicates), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_storm_costs_for_good_is_told() {
    let mischief = Mischief {
        forget_every: Some(20),
        ..Mischief::default()
    };
    let report = misled(STORM, mischief).await;
    let load = report.findings.load.as_ref().expect("a load");
    assert!(load.losses >= 20, "{report}");
    assert!(!report.is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_come_back_is_told_and_has_lost_nothing() {
    let mischief = Mischief {
        throttle_logins: Some((34, u64::MAX)),
        ..Mischief::default()
    };
    let line = "storm --clients 30 --members 10 --rate 60 --before 0 --deadline 1 --after 0";
    let report = misled(line, mischief).await;
    assert_eq!(report.faults, ["30 clients did not come back"], "{report}");
    let storm = report.findings.storm.as_ref().expect("a storm");
    assert_eq!(storm.all_back_secs, None);
    let reconnects = report.findings.reconnects.as_ref().expect("reconnects");
    assert_eq!((reconnects.count, reconnects.not_back), (0, 30));
    assert!(reconnects.throttled >= 60, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_before_a_storm_leaves_all_where_they_are() {
    let line = "storm --clients 10 --before 600";
    let report = bench(line, Mischief::default(), Some(5)).await;
    let report = report.expect("a report");
    assert!(report.is_interrupted && report.is_sound(), "{report}");
    assert!(report.findings.storm.is_none());
    assert!(report.findings.load.is_some_and(|load| load.losses == 0));
}

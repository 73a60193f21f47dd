//! Syncs that fail: what they were to write is not acknowledged, and a later one does not make it
//! good, since the system has called it clean.

use crosstalk_tests::wukong::Outgoing;
use crosstalk_tests::{Cut, FailedSync, Seed, Server, eventually, fault_rounds};

use super::author::{Authors, SYSTEM_ERROR};
use super::{ledger, server};
use crate::crash::ledger::{Ledger, READER};

/// What becomes of the server after the failures.
#[derive(Debug, Clone, Copy)]
enum Afterwards {
    Terminated,
    Killed,
    PowerCut,
    Torn,
}

use Afterwards::{Killed, PowerCut, Terminated, Torn};

const ANY: &[Afterwards] = &[Terminated, Killed, PowerCut, Torn];

impl Afterwards {
    async fn bring_about(self, server: &mut Server, seed: &mut Seed) -> Cut {
        if matches!(self, Terminated) {
            server.terminate().await;
        } else {
            server.kill().await;
        }
        match self {
            Terminated | Killed => Cut::default(),
            PowerCut => server.cut_power(None),
            Torn => server.cut_power(Some(seed)),
        }
    }
}

/// Each round ends twice, in any of these ways: only a power cut shows what was on the disk.
async fn survive(how: FailedSync, forever: bool) {
    let mut seed = Seed::from_env();
    let mut server = server().await;
    let mut ledger = ledger();
    for round in 1..=fault_rounds(6) {
        let authors = Authors::start(&server, &mut ledger).await;
        authors.accepted(seed.within(1..200)).await;
        let before = server.faults().failed_syncs();
        let (passing, count) = (seed.within(0..20), seed.within(1..12));
        let count = if forever { u64::MAX } else { count as u64 };
        server.faults().fail_syncs(passing as u64, count, how);
        let faults = server.faults();
        eventually("a sync that fails", async || {
            (faults.failed_syncs() > before).then_some(())
        })
        .await;
        if forever {
            authors.refused(100).await;
        }
        if seed.within(0..2) == 0 {
            // The disk is well again.
            server.faults().fail_syncs(0, 0, how);
            authors.accepted(seed.within(1..100)).await;
        }
        authors.stop(&mut ledger).await;
        ledger.check_new(&server).await;
        ledger.check_refused_are_absent();
        let failed = server.faults().failed_syncs() - before;
        assert!(failed > 0);
        let first = ANY[seed.within(0..ANY.len())];
        first.bring_about(&mut server, &mut seed).await;
        server.faults().fail_syncs(0, 0, how);
        server.start_elsewhere().await;
        ledger.check_new(&server).await;
        go_on(&server, &mut ledger, seed.within(1..100)).await;
        let second = ANY[seed.within(0..ANY.len())];
        let cut = second.bring_about(&mut server, &mut seed).await;
        server.start_elsewhere().await;
        ledger.check_new(&server).await;
        println!("{round}: {failed} failed, then {first:?}, {second:?}: {ledger} {cut:?}");
    }
    go_on(&server, &mut ledger, 100).await;
    ledger.check_all(&server).await;
}

async fn go_on(server: &Server, ledger: &mut Ledger, count: usize) {
    let authors = Authors::start(server, ledger).await;
    authors.accepted(count).await;
    authors.stop(ledger).await;
    ledger.check_new(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_failed_sync_is_acknowledged_where_it_is_forgotten() {
    survive(FailedSync::IsForgotten, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_failed_sync_is_acknowledged_where_it_is_still_shown() {
    survive(FailedSync::IsShown, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_syncs_nothing_more_loses_nothing_that_was_acknowledged() {
    survive(FailedSync::IsShown, true).await;
}

/// After a failed sync the log that a restart finds is shown, but it is not on the disk: what is
/// appended to it would be lost with it at the next power cut.
#[tokio::test]
async fn a_restart_does_not_build_upon_what_was_never_synced() {
    let mut server = server().await;
    let mut author = server.login("direct1").connect().await;
    author.accepted(&Outgoing::direct(READER, "before")).await;
    server.faults().fail_syncs(0, u64::MAX, FailedSync::IsShown);
    let refused = Outgoing::direct(READER, "meanwhile");
    assert_eq!(author.refused(&refused).await, SYSTEM_ERROR);
    server.kill().await;
    server.faults().fail_syncs(0, 0, FailedSync::IsShown);
    server.start_elsewhere().await;
    let mut author = server.login("direct1").connect().await;
    let after = Outgoing::direct(READER, "after");
    let place = author.accepted(&after).await;
    server.kill().await;
    let cut = server.cut_power(None);
    server.start_elsewhere().await;
    let mut author = server.login("direct1").connect().await;
    let again = author.accepted(&after).await;
    assert_eq!(
        (again.message_id, again.message_seq),
        (place.message_id, place.message_seq),
        "what was acknowledged is lost: {cut:?}"
    );
}

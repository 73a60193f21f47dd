//! The rows of what clients saw besides messages.

use std::fmt::{self, Formatter};

use super::numbers::{bytes, count, per_second, three_digits};
use super::{broken, latency, row, the_first};
use crate::report::{
    Findings, IdleReport, ReconnectReport, RequestReport, StormReport, SyncReport,
};

pub(super) fn write(f: &mut Formatter<'_>, findings: &Findings) -> fmt::Result {
    if let Some(idle) = &findings.idle {
        write_idle(f, idle)?;
    }
    if let Some(storm) = &findings.storm {
        write_storm(f, storm)?;
    }
    if let Some(reconnects) = &findings.reconnects {
        write_reconnects(f, reconnects)?;
    }
    for (name, requests) in &findings.requests {
        write_requests(f, name, requests)?;
    }
    if let Some(sync) = &findings.sync {
        write_sync(f, sync)?;
    }
    Ok(())
}

fn cpu(f: &mut Formatter<'_>, ms: Option<f64>, whose: &str, what: &str) -> fmt::Result {
    let Some(ms) = ms else { return Ok(()) };
    let each = three_digits(ms * 1e3);
    row(f, "", &format!("{each} µs of {whose} CPU per {what}"))
}

fn write_idle(f: &mut Formatter<'_>, idle: &IdleReport) -> fmt::Result {
    row(
        f,
        "connections",
        &format!("{}, held {:.1} s", count(idle.connections), idle.held_secs),
    )?;
    row(
        f,
        "failed logins",
        &format!(
            "{}{}",
            count(idle.failed),
            the_first(idle.first_failure.as_deref())
        ),
    )?;
    let rate = per_second(idle.logins_per_s);
    row(f, "logins", &format!("{rate}   {}", latency(&idle.login)))?;
    cpu(f, idle.server_cpu_ms_per_login, "server", "login")?;
    broken(f, idle.broken_connections, idle.broken_why.as_deref())?;
    if let (Some(before), Some(after)) = (idle.rss_before_bytes, idle.rss_after_bytes) {
        row(
            f,
            "server's memory",
            &format!("{} before, {} with them", bytes(before), bytes(after)),
        )?;
    }
    let each = idle
        .bytes_per_connection
        .map(|each| bytes(each.max(0.0).round() as u64));
    row(
        f,
        "per connection",
        &each.unwrap_or_else(|| "unknown without --server-pid".to_owned()),
    )
}

fn write_storm(f: &mut Formatter<'_>, storm: &StormReport) -> fmt::Result {
    let clients = count(storm.clients);
    let back = match storm.all_back_secs {
        Some(secs) => format!("all {clients} back in {} s", three_digits(secs)),
        None => format!("not all {clients} back"),
    };
    let rate = per_second(storm.logins_per_s);
    let caught_up = three_digits(storm.caught_up_secs);
    row(
        f,
        "storm",
        &format!("{back}, {rate} logins, caught up {caught_up} s later"),
    )?;
    cpu(f, storm.server_cpu_ms_per_login, "server", "login")?;
    let own = Some(storm.generator_cpu_ms_per_login);
    cpu(f, own, "generator", "login")?;
    row(f, "calm logins", &latency(&storm.calm_login))
}

fn write_reconnects(f: &mut Formatter<'_>, it: &ReconnectReport) -> fmt::Result {
    let offered = it.offered_per_s.map(per_second);
    let offered = offered.map(|rate| format!(", {rate} due"));
    row(
        f,
        "reconnects",
        &format!(
            "{}{}, {} not back",
            count(it.count),
            offered.unwrap_or_default(),
            count(it.not_back)
        ),
    )?;
    row(f, "logins", &latency(&it.login))?;
    row(f, "away", &latency(&it.away))?;
    let (failures, throttled) = (count(it.failures), count(it.throttled));
    let why = the_first(it.first_failure.as_deref());
    row(
        f,
        "tried again",
        &format!("{failures} failed logins, {throttled} throttled{why}"),
    )?;
    let (recovered, redelivered) = (count(it.recovered), count(it.redelivered));
    row(
        f,
        "caught up",
        &format!("{recovered} messages by asking, {redelivered} came once more"),
    )
}

fn write_requests(f: &mut Formatter<'_>, name: &str, it: &RequestReport) -> fmt::Result {
    let rate = per_second(it.answered_per_s);
    let offered = it.offered_per_s.map(per_second);
    let offered = offered.map_or_else(String::new, |due| format!(" of {due}"));
    row(
        f,
        name,
        &format!("{rate}{offered}   {}", latency(&it.latency)),
    )?;
    let each = bytes(it.bytes_per_answer.round() as u64);
    let (failed, wrong) = (count(it.failed), count(it.wrong));
    row(
        f,
        "",
        &format!(
            "{} answers of {each}; {failed} failed, {wrong} wrong",
            count(it.latency.count)
        ),
    )
}

fn write_sync(f: &mut Formatter<'_>, sync: &SyncReport) -> fmt::Result {
    let each = bytes(sync.bytes_per_cold_start.round() as u64);
    row(
        f,
        "cold starts",
        &format!("{} of {each}", count(sync.cold_starts)),
    )?;
    row(f, "", &latency(&sync.cold_start))?;
    cpu(f, sync.server_cpu_ms_per_request, "server", "request")?;
    cpu(f, sync.server_cpu_ms_per_cold_start, "server", "cold start")?;
    let SyncReport {
        conversations_expected: expected,
        conversations_missing: missing,
        conversations_repeated: repeated,
        conversations_wrong: wrong,
        ..
    } = sync;
    row(
        f,
        "in all answers",
        &format!(
            "{} conversations due, {} missing, {} repeated, {} wrong",
            count(*expected),
            count(*missing),
            count(*repeated),
            count(*wrong)
        ),
    )
}

//! The report as a table for people.

use std::fmt::{self, Display, Formatter};

use super::{IdleReport, LatencyReport, LoadReport, Report, ServerReport};
use crate::measure::MachineReport;

/// Where values begin, after two blanks.
const KEY_WIDTH: usize = 19;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let settings: Vec<String> = self
            .settings
            .iter()
            .map(|(key, value)| format!("{key} {}", count(*value)))
            .collect();
        let Self {
            scenario,
            dialect,
            transport,
            ..
        } = self;
        writeln!(
            f,
            "{scenario}: {dialect} over {transport} ({})",
            settings.join(", ")
        )?;
        if self.is_interrupted {
            writeln!(f, "interrupted: what follows is what was seen until then")?;
        }
        if let Some(load) = &self.load {
            write_load(f, load)?;
        }
        if let Some(idle) = &self.idle {
            write_idle(f, idle)?;
        }
        if let Some(server) = &self.server {
            write_server(f, server)?;
        }
        let generator = &self.generator;
        let (cpu, busy) = (generator.cpu_secs, generator.cores_busy);
        let threads = match generator.threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        row(
            f,
            "load generator",
            &format!("{cpu:.1} s of CPU, {busy:.2} cores busy of {threads}"),
        )?;
        if let Some(others) = self.others_cores_busy {
            row(f, "everything else", &format!("{others:.2} cores busy"))?;
        }
        write_machine(f, &self.machine)?;
        for fault in &self.faults {
            writeln!(f, "FAULT {fault}")?;
        }
        for hint in &self.hints {
            writeln!(f, "hint  {hint}")?;
        }
        Ok(())
    }
}

fn row(f: &mut Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    writeln!(f, "  {key:<KEY_WIDTH$}{value}")
}

fn write_load(f: &mut Formatter<'_>, load: &LoadReport) -> fmt::Result {
    let per_second = |rate: f64, what: &str| format!("{} {what}/s", count(rate.round() as u64));
    row(f, "measured", &format!("{:.1} s", load.measured_secs))?;
    row(f, "offered", &per_second(load.offered_per_s, "messages"))?;
    row(f, "achieved", &per_second(load.achieved_per_s, "messages"))?;
    row(
        f,
        "delivered",
        &per_second(load.deliveries_per_s, "deliveries"),
    )?;
    if let Some(unsent) = load.unsent {
        row(f, "due but not sent", &count(unsent))?;
    }
    row(f, "send to ack", &latency(&load.ack))?;
    row(f, "send to receive", &latency(&load.delivery))?;
    if let Some(lag) = &load.lag {
        row(f, "generator's lag", &latency(lag))?;
    }
    row(
        f,
        "sent",
        &format!("{}, accepted {}", count(load.sent), count(load.accepted)),
    )?;
    let (got, due) = (count(load.deliveries), count(load.deliveries_expected));
    row(f, "deliveries", &format!("{got} of {due}"))?;
    row(f, "refused", &refused(load))?;
    row(f, "unanswered", &count(load.unanswered))?;
    row(f, "losses", &count(load.losses))?;
    row(f, "duplicates", &count(load.duplicates))?;
    let (order, sender) = (count(load.order_errors), count(load.sender_order_errors));
    row(
        f,
        "order errors",
        &format!("{order} in channels, {sender} of senders"),
    )?;
    let (checked, corrupt) = (count(load.checked), count(load.corrupt));
    row(
        f,
        "checked",
        &format!(
            "{checked}, of which {corrupt} corrupt; {} foreign",
            load.foreign
        ),
    )?;
    broken(f, load.broken_connections, load.broken_why.as_deref())
}

fn refused(load: &LoadReport) -> String {
    if load.refused.is_empty() {
        return "0".to_owned();
    }
    let parts = load
        .refused
        .iter()
        .map(|(why, number)| format!("{} ({why})", count(*number)));
    parts.collect::<Vec<_>>().join(", ")
}

fn broken(f: &mut Formatter<'_>, number: u64, why: Option<&str>) -> fmt::Result {
    let why = why
        .map(|why| format!(", the first: {why}"))
        .unwrap_or_default();
    row(f, "broken connections", &format!("{}{why}", count(number)))
}

fn write_idle(f: &mut Formatter<'_>, idle: &IdleReport) -> fmt::Result {
    row(
        f,
        "connections",
        &format!("{}, held {:.1} s", count(idle.connections), idle.held_secs),
    )?;
    let why = idle
        .first_failure
        .as_ref()
        .map(|why| format!(", the first: {why}"));
    row(
        f,
        "failed logins",
        &format!("{}{}", count(idle.failed), why.unwrap_or_default()),
    )?;
    let rate = count(idle.logins_per_s.round() as u64);
    row(f, "logins", &format!("{rate}/s   {}", latency(&idle.login)))?;
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

fn write_server(f: &mut Formatter<'_>, server: &ServerReport) -> fmt::Result {
    let (cpu, busy) = (server.cpu_secs, server.cores_busy);
    row(
        f,
        "server",
        &format!("{cpu:.1} s of CPU, {busy:.2} cores busy"),
    )?;
    let costs = [
        (server.cpu_secs_per_million_messages, "messages"),
        (server.cpu_secs_per_million_deliveries, "deliveries"),
    ];
    for (cost, what) in costs {
        if let Some(cost) = cost {
            row(f, "", &format!("{cost:.1} s of CPU per million {what}"))?;
        }
    }
    row(
        f,
        "",
        &format!("{} of memory at most", bytes(server.peak_rss_bytes)),
    )?;
    if let Some(each) = server.written_bytes_per_message {
        row(
            f,
            "",
            &format!("{} written per message", bytes(each.round() as u64)),
        )?;
    }
    Ok(())
}

fn write_machine(f: &mut Formatter<'_>, machine: &MachineReport) -> fmt::Result {
    let MachineReport {
        cores, cpu, kernel, ..
    } = machine;
    let memory = bytes(machine.memory_bytes);
    row(
        f,
        "machine",
        &format!("{cores} cores of {cpu}, {memory}, Linux {kernel}"),
    )?;
    if let (Some(p50), Some(p99)) = (machine.fsync_p50_us, machine.fsync_p99_us) {
        row(
            f,
            "fsync of 4 KiB",
            &format!("p50 {}   p99 {}", time(p50), time(p99)),
        )?;
    }
    if let Some(rate) = machine.echo_round_trips_per_s {
        let rate = count(rate.round() as u64);
        row(
            f,
            "loopback",
            &format!("{rate} round trips/s on one TCP connection"),
        )?;
    }
    Ok(())
}

fn latency(it: &LatencyReport) -> String {
    if it.count == 0 {
        return "nothing measured".to_owned();
    }
    let [p50, p99, p999, max] = [it.p50_us, it.p99_us, it.p999_us, it.max_us].map(time);
    format!("p50 {p50}   p99 {p99}   p99.9 {p999}   max {max}")
}

/// Microseconds with three digits.
fn time(us: f64) -> String {
    let (value, unit) = match us {
        us if us >= 1e6 => (us / 1e6, "s"),
        us if us >= 1e3 => (us / 1e3, "ms"),
        us => (us, "µs"),
    };
    format!("{} {unit}", three_digits(value))
}

fn bytes(number: u64) -> String {
    let (value, unit) = match number {
        0..1_024 => return format!("{number} B"),
        1_024..1_048_576 => (number as f64 / 1024.0, "KiB"),
        1_048_576..1_073_741_824 => (number as f64 / f64::from(1 << 20), "MiB"),
        _ => (number as f64 / f64::from(1 << 30), "GiB"),
    };
    format!("{} {unit}", three_digits(value))
}

fn three_digits(value: f64) -> String {
    // The limits are where rounding would give a fourth digit.
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A number with its thousands apart.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_units() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [
                time(0.5),
                time(999.0),
                time(1_000.0),
                time(12_345.0),
                time(2.5e6)
            ],
            ["0.50 µs", "999 µs", "1.00 ms", "12.3 ms", "2.50 s"]
        );
        assert_eq!(
            [bytes(1_023), bytes(1_536), bytes(20 << 20), bytes(24 << 30)],
            ["1023 B", "1.50 KiB", "20.0 MiB", "24.0 GiB"]
        );
    }
}

//! The report as a table for people.

mod clients;
pub(crate) mod numbers;

use std::fmt::{self, Display, Formatter};

use super::{GeneratorReport, LatencyReport, LoadReport, Report, ServerReport};
use crate::measure::MachineReport;
use numbers::{bytes, count, three_digits, time};

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
        if let Some(load) = &self.findings.load {
            write_load(f, load)?;
        }
        clients::write(f, &self.findings)?;
        if let Some(server) = &self.server {
            write_server(f, server)?;
        }
        write_generator(f, &self.generator)?;
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
    row(
        f,
        "broken connections",
        &format!("{}{}", count(number), the_first(why)),
    )
}

fn the_first(why: Option<&str>) -> String {
    why.map(|why| format!(", the first: {why}"))
        .unwrap_or_default()
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
    let mut each = Vec::new();
    if let Some(written) = server.written_bytes_per_message {
        each.push(format!("{} written", bytes(written.round() as u64)));
    }
    if let Some(rows) = server.rows_written_per_message {
        each.push(format!("{} rows", three_digits(rows)));
    }
    if let Some(commits) = server.commits_per_message {
        each.push(format!("{} commits", three_digits(commits)));
    }
    if !each.is_empty() {
        row(f, "", &format!("{} per message", each.join(", ")))?;
    }
    Ok(())
}

fn write_generator(f: &mut Formatter<'_>, generator: &GeneratorReport) -> fmt::Result {
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
    let costs = [
        (generator.cpu_secs_per_million_messages, "messages"),
        (generator.cpu_secs_per_million_deliveries, "deliveries"),
    ];
    let costs = costs.into_iter().filter_map(|(cost, what)| {
        cost.map(|cost| format!("{cost:.1} s of CPU per million {what}"))
    });
    let costs: Vec<String> = costs.collect();
    if costs.is_empty() {
        return Ok(());
    }
    row(f, "", &costs.join(", "))
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
    if let Some(echo) = &machine.echo {
        let trips = count(echo.round_trips_per_s.round() as u64);
        let messages = count(echo.messages_per_s.round() as u64);
        let (p50, p99) = (time(echo.round_trip_p50_us), time(echo.round_trip_p99_us));
        row(
            f,
            "loopback echo",
            &format!(
                "one TCP connection: {trips} round trips/s, p50 {p50}   p99 {p99}; pipelined \
                 {messages} messages/s of 100 B"
            ),
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

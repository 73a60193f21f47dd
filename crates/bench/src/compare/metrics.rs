//! Which numbers of a report are compared, the most telling ones first: what
//! the server spends says more than how fast a busy machine happened to be.

/// A number in a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Metric {
    /// What people call it.
    pub(super) name: &'static str,
    /// Where it is in the JSON.
    pub(super) pointer: &'static str,
    pub(super) unit: Unit,
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Secs,
    Millis,
    Micros,
    Bytes,
    PerSecond,
    /// A plain number.
    Number,
}

const fn metric(name: &'static str, pointer: &'static str, unit: Unit) -> Metric {
    Metric {
        name,
        pointer,
        unit,
    }
}

/// All of them; what a scenario does not have is left out.
pub(super) const METRICS: [Metric; 43] = [
    metric(
        "server CPU per million messages",
        "/server/cpu_secs_per_million_messages",
        Unit::Secs,
    ),
    metric(
        "server CPU per million deliveries",
        "/server/cpu_secs_per_million_deliveries",
        Unit::Secs,
    ),
    metric(
        "server CPU per request",
        "/sync/server_cpu_ms_per_request",
        Unit::Millis,
    ),
    metric(
        "server CPU per cold start",
        "/sync/server_cpu_ms_per_cold_start",
        Unit::Millis,
    ),
    metric(
        "server CPU per login",
        "/idle/server_cpu_ms_per_login",
        Unit::Millis,
    ),
    metric(
        "server CPU per login",
        "/storm/server_cpu_ms_per_login",
        Unit::Millis,
    ),
    metric(
        "memory per connection",
        "/idle/bytes_per_connection",
        Unit::Bytes,
    ),
    metric("peak memory", "/server/peak_rss_bytes", Unit::Bytes),
    metric(
        "written per message",
        "/server/written_bytes_per_message",
        Unit::Bytes,
    ),
    metric(
        "rows per message",
        "/server/rows_written_per_message",
        Unit::Number,
    ),
    metric(
        "commits per message",
        "/server/commits_per_message",
        Unit::Number,
    ),
    metric("messages", "/load/achieved_per_s", Unit::PerSecond),
    metric("deliveries", "/load/deliveries_per_s", Unit::PerSecond),
    metric("send to ack p50", "/load/ack/p50_us", Unit::Micros),
    metric("send to ack p99", "/load/ack/p99_us", Unit::Micros),
    metric("send to ack p99.9", "/load/ack/p999_us", Unit::Micros),
    metric("send to receive p50", "/load/delivery/p50_us", Unit::Micros),
    metric("send to receive p99", "/load/delivery/p99_us", Unit::Micros),
    metric(
        "send to receive p99.9",
        "/load/delivery/p999_us",
        Unit::Micros,
    ),
    metric("cold start p50", "/sync/cold_start/p50_us", Unit::Micros),
    metric("cold start p99", "/sync/cold_start/p99_us", Unit::Micros),
    metric(
        "conversations p50",
        "/requests/conversations/latency/p50_us",
        Unit::Micros,
    ),
    metric(
        "conversations p99",
        "/requests/conversations/latency/p99_us",
        Unit::Micros,
    ),
    metric(
        "conversations, bytes",
        "/requests/conversations/bytes_per_answer",
        Unit::Bytes,
    ),
    metric(
        "histories p50",
        "/requests/histories/latency/p50_us",
        Unit::Micros,
    ),
    metric(
        "histories p99",
        "/requests/histories/latency/p99_us",
        Unit::Micros,
    ),
    metric("reads p50", "/requests/reads/latency/p50_us", Unit::Micros),
    metric("reads p99", "/requests/reads/latency/p99_us", Unit::Micros),
    metric(
        "missed p50",
        "/requests/missed/latency/p50_us",
        Unit::Micros,
    ),
    metric(
        "missed p99",
        "/requests/missed/latency/p99_us",
        Unit::Micros,
    ),
    metric("all back", "/storm/all_back_secs", Unit::Secs),
    metric("logins", "/storm/logins_per_s", Unit::PerSecond),
    metric("logins", "/idle/logins_per_s", Unit::PerSecond),
    metric("login p50", "/reconnects/login/p50_us", Unit::Micros),
    metric("login p99", "/reconnects/login/p99_us", Unit::Micros),
    metric("login p50", "/idle/login/p50_us", Unit::Micros),
    metric("login p99", "/idle/login/p99_us", Unit::Micros),
    metric(
        "generator CPU per million messages",
        "/generator/cpu_secs_per_million_messages",
        Unit::Secs,
    ),
    metric(
        "generator CPU per million deliveries",
        "/generator/cpu_secs_per_million_deliveries",
        Unit::Secs,
    ),
    metric("generator's cores", "/generator/cores_busy", Unit::Number),
    metric("server's cores", "/server/cores_busy", Unit::Number),
    metric(
        "everything else's cores",
        "/others_cores_busy",
        Unit::Number,
    ),
    metric("fsync p50", "/machine/fsync_p50_us", Unit::Micros),
];

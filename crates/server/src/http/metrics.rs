//! `/metrics`: what the server does, as Prometheus reads it.
//!
//! Most numbers live where they are counted and are read when somebody asks. Labels come from
//! fixed sets: routes as they are declared, method names, status codes.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
    MetricEncoder, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of the duration buckets, in seconds.
const SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];

/// A route as declared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Route(String);

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.0.as_str().encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: Route,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: Route,
}

/// A number that is read when somebody asks.
pub struct Reading {
    /// Its name, without prefix.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Its value now.
    pub value: Value,
    /// Of which of several that are counted alike: the label's name and value. Readings of the
    /// same name stand together.
    pub of: Option<(&'static str, String)>,
}

/// The value of a reading.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// It only grows, from 0 at the start of the process.
    Counter(u64),
    /// It goes up and down.
    Gauge(u64),
}

impl Reading {
    /// A counter.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self {
            name,
            help,
            value: Value::Counter(value),
            of: None,
        }
    }

    /// A gauge.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self {
            name,
            help,
            value: Value::Gauge(value),
            of: None,
        }
    }

    /// The same, of one of several.
    #[must_use]
    pub fn of(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.of = Some((label, value.into()));
        self
    }
}

type Read = Box<dyn Fn() -> Vec<Reading> + Send + Sync>;

struct Readings(Read);

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("readings")
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let readings = (self.0)();
        for same in readings.chunk_by(|one, other| one.name == other.name) {
            put(&mut encoder, same)?;
        }
        Ok(())
    }
}

/// Writes readings of one name.
fn put(encoder: &mut DescriptorEncoder<'_>, same: &[Reading]) -> fmt::Result {
    let Some(first) = same.first() else {
        return Ok(());
    };
    let kind = match first.value {
        Value::Counter(_) => MetricType::Counter,
        Value::Gauge(_) => MetricType::Gauge,
    };
    let mut all = encoder.encode_descriptor(first.name, first.help, None, kind)?;
    for reading in same {
        match &reading.of {
            Some(label) => {
                let labels = [label.clone()];
                reading.value.encode(all.encode_family(&labels)?)?;
            }
            None => return reading.value.encode(all),
        }
    }
    Ok(())
}

impl Value {
    fn encode(self, to: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Counter(value) => ConstCounter::new(value).encode(to),
            Self::Gauge(value) => {
                let value = i64::try_from(value).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(to)
            }
        }
    }
}

/// Everything that is measured.
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    seconds: Family<Asked, Histogram>,
}

impl Metrics {
    /// HTTP, the process, and what `read` reads.
    #[must_use]
    pub fn new(read: impl Fn() -> Vec<Reading> + Send + Sync + 'static) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process()));
        let ours = registry.sub_registry_with_prefix("crosstalk");
        let answered = Family::<Answered, Counter>::default();
        ours.register("http_requests", "HTTP requests answered", answered.clone());
        let seconds = Family::<Asked, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        ours.register(
            "http_request_seconds",
            "Time taken by HTTP requests",
            seconds.clone(),
        );
        ours.register_collector(Box::new(Readings(Box::new(read))));
        Self {
            registry,
            answered,
            seconds,
        }
    }

    /// Counts one HTTP request.
    pub fn count_request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = Route(route.to_owned());
        let asked = Asked {
            method,
            route: route.clone(),
        };
        self.seconds
            .get_or_create(&asked)
            .observe(took.as_secs_f64());
        self.answered
            .get_or_create(&Answered {
                method,
                route,
                status,
            })
            .inc();
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// `/metrics`
pub(super) async fn show(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    let text = metrics.text().unwrap_or_default();
    ([(CONTENT_TYPE, OPEN_METRICS)], text)
}

fn process() -> Readings {
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    Readings(Box::new(move || {
        vec![
            Reading::gauge(
                "process_start_time_seconds",
                "When the process started",
                started,
            ),
            Reading::gauge(
                "process_resident_memory_bytes",
                "Memory in use",
                resident_bytes(),
            ),
        ]
    }))
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// The value of a shared counter.
#[must_use]
pub fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

//! Medians of reports, and how two builds differ.
//!
//! Reports of the same scenario with the same settings belong together. The
//! ratio is that of the medians; where there are as many reports of A as of B,
//! the reports at the same place count as a pair, made one after the other, and
//! the least and the greatest ratio of a pair say how sure the ratio is.

mod metrics;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use crate::options::CompareOptions;
use crate::report::FORMAT;
use metrics::{METRICS, Metric};

/// What a comparison found.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The same as in reports.
    format: u32,
    groups: Vec<Group>,
}

/// Reports of one scenario with the same settings.
#[derive(Debug, Clone, Serialize)]
struct Group {
    /// Scenario, dialect, transport and settings.
    title: String,
    a_reports: usize,
    b_reports: usize,
    /// Reports with faults.
    a_unsound: usize,
    b_unsound: usize,
    metrics: Vec<Row>,
}

/// One number in all reports of a group.
#[derive(Debug, Clone, Serialize)]
struct Row {
    name: &'static str,
    pointer: &'static str,
    #[serde(skip)]
    metric: Metric,
    a: Option<Spread>,
    b: Option<Spread>,
    /// Median of B by median of A.
    ratio: Option<f64>,
    /// The least and the greatest ratio of a pair.
    pairs: Option<(f64, f64)>,
}

/// A number in several reports.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

/// Reads reports and compares them; writes the comparison as JSON, too, if
/// `json` says where.
///
/// # Errors
/// When a file cannot be read or written, or is no report.
pub fn compare(options: &CompareOptions, json: Option<&Path>) -> Result<Comparison> {
    let comparison = Comparison::of(&read(&options.a)?, &read(&options.b)?);
    if let Some(path) = json {
        let text = serde_json::to_vec_pretty(&comparison).context("no JSON")?;
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(comparison)
}

fn read(paths: &[PathBuf]) -> Result<Vec<Value>> {
    let read = |path: &PathBuf| {
        let text = fs::read(path)?;
        let report: Value = serde_json::from_slice(&text)?;
        let format = report["format"].as_u64();
        ensure!(
            format == Some(FORMAT.into()),
            "it is no report in format {FORMAT}"
        );
        Ok(report)
    };
    let reports = paths.iter().map(|path| {
        let report: Result<Value> = read(path);
        report.with_context(|| path.display().to_string())
    });
    reports.collect()
}

impl Comparison {
    fn of(a: &[Value], b: &[Value]) -> Self {
        let mut groups: BTreeMap<String, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        let mut order = Vec::new();
        for (report, is_b) in a
            .iter()
            .map(|it| (it, false))
            .chain(b.iter().map(|it| (it, true)))
        {
            let title = title(report);
            if !groups.contains_key(&title) {
                order.push(title.clone());
            }
            let (of_a, of_b) = groups.entry(title).or_default();
            if is_b { of_b } else { of_a }.push(report);
        }
        let groups = order.into_iter().filter_map(|title| {
            let (a, b) = groups.remove(&title)?;
            Some(Group::of(title, &a, &b))
        });
        Self {
            format: FORMAT,
            groups: groups.collect(),
        }
    }

    /// Whether no report has a fault.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_sound = |group: &Group| group.a_unsound == 0 && group.b_unsound == 0;
        self.groups.iter().all(is_sound)
    }
}

fn title(report: &Value) -> String {
    let text = |key: &str| report[key].as_str().unwrap_or("?");
    let settings = report["settings"].as_object().into_iter().flatten();
    let settings: Vec<String> = settings
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    format!(
        "{}: {} over {} ({})",
        text("scenario"),
        text("dialect"),
        text("transport"),
        settings.join(", ")
    )
}

impl Group {
    fn of(title: String, a: &[&Value], b: &[&Value]) -> Self {
        let unsound = |reports: &[&Value]| {
            let has_faults =
                |report: &&&Value| report["faults"].as_array().is_some_and(|it| !it.is_empty());
            reports.iter().filter(has_faults).count()
        };
        let rows = METRICS.into_iter().map(|metric| Row::of(metric, a, b));
        Self {
            title,
            a_reports: a.len(),
            b_reports: b.len(),
            a_unsound: unsound(a),
            b_unsound: unsound(b),
            metrics: rows.filter(Row::is_told).collect(),
        }
    }
}

impl Row {
    fn of(metric: Metric, a: &[&Value], b: &[&Value]) -> Self {
        let values = |reports: &[&Value]| -> Vec<f64> {
            let values = reports
                .iter()
                .map(|it| it.pointer(metric.pointer)?.as_f64());
            values.flatten().collect()
        };
        let (a, b) = (values(a), values(b));
        let ratio = |a: f64, b: f64| (a > 0.0).then(|| b / a);
        let each = a.iter().zip(&b).filter_map(|(a, b)| ratio(*a, *b));
        let pairs = Spread::of(&each.collect::<Vec<_>>());
        let is_paired = a.len() == b.len() && a.len() > 1;
        let (a, b) = (Spread::of(&a), Spread::of(&b));
        Self {
            name: metric.name,
            pointer: metric.pointer,
            metric,
            a,
            b,
            ratio: a.zip(b).and_then(|(a, b)| ratio(a.median, b.median)),
            pairs: pairs
                .filter(|_| is_paired)
                .map(|pairs| (pairs.min, pairs.max)),
        }
    }

    /// A number that is nowhere, or 0 everywhere, tells nothing.
    fn is_told(&self) -> bool {
        let is_told = |spread: Option<Spread>| spread.is_some_and(|it| it.max != 0.0);
        is_told(self.a) || is_told(self.b)
    }
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { median, min, max })
    }
}

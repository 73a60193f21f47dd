//! A comparison as a table for people.

use std::fmt::{self, Display, Formatter};

use super::metrics::Unit;
use super::{Comparison, Group, Row, Spread};
use crate::report::numbers::{bytes, per_second, three_digits, time};

/// Widths of the columns.
const NAME: usize = 37;
const SPREAD: usize = 34;
const RATIO: usize = 7;

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            write_group(f, group)?;
        }
        Ok(())
    }
}

fn write_group(f: &mut Formatter<'_>, group: &Group) -> fmt::Result {
    writeln!(f, "{}", group.title)?;
    let of = |reports: usize| format!("median of {reports} (least – most)");
    let (a, b) = (of(group.a_reports), of(group.b_reports));
    if group.b_reports == 0 {
        writeln!(f, "  {:NAME$}{a}", "")?;
    } else {
        let (a, b) = (format!("A: {a}"), format!("B: {b}"));
        writeln!(
            f,
            "  {:NAME$}{a:SPREAD$}{b:SPREAD$}{:RATIO$}of pairs",
            "", "B/A"
        )?;
    }
    for row in &group.metrics {
        write_row(f, row, group.b_reports > 0)?;
    }
    for (name, unsound, all) in [
        ("A", group.a_unsound, group.a_reports),
        ("B", group.b_unsound, group.b_reports),
    ] {
        if unsound > 0 {
            writeln!(f, "FAULT {unsound} of {all} reports of {name} have faults")?;
        }
    }
    Ok(())
}

fn write_row(f: &mut Formatter<'_>, row: &Row, has_b: bool) -> fmt::Result {
    let unit = row.metric.unit;
    let a = spread(row.a, unit);
    if !has_b {
        return writeln!(f, "  {:NAME$}{a}", row.name);
    }
    let b = spread(row.b, unit);
    let ratio = row.ratio.map_or_else(String::new, |it| format!("{it:.3}"));
    let pairs = row.pairs.map(|(min, max)| format!("{min:.3} – {max:.3}"));
    let pairs = pairs.unwrap_or_default();
    let line = format!(
        "  {:NAME$}{a:SPREAD$}{b:SPREAD$}{ratio:RATIO$}{pairs}",
        row.name
    );
    writeln!(f, "{}", line.trim_end())
}

fn spread(spread: Option<Spread>, unit: Unit) -> String {
    let Some(Spread { median, min, max }) = spread else {
        return "–".to_owned();
    };
    let [median, min, max] = [median, min, max].map(|value| shown(value, unit));
    format!("{median} ({min} – {max})")
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Secs => format!("{} s", three_digits(value)),
        Unit::Millis => time(value * 1e3),
        Unit::Micros => time(value),
        Unit::Bytes => bytes(value.max(0.0).round() as u64),
        Unit::PerSecond => per_second(value),
        Unit::Number => three_digits(value),
    }
}

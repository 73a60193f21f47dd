//! One line per second on a terminal, and nothing anywhere else.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::account::Totals;
use crate::clock::{Clock, SECOND_NS};

/// Says how far a run is.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    clock: Clock,
    /// When the next line is due; `None` if nobody looks.
    next_ns: Option<Arc<AtomicU64>>,
}

impl Progress {
    /// Shows lines if stderr is a terminal.
    pub(crate) fn on_terminal(clock: Clock) -> Self {
        let is_shown = stderr().is_terminal();
        Self {
            clock,
            next_ns: is_shown.then(|| Arc::new(AtomicU64::new(SECOND_NS))),
        }
    }

    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self {
            clock: Clock::start(),
            next_ns: None,
        }
    }

    /// A line, unless there was one less than a second ago.
    pub(crate) fn step(&self, text: &str) {
        let Some(next_ns) = &self.next_ns else { return };
        let now_ns = self.clock.now_ns();
        let due_ns = next_ns.load(Ordering::Relaxed);
        let later = now_ns + SECOND_NS;
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        if now_ns >= due_ns && next_ns.compare_exchange(due_ns, later, set, get).is_ok() {
            let seconds = now_ns / SECOND_NS;
            // A terminal that is gone is no reason to stop.
            let _ = writeln!(stderr(), "{seconds:>4} s  {text}");
        }
    }
}

/// What is said each second while messages flow.
pub(crate) fn load_line(phase: &str, before: &Totals, now: &Totals, seconds: f64) -> String {
    let per_second = |before: u64, now: u64| ((now - before) as f64 / seconds).round() as u64;
    let waiting = now.sent - (now.accepted + now.refused).min(now.sent);
    let mut line = format!(
        "{phase}: {} sent/s, {} accepted/s, {} delivered/s, {waiting} unanswered",
        per_second(before.sent, now.sent),
        per_second(before.accepted, now.accepted),
        per_second(before.delivered, now.delivered),
    );
    if now.refused > 0 {
        line.push_str(&format!(", {} refused", now.refused));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rates_and_what_is_open() {
        let before = Totals {
            sent: 100,
            accepted: 90,
            delivered: 80,
            ..Totals::default()
        };
        let now = Totals {
            sent: 300,
            accepted: 270,
            delivered: 280,
            refused: 1,
            ..Totals::default()
        };
        assert_eq!(
            load_line("measuring", &before, &now, 2.0),
            "measuring: 100 sent/s, 90 accepted/s, 100 delivered/s, 29 unanswered, 1 refused"
        );
    }
}

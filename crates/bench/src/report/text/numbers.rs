//! Numbers for people: few digits, and units.

/// Microseconds with three digits.
pub(crate) fn time(us: f64) -> String {
    let (value, unit) = match us {
        us if us >= 1e6 => (us / 1e6, "s"),
        us if us >= 1e3 => (us / 1e3, "ms"),
        us => (us, "µs"),
    };
    format!("{} {unit}", three_digits(value))
}

/// Bytes with three digits.
pub(crate) fn bytes(number: u64) -> String {
    let (value, unit) = match number {
        0..1_024 => return format!("{number} B"),
        1_024..1_048_576 => (number as f64 / 1024.0, "KiB"),
        1_048_576..1_073_741_824 => (number as f64 / f64::from(1 << 20), "MiB"),
        _ => (number as f64 / f64::from(1 << 30), "GiB"),
    };
    format!("{} {unit}", three_digits(value))
}

/// A value that is not huge, with three digits at least.
pub(crate) fn three_digits(value: f64) -> String {
    // The limits are where rounding would give a fourth digit.
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
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

/// A rate of so many a second.
pub(crate) fn per_second(rate: f64) -> String {
    if rate < 10.0 {
        format!("{}/s", three_digits(rate))
    } else {
        format!("{}/s", count(rate.round() as u64))
    }
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
        assert_eq!(
            [per_second(0.25), per_second(1234.5)],
            ["0.25/s", "1,235/s"]
        );
    }
}

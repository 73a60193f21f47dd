//! `sendTimeDate`: a time as people read it, `yyyy-MM-dd HH:mm:ss`
//! (gyyx.md F.a.2).

use std::fmt::Write as _;

/// Writes times in one zone, which is a fixed distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone {
    /// Seconds east of UTC.
    pub offset_secs: i32,
}

const SECS_PER_DAY: i64 = 86_400;

/// Days of 400 years.
const DAYS_PER_ERA: i64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

impl Zone {
    /// Asia/Shanghai, which has kept one offset since 1991; the default.
    pub const SHANGHAI: Zone = Zone {
        offset_secs: 8 * 3600,
    };

    /// The date and time of `ms` since 1970.
    #[must_use]
    pub fn text(self, ms: i64) -> String {
        let secs = ms.div_euclid(1000) + i64::from(self.offset_secs);
        let (year, month, day) = civil(secs.div_euclid(SECS_PER_DAY));
        let secs = secs.rem_euclid(SECS_PER_DAY);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        let mut text = String::with_capacity(19);
        write!(
            text,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )
        .expect("a string takes any text");
        text
    }
}

impl Default for Zone {
    fn default() -> Zone {
        Zone::SHANGHAI
    }
}

/// Year, month and day of a number of days since 1970-01-01. Years begin in
/// March here, so that the day that leap years add is their last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: Zone = Zone { offset_secs: 0 };

    #[test]
    fn times_are_those_of_the_zone() {
        for (ms, text) in [
            (1_708_742_795_000, "2024-02-24 10:46:35"),
            (1_708_742_800_011, "2024-02-24 10:46:40"),
            (0, "1970-01-01 08:00:00"),
            (-28_800_001, "1969-12-31 23:59:59"),
        ] {
            assert_eq!(Zone::SHANGHAI.text(ms), text);
        }
    }

    #[test]
    fn calendars_have_leap_years() {
        for (ms, text) in [
            (951_782_399_999, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (951_868_800_000, "2000-03-01 00:00:00"),
            (4_107_542_400_000, "2100-03-01 00:00:00"),
            (1_709_164_800_000, "2024-02-29 00:00:00"),
            (1_735_689_599_999, "2024-12-31 23:59:59"),
            (253_402_300_799_999, "9999-12-31 23:59:59"),
        ] {
            assert_eq!(UTC.text(ms), text);
        }
    }

    #[test]
    fn days_follow_each_other() {
        let mut last = civil(-200_000);
        for day in -199_999..200_000 {
            let next = civil(day);
            assert!(next > last, "{last:?} {next:?}");
            assert!(
                next.2 == last.2 + 1 || next.2 == 1 && last.2 >= 28,
                "{last:?} {next:?}"
            );
            last = next;
        }
    }

    #[test]
    fn no_time_is_too_far() {
        for ms in [i64::MIN, i64::MAX] {
            assert!(!UTC.text(ms).is_empty());
        }
    }
}

//! Settings after every layer was applied: what holds, not what was typed.

use std::fmt;
use std::time::Duration;

use super::ids::AccountName;
use super::money::Currency;

/// How many calls may start in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    per: Duration,
}

impl Rate {
    /// `calls` in each `per`; none where either is zero.
    pub fn new(calls: u32, per: Duration) -> Option<Self> {
        (calls > 0 && !per.is_zero()).then_some(Self { calls, per })
    }

    /// Parses `10/s`, `600/min`, `5000/h`; a bare number is per second.
    pub fn parse(text: &str) -> Option<Self> {
        let (calls, unit) = text.split_once('/').unwrap_or((text, "s"));
        let per = match unit.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3600,
            _ => return None,
        };
        Self::new(calls.trim().parse().ok()?, Duration::from_secs(per))
    }

    /// The time from one call to the next when they are evenly spaced.
    pub fn interval(self) -> Duration {
        self.per / self.calls
    }

    /// This part (0 to 1) of the rate, to the nearest whole call; slow rates are told per minute or hour.
    #[must_use]
    pub fn slowed(self, share: f64) -> Self {
        let per_hour = self.per_second() * 3600.0 * share;
        let (per, calls) = match per_hour {
            fast if fast >= 36_000.0 => (1, fast / 3600.0),
            slow if slow >= 600.0 => (60, slow / 60.0),
            slowest => (3600, slowest),
        };
        let calls = format!("{:.0}", calls.max(1.0)).parse().unwrap_or(1);
        Self { calls, per: Duration::from_secs(per) }
    }

    /// Calls in a second; for display only.
    pub fn per_second(self) -> f64 {
        f64::from(self.calls) / self.per.as_secs_f64()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            60 => "min",
            3600 => "h",
            _ => "s",
        };
        write!(f, "{}/{unit}", self.calls)
    }
}

/// Rate and concurrency of one account, and how long one call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls that may start in a time.
    pub rate: Rate,
    /// Calls that may be under way at once.
    pub concurrency: usize,
    /// The longest that one call may take, from its first byte to the last of its reply.
    pub timeout: Duration,
    /// The longest that connecting may take.
    pub connect_timeout: Duration,
}

impl Default for Limits {
    /// Low on purpose: none of the vendors publishes a rate limit.
    fn default() -> Self {
        Self {
            rate: Rate { calls: 5, per: Duration::from_secs(1) },
            concurrency: 4,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// When a run is to be stopped by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Refused and failed rows that halt the run.
    pub max_failures: MaxFailures,
    /// Rows in doubt since this start that halt the run.
    pub max_in_doubt: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Self { max_failures: MaxFailures::Percent(20), max_in_doubt: 10 }
    }
}

/// How many refused and failed rows are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxFailures {
    /// More than so many rows.
    Rows(u64),
    /// More than so many percent of the rows ended, once 50 rows have ended.
    Percent(u8),
}

impl MaxFailures {
    /// Parses `20` or `5%` (0 to 100).
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('%') {
            Some(percent) => {
                let percent = percent.trim().parse().ok().filter(|percent| *percent <= 100)?;
                Some(Self::Percent(percent))
            }
            None => text.trim().parse().ok().map(Self::Rows),
        }
    }

    /// True when `failures` among `ended` rows are too many.
    pub fn exceeded(self, failures: u64, ended: u64) -> bool {
        match self {
            Self::Rows(most) => failures > most,
            Self::Percent(most) => ended >= 50 && failures * 100 > ended * u64::from(most),
        }
    }
}

impl fmt::Display for MaxFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => rows.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Parses a duration as people write it: `30s`, `2m`, `1h`, `250ms`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "sec" => Some(Duration::from_secs(number)),
        "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// What is fixed about an account before its secrets are looked at.
#[derive(Debug, Clone)]
pub struct AccountProfile {
    /// Its name.
    pub name: AccountName,
    /// Its provider's name.
    pub provider: &'static str,
    /// Its limits.
    pub limits: Limits,
    /// The currency of amounts without one.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_as_people_write_them() {
        let interval = |text| Rate::parse(text).map(|rate| rate.interval().as_micros());
        assert_eq!(interval("10/s"), Some(100_000));
        assert_eq!(interval("10"), Some(100_000));
        assert_eq!(interval("600/min"), Some(100_000));
        assert_eq!(interval(" 3600 / h "), Some(1_000_000));
        for text in ["", "0/s", "-1/s", "1.5/s", "10/d", "/s", "10/"] {
            assert_eq!(interval(text), None, "{text:?}");
        }
        assert_eq!(Rate::parse("90/min").map(|rate| rate.to_string()).as_deref(), Some("90/min"));
    }

    #[test]
    fn a_slowed_rate_is_told_in_whole_calls() {
        let slowed = |text, share| Rate::parse(text).map(|rate| rate.slowed(share).to_string());
        assert_eq!(slowed("50/s", 0.7).as_deref(), Some("35/s"));
        assert_eq!(slowed("5/s", 0.7).as_deref(), Some("210/min"));
        assert_eq!(slowed("1/s", 0.01).as_deref(), Some("36/h"));
        assert_eq!(slowed("1/h", 0.01).as_deref(), Some("1/h"));
    }

    #[test]
    fn failures_are_counted_in_rows_or_percent() {
        let exceeded =
            |text: &str, failures, ended| MaxFailures::parse(text).is_some_and(|most| most.exceeded(failures, ended));
        assert!(!exceeded("3", 3, 3));
        assert!(exceeded("3", 4, 4));
        assert!(exceeded("0", 1, 1));
        assert!(!exceeded("20%", 49, 49), "not before 50 rows have ended");
        assert!(exceeded("20%", 11, 50));
        assert!(!exceeded("20%", 10, 50));
        for text in ["", "x", "-1", "101%", "%"] {
            assert_eq!(MaxFailures::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse_duration("250 ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("2m"), Some(Duration::from_secs(120)));
        for text in ["", "30", "s", "-1s", "1.5s", "1d"] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }
}

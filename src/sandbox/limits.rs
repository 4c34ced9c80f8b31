//! How fast the sandbox takes calls, and how long it takes over each. Pure: the time is always given.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// How many calls the sandbox takes in a time, before it answers 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    calls: u32,
    per: Duration,
}

impl RateLimit {
    /// So many calls a second; none where that is zero.
    pub fn per_second(calls: u32) -> Option<Self> {
        (calls > 0).then_some(Self { calls, per: Duration::from_secs(1) })
    }

    fn interval(self) -> Duration {
        self.per / self.calls
    }
}

/// Takes `50/s`, `600/min` or `5000/h`; a bare number is per second.
impl FromStr for RateLimit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let fault = || LimitError { given: text.to_owned(), expected: "a rate such as `50/s`, `600/min` or `5000/h`" };
        let (calls, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit.trim() {
            "s" => 1,
            "min" => 60,
            "h" => 3600,
            _ => return Err(fault()),
        };
        let calls = calls.trim().parse().ok().filter(|calls| *calls > 0).ok_or_else(fault)?;
        Ok(Self { calls, per: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            60 => "min",
            3600 => "h",
            _ => "s",
        };
        write!(f, "{}/{unit}", self.calls)
    }
}

/// The shortest and the longest time that a call takes; each call's own is drawn evenly between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LatencyRange {
    shortest: Duration,
    longest: Duration,
}

impl LatencyRange {
    /// One call's time.
    pub(super) fn draw(self, random: &mut fastrand::Rng) -> Duration {
        let spread = u64::try_from((self.longest - self.shortest).as_micros()).unwrap_or(u64::MAX);
        if spread == 0 {
            return self.shortest;
        }
        self.shortest + Duration::from_micros(random.u64(0..=spread))
    }
}

/// Takes `20ms`, `1s` or a range `20ms..80ms`.
impl FromStr for LatencyRange {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (shortest, longest) = text.split_once("..").unwrap_or((text, text));
        match (parse_time(shortest), parse_time(longest)) {
            (Some(shortest), Some(longest)) if shortest <= longest => Ok(Self { shortest, longest }),
            _ => Err(LimitError { given: text.to_owned(), expected: "a time such as `20ms`, or a range `20ms..80ms`" }),
        }
    }
}

impl fmt::Display for LatencyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.shortest.as_millis())?;
        if self.longest > self.shortest {
            write!(f, "..{}ms", self.longest.as_millis())?;
        }
        Ok(())
    }
}

/// Parses `20ms` or `3s`; `0` needs no unit.
pub(super) fn parse_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().ok().map(Duration::from_millis);
    }
    match text.strip_suffix('s') {
        Some(number) => number.parse().ok().map(Duration::from_secs),
        None => (text == "0").then_some(Duration::ZERO),
    }
}

/// A limit that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {expected}")]
pub struct LimitError {
    given: String,
    expected: &'static str,
}

/// Counts calls against a [`RateLimit`].
///
/// Calls are meant to come evenly spaced. Up to a tenth of a second's worth may come early, so that the jitter of a
/// client that keeps the rate exactly is not punished, while a client that sends its whole second at once is.
#[derive(Debug)]
pub(super) struct Limiter {
    pub(super) limit: RateLimit,
    due: Option<Instant>,
}

impl Limiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, due: None }
    }

    /// Takes one call at `now`, or refuses it. A refused call does not count.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let interval = self.limit.interval();
        let early = interval.max(Duration::from_millis(100));
        let due = self.due.map_or(now, |due| due.max(now));
        if due > now + early {
            return false;
        }
        self.due = Some(due + interval);
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;

    fn admitted(limit: &str, calls: u32, apart: Duration) -> u32 {
        let mut limiter = Limiter::new(limit.parse().expect("a rate"));
        let start = Instant::now();
        (0..calls).map(|call| u32::from(limiter.admit(start + apart * call))).sum()
    }

    #[test]
    fn a_client_at_the_limit_is_never_refused_and_a_burst_is() {
        assert_eq!(admitted("50/s", 500, Duration::from_millis(20)), 500);
        assert_eq!(admitted("50/s", 500, Duration::ZERO), 6, "a tenth of a second's worth, and the first");
        assert_eq!(admitted("50/s", 1_000, Duration::from_millis(10)), 505, "at twice the rate half gets through");
        assert_eq!(admitted("60/min", 10, Duration::from_millis(1)), 2);
    }

    #[test]
    fn limits_as_people_write_them() {
        for text in ["50/s", "600/min", "5000/h"] {
            assert_eq!(text.parse::<RateLimit>().map(|rate| rate.to_string()), Ok(text.to_owned()));
        }
        for text in ["20ms", "20ms..80ms", "0ms"] {
            assert_eq!(text.parse::<LatencyRange>().map(|range| range.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "0/s", "-1/s", "5/d", "x"] {
            assert!(text.parse::<RateLimit>().is_err(), "{text:?}");
        }
        for text in ["", "20", "80ms..20ms", "fast", "20ms.."] {
            assert!(text.parse::<LatencyRange>().is_err(), "{text:?}");
        }
        let message = "quick".parse::<LatencyRange>().expect_err("no time").to_string();
        assert_eq!(message, "`quick` is not a time such as `20ms`, or a range `20ms..80ms`");
    }

    #[test]
    fn latency_stays_within_its_range() {
        let range: LatencyRange = "20ms..80ms".parse().expect("a range");
        let mut random = fastrand::Rng::with_seed(7);
        let drawn: Vec<_> = (0..1_000).map(|_| range.draw(&mut random).as_millis()).collect();
        assert!(drawn.iter().all(|time| (20..=80).contains(time)));
        assert!(drawn.iter().any(|time| *time < 30) && drawn.iter().any(|time| *time > 70));
    }
}

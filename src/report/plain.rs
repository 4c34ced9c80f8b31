//! Progress where nobody watches: one line every ten seconds, and one at each change of weather.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::live::Ticker;
use super::meter::Meter;
use super::progress::{Trend, plain_line};
use crate::model::ids::RunId;

/// The time from one line to the next, in calm weather.
const EVERY: Duration = Duration::from_secs(10);
/// The shortest time between two lines, however fast the weather changes.
const AT_MOST: Duration = Duration::from_secs(1);

/// Prints lines about a run until it is finished or dropped.
pub struct Plain {
    ticker: Ticker,
}

impl Plain {
    /// Starts to print to `out`. A stream that cannot be written ends the lines and nothing else. An error where no
    /// thread can be started.
    pub fn start(mut out: impl Write + Send + 'static, meter: Arc<Meter>, job: &str, run: RunId) -> io::Result<Self> {
        let job = job.to_owned();
        let mut trend = Trend::default();
        let mut cadence = Cadence::new(Instant::now());
        let ticker = Ticker::start("progress lines", AT_MOST, move || {
            let now = Instant::now();
            let wall = super::watch::wall();
            let snapshot = meter.snapshot(now, wall);
            let pace = trend.take(&snapshot);
            if !cadence.due(now, meter.weather_changes()) {
                return true;
            }
            let line = plain_line(wall, &job, run, &snapshot, pace);
            out.write_all(format!("{line}\n").as_bytes()).is_ok()
        })?;
        Ok(Self { ticker })
    }

    /// Ends the lines.
    pub fn finish(mut self) {
        self.ticker.stop();
    }
}

/// When a line is due.
struct Cadence {
    last: Instant,
    changes: u64,
}

impl Cadence {
    fn new(now: Instant) -> Self {
        Self { last: now, changes: 0 }
    }

    fn due(&mut self, now: Instant, changes: u64) -> bool {
        let due = changes != self.changes || now.saturating_duration_since(self.last) >= EVERY;
        if due {
            self.last = now;
            self.changes = changes;
        }
        due
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    #[test]
    fn a_line_every_ten_seconds_and_at_each_change() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start);
        let due: Vec<u64> = (1..=35)
            .filter(|second| {
                let changes = u64::from(*second >= 4) + u64::from(*second >= 5);
                cadence.due(start + Duration::from_secs(*second), changes)
            })
            .collect();
        assert_eq!(due, [4, 5, 15, 25, 35]);
    }
}

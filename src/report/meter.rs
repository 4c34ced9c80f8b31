//! Counts what a run does: the one observer behind the bar, the plain lines and the summary.
//!
//! The engine's thread only adds to counters here; whoever draws takes a [`Snapshot`] when it wants one. Rows are counted
//! as they move, from the tally with which the run (or its continuation) began. The money is not counted here: it is
//! counted from the journal and from the result files, which must agree.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::histogram::Histogram;
use super::progress::{Hold, Snapshot};
use crate::contract::{Millis, Observer};
use crate::model::event::{RunEvent, Weather};
use crate::model::ids::AccountName;
use crate::model::settings::Rate;
use crate::model::state::State;
use crate::model::summary::Latency;
use crate::model::totals::Totals;

/// Counts what a run does.
pub struct Meter {
    start: Instant,
    limit: f64,
    accounts: usize,
    rows: [AtomicI64; 9],
    calls: AtomicU64,
    ended: AtomicU64,
    retries: AtomicU64,
    /// Nanoseconds from `start` to the first call and to the last, plus one; zero before the first.
    first_call: AtomicU64,
    last_call: AtomicU64,
    latency: Histogram,
    skies: Mutex<Vec<Sky>>,
    weather_changes: AtomicU64,
}

/// The conditions of one account. A lowered rate stays while pauses come and go, so it has a place of its own.
struct Sky {
    account: AccountName,
    weather: Weather,
    told: Instant,
    since: Instant,
    lowered: Option<(Rate, Rate)>,
}

/// What was counted, for the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Calls sent, reads included.
    pub calls: u64,
    /// Calls that repeated an earlier one.
    pub retries: u64,
    /// Calls a second between the first call's start and the last's; zero for fewer than two calls.
    pub rate: f64,
    /// Percentiles of the latency.
    pub latency: Latency,
}

impl Meter {
    /// Counts from `rows`, the tally with which the run begins or goes on. `limits` are the configured rates, one for
    /// each account.
    pub fn new(rows: &Totals, limits: &[Rate]) -> Self {
        Self {
            start: Instant::now(),
            limit: limits.iter().map(|rate| rate.per_second()).sum(),
            accounts: limits.len(),
            rows: State::ALL.map(|state| AtomicI64::new(i64::try_from(rows.count(state)).unwrap_or(i64::MAX))),
            calls: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            first_call: AtomicU64::new(0),
            last_call: AtomicU64::new(0),
            latency: Histogram::default(),
            skies: Mutex::new(Vec::new()),
            weather_changes: AtomicU64::new(0),
        }
    }

    /// What was counted so far.
    pub fn figures(&self) -> Figures {
        let [p50, p95, p99] = self.latency.percentiles([50, 95, 99]).map(|latency| latency.map_or(0, whole_millis));
        Figures {
            calls: self.calls.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            rate: self.rate(),
            latency: Latency { p50, p95, p99 },
        }
    }

    /// How many calls are under way.
    pub fn in_flight(&self) -> u64 {
        self.calls.load(Ordering::Relaxed).saturating_sub(self.ended.load(Ordering::Relaxed))
    }

    /// Grows with each change of weather that is one in kind: another pause, not another second of it.
    pub fn weather_changes(&self) -> u64 {
        self.weather_changes.load(Ordering::Relaxed)
    }

    /// What is to be seen at `now`, which is `wall` on the clock of the wall.
    pub fn snapshot(&self, now: Instant, wall: Millis) -> Snapshot {
        let rows = State::ALL.map(|state| self.rows(state));
        let skies = self.skies();
        let mut holds: Vec<Hold> = skies.iter().filter_map(|sky| sky.hold(now, wall)).collect();
        // The gravest first: of several, one line shows this one.
        holds.sort_by_key(Hold::order);
        Snapshot {
            rows,
            elapsed: now.saturating_duration_since(self.start),
            calls: self.calls.load(Ordering::Relaxed),
            in_flight: self.in_flight(),
            limit: self.limit,
            lowered: lowered(&skies),
            p95: self.latency.percentile(95),
            accounts: self.accounts,
            holds,
        }
    }

    fn rows(&self, state: State) -> u64 {
        let count = self.rows[usize::from(state.number())].load(Ordering::Relaxed);
        // Below zero for the moment in which another thread has counted half of a move.
        u64::try_from(count).unwrap_or(0)
    }

    fn rate(&self) -> f64 {
        let first = self.first_call.load(Ordering::Relaxed);
        let last = self.last_call.load(Ordering::Relaxed);
        let span = Duration::from_nanos(last.saturating_sub(first)).as_secs_f64();
        let calls = self.calls.load(Ordering::Relaxed);
        if span > 0.0 && calls > 1 { (calls - 1) as f64 / span } else { 0.0 }
    }

    fn call_started(&self, now: Instant) {
        let at = u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX - 1) + 1;
        if self.calls.fetch_add(1, Ordering::Relaxed) == 0 {
            self.first_call.store(at, Ordering::Relaxed);
        }
        self.last_call.store(at, Ordering::Relaxed);
    }

    fn weather(&self, account: &AccountName, weather: &Weather, now: Instant) {
        let mut skies = self.skies();
        let at = skies.iter().position(|sky| sky.account == *account).unwrap_or_else(|| {
            skies.push(Sky::clear(account, now));
            skies.len() - 1
        });
        if skies[at].take(weather, now) {
            self.weather_changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A panic elsewhere leaves the conditions as they were last told, which is all that is wanted of them.
    fn skies(&self) -> MutexGuard<'_, Vec<Sky>> {
        self.skies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn notice_at(&self, event: &RunEvent, now: Instant) {
        match event {
            RunEvent::CallStarted => self.call_started(now),
            RunEvent::CallEnded { latency } => {
                self.ended.fetch_add(1, Ordering::Relaxed);
                self.latency.record(*latency);
            }
            RunEvent::RowMoved { from, to, .. } => {
                self.rows[usize::from(from.number())].fetch_sub(1, Ordering::Relaxed);
                self.rows[usize::from(to.number())].fetch_add(1, Ordering::Relaxed);
            }
            RunEvent::Retry { .. } => {
                self.retries.fetch_add(1, Ordering::Relaxed);
            }
            RunEvent::Weather { account, weather } => self.weather(account, weather, now),
        }
    }
}

impl Observer for Meter {
    fn notice(&self, event: &RunEvent) {
        self.notice_at(event, Instant::now());
    }
}

impl Sky {
    fn clear(account: &AccountName, now: Instant) -> Self {
        Self { account: account.clone(), weather: Weather::Clear, told: now, since: now, lowered: None }
    }

    /// Takes what was told; true where it is another kind of weather than before.
    fn take(&mut self, weather: &Weather, now: Instant) -> bool {
        if let Weather::Rate { now: rate, limit } = weather {
            let lowered = (rate != limit).then_some((*rate, *limit));
            return std::mem::replace(&mut self.lowered, lowered).is_some() != lowered.is_some();
        }
        let another = std::mem::discriminant(&self.weather) != std::mem::discriminant(weather);
        if another {
            self.since = now;
        }
        self.weather = weather.clone();
        self.told = now;
        another
    }

    fn hold(&self, now: Instant, wall: Millis) -> Option<Hold> {
        let left = |wait: Duration| wait.saturating_sub(now.saturating_duration_since(self.told));
        let hold = match &self.weather {
            Weather::Clear | Weather::Rate { .. } => return None,
            // A pause is over when its time is, whether or not anybody says so.
            Weather::Paused { wait } if left(*wait).is_zero() => return None,
            Weather::Paused { wait } => Hold::Paused { account: self.account.clone(), left: left(*wait) },
            Weather::Down { reason, probes, next } => Hold::Down {
                account: self.account.clone(),
                since: wall - millis(now.saturating_duration_since(self.since)),
                reason: reason.clone(),
                probe: u64::from(*probes) + 1,
                left: left(*next),
            },
            Weather::Draining => Hold::Draining,
            Weather::Verifying { rows, wait } => Hold::Verifying { rows: *rows, left: left(*wait) },
        };
        Some(hold)
    }
}

/// What the lowered accounts may do, and what they were configured for; none where no rate is lowered.
fn lowered(skies: &[Sky]) -> Option<(f64, f64)> {
    let rates = skies.iter().filter_map(|sky| sky.lowered);
    rates.map(|(now, limit)| (now.per_second(), limit.per_second())).reduce(|one, two| (one.0 + two.0, one.1 + two.1))
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// Rounded to whole milliseconds, and at least one: a call that was measured did not take no time.
fn whole_millis(latency: Duration) -> u64 {
    u64::try_from((latency.as_micros() + 500) / 1_000).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
#[path = "meter_tests.rs"]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests;

//! What is shown while a run is under way, as text: the lines of the bar, and the one line for a log. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::format::{columns, count, countdown, counted, duration, estimate, per_second, printable, right, shortened};
use super::format::{rfc3339, time_of_day};
use super::style::Style;
use crate::contract::Millis;
use crate::model::ids::{AccountName, RunId};
use crate::model::state::State;

/// A run at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Rows by state, in the order of [`State::ALL`].
    pub rows: [u64; 9],
    /// Since the run began or went on.
    pub elapsed: Duration,
    /// Calls so far.
    pub calls: u64,
    /// Calls under way.
    pub in_flight: u64,
    /// The configured calls a second, of all accounts together.
    pub limit: f64,
    /// Where rates were lowered: what these accounts may do now, and what they were configured for.
    pub lowered: Option<(f64, f64)>,
    /// 95 of 100 calls were faster.
    pub p95: Option<Duration>,
    /// How many accounts there are.
    pub accounts: usize,
    /// What holds rows back, the gravest first.
    pub holds: Vec<Hold>,
}

impl Snapshot {
    /// The rows in a state.
    pub fn count(&self, state: State) -> u64 {
        self.rows[usize::from(state.number())]
    }

    /// All rows.
    pub fn total(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// Rows that ended, one way or another. A row in doubt has ended as far as sending goes.
    pub fn done(&self) -> u64 {
        let ended = State::ALL.into_iter().filter(|state| state.is_final() || *state == State::InDoubt);
        ended.map(|state| self.count(state)).sum()
    }
}

/// What holds rows back, and until when.
#[derive(Debug, Clone, PartialEq)]
pub enum Hold {
    /// The run is stopping.
    Draining,
    /// A provider cannot be reached or used.
    Down {
        /// Which account.
        account: AccountName,
        /// Since when.
        since: Millis,
        /// Why.
        reason: String,
        /// The probe that comes next, counted from 1.
        probe: u64,
        /// How long until then.
        left: Duration,
    },
    /// A provider asked to wait.
    Paused {
        /// Which account.
        account: AccountName,
        /// How long still.
        left: Duration,
    },
    /// Rows in doubt wait until they may be verified.
    Verifying {
        /// How many.
        rows: u64,
        /// The longest wait.
        left: Duration,
    },
}

impl Hold {
    /// The gravest first; of two alike, the longer one.
    pub(super) fn order(&self) -> (u8, std::cmp::Reverse<Duration>) {
        let (rank, left) = match self {
            Hold::Draining => (0, Duration::ZERO),
            Hold::Down { left, .. } => (1, *left),
            Hold::Paused { left, .. } => (2, *left),
            Hold::Verifying { left, .. } => (3, *left),
        };
        (rank, std::cmp::Reverse(left))
    }

    /// In words. The account is named where there are several.
    fn describe(&self, snapshot: &Snapshot, style: &Style) -> String {
        let of = |account: &AccountName| {
            if snapshot.accounts > 1 { format!(" of account {}", printable(account.as_str())) } else { String::new() }
        };
        match self {
            Hold::Draining => format!(
                "draining: {} in flight (Ctrl-C again leaves them in doubt)",
                counted(snapshot.in_flight, "call", "calls")
            ),
            // The reason comes last: where it is narrow, it is what is cut off.
            Hold::Down { account, since, reason, probe, left } => format!(
                "provider{} is down since {}, probing, {} try in {}: {}",
                of(account),
                time_of_day(*since, &style.zone),
                ordinal(*probe),
                estimate(*left),
                printable(reason)
            ),
            Hold::Paused { account, left } => {
                format!("paused by the provider{} (Retry-After) {}", of(account), countdown(*left))
            }
            Hold::Verifying { rows, left } => {
                format!("{} in doubt: verifying in {}", counted(*rows, "row", "rows"), countdown(*left))
            }
        }
    }
}

fn ordinal(number: u64) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{suffix}", count(number))
}

/// How fast it goes of late: calls a second, and how long the rest will take.
#[derive(Debug, Default)]
pub struct Trend {
    samples: VecDeque<Sample>,
    first: Option<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    calls: u64,
    done: u64,
}

/// What a [`Trend`] says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace {
    /// Calls a second.
    pub calls: f64,
    /// How long the rest takes at this pace; none where nothing ends.
    pub left: Option<Duration>,
}

impl Trend {
    /// Long enough to be calm, short enough to show a change.
    const WINDOW: Duration = Duration::from_secs(5);
    /// Below so many ended rows in the window, the mean since the start is the better guess.
    const FEW: u64 = 10;

    /// Takes what is seen now, and says how fast it goes.
    pub fn take(&mut self, snapshot: &Snapshot) -> Pace {
        let now = Sample { at: snapshot.elapsed, calls: snapshot.calls, done: snapshot.done() };
        let first = *self.first.get_or_insert(now);
        self.samples.push_back(now);
        while self.samples.get(1).is_some_and(|next| now.at.saturating_sub(next.at) >= Self::WINDOW) {
            self.samples.pop_front();
        }
        let oldest = self.samples.front().copied().unwrap_or(now);
        let base = if now.done.saturating_sub(oldest.done) < Self::FEW { first } else { oldest };
        let rows = rate(now.done.saturating_sub(base.done), now.at.saturating_sub(base.at));
        let open = snapshot.total().saturating_sub(now.done) as f64;
        Pace {
            calls: rate(now.calls.saturating_sub(oldest.calls), now.at.saturating_sub(oldest.at)),
            left: (rows > 0.0).then(|| Duration::try_from_secs_f64(open / rows).ok()).flatten(),
        }
    }
}

fn rate(number: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { number as f64 / time.as_secs_f64() }
}

/// The lines of the bar: where it stands and how fast it goes; counts by state; and, while something holds it, what and
/// until when. No line is wider than the style says.
pub fn bar(snapshot: &Snapshot, pace: Pace, style: &Style) -> String {
    let mut lines = vec![bar_line(snapshot, pace, style), counts_line(snapshot, style)];
    if let Some(hold) = snapshot.holds.first() {
        let text = format!(" {}", hold.describe(snapshot, style));
        lines.push(style.caution(&shortened(&text, style.width)));
    }
    lines.join("\n")
}

fn bar_line(snapshot: &Snapshot, pace: Pace, style: &Style) -> String {
    const NARROWEST_BAR: usize = 6;
    const WIDEST_BAR: usize = 40;
    let (done, total) = (snapshot.done(), snapshot.total());
    let all = count(total);
    let head = format!(" {}/{all}  ", right(&count(done), columns(&all)));
    // Cut, not rounded: 100 % is said when nothing is left.
    let percent = format!("  {:>3}%", (done * 100).checked_div(total).unwrap_or(100));
    let mut tail = tail(snapshot, pace);
    let room = |tail: &[(u8, String)]| {
        let taken = columns(&head) + percent.len() + tail.iter().map(|(_, part)| columns(part) + 3).sum::<usize>();
        style.width.saturating_sub(taken)
    };
    // Where it is narrow, the least needed goes first.
    while room(&tail) < NARROWEST_BAR && !tail.is_empty() {
        let least = tail.iter().map(|(worth, _)| *worth).min();
        tail.retain(|(worth, _)| Some(*worth) != least);
    }
    let bar = filled(done, total, room(&tail).min(WIDEST_BAR));
    let tail: String = tail.iter().map(|(_, part)| format!("   {part}")).collect();
    shortened(&format!("{head}{}{percent}{tail}", style.good(&bar)), style.width)
}

/// What follows the percentage, each with its worth. All but the last keep their width, so that
/// nothing jumps.
fn tail(snapshot: &Snapshot, pace: Pace) -> Vec<(u8, String)> {
    let limit = per_second(snapshot.limit);
    let mut parts = vec![(3, format!("{} of {limit}/s", right(&per_second(pace.calls), columns(&limit).max(4))))];
    if let Some(p95) = snapshot.p95 {
        parts.push((1, format!("p95 {}", right(&duration(p95), 5))));
    }
    parts.push((2, format!("{} in flight", right(&count(snapshot.in_flight), 2))));
    if let Some(left) = pace.left.filter(|_| snapshot.done() < snapshot.total()) {
        parts.push((4, format!("{} left", estimate(left))));
    }
    parts
}

/// A bar of `width` columns, filled to an eighth of a column.
fn filled(done: u64, total: u64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let all = width as u64 * 8;
    let eighths = (done * all).checked_div(total).unwrap_or(all).min(all);
    let (full, rest) = ((eighths / 8) as usize, EIGHTHS[(eighths % 8) as usize]);
    super::format::left(&format!("{}{rest}", "█".repeat(full)), width)
}

fn counts_line(snapshot: &Snapshot, style: &Style) -> String {
    let mut line = String::new();
    for state in SHOWN {
        let rows = snapshot.count(state);
        if rows > 0 || state == State::Applied {
            let part = format!("{} {}", words(state), count(rows));
            line.push_str(if line.is_empty() { " " } else { "   " });
            line.push_str(&coloured(state, &part, style));
        }
    }
    if let Some((now, limit)) = snapshot.lowered {
        let text = format!("rate lowered to {}/s from {}/s", per_second(now), per_second(limit));
        line.push_str(&format!("   {}", style.caution(&text)));
    }
    shortened(&line, style.width)
}

/// The states that are worth a word while a run is under way, in the order in which they are named.
const SHOWN: [State; 7] =
    [State::Applied, State::Already, State::Refused, State::Failed, State::InDoubt, State::Held, State::NotSent];

/// A state's name as a person reads it.
pub fn words(state: State) -> &'static str {
    match state {
        State::InDoubt => "in doubt",
        State::NotSent => "not sent",
        other => other.as_str(),
    }
}

/// What is said about a state, in the colour that repeats it.
pub fn coloured(state: State, text: &str, style: &Style) -> String {
    match state {
        State::Applied | State::Already => style.good(text),
        State::Refused | State::Failed | State::Held | State::NotSent => style.caution(text),
        State::InDoubt => style.alarm(text),
        State::Planned | State::Intended => text.to_owned(),
    }
}

/// The one line for a log, without a line break:
/// `2026-11-23T02:14:10Z nightly run 7: 612/1,000, applied 603, in doubt 1, 49.9/s, about 8 s left`.
pub fn plain_line(at: Millis, job: &str, run: RunId, snapshot: &Snapshot, pace: Pace) -> String {
    let mut line =
        format!("{} {} run {run}: {}/{}", rfc3339(at), printable(job), count(snapshot.done()), count(snapshot.total()));
    for state in SHOWN {
        let rows = snapshot.count(state);
        if rows > 0 || state == State::Applied {
            line.push_str(&format!(", {} {}", words(state), count(rows)));
        }
    }
    line.push_str(&format!(", {}/s", per_second(pace.calls)));
    if let Some((now, limit)) = snapshot.lowered {
        line.push_str(&format!(" (lowered to {}/s from {}/s)", per_second(now), per_second(limit)));
    }
    if let Some(left) = pace.left.filter(|_| snapshot.done() < snapshot.total()) {
        line.push_str(&format!(", about {} left", estimate(left)));
    }
    // A log is read elsewhere and later: its times are in UTC, whatever the reader's zone.
    let utc = Style::plain(usize::MAX);
    for hold in &snapshot.holds {
        line.push_str(&format!("; {}", hold.describe(snapshot, &utc)));
    }
    line
}

#[cfg(test)]
#[path = "progress_tests.rs"]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests;

//! The rate of one account: evenly spaced slots on an absolute schedule.
//!
//! Each call reserves the next free slot and sleeps until it comes. A late wake-up, or a sync that took long, does not
//! lose calls, because the schedule does not move with it: slots up to [`SLACK`] in the past are still used. A longer
//! pause saves nothing up. And no second, wherever it begins, holds more than one part in a hundred above the rate: the
//! slots of the last one are remembered, and one that would be too many waits until the first of them is a second old. The
//! part above is what the jitter of timers needs: with none, each late wake-up would hold back calls a second later.
//!
//! Slots of which at least two lie in a [`TICK`] are handed out by it: whoever waits sleeps until the next one, and
//! the few slots that have come due by then go out together. So a high rate costs a wake-up a tick and not one a call, and
//! what is due together shares one commit of the journal.
//!
//! Above the schedule the rate adapts: a throttled call lowers it by a factor, quiet seconds raise it by steps, never
//! above what is configured.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::settings::Rate;

/// How far in the past a slot may lie and still be used: longer than a slow sync, shorter than what a provider would
/// feel as a burst.
const SLACK: Duration = Duration::from_millis(100);

/// How long slots that lie close together are gathered: what goes out together is then a fortieth of what the rate has in a
/// second. Not a whole part of a second, so that a window of one cannot begin and end with a tick.
const TICK: Duration = Duration::from_millis(24);

/// The time in which slots are counted.
const SECOND: Duration = Duration::from_secs(1);

/// What a throttled call leaves of the rate.
const DECREASE: f64 = 0.7;

/// What a quiet second adds to the rate, as a part of what is configured: just after a throttled call the limit is near.
const INCREASE: f64 = 0.02;

/// It adds no more than this part of what holds: far below what is configured, 2 % of that would be a leap.
const MOST_OF_ITSELF: f64 = 0.1;

/// Quiet seconds after which the limit is not near any more; each further one adds twice as much as the one before it.
const NEAR: u32 = 5;

/// The most that a quiet second ever adds.
const MOST: f64 = 0.1;

/// The rate is never lowered below this part of what is configured.
const FLOOR: f64 = 0.01;

/// Throttled replies that arrive within this time are about the same moment and lower the rate once.
const SAME_MOMENT: Duration = Duration::from_secs(1);

/// Slots for calls.
#[derive(Debug)]
pub struct Pace {
    limit: Rate,
    share: Cell<f64>,
    next: Cell<Option<Instant>>,
    begin: Instant,
    recent: RefCell<VecDeque<Instant>>,
    throttled: Cell<Option<Instant>>,
    raised: Cell<Option<Instant>>,
}

/// A slot that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// True where the rate, and not the work, is what holds calls back.
    pub bound: bool,
}

impl Pace {
    /// Slots at the configured rate; the first is free at once.
    pub fn new(limit: Rate) -> Self {
        Self {
            limit,
            share: Cell::new(1.0),
            next: Cell::new(None),
            begin: Instant::now(),
            recent: RefCell::default(),
            throttled: Cell::new(None),
            raised: Cell::new(None),
        }
    }

    /// Waits for the next free slot.
    pub async fn slot(&self) -> Slot {
        let now = Instant::now();
        self.recover(now);
        let bound = self.is_bound(now);
        let slot = self.reserve(now);
        if slot > now {
            tokio::time::sleep_until(self.tick(slot)).await;
        }
        Slot { bound }
    }

    /// When a slot is handed out.
    fn tick(&self, slot: Instant) -> Instant {
        if self.interval() * 2 > TICK {
            return slot;
        }
        let since = slot.duration_since(self.begin).as_nanos();
        let wait = since.next_multiple_of(TICK.as_nanos()) - since;
        slot + Duration::from_nanos(u64::try_from(wait).unwrap_or_default())
    }

    /// Whether calls keep up with the schedule. A timer that rings a millisecond late does not mean that they do not.
    fn is_bound(&self, now: Instant) -> bool {
        self.next.get().is_some_and(|next| next + SLACK / 2 > now)
    }

    /// Takes the next free slot out of the schedule.
    fn reserve(&self, now: Instant) -> Instant {
        let oldest = now.checked_sub(SLACK).unwrap_or(now);
        let due = self.next.get().map_or(now, |next| next.max(oldest));
        let slot = self.not_too_many(due.max(now));
        // The schedule goes on from what was due, so that what came late is caught up.
        self.next.set(Some(due + self.interval()));
        slot
    }

    /// The first moment from `slot` on at which the second before it has room for one more.
    fn not_too_many(&self, slot: Instant) -> Instant {
        let mut recent = self.recent.borrow_mut();
        while recent.front().is_some_and(|first| *first + SECOND <= slot) {
            recent.pop_front();
        }
        let most = ((SECOND + SECOND / 100).as_nanos() / self.interval().as_nanos().max(1)).max(1);
        let too_many = (recent.len() + 1).saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        let slot = match too_many.checked_sub(1).and_then(|last| recent.get(last)) {
            Some(leaves) => slot.max(*leaves + SECOND),
            None => slot,
        };
        // In order, whatever was waited for.
        let slot = recent.back().map_or(slot, |last| slot.max(*last));
        recent.push_back(slot);
        slot
    }

    /// Lowers the rate after a throttled call. True where it was lowered now.
    pub fn throttled(&self) -> bool {
        let now = Instant::now();
        let fresh = self.throttled.get().is_none_or(|last| now.duration_since(last) >= SAME_MOMENT);
        self.throttled.set(Some(now));
        self.raised.set(Some(now));
        if fresh {
            self.share.set((self.share.get() * DECREASE).max(FLOOR));
        }
        fresh
    }

    /// Raises a lowered rate by one step for each quiet second.
    fn recover(&self, now: Instant) {
        let (Some(raised), share) = (self.raised.get(), self.share.get()) else { return };
        let quiet = now.duration_since(raised).as_secs();
        if share >= 1.0 || quiet == 0 {
            return;
        }
        let before = self.throttled.get().map_or(0, |last| raised.duration_since(last).as_secs());
        let mut share = share;
        for second in before + 1..=before + quiet {
            if share >= 1.0 {
                break;
            }
            share = (share + step(second, share)).min(1.0);
        }
        self.share.set(share);
        self.raised.set(Some(raised + Duration::from_secs(quiet)));
    }

    /// What is configured.
    pub fn limit(&self) -> Rate {
        self.limit
    }

    /// What holds now.
    pub fn now(&self) -> Rate {
        self.limit.slowed(self.share.get())
    }

    /// How many calls go out together at most, as the rate goes: those of a tick.
    pub fn together(&self) -> usize {
        usize::try_from(TICK.as_nanos() / self.interval().as_nanos().max(1)).unwrap_or(usize::MAX).max(1)
    }

    fn interval(&self) -> Duration {
        self.limit.interval().div_f64(self.share.get())
    }
}

/// What this quiet second, counted from the last throttled call, adds to a share.
fn step(second: u64, share: f64) -> f64 {
    let careful = INCREASE.min(share * MOST_OF_ITSELF);
    let doublings = u32::try_from(second).unwrap_or(u32::MAX).saturating_sub(NEAR);
    // Ten doublings are beyond any limit.
    (careful * f64::from(1_u32 << doublings.min(10))).min(MOST.max(careful))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: &str) -> Pace {
        Pace::new(Rate::parse(rate).expect("a rate"))
    }

    /// The most calls in any second, and all calls, of `starts`.
    fn worst_second(starts: &[Duration]) -> usize {
        let window = Duration::from_secs(1);
        starts
            .iter()
            .map(|from| starts.iter().filter(|at| **at >= *from && **at < *from + window).count())
            .max()
            .unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn slots_are_evenly_spaced() {
        let pace = pace("50/s");
        let begin = Instant::now();
        let mut starts = Vec::new();
        for _ in 0..200 {
            pace.slot().await;
            starts.push(begin.elapsed());
        }
        assert!(worst_second(&starts) <= 50, "{}", worst_second(&starts));
        assert_eq!(starts.last().map(Duration::as_millis), Some(3980));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_worker_does_not_lose_calls_and_a_pause_saves_none_up() {
        let pace = pace("500/s");
        let begin = Instant::now();
        let mut starts = Vec::new();
        for call in 0..2000 {
            pace.slot().await;
            starts.push(begin.elapsed());
            let delay = if call == 1000 { 700 } else { 40 * u64::from(call % 90 == 0) };
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let working = starts[1000];
        assert!(working <= Duration::from_millis(2040), "1,000 calls at 500/s took {working:?}");
        assert!(worst_second(&starts) <= 505, "{}", worst_second(&starts));
    }

    #[tokio::test(start_paused = true)]
    async fn a_high_rate_goes_by_the_tick_and_keeps_up_with_late_timers() {
        let pace = pace("500/s");
        let begin = Instant::now();
        let (mut starts, mut wakes) = (Vec::new(), 0_u64);
        for _ in 0..5000 {
            let before = Instant::now();
            pace.slot().await;
            if before.elapsed() > Duration::ZERO {
                // Each timer is late, and each differently.
                tokio::time::advance(Duration::from_micros(wakes % 7 * 400)).await;
                wakes += 1;
            }
            starts.push(begin.elapsed());
        }
        assert!(begin.elapsed() <= Duration::from_millis(10_030), "{:?}", begin.elapsed());
        assert!(worst_second(&starts) <= 511, "{}", worst_second(&starts));
        assert!(wakes <= 430, "{wakes} wake-ups in ten seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_lowers_once_a_moment_and_quiet_seconds_raise() {
        let pace = pace("100/s");
        assert!(pace.throttled());
        assert!(!pace.throttled(), "the other workers' replies are about the same moment");
        assert!((pace.share.get() - 0.7).abs() < 1e-9);
        tokio::time::advance(Duration::from_secs(5)).await;
        pace.slot().await;
        assert!((pace.share.get() - 0.8).abs() < 1e-9);
        tokio::time::advance(Duration::from_secs(60)).await;
        pace.slot().await;
        assert!((pace.share.get() - 1.0).abs() < 1e-9, "never above what is configured");
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(1)).await;
            pace.throttled();
        }
        assert!(pace.share.get() >= FLOOR);
    }

    #[test]
    fn the_rate_rises_with_care_near_a_limit_and_soon_when_it_is_gone() {
        let near: Vec<f64> = (1..=5).map(|second| step(second, 0.1)).collect();
        assert!(near.iter().all(|step| (step - 0.01).abs() < 1e-9), "a tenth of itself: {near:?}");
        assert!((step(1, 0.7) - 0.02).abs() < 1e-9, "2 % of what is configured");
        let gone: Vec<f64> = (6..=8).map(|second| step(second, 0.1)).collect();
        assert!(gone.iter().zip([0.02, 0.04, 0.08]).all(|(step, expected)| (step - expected).abs() < 1e-9), "{gone:?}");
        assert!((step(60, 0.1) - MOST).abs() < 1e-9 && (step(u64::MAX, 1.0) - MOST).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_lifted_is_forgotten_within_seconds() {
        let pace = pace("3000/s");
        while pace.share.get() > 0.1 {
            tokio::time::advance(SAME_MOMENT).await;
            pace.throttled();
        }
        let mut seconds = 0;
        while pace.share.get() < 1.0 {
            tokio::time::advance(Duration::from_secs(1)).await;
            pace.slot().await;
            seconds += 1;
        }
        assert!((12..=20).contains(&seconds), "{seconds} s from a tenth to all of it");
    }
}

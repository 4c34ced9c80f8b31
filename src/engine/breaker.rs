//! When to stop calling a provider that is down, and when to try again. Pure: time is given.
//!
//! An outage must not be spent on rows: a few failures in a row pause the account, reads probe it at growing intervals,
//! and when it stays down the run is halted, resumable.

use std::time::Duration;

/// Failures in a row that pause an account.
const STRAINS: u32 = 5;

/// How long an outage may last before the run is halted.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The wait before the first probe; it doubles up to [`LONGEST`]. Short, since what pauses an account is more often one page
/// of a proxy than an outage, and a read does no harm.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait between probes.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts signs of an outage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    strains: u32,
    open: bool,
}

impl Breaker {
    /// A call was answered, whatever the answer.
    pub fn answered(&mut self) {
        self.strains = 0;
    }

    /// A call failed in a way that an outage would explain. True where the account is to pause from now on.
    pub fn strained(&mut self) -> bool {
        self.strains += 1;
        !self.open && self.strains >= STRAINS && self.trip()
    }

    /// The account is to pause, whatever came before. True where it was not paused already.
    pub fn trip(&mut self) -> bool {
        !std::mem::replace(&mut self.open, true)
    }

    /// A probe was answered: calls may go on.
    pub fn recovered(&mut self) {
        *self = Self::default();
    }

    /// True while the account is paused.
    pub fn is_open(&self) -> bool {
        self.open
    }
}

/// The wait before probe number `probe`, counted from 0.
pub fn probe_wait(probe: u32) -> Duration {
    FIRST.saturating_mul(1_u32.checked_shl(probe).unwrap_or(u32::MAX)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_pause_and_an_answer_starts_over() {
        let mut breaker = Breaker::default();
        for _ in 0..STRAINS - 1 {
            assert!(!breaker.strained());
        }
        breaker.answered();
        for _ in 0..STRAINS - 1 {
            assert!(!breaker.strained());
        }
        assert!(breaker.strained(), "one more pauses");
        assert!(!breaker.strained(), "and only once");
        breaker.recovered();
        assert!(!breaker.is_open());
    }

    #[test]
    fn probes_grow_apart() {
        let waits: Vec<u128> = (0..9).map(|probe| probe_wait(probe).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(probe_wait(u32::MAX), LONGEST);
    }
}

//! Counts what this start of the run has brought, and says when it is too much.

use std::cell::Cell;

use crate::model::event::Halt;
use crate::model::settings::Guard;
use crate::model::state::State;

/// Unlisted replies that stop a run.
const UNLISTED: u32 = 3;

/// Repeats that are always allowed, so that a short run is not halted by its first mishap.
const FREE_RETRIES: u64 = 20;

/// One part in so many calls may be a repeat.
const RETRY_PART: u64 = 10;

/// Counters since this start.
#[derive(Debug)]
pub struct Watch {
    guard: Guard,
    ended: Cell<u64>,
    failures: Cell<u64>,
    doubts: Cell<u64>,
    unlisted: Cell<u32>,
    calls: Cell<u64>,
    retries: Cell<u64>,
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new(guard: Guard) -> Self {
        Self {
            guard,
            ended: Cell::new(0),
            failures: Cell::new(0),
            doubts: Cell::new(0),
            unlisted: Cell::new(0),
            calls: Cell::new(0),
            retries: Cell::new(0),
        }
    }

    /// A row came into a state. Some where that is one too many.
    pub fn row(&self, to: State) -> Option<Halt> {
        if to.is_final() {
            self.ended.set(self.ended.get() + 1);
        }
        if matches!(to, State::Refused | State::Failed) {
            self.failures.set(self.failures.get() + 1);
        }
        let (failures, ended, most) = (self.failures.get(), self.ended.get(), self.guard.max_failures);
        let exceeded = to.is_final() && most.exceeded(failures, ended);
        exceeded.then(|| Halt::Failures { failures, limit: most.to_string() })
    }

    /// A row became doubtful.
    pub fn doubt(&self) -> Option<Halt> {
        let doubts = self.doubts.get() + 1;
        self.doubts.set(doubts);
        let limit = self.guard.max_in_doubt;
        (doubts > limit).then_some(Halt::InDoubt { doubts, limit })
    }

    /// A reply came that the documentation does not list.
    pub fn unlisted(&self, message: &str) -> Option<Halt> {
        self.unlisted.set(self.unlisted.get() + 1);
        (self.unlisted.get() >= UNLISTED).then(|| Halt::Unrecognised { message: message.to_owned() })
    }

    /// A call is about to leave.
    pub fn call(&self) {
        self.calls.set(self.calls.get() + 1);
    }

    /// A call is to be repeated because of what happened to it.
    pub fn retry(&self) -> Option<Halt> {
        let (calls, retries) = (self.calls.get(), self.retries.get() + 1);
        self.retries.set(retries);
        (retries > FREE_RETRIES + calls / RETRY_PART).then_some(Halt::Retries { retries, calls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::MaxFailures;

    fn watch(max_failures: MaxFailures, max_in_doubt: u64) -> Watch {
        Watch::new(Guard { max_failures, max_in_doubt })
    }

    #[test]
    fn failures_in_rows_and_in_percent() {
        let rows = watch(MaxFailures::Rows(1), 10);
        assert_eq!(rows.row(State::Refused), None);
        assert_eq!(rows.row(State::Applied), None);
        assert!(matches!(rows.row(State::Failed), Some(Halt::Failures { failures: 2, .. })));

        let percent = watch(MaxFailures::Percent(20), 10);
        for _ in 0..49 {
            assert_eq!(percent.row(State::Refused), None, "not before 50 rows have ended");
        }
        assert!(percent.row(State::Refused).is_some());
    }

    #[test]
    fn doubts_beyond_the_limit_halt() {
        let watch = watch(MaxFailures::Rows(0), 1);
        assert_eq!(watch.doubt(), None);
        assert_eq!(watch.doubt(), Some(Halt::InDoubt { doubts: 2, limit: 1 }));
    }

    #[test]
    fn three_unlisted_replies_halt() {
        let watch = watch(MaxFailures::Rows(0), 1);
        assert_eq!((watch.unlisted("a"), watch.unlisted("b")), (None, None));
        assert_eq!(watch.unlisted("c"), Some(Halt::Unrecognised { message: "c".to_owned() }));
    }

    #[test]
    fn one_call_in_ten_may_be_a_repeat() {
        let watch = watch(MaxFailures::Rows(0), 1);
        for _ in 0..1000 {
            watch.call();
        }
        for _ in 0..120 {
            assert_eq!(watch.retry(), None);
        }
        assert_eq!(watch.retry(), Some(Halt::Retries { retries: 121, calls: 1000 }));
    }
}

//! Counts what this start of the run has brought, and says when it is too much.

use std::cell::Cell;

use crate::model::event::Halt;
use crate::model::settings::Guard;
use crate::model::state::State;

/// Replies that nobody documents, before the first that somebody does: nothing shows yet that we speak the provider's
/// language.
const AT_FIRST: u32 = 3;

/// The same once replies were understood, one after the other: it speaks another language now.
const IN_A_ROW: u32 = 5;

/// Replies that are remembered.
const REMEMBERED: u32 = 100;

/// Among those remembered, the most that may be unlisted: beyond, it is a part of the calls and no mishap.
const AMONG_REMEMBERED: u32 = 20;

/// Repeats that are always allowed, so that a short run is not halted by its first mishap.
const FREE_RETRIES: u64 = 20;

/// One part in so many calls may be a repeat. Repeats wait for slots of the same rate, so they are no load that was not
/// there: what is asked is whether the run still gets somewhere.
const RETRY_PART: u64 = 4;

/// Listens whether the provider of an account still speaks the documented language.
///
/// Not by a count for the whole run: in a hundred thousand calls a proxy's three mishaps, hours apart, say nothing about
/// the next call. Each of them leaves its row in doubt, and how many of those there may be is `max_in_doubt`'s business.
#[derive(Debug, Default)]
pub struct Listening {
    /// The last replies, the newest in the lowest bit; set where it was unlisted.
    last: u128,
    heard: u32,
    understood: bool,
    in_a_row: u32,
}

impl Listening {
    /// A reply was in the documentation's words.
    pub fn understood(&mut self) {
        self.understood = true;
        self.in_a_row = 0;
        self.remember(0);
    }

    /// A reply was not. True where the run must not go on like this.
    pub fn unlisted(&mut self) -> bool {
        self.in_a_row += 1;
        self.remember(1);
        let most = if self.understood { IN_A_ROW } else { AT_FIRST };
        self.in_a_row >= most || self.last.count_ones() > AMONG_REMEMBERED
    }

    /// Whether no reply was understood yet: one of another kind may be how the provider speaks now.
    pub fn is_new(&self) -> bool {
        !self.understood
    }

    fn remember(&mut self, bit: u128) {
        self.heard = (self.heard + 1).min(REMEMBERED);
        self.last = (self.last << 1 | bit) & (u128::MAX >> (u128::BITS - self.heard));
    }
}

/// Counters since this start.
#[derive(Debug)]
pub struct Watch {
    guard: Guard,
    ended: Cell<u64>,
    failures: Cell<u64>,
    doubts: Cell<u64>,
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

    /// Hears replies, understood (`.`) or unlisted (`?`), and says after how many it halts.
    fn halts_after(replies: impl IntoIterator<Item = char>) -> Option<usize> {
        let mut listening = Listening::default();
        let halts = |reply| match reply {
            '?' => listening.unlisted(),
            _ => {
                listening.understood();
                false
            }
        };
        replies.into_iter().position(halts).map(|at| at + 1)
    }

    #[test]
    fn three_unlisted_replies_halt_before_one_is_understood_and_five_later() {
        assert_eq!(halts_after("???".chars()), Some(3));
        assert_eq!(halts_after(".????????".chars()), Some(6), "five in a row");
        assert_eq!(halts_after("??.????.????.".chars()), None);
    }

    #[test]
    fn unlisted_replies_hours_apart_do_not_halt_and_a_part_of_all_replies_does() {
        let one_in = |part: usize| (0..100_000).map(move |at| if at % part == part - 1 { '?' } else { '.' });
        assert_eq!(halts_after(one_in(20)), None, "5,000 in 100,000, and never many at once");
        assert_eq!(halts_after(one_in(5)), None, "at the limit");
        assert_eq!(halts_after(one_in(4)), Some(84), "the twenty-first among the last hundred");
        let late = one_in(1000).chain(one_in(3));
        assert!(halts_after(late).is_some_and(|at| at < 100_070), "what was good for long is not counted for ever");
    }

    #[test]
    fn one_call_in_four_may_be_a_repeat() {
        let watch = watch(MaxFailures::Rows(0), 1);
        for _ in 0..1000 {
            watch.call();
        }
        for _ in 0..270 {
            assert_eq!(watch.retry(), None);
        }
        assert_eq!(watch.retry(), Some(Halt::Retries { retries: 271, calls: 1000 }));
    }
}

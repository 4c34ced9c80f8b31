//! Subjects that were called so recently that a read may or may not show it.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::time::Duration;

use tokio::time::Instant;

use super::ahead::MAX_AGE;
use crate::model::ids::SubjectKey;

/// Subjects, each with the end of its last call, for as long as a read may still be in use that came too early for it. Its
/// size is that of what is called in one delay and the age of the oldest read, at some eighty bytes each: a subject is kept
/// as a number made from it. Where two share one, both are taken to be called when the later was, which leaves a read out.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    calls: HashMap<u64, Instant>,
    ends: VecDeque<(Instant, Instant, u64)>,
    numbers: RandomState,
}

impl Fresh {
    /// A call for `subject` may have had its effect just before `now`, and shows for certain only after `delay`.
    pub(super) fn touch(&mut self, subject: &SubjectKey, now: Instant, delay: Duration) {
        self.forget(now);
        let number = self.number(subject);
        self.calls.insert(number, now);
        self.ends.push_back((now + delay + MAX_AGE, now, number));
    }

    /// Whether a read that was asked for at `asked`, at most [`MAX_AGE`] ago, came before `delay` had passed since a call
    /// for `subject`, or before the call itself.
    pub(super) fn spoils(&self, subject: &SubjectKey, asked: Instant, delay: Duration) -> bool {
        self.calls.get(&self.number(subject)).is_some_and(|called| asked < *called + delay)
    }

    fn number(&self, subject: &SubjectKey) -> u64 {
        self.numbers.hash_one(subject.as_bytes())
    }

    /// All subjects of an account have the same delay, so the oldest ends first. One that was called again stays.
    fn forget(&mut self, now: Instant) {
        while let Some((_, called, subject)) = self.ends.pop_front_if(|(end, ..)| *end <= now) {
            if self.calls.get(&subject) == Some(&called) {
                self.calls.remove(&subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::AccountName;

    const DELAY: Duration = Duration::from_secs(60);

    fn key(id: &str) -> SubjectKey {
        SubjectKey::new(&AccountName::new("segpay"), "PurchaseID", id)
    }

    #[test]
    fn a_read_is_spoiled_until_the_delay_has_passed() {
        let (mut fresh, begin) = (Fresh::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        fresh.touch(&key("1"), at(10), DELAY);
        fresh.touch(&key("2"), at(30), DELAY);
        assert!(fresh.spoils(&key("1"), at(0), DELAY), "asked before the call");
        assert!(fresh.spoils(&key("1"), at(69), DELAY));
        assert!(!fresh.spoils(&key("1"), at(70), DELAY));
        assert!(fresh.spoils(&key("2"), at(70), DELAY));
        assert!(!fresh.spoils(&key("3"), at(70), DELAY));
        fresh.touch(&key("4"), at(70), Duration::ZERO);
        assert!(!fresh.spoils(&key("4"), at(70), Duration::ZERO), "an effect that shows at once");
        assert!(fresh.spoils(&key("4"), at(69), Duration::ZERO), "a read that was there before the call");
    }

    #[test]
    fn the_last_call_counts_and_what_is_long_ago_takes_no_room() {
        let (mut fresh, begin) = (Fresh::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        fresh.touch(&key("1"), at(0), DELAY);
        fresh.touch(&key("1"), at(50), DELAY);
        fresh.touch(&key("2"), at(50) + DELAY + MAX_AGE - Duration::from_secs(1), DELAY);
        assert!(fresh.spoils(&key("1"), at(109), DELAY), "the second call began a delay of its own");
        fresh.touch(&key("2"), at(50) + DELAY + MAX_AGE, DELAY);
        assert_eq!(fresh.calls.keys().collect::<Vec<_>>(), [&fresh.number(&key("2"))]);
    }
}

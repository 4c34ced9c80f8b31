//! Subjects that were called so recently that a read may or may not show it.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::ids::SubjectKey;

/// Subjects, each until its provider's delay has passed. Its size is that of what is called in one delay.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    subjects: HashSet<SubjectKey>,
    ends: VecDeque<(Instant, SubjectKey)>,
}

impl Fresh {
    /// A call for `subject` leaves at `now`, and shows for certain only after `delay`.
    pub(super) fn touch(&mut self, subject: &SubjectKey, now: Instant, delay: Duration) {
        self.forget(now);
        if !delay.is_zero() && self.subjects.insert(subject.clone()) {
            self.ends.push_back((now + delay, subject.clone()));
        }
    }

    /// Whether a call for `subject` is younger than the delay.
    pub(super) fn holds(&mut self, subject: &SubjectKey, now: Instant) -> bool {
        self.forget(now);
        self.subjects.contains(subject)
    }

    /// All subjects of an account have the same delay, so the oldest ends first.
    fn forget(&mut self, now: Instant) {
        while let Some((_, subject)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            self.subjects.remove(&subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::AccountName;

    #[test]
    fn a_subject_is_fresh_until_the_delay_has_passed() {
        let key = |id: &str| SubjectKey::new(&AccountName::new("segpay"), "PurchaseID", id);
        let (mut fresh, begin, delay) = (Fresh::default(), Instant::now(), Duration::from_secs(60));
        fresh.touch(&key("1"), begin, delay);
        fresh.touch(&key("2"), begin + Duration::from_secs(30), delay);
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(fresh.holds(&key("1"), at(59)));
        assert!(!fresh.holds(&key("1"), at(60)));
        assert!(fresh.holds(&key("2"), at(60)));
        assert!(!fresh.holds(&key("3"), at(60)));
        fresh.touch(&key("4"), at(60), Duration::ZERO);
        assert!(!fresh.holds(&key("4"), at(60)));
    }
}

//! Rows of one subject run one at a time, in file order (I8), and none runs behind a doubt.

use std::collections::{HashMap, VecDeque};

use crate::model::ids::SubjectKey;

/// The subjects that rows are busy with, and the rows that wait behind them.
#[derive(Debug)]
pub struct Subjects<T> {
    busy: HashMap<SubjectKey, VecDeque<T>>,
    doubtful: HashMap<SubjectKey, Doubted>,
    waiting: usize,
}

/// A subject that rows in doubt are about.
#[derive(Debug, Clone, Copy, Default)]
struct Doubted {
    doubts: u32,
    /// Whether a row was held behind them.
    holds: bool,
}

/// What may happen to a row that wants its subject.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission<T> {
    /// The subject is free and now belongs to the row.
    Go(T),
    /// An earlier row is busy with it: the row waits here.
    Parked,
    /// An earlier row is in doubt: the row is held.
    Held(T),
}

impl<T> Default for Subjects<T> {
    fn default() -> Self {
        Self { busy: HashMap::new(), doubtful: HashMap::new(), waiting: 0 }
    }
}

impl<T> Subjects<T> {
    /// Asks for `subject` on behalf of `row`.
    pub fn admit(&mut self, subject: &SubjectKey, row: T) -> Admission<T> {
        if let Some(queue) = self.busy.get_mut(subject) {
            queue.push_back(row);
            self.waiting += 1;
            return Admission::Parked;
        }
        if let Some(doubted) = self.doubtful.get_mut(subject) {
            doubted.holds = true;
            return Admission::Held(row);
        }
        self.busy.insert(subject.clone(), VecDeque::new());
        Admission::Go(row)
    }

    /// The row that was busy with `subject` is done with it. The next row in line, if any, now owns the subject.
    pub fn next(&mut self, subject: &SubjectKey) -> Option<T> {
        let next = self.busy.get_mut(subject).and_then(VecDeque::pop_front);
        match next {
            Some(_) => self.waiting -= 1,
            None => {
                self.busy.remove(subject);
            }
        }
        next
    }

    /// The row that was busy with `subject` ended in doubt: all that wait behind it, and all that will come, are held.
    pub fn doubt(&mut self, subject: &SubjectKey) -> VecDeque<T> {
        let held = self.busy.remove(subject).unwrap_or_default();
        self.waiting -= held.len();
        let doubted = self.doubtful.entry(subject.clone()).or_default();
        doubted.doubts += 1;
        doubted.holds |= !held.is_empty();
        held
    }

    /// One of the doubts about `subject` is settled. True where this leaves none, and rows are held that need be no more.
    pub fn settle(&mut self, subject: &SubjectKey) -> bool {
        let Some(doubted) = self.doubtful.get_mut(subject) else { return false };
        doubted.doubts = doubted.doubts.saturating_sub(1);
        let Doubted { doubts, holds } = *doubted;
        if doubts == 0 {
            self.doubtful.remove(subject);
        }
        doubts == 0 && holds
    }

    /// How many rows wait behind a busy subject.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::AccountName;

    fn key(id: &str) -> SubjectKey {
        SubjectKey::new(&AccountName::new("segpay"), "PurchaseID", id)
    }

    #[test]
    fn one_at_a_time_in_order() {
        let mut subjects = Subjects::default();
        assert_eq!(subjects.admit(&key("1"), 'a'), Admission::Go('a'));
        assert_eq!(subjects.admit(&key("1"), 'b'), Admission::Parked);
        assert_eq!(subjects.admit(&key("2"), 'c'), Admission::Go('c'));
        assert_eq!(subjects.admit(&key("1"), 'd'), Admission::Parked);
        assert_eq!(subjects.waiting(), 2);
        assert_eq!(subjects.next(&key("1")), Some('b'));
        assert_eq!(subjects.next(&key("1")), Some('d'));
        assert_eq!(subjects.next(&key("1")), None);
        assert_eq!(subjects.waiting(), 0);
        assert_eq!(subjects.admit(&key("1"), 'e'), Admission::Go('e'));
    }

    #[test]
    fn nothing_passes_a_doubt() {
        let mut subjects = Subjects::default();
        assert_eq!(subjects.admit(&key("1"), 'a'), Admission::Go('a'));
        assert_eq!(subjects.admit(&key("1"), 'b'), Admission::Parked);
        assert_eq!(subjects.doubt(&key("1")), VecDeque::from(['b']));
        assert_eq!(subjects.admit(&key("1"), 'c'), Admission::Held('c'));
        assert_eq!(subjects.admit(&key("2"), 'd'), Admission::Go('d'));
        assert_eq!(subjects.waiting(), 0);
    }

    #[test]
    fn a_subject_is_free_again_once_its_last_doubt_is_settled() {
        let mut subjects = Subjects::default();
        subjects.doubt(&key("1"));
        subjects.doubt(&key("1"));
        assert!(!subjects.settle(&key("1")), "one is left");
        assert_eq!(subjects.admit(&key("1"), 'a'), Admission::Held('a'));
        assert!(subjects.settle(&key("1")));
        assert_eq!(subjects.admit(&key("1"), 'b'), Admission::Go('b'));
        subjects.doubt(&key("2"));
        assert!(!subjects.settle(&key("2")), "nothing is held behind it");
        assert!(!subjects.settle(&key("3")), "it never was in doubt");
    }
}

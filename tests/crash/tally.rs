//! What was tried and what came of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::tools::say;

/// What can be wrong after a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// A row that adds up took effect more than once.
    Double,
    /// An effect that we call not applied.
    Loss,
    /// A row that we call applied, without an effect.
    Phantom,
    /// Rows or money that do not add up.
    Sum,
    /// Something was sent where nothing was to be sent.
    Sent,
    /// An end that is not among those documented: a panic, a hang, a wrong exit code, too many doubts.
    End,
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) wrong: Wrong,
    pub(crate) words: String,
}

pub(crate) fn violation(wrong: Wrong, words: impl Into<String>) -> Violation {
    Violation { wrong, words: words.into() }
}

/// The kind of a sequence in which no blow fell, as at the end of each series. It is judged, but it is no point.
pub(crate) const UNDISTURBED: &str = "no blow fell (not counted)";

/// Counts of one kind of point.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    /// Sequences that were carried to their end and judged.
    pub(crate) points: u64,
    /// Rows that they left in doubt, for a person.
    pub(crate) doubts: u64,
}

/// Counts of several threads.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    kinds: BTreeMap<String, Count>,
    violations: Vec<(String, Violation)>,
}

impl Tally {
    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a sequence. What is wrong is said at once: a long run should not keep it to itself.
    pub(crate) fn judged(&self, kind: &str, point: &str, doubts: u64, violations: Vec<Violation>) {
        self.with(|counts| {
            let count = counts.kinds.entry(kind.to_owned()).or_default();
            count.points += 1;
            count.doubts += doubts;
            for violation in violations {
                say(&format!("VIOLATION ({:?}) at `{point}`: {}", violation.wrong, violation.words));
                counts.violations.push((point.to_owned(), violation));
            }
        });
    }

    pub(crate) fn kinds(&self) -> BTreeMap<String, Count> {
        self.with(|counts| counts.kinds.clone())
    }

    pub(crate) fn total(&self) -> Count {
        let kinds = self.kinds();
        let struck = kinds.iter().filter(|(kind, _)| *kind != UNDISTURBED);
        struck.fold(Count::default(), |sum, (_, count)| Count {
            points: sum.points + count.points,
            doubts: sum.doubts + count.doubts,
        })
    }

    pub(crate) fn violations(&self) -> Vec<(String, Violation)> {
        self.with(|counts| counts.violations.clone())
    }

    pub(crate) fn count(&self, wrong: Wrong) -> usize {
        self.with(|counts| counts.violations.iter().filter(|(_, violation)| violation.wrong == wrong).count())
    }

    /// One line: points, doubts, doubles, losses, and everything else that was wrong.
    pub(crate) fn line(&self) -> String {
        let Count { points, doubts } = self.total();
        let (doubles, losses) = (self.count(Wrong::Double), self.count(Wrong::Loss));
        let others = self.violations().len() - doubles - losses;
        format!(
            "{points} points, {doubts} rows left in doubt, {doubles} doubles, {losses} losses, {others} others wrong"
        )
    }

    /// Ends a test: says the counts, and fails where anything was wrong.
    pub(crate) fn finish(&self, name: &str, least: u64) {
        say(&format!("{name}: {}", self.line()));
        let violations = self.violations();
        let shown: Vec<String> =
            violations.iter().take(10).map(|(point, violation)| format!("`{point}`: {}", violation.words)).collect();
        assert!(violations.is_empty(), "{} violations, among them\n{}", violations.len(), shown.join("\n"));
        let points = self.total().points;
        assert!(points >= least, "{points} points were struck, at least {least} were to be: the blows miss");
    }
}

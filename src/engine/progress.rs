//! How far a run has come without a gap: below that, every row is recorded, so that the next start can pass over them.
//!
//! It is told only of what is durable, and errs to the low side: a mark that is too low costs a resume some reading, one that
//! is too high would lose rows. Invariant: a mark never lies above a row that was begun and is not recorded, nor above one
//! that no walk has reached.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::model::ids::RowNumber;

/// Rows that end between two looks at the mark: each costs a word in the next commit, and saves a resume so many rows.
/// Short in tests, so that those of the executor meet it often.
const STRIDE: u32 = if cfg!(test) { 8 } else { 512 };

/// How far one walk through the input has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    begun: BTreeSet<RowNumber>,
    /// The row behind the last one that the walk has read.
    reached: RowNumber,
    ended: u32,
}

impl Progress {
    /// The walk has read a row that is recorded, or that is another walk's.
    pub(super) fn passed(&mut self, row: RowNumber) {
        self.reached = RowNumber(row.0 + 1);
    }

    /// The walk has read a row that is yet to be recorded.
    pub(super) fn begun(&mut self, row: RowNumber) {
        self.passed(row);
        self.begun.insert(row);
    }

    /// A row is recorded. Now and then the mark comes back, when it is worth telling.
    pub(super) fn recorded(&mut self, row: RowNumber) -> Option<RowNumber> {
        self.begun.remove(&row);
        self.ended += 1;
        self.ended.is_multiple_of(STRIDE).then(|| self.mark())
    }

    /// Below this row, everything that the walk has to do with is recorded.
    pub(super) fn mark(&self) -> RowNumber {
        self.begun.first().copied().unwrap_or(self.reached)
    }
}

/// The marks of all walks of a run: what lies below the lowest is recorded, whoever's it is.
#[derive(Debug)]
pub(super) struct Marks {
    walks: RefCell<Vec<RowNumber>>,
    told: Cell<RowNumber>,
}

impl Marks {
    /// For so many walks, all at the start.
    pub(super) fn new(walks: usize) -> Self {
        Self { walks: RefCell::new(vec![RowNumber(0); walks]), told: Cell::default() }
    }

    /// A walk has come to `mark`. The run's mark, where that has moved with it.
    pub(super) fn moved(&self, walk: usize, mark: RowNumber) -> Option<RowNumber> {
        let mut walks = self.walks.borrow_mut();
        if let Some(own) = walks.get_mut(walk) {
            *own = mark;
        }
        let lowest = walks.iter().copied().min()?;
        (lowest > self.told.get()).then(|| {
            self.told.set(lowest);
            lowest
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the order in which rows end, the mark is the first row that is read and not recorded, or else the first
        /// that is not read: found here by looking at each.
        #[test]
        fn the_mark_is_the_first_gap(rows in proptest::collection::vec((any::<bool>(), any::<u8>()), 1..80)) {
            let mut progress = Progress::default();
            let mut open = Vec::new();
            for (at, (own, ends)) in (2_u64..).zip(rows) {
                if own { progress.begun(RowNumber(at)) } else { progress.passed(RowNumber(at)) }
                open.extend(own.then_some(at));
                if !open.is_empty() && ends % 3 > 0 {
                    let ended = open.remove(usize::from(ends) % open.len());
                    progress.recorded(RowNumber(ended));
                }
                let gap = open.iter().copied().min().unwrap_or(at + 1);
                prop_assert_eq!(progress.mark(), RowNumber(gap));
            }
        }
    }

    #[test]
    fn the_run_is_as_far_as_its_last_walk() {
        let marks = Marks::new(2);
        assert_eq!(marks.moved(0, RowNumber(900)), None);
        assert_eq!(marks.moved(1, RowNumber(500)), Some(RowNumber(500)));
        assert_eq!(marks.moved(1, RowNumber(1200)), Some(RowNumber(900)));
        assert_eq!(marks.moved(1, RowNumber(1300)), None);
        assert_eq!(marks.moved(0, RowNumber(u64::MAX)), Some(RowNumber(1300)));
    }

    #[test]
    fn the_mark_is_told_now_and_then() {
        let mut progress = Progress::default();
        let told: Vec<u64> = (2..2 + 2 * u64::from(STRIDE))
            .filter_map(|row| {
                progress.begun(RowNumber(row));
                progress.recorded(RowNumber(row)).map(|mark| mark.0)
            })
            .collect();
        assert_eq!(told, [2 + u64::from(STRIDE), 2 + 2 * u64::from(STRIDE)]);
    }
}

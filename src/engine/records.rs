//! Walks the journal's records of a run beside its input: both are in order of row, so one pass over each is enough.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::contract::{Journal, JournalFault, Recorded};
use crate::model::ids::{RowNumber, RunId};

/// Records fetched at once: a few milliseconds of work.
const PAGE: usize = 4096;

/// A cursor over the records of a run.
pub(super) struct Records {
    journal: Rc<dyn Journal>,
    run: RunId,
    page: VecDeque<Recorded>,
    last: RowNumber,
    exhausted: bool,
}

impl Records {
    /// Starts before the first record.
    pub(super) fn new(journal: Rc<dyn Journal>, run: RunId) -> Self {
        Self { journal, run, page: VecDeque::new(), last: RowNumber(0), exhausted: false }
    }

    /// The record of `row`, if there is one. Rows must be asked for in ascending order.
    pub(super) fn of(&mut self, row: RowNumber) -> Result<Option<Recorded>, JournalFault> {
        loop {
            while self.page.front().is_some_and(|recorded| recorded.row < row) {
                self.page.pop_front();
            }
            if let Some(front) = self.page.front() {
                return Ok(if front.row == row { self.page.pop_front() } else { None });
            }
            if self.exhausted {
                return Ok(None);
            }
            self.fetch()?;
        }
    }

    /// Records that other rows of this start have made meanwhile may be among them; they belong to rows already passed.
    fn fetch(&mut self) -> Result<(), JournalFault> {
        let page = self.journal.records(self.run, self.last, PAGE)?;
        self.exhausted = page.len() < PAGE;
        if let Some(last) = page.last() {
            self.last = last.row;
        }
        self.page.extend(page);
        Ok(())
    }
}

//! What a planned input is to the engine: its rows in file order, without those that are done.

use std::collections::VecDeque;

use crate::model::ids::RowNumber;
use crate::model::row::Row;

/// Gives the rows of a planned input, in file order, as often as asked.
pub trait Input {
    /// Starts from the first row that is not `done`. Whoever asks must be able to do with more: an input may give rows that
    /// are done, and need not know how to pass over them.
    fn rows(&self, done: Done) -> Result<Box<dyn Rows + '_>, InputFault>;
}

/// The rows that need not be given again: all below a number, except for some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows below this one are done.
    pub below: RowNumber,
    /// Those of them that are not, in order.
    pub except: VecDeque<RowNumber>,
}

impl Done {
    /// The first row that is not done, of those that were not told of by [`Done::takes`].
    pub fn next_wanted(&self) -> RowNumber {
        self.except.front().copied().filter(|row| *row < self.below).unwrap_or(self.below)
    }

    /// Whether `row` is done. Rows are asked for in ascending order.
    pub fn takes(&mut self, row: RowNumber) -> bool {
        while self.except.pop_front_if(|excepted| *excepted < row).is_some() {}
        let excepted = self.except.pop_front_if(|excepted| *excepted == row).is_some();
        row < self.below && !excepted
    }
}

/// Rows, one after the other.
pub trait Rows {
    /// The next row; `None` after the last. An error where the input is not what was planned.
    fn next_row(&mut self) -> Result<Option<Row>, InputFault>;
}

/// An input that is not (or no longer) what was planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputFault {
    /// What is wrong, and where.
    pub message: String,
}

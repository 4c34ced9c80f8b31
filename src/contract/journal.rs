//! What the durable record of a run is to the engine: what is true after each change, and what a resume is told.

use super::{LocalFuture, Millis, Observation};
use crate::model::failure::Answer;
use crate::model::ids::{RowNumber, RunId, SubjectKey};
use crate::model::money::Money;
use crate::model::state::{Event, State};

/// A change of one row's state, to be made durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which run.
    pub run: RunId,
    /// Which row.
    pub row: RowNumber,
    /// The state it must be in; otherwise nothing changes and the commit is an error.
    pub from: State,
    /// What happened; the next state is `from.after(event)`.
    pub event: Event,
    /// When.
    pub at: Millis,
    /// The row's money, for the totals.
    pub amount: Option<Money>,
    /// What goes with it.
    pub note: Note,
    /// True where nobody waits for this in a hurry: the commit may wait a few milliseconds for company.
    pub may_linger: bool,
}

/// What is recorded with a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// Nothing.
    None,
    /// With an intent.
    Intent {
        /// The attempt that is about to be made, counted from 1.
        attempt: u32,
        /// What a read showed before it.
        baseline: Option<Observation>,
        /// What the row acts on.
        subject: Option<SubjectKey>,
        /// The operation and its parameters as one JSON object, secrets left out: a doubt must be readable even where
        /// the input file is gone.
        sent: String,
    },
    /// With a row that is held: what it acts on, so that it is released with the doubt before it.
    Held {
        /// What the row acts on.
        subject: SubjectKey,
    },
    /// With a documented answer.
    Answer(Answer),
    /// With a failure: a short word and what it said.
    Failure {
        /// The class's word.
        code: String,
        /// For a person.
        message: String,
    },
    /// With a verification: what was read, and what it proves.
    Evidence {
        /// What was read.
        observation: Observation,
        /// What it was taken to prove.
        finding: String,
    },
}

/// What the journal holds about one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Which row.
    pub row: RowNumber,
    /// Its state.
    pub state: State,
    /// Calls made for it.
    pub attempts: u32,
    /// When its last intent was committed.
    pub intended_at: Option<Millis>,
    /// What was read before the last call.
    pub baseline: Option<Observation>,
    /// What the row acts on; not kept once the row is final.
    pub subject: Option<SubjectKey>,
    /// What the last intent was about to send, as JSON without secrets; not kept once the row is final.
    pub sent: Option<String>,
    /// The short word of the last answer or failure.
    pub code: Option<String>,
    /// What it said.
    pub message: Option<String>,
    /// The provider's reference.
    pub reference: Option<String>,
    /// What the operation returned, by name.
    pub data: Vec<(String, String)>,
}

/// The durable record of a run, as the engine sees it.
pub trait Journal {
    /// Makes a change durable.
    ///
    /// It is handed over when this is called, not when the answer is awaited, and changes become durable in that order: what
    /// a crash leaves is always a beginning of them.
    ///
    /// After `Ok` it is on disk and survives power loss. After `Err` it is unknown whether it is there (I4): the caller
    /// starts no further row.
    fn commit(&self, change: Change) -> LocalFuture<'_, Result<(), JournalFault>>;

    /// Keeps evidence about a row without changing its state. After `Ok` it is on disk.
    fn remark(&self, run: RunId, row: RowNumber, at: Millis, note: Note) -> LocalFuture<'_, Result<(), JournalFault>>;

    /// Up to `limit` records of the run with row numbers above `after`, in order of row. Blocks for at most a few
    /// milliseconds.
    fn records(&self, run: RunId, after: RowNumber, limit: usize) -> Result<Vec<Recorded>, JournalFault>;

    /// Tells that every row below `row` is recorded, and that those of them which are final will not be asked for again.
    /// Becomes durable with some later commit, or not at all: it only makes a resume faster. Never goes back.
    fn set_watermark(&self, _run: RunId, _row: RowNumber) {}

    /// Everything a resume must know about the run. Afterwards the standing of every row of the input can be told
    /// without another look into the journal.
    fn resume(&self, run: RunId) -> Result<Resume, JournalFault> {
        const PAGE: usize = 10_000;
        let mut resume = Resume::default();
        let mut after = RowNumber(0);
        loop {
            let page = self.records(run, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(resume) };
            after = last.row;
            for record in page {
                if record.state.is_final() {
                    resume.final_rows.push(record.row);
                } else {
                    resume.open.push(record);
                }
            }
        }
    }
}

/// What a run's journal holds, in the few words that a resume needs: its size is that of what is open, and not that of
/// the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Resume {
    /// Rows below this one are final, except for those in `open`.
    pub watermark: RowNumber,
    /// The rows that have a record and are not final, in order of row; on both sides of the watermark.
    pub open: Vec<Recorded>,
    /// The final rows at or above the watermark, in order.
    pub final_rows: Vec<RowNumber>,
}

impl Default for Resume {
    fn default() -> Self {
        Self { watermark: RowNumber(0), open: Vec::new(), final_rows: Vec::new() }
    }
}

/// Where one row of the input stands when a run is resumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing<'a> {
    /// There is no record: never sent.
    Unrecorded,
    /// It is recorded and not final.
    Open(&'a Recorded),
    /// It is final.
    Final,
}

impl Resume {
    /// Where a row stands. Only for rows that the input has.
    pub fn standing(&self, row: RowNumber) -> Standing<'_> {
        match self.open.binary_search_by_key(&row, |record| record.row) {
            Ok(at) => self.open.get(at).map_or(Standing::Unrecorded, Standing::Open),
            Err(_) if row < self.watermark || self.final_rows.binary_search(&row).is_ok() => Standing::Final,
            Err(_) => Standing::Unrecorded,
        }
    }
}

/// A journal that could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalFault {
    /// The row was not in the state that the change leaves: somebody else moved it, or the program is wrong.
    #[error("row {row} is not {expected} in the journal any more")]
    Stale {
        /// Which row.
        row: RowNumber,
        /// The state that was expected.
        expected: State,
    },
    /// The storage failed; what was asked may or may not be there.
    #[error("{message}")]
    Storage {
        /// What it said, and what to do about it.
        message: String,
    },
}

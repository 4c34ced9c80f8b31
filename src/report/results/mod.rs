//! The result files of a run: every row in exactly one of them, in the order of the input.
//!
//! | file | rows |
//! |---|---|
//! | `succeeded.csv` | applied, already |
//! | `failed.csv` | refused, failed |
//! | `in_doubt.csv` | in doubt (and intended, which is the same to whoever looks from here) |
//! | `not_sent.csv` | not sent, held (and planned, which is not sent yet) |
//!
//! `summary.json` and `manifest.json` (name, size, digest and rows of each file) go with them. All are always there,
//! header only where there are no rows. The input's columns come first, then ours with the prefix `subops_`; columns of
//! the input with this prefix are those of an earlier run and are dropped. For a JSONL input each CSV file has a twin,
//! `failed.jsonl` and so on, with the input's own objects, to be fed back exactly.
//!
//! # What is guarded against spreadsheets
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe before it ([`cell::guarded`]). The input does not
//! take that apostrophe away again, so guarding a cell that is sent would change what a second run sends. Therefore:
//!
//! * our columns are guarded everywhere: what a provider says is from outside, and nothing reads it back;
//! * columns of the input that are only carried through are guarded everywhere: they are never sent;
//! * columns that are sent are guarded in `succeeded.csv` alone, whose rows are done. In the other three they stay as
//!   they came, because these files exist to be fed back: that is no more than the person's own file had in it.
//!
//! A plain number with a sign (`-5`) is guarded nowhere. JSONL twins have no spreadsheet to fear and are never guarded.
//!
//! # Card data
//!
//! Of a card's number the last four digits are written, of a security code nothing. Such a row cannot be fed back as it
//! is; its masked number passes no check, so that it is found before anything is sent.
//!
//! Invariants: rows written are rows read, in count and in money ([`Tally::totals`], to be compared with the journal's
//! and the plan's, I9). Files are replaced one by one, each atomically, the manifest last: a manifest that agrees with its
//! files says that all of them are of one end of the run.

pub mod cell;
mod file;
pub mod json;
mod rows;
mod table;
mod tally;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::cell::Use;
pub use self::file::Listed;
use self::file::{Draft, Ended, make_folder, sync_folder};
use self::rows::Writer;
pub use self::tally::{DoubtBrief, Reason, Tally};
use crate::contract::{Millis, Recorded};
use crate::model::ids::{RowNumber, RunId};
use crate::model::money::Money;
use crate::model::summary::Summary;

/// What our columns begin with.
pub const OWN_PREFIX: &str = "subops_";

/// The rows of a run with what became of them, in the order of the input.
pub trait ResultRows {
    /// The columns of the input; of a JSONL input, those that [`json::Keys`] found.
    fn header(&self) -> &[String];

    /// The next row; `None` after the last.
    fn next(&mut self) -> Result<Option<ResultRow<'_>>, ResultsError>;
}

/// One row of the input and what became of it.
#[derive(Clone, Copy)]
pub struct ResultRow<'a> {
    /// Which row.
    pub number: RowNumber,
    /// What the input says.
    pub content: Content<'a>,
    /// What the journal says; none where the row was never sent.
    pub recorded: Option<&'a Recorded>,
    /// The money it is about.
    pub amount: Option<Money>,
    /// What is summed for it, with the unit: days added.
    pub quantity: Option<(i64, &'static str)>,
    /// What it acts on, for a person: `subscription 80013311`.
    pub subject: Option<&'a str>,
}

/// What the input says in one row.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// The cells, one for each column.
    Cells(&'a dyn Cells),
    /// The object, as text.
    Object(&'a str),
}

/// Cells by column.
pub trait Cells {
    /// The cell of the column at `position`; empty where the row is shorter.
    fn cell(&self, position: usize) -> &str;
}

impl Cells for csv::StringRecord {
    fn cell(&self, position: usize) -> &str {
        self.get(position).unwrap_or_default()
    }
}

impl Cells for Vec<String> {
    fn cell(&self, position: usize) -> &str {
        self.get(position).map_or("", String::as_str)
    }
}

/// The form of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV, with this delimiter, which the result files have as well.
    Csv {
        /// What stands between two cells.
        delimiter: u8,
    },
    /// One JSON object a line.
    Jsonl,
}

/// What the columns are.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The form of the input.
    pub form: Form,
    /// The input's columns that are parameters, or that the program reads otherwise; case is ignored.
    pub sent: Vec<String>,
    /// Those that hold a card's number.
    pub card_numbers: Vec<String>,
    /// Those that hold a card's security code.
    pub security_codes: Vec<String>,
    /// The names of what the operations return, each a column at the end.
    pub returned: Vec<&'static str>,
}

impl Layout {
    fn usage(&self, column: &str) -> Use {
        let is_in = |columns: &[String]| columns.iter().any(|known| known.eq_ignore_ascii_case(column));
        if is_in(&self.security_codes) {
            Use::SecurityCode
        } else if is_in(&self.card_numbers) {
            Use::CardNumber
        } else if is_in(&self.sent) {
            Use::Sent
        } else {
            Use::Carried
        }
    }

    fn has_secrets(&self) -> bool {
        !self.card_numbers.is_empty() || !self.security_codes.is_empty()
    }
}

/// Why the results cannot be written. The run itself is not touched by it: `subops report` writes them again.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A file or folder cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The rows cannot be read: the input changed, or the journal fails.
    #[error("{message}")]
    Rows {
        /// What is wrong.
        message: String,
    },
}

impl ResultsError {
    fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    fn rows(message: impl Into<String>) -> Self {
        Self::Rows { message: message.into() }
    }
}

/// What `manifest.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The run's number.
    pub run: i64,
    /// Every other file of the folder.
    pub files: Vec<Listed>,
}

/// The folder for the results of a run below `base`: `<job>-<start in UTC>-run<N>`. The same run has the same folder,
/// however often it is continued. Characters that do not belong in a file's name become `-`.
pub fn folder(base: &Path, job: &str, started: Millis, run: RunId) -> PathBuf {
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let job: String = job.trim_start_matches('.').chars().map(safe).take(80).collect();
    let job = if job.is_empty() { "job" } else { job.as_str() };
    base.join(format!("{job}-{}-run{run}", super::format::stamp(started)))
}

/// Results that are written and on disk, but not in place yet: what was there before is still there. Removed if they
/// are dropped.
pub struct Staged {
    folder: PathBuf,
    files: Vec<Ended>,
    /// What was counted while writing.
    pub tally: Tally,
}

/// Writes the rows to temporary files in `folder`, which is made if it is not there.
pub fn stage(folder: &Path, layout: &Layout, rows: &mut dyn ResultRows) -> Result<Staged, ResultsError> {
    make_folder(folder)?;
    let mut writer = Writer::begin(folder, layout, rows.header())?;
    let mut tally = Tally::default();
    while let Some(row) = rows.next()? {
        tally.take(&row);
        writer.write(&row)?;
    }
    Ok(Staged { folder: folder.to_owned(), files: writer.end()?, tally })
}

impl Staged {
    /// Puts the files in place, with the summary and the manifest. After `Ok` all of them are durable.
    pub fn publish(mut self, summary: &Summary) -> Result<Manifest, ResultsError> {
        self.files.push(self.text("summary.json", &super::summary::to_json(summary))?);
        let manifest =
            Manifest { run: summary.run, files: self.files.iter().map(|file| file.listed.clone()).collect() };
        let text = serde_json::to_string_pretty(&manifest).map_err(|error| ResultsError::rows(error.to_string()))?;
        self.files.push(self.text("manifest.json", &format!("{text}\n"))?);
        for file in self.files.drain(..) {
            file.place(&self.folder)?;
        }
        sync_folder(&self.folder)?;
        Ok(manifest)
    }

    fn text(&self, name: &str, text: &str) -> Result<Ended, ResultsError> {
        let mut draft = Draft::begin(&self.folder, name)?;
        draft.put(text.as_bytes())?;
        draft.end()
    }
}

#[cfg(test)]
#[path = "results_tests.rs"]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests;

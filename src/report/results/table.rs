//! One CSV file of rows: a draft behind a CSV writer that lives as long as it does.
//!
//! It knows nothing of what its cells mean.

use super::ResultsError;
use super::file::{Draft, Ended};

/// A CSV file that is being written.
pub(super) struct Table {
    lines: csv::Writer<Draft>,
    rows: u64,
}

impl Table {
    /// Begins it with its header.
    pub(super) fn begin(
        draft: Draft,
        delimiter: u8,
        header: impl Iterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Self, ResultsError> {
        let lines = csv::WriterBuilder::new().delimiter(delimiter).from_writer(draft);
        let mut table = Self { lines, rows: 0 };
        for name in header {
            table.cell(name)?;
        }
        table.end_line()?;
        Ok(table)
    }

    /// Writes one cell of the current row.
    pub(super) fn cell(&mut self, cell: impl AsRef<[u8]>) -> Result<(), ResultsError> {
        self.lines.write_field(cell).map_err(|error| fault(self.lines.get_ref(), error))
    }

    /// Ends the current row, and counts it.
    pub(super) fn end_row(&mut self) -> Result<(), ResultsError> {
        self.rows += 1;
        self.end_line()
    }

    fn end_line(&mut self) -> Result<(), ResultsError> {
        self.lines.write_record(None::<&[u8]>).map_err(|error| fault(self.lines.get_ref(), error))
    }

    /// Ends the file: after `Ok` it is on disk.
    pub(super) fn end(mut self) -> Result<Ended, ResultsError> {
        self.lines.flush().map_err(|source| self.lines.get_ref().fault(source))?;
        let draft = self.lines.into_inner().map_err(|error| ResultsError::rows(error.to_string()))?;
        draft.holding(self.rows).end()
    }
}

fn fault(draft: &Draft, error: csv::Error) -> ResultsError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => draft.fault(source),
        other => ResultsError::rows(format!("a row cannot be written as CSV: {other:?}")),
    }
}

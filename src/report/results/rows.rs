//! Writes each row into the file of its state.

use std::path::Path;

use super::cell::{Use, guarded, masked};
use super::file::{Draft, Ended};
use super::tally::reported;
use super::{Cells, Content, Form, Layout, OWN_PREFIX, ResultRow, ResultsError, json};
use crate::contract::Recorded;
use crate::model::state::State;

/// Our columns, without the prefix.
const OWN: [&str; 6] = ["row", "status", "code", "message", "attempts", "reference"];

/// The files, in the order in which they are listed.
const FILES: [&str; 4] = ["succeeded", "failed", "in_doubt", "not_sent"];

/// The file whose rows are done: here even what was sent is guarded.
const SUCCEEDED: usize = 0;

fn file_of(state: State) -> usize {
    match state {
        State::Applied | State::Already => SUCCEEDED,
        State::Refused | State::Failed => 1,
        State::Intended | State::InDoubt => 2,
        State::Planned | State::Held | State::NotSent => 3,
    }
}

/// Writes rows into the four files, and their twins where the input is JSONL.
pub(super) struct Writer<'a> {
    layout: &'a Layout,
    /// The input's columns that are written: position, name and use.
    columns: Vec<(usize, String, Use)>,
    header: Vec<String>,
    tables: Vec<Draft>,
    twins: Vec<Draft>,
    delimiter: u8,
}

impl<'a> Writer<'a> {
    pub(super) fn begin(folder: &Path, layout: &'a Layout, header: &[String]) -> Result<Self, ResultsError> {
        let ours = |column: &String| column.starts_with(OWN_PREFIX);
        let columns: Vec<(usize, String, Use)> = header
            .iter()
            .enumerate()
            .filter(|(_, column)| !ours(column))
            .map(|(at, column)| (at, column.clone(), layout.usage(column)))
            .collect();
        let (delimiter, twins) = match layout.form {
            Form::Csv { delimiter } => (delimiter, Vec::new()),
            Form::Jsonl => (b',', drafts(folder, "jsonl")?),
        };
        let tables = drafts(folder, "csv")?;
        let mut writer = Self { layout, columns, header: header.to_vec(), tables, twins, delimiter };
        let line = writer.header_line()?;
        for table in &mut writer.tables {
            table.write(&line)?;
        }
        Ok(writer)
    }

    /// Names are not guarded: they are read back by name, and they are the person's own.
    fn header_line(&self) -> Result<Vec<u8>, ResultsError> {
        let input = self.columns.iter().map(|(_, name, _)| name.clone());
        let own = OWN.iter().map(|name| format!("{OWN_PREFIX}{name}"));
        let returned = self.layout.returned.iter().map(|name| returned_column(name));
        self.line(input.chain(own).chain(returned))
    }

    fn line<T: AsRef<[u8]>>(&self, cells: impl Iterator<Item = T>) -> Result<Vec<u8>, ResultsError> {
        let mut line = csv::WriterBuilder::new().delimiter(self.delimiter).from_writer(Vec::with_capacity(256));
        let fault = |error: csv::Error| ResultsError::rows(error.to_string());
        for cell in cells {
            line.write_field(cell).map_err(fault)?;
        }
        line.write_record(None::<&[u8]>).map_err(fault)?;
        line.into_inner().map_err(|error| ResultsError::rows(error.to_string()))
    }

    pub(super) fn write(&mut self, row: &ResultRow<'_>) -> Result<(), ResultsError> {
        let file = file_of(reported(row.recorded));
        let line = match row.content {
            Content::Cells(cells) => self.table_line(row, cells, file)?,
            Content::Object(object) => {
                let cells = json::cells(object, &self.header).map_err(|error| unreadable(row, &error))?;
                self.table_line(row, &cells, file)?
            }
        };
        self.tables[file].write_row(&line)?;
        if let (Content::Object(object), Some(twin)) = (row.content, self.twins.get_mut(file)) {
            let usage = |path: &str| self.layout.usage(path);
            let own = own_members(row).map_err(|error| unreadable(row, &error))?;
            let object = json::twin(object, &own, &usage, self.layout.has_secrets());
            let object = object.map_err(|error| unreadable(row, &error))?;
            twin.write_row(format!("{object}\n").as_bytes())?;
        }
        Ok(())
    }

    fn table_line(&self, row: &ResultRow<'_>, cells: &dyn Cells, file: usize) -> Result<Vec<u8>, ResultsError> {
        let input = self.columns.iter().map(|(at, _, usage)| {
            let cell = cells.cell(*at);
            match usage {
                Use::SecurityCode => String::new(),
                Use::CardNumber => masked(cell),
                Use::Sent if file != SUCCEEDED => cell.to_owned(),
                Use::Sent | Use::Carried => guarded(cell).into_owned(),
            }
        });
        let own = own_cells(row).into_iter();
        let data = row.recorded.map_or(&[][..], |recorded| &recorded.data);
        let returned =
            self.layout.returned.iter().map(|name| {
                data.iter().find(|(known, _)| known == name).map_or(String::new(), |(_, value)| value.clone())
            });
        self.line(input.chain(own.chain(returned).map(|cell| guarded(&cell).into_owned())))
    }

    /// Ends the files: after `Ok` they are on disk.
    pub(super) fn end(self) -> Result<Vec<Ended>, ResultsError> {
        self.tables.into_iter().chain(self.twins).map(Draft::end).collect()
    }
}

fn drafts(folder: &Path, extension: &str) -> Result<Vec<Draft>, ResultsError> {
    FILES.iter().map(|name| Draft::begin_rows(folder, &format!("{name}.{extension}"))).collect()
}

/// A returned name that is one of our own columns' gets a longer one, so that each column has one meaning.
fn returned_column(name: &str) -> String {
    if OWN.contains(&name) { format!("{OWN_PREFIX}returned_{name}") } else { format!("{OWN_PREFIX}{name}") }
}

fn own_cells(row: &ResultRow<'_>) -> Vec<String> {
    let text = |value: fn(&Recorded) -> &Option<String>| {
        row.recorded.and_then(|recorded| value(recorded).clone()).unwrap_or_default()
    };
    vec![
        row.number.to_string(),
        reported(row.recorded).to_string(),
        text(|recorded| &recorded.code),
        text(|recorded| &recorded.message),
        row.recorded.map_or(0, |recorded| recorded.attempts).to_string(),
        text(|recorded| &recorded.reference),
    ]
}

/// The members that a twin gets: our columns, and what was returned as one object.
fn own_members(row: &ResultRow<'_>) -> Result<String, serde_json::Error> {
    let recorded = row.recorded;
    let text = |value: fn(&Recorded) -> &Option<String>| {
        serde_json::to_string(&recorded.and_then(|recorded| value(recorded).as_deref()))
    };
    let data: serde_json::Map<String, serde_json::Value> = recorded
        .map_or(&[][..], |recorded| &recorded.data)
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    Ok(format!(
        r#""subops_row":{},"subops_status":"{}","subops_code":{},"subops_message":{},"subops_attempts":{},"subops_reference":{},"subops_data":{}"#,
        row.number,
        reported(recorded),
        text(|recorded| &recorded.code)?,
        text(|recorded| &recorded.message)?,
        recorded.map_or(0, |recorded| recorded.attempts),
        text(|recorded| &recorded.reference)?,
        serde_json::to_string(&data)?
    ))
}

/// Says where, not what: a line may hold a card's number.
fn unreadable(row: &ResultRow<'_>, error: &serde_json::Error) -> ResultsError {
    ResultsError::rows(format!(
        "line {} of the input is no JSON object any more (column {})",
        row.number,
        error.column()
    ))
}

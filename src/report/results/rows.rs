//! Writes each row into the file of its state.

use std::borrow::Cow;
use std::path::Path;

use super::cell::{Use, guarded, masked};
use super::file::{Draft, Ended};
use super::table::Table;
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
    tables: Vec<Table>,
    twins: Vec<Twin>,
}

/// A JSONL file beside a table.
struct Twin {
    draft: Draft,
    rows: u64,
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
        let tables = drafts(folder, "csv")?
            .into_iter()
            .map(|draft| Table::begin(draft, delimiter, names(&columns, layout)))
            .collect::<Result<_, _>>()?;
        let twins = twins.into_iter().map(|draft| Twin { draft, rows: 0 }).collect();
        Ok(Self { layout, columns, header: header.to_vec(), tables, twins })
    }

    pub(super) fn write(&mut self, row: &ResultRow<'_>) -> Result<(), ResultsError> {
        let file = file_of(reported(row.recorded));
        match row.content {
            Content::Cells(cells) => self.table_row(row, cells, file)?,
            Content::Object(object) => {
                let cells = json::cells(object, &self.header).map_err(|error| unreadable(row, &error))?;
                self.table_row(row, &cells, file)?;
            }
        }
        if let (Content::Object(object), Some(twin)) = (row.content, self.twins.get_mut(file)) {
            let usage = |path: &str| self.layout.usage(path);
            let own = own_members(row).map_err(|error| unreadable(row, &error))?;
            let object = json::twin(object, &own, &usage, self.layout.has_secrets());
            let object = object.map_err(|error| unreadable(row, &error))?;
            twin.draft.put(format!("{object}\n").as_bytes())?;
            twin.rows += 1;
        }
        Ok(())
    }

    fn table_row(&mut self, row: &ResultRow<'_>, cells: &dyn Cells, file: usize) -> Result<(), ResultsError> {
        let table = &mut self.tables[file];
        for (at, _, usage) in &self.columns {
            let cell = cells.cell(*at);
            let shown = match usage {
                Use::SecurityCode => Cow::Borrowed(""),
                Use::CardNumber => Cow::Owned(masked(cell)),
                Use::Sent if file != SUCCEEDED => Cow::Borrowed(cell),
                Use::Sent | Use::Carried => guarded(cell),
            };
            table.cell(shown.as_bytes())?;
        }
        for cell in own_cells(row) {
            table.cell(guarded(&cell).as_bytes())?;
        }
        let data = row.recorded.map_or(&[][..], |recorded| &recorded.data);
        for name in &self.layout.returned {
            let value = data.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
            table.cell(guarded(value).as_bytes())?;
        }
        table.end_row()
    }

    /// Ends the files: after `Ok` they are on disk.
    pub(super) fn end(self) -> Result<Vec<Ended>, ResultsError> {
        let twins = self.twins.into_iter().map(|twin| twin.draft.holding(twin.rows).end());
        self.tables.into_iter().map(Table::end).chain(twins).collect()
    }
}

/// The header. Names are not guarded: they are read back by name, and they are the person's own.
fn names<'n>(columns: &'n [(usize, String, Use)], layout: &'n Layout) -> impl Iterator<Item = Cow<'n, [u8]>> {
    let input = columns.iter().map(|(_, name, _)| Cow::Borrowed(name.as_bytes()));
    let own = OWN.iter().map(|name| Cow::Owned(format!("{OWN_PREFIX}{name}").into_bytes()));
    let returned = layout.returned.iter().map(|name| Cow::Owned(returned_column(name).into_bytes()));
    input.chain(own).chain(returned)
}

fn drafts(folder: &Path, extension: &str) -> Result<Vec<Draft>, ResultsError> {
    FILES.iter().map(|name| Draft::begin(folder, &format!("{name}.{extension}"))).collect()
}

/// A returned name that is one of our own columns' gets a longer one, so that each column has one meaning.
fn returned_column(name: &str) -> String {
    if OWN.contains(&name) { format!("{OWN_PREFIX}returned_{name}") } else { format!("{OWN_PREFIX}{name}") }
}

fn own_cells<'r>(row: &ResultRow<'r>) -> [Cow<'r, str>; 6] {
    let text = |value: fn(&Recorded) -> &Option<String>| {
        Cow::Borrowed(row.recorded.and_then(|recorded| value(recorded).as_deref()).unwrap_or_default())
    };
    [
        Cow::Owned(row.number.to_string()),
        Cow::Borrowed(reported(row.recorded).as_str()),
        text(|recorded| &recorded.code),
        text(|recorded| &recorded.message),
        Cow::Owned(row.recorded.map_or(0, |recorded| recorded.attempts).to_string()),
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

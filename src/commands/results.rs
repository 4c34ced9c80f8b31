//! Joins the input and the journal, row by row, for the result files: the independent count behind I9.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::contract::Recorded;
use crate::input::{Content as Raw, Format, PlannedInput, RawRows};
use crate::journal::Store;
use crate::model::ids::{RowNumber, RunId};
use crate::model::money::Money;
use crate::model::state::State;
use crate::report::results::json::Keys;
use crate::report::results::{self, Content, Form, Layout, ResultRow, ResultRows, ResultsError, Staged};

/// Records fetched at once.
const PAGE: usize = 512;

/// The columns that the program reads besides parameters.
const RESERVED: [&str; 4] = ["operation", "account", "amount", "currency"];

/// Writes the rows of a run with what became of them to temporary files of its results folder.
pub(super) fn stage(input: &PlannedInput, store: &Store, run: RunId, folder: &Path) -> Result<Staged, ResultsError> {
    let layout = layout(input);
    let mut joined = Joined::new(input, store, run)?;
    results::stage(folder, &layout, &mut joined)
}

/// The folder of a run's results, as it is shown and as it is opened.
pub(super) fn folder(base: &Path, job: &str, started: i64, run: RunId) -> PathBuf {
    results::folder(base, job, started, run)
}

fn layout(input: &PlannedInput) -> Layout {
    let form = match input.format() {
        Format::Csv => Form::Csv { delimiter: input.delimiter() },
        Format::JsonLines => Form::Jsonl,
    };
    let operations = || input.census().groups.iter().map(|group| group.operation);
    let parameters = operations().flat_map(|operation| operation.parameters).map(|parameter| parameter.name);
    let mapped = input.spec().columns.iter().map(|(column, _)| column.as_str());
    let mut returned: Vec<&'static str> = Vec::new();
    for name in operations().flat_map(|operation| operation.returns) {
        if !returned.contains(name) {
            returned.push(name);
        }
    }
    Layout {
        form,
        sent: parameters.chain(mapped).chain(RESERVED).map(str::to_owned).collect(),
        // The input masks card data itself before it gives a record away.
        card_numbers: Vec::new(),
        security_codes: Vec::new(),
        returned,
    }
}

/// The rows of the input beside their records. Both are in order of row.
struct Joined<'a> {
    raw: RawRows<'a>,
    store: &'a Store,
    run: RunId,
    header: Vec<String>,
    page: VecDeque<Recorded>,
    last: RowNumber,
    exhausted: bool,
    current: Current,
}

/// The row that was given last.
#[derive(Default)]
struct Current {
    cells: Vec<String>,
    line: Option<String>,
    recorded: Option<Recorded>,
    subject: Option<String>,
}

impl<'a> Joined<'a> {
    fn new(input: &'a PlannedInput, store: &'a Store, run: RunId) -> Result<Self, ResultsError> {
        let raw = input.raw_rows().map_err(|fault| rows_fault(&fault))?;
        let header = match raw.header() {
            Some(header) => header.to_vec(),
            None => keys(input)?,
        };
        Ok(Self {
            raw,
            store,
            run,
            header,
            page: VecDeque::new(),
            last: RowNumber(0),
            exhausted: false,
            current: Current::default(),
        })
    }

    /// The record of a row. Rows are asked for in ascending order.
    fn record(&mut self, row: RowNumber) -> Result<Option<Recorded>, ResultsError> {
        loop {
            while self.page.front().is_some_and(|recorded| recorded.row < row) {
                self.page.pop_front();
            }
            match self.page.front() {
                Some(front) if front.row == row => return Ok(self.page.pop_front()),
                Some(_) => return Ok(None),
                None if self.exhausted => return Ok(None),
                None => {}
            }
            let page = self.store.records(self.run, self.last, PAGE).map_err(|error| rows_fault(&error))?;
            self.exhausted = page.len() < PAGE;
            self.last = page.last().map_or(self.last, |record| record.row);
            self.page.extend(page);
        }
    }
}

/// The columns of a JSONL input, found by one walk through it.
fn keys(input: &PlannedInput) -> Result<Vec<String>, ResultsError> {
    let mut raw = input.raw_rows().map_err(|fault| rows_fault(&fault))?;
    let mut keys = Keys::default();
    while let Some(record) = raw.next_record().map_err(|fault| rows_fault(&fault))? {
        // A line that is no object has no keys; it can only be one that was left out.
        if let (Raw::Line(line), Some(_)) = (&record.content, &record.row) {
            keys.learn(line).map_err(|error| rows_fault(&error))?;
        }
    }
    Ok(keys.into_names())
}

fn rows_fault(error: &dyn std::fmt::Display) -> ResultsError {
    ResultsError::Rows { message: error.to_string() }
}

impl ResultRows for Joined<'_> {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn next(&mut self) -> Result<Option<ResultRow<'_>>, ResultsError> {
        let Some(record) = self.raw.next_record().map_err(|fault| rows_fault(&fault))? else { return Ok(None) };
        let number = record.number;
        let facts = match record.content {
            Raw::Cells(cells) => {
                self.current.cells.resize_with(cells.len(), String::new);
                for (kept, cell) in self.current.cells.iter_mut().zip(&cells) {
                    kept.clear();
                    kept.push_str(cell);
                }
                self.current.line = None;
                record.row
            }
            Raw::Line(line) => {
                self.current.line = Some(line.into_owned());
                record.row
            }
        };
        let (mut amount, mut quantity) = (None::<Money>, None);
        self.current.subject = None;
        self.current.recorded = match facts {
            // Left out by request because it is bad: nothing was sent for it, and nobody is to think otherwise.
            None => Some(left_out(number)),
            Some(row) => {
                amount = row.amount;
                quantity = row.operation.quantity.and_then(|(name, unit)| Some((row.get(name)?.parse().ok()?, unit)));
                self.current.subject = row.subject.as_ref().map(|subject| subject.id().to_owned());
                self.record(number)?
            }
        };
        let current = &self.current;
        let content = match &current.line {
            Some(line) => Content::Object(line),
            None => Content::Cells(&current.cells),
        };
        let recorded = current.recorded.as_ref();
        let subject = current.subject.as_deref();
        Ok(Some(ResultRow { number, content, recorded, amount, quantity, subject }))
    }
}

fn left_out(row: RowNumber) -> Recorded {
    Recorded {
        row,
        state: State::NotSent,
        attempts: 0,
        intended_at: None,
        baseline: None,
        subject: None,
        sent: None,
        code: Some("invalid".to_owned()),
        message: Some("left out: the row is not valid".to_owned()),
        reference: None,
        data: Vec::new(),
    }
}

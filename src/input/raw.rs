//! The records as they stand in the input, for the results: what came in goes out beside what became of it.
//!
//! Card data is masked here and not by whoever writes the results, and columns of earlier results are left out.

use std::borrow::Cow;

use super::card;
use super::fault::InputError;
use super::fields::Header;
use super::json_lines::{self, Members};
use super::mapping::is_ours;
use super::reading::{Reading, Records, Setting};
use crate::contract::InputFault;
use crate::model::ids::RowNumber;
use crate::model::row::Row;

/// A record as it stands in the input.
pub struct RawRecord<'a> {
    /// Its name.
    pub number: RowNumber,
    /// The row it makes; none where it is bad and was left out.
    pub row: Option<Row>,
    /// What stands there.
    pub content: Content<'a>,
}

/// What stands in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// The cells of a CSV record, one for each name of [`RawRows::header`].
    Cells(Vec<Cow<'a, str>>),
    /// A line of JSONL; one that cannot be taken apart is `•••` where the line might hold card data.
    Line(Cow<'a, str>),
}

/// The records of an input in order, the bad ones too.
pub struct RawRows<'a> {
    reading: Reading<'a>,
    setting: Setting<'a>,
    header: Option<Vec<String>>,
    columns: Vec<Column>,
}

/// A column that is carried through.
struct Column {
    at: usize,
    secret: bool,
}

impl<'a> RawRows<'a> {
    pub(super) fn new(reading: Reading<'a>, setting: Setting<'a>) -> Self {
        let (header, columns) = match reading.records() {
            Records::Csv { header, .. } => {
                let (names, columns) = carried(header, &setting);
                (Some(names), columns)
            }
            Records::Json { .. } => (None, Vec::new()),
        };
        Self { reading, setting, header, columns }
    }

    /// The names of the columns that are carried through, as they stand in the file; none in JSONL.
    pub fn header(&self) -> Option<&[String]> {
        self.header.as_deref()
    }

    /// The next record; none after the last. An error where the input is not what was planned.
    pub fn next_record(&mut self) -> Result<Option<RawRecord<'_>>, InputFault> {
        let Some(outcome) = self.reading.next().map_err(|error| input_fault(&error))? else {
            let whole = self.reading.source().finish();
            return whole.map(|_| None).map_err(|fault| InputFault { message: fault.to_string() });
        };
        let content = match self.reading.records() {
            Records::Csv { record, .. } => {
                let cell = |column: &Column| match record.get(column.at) {
                    "" => Cow::Borrowed(""),
                    text if column.secret => Cow::Owned(card::mask(text)),
                    text => Cow::Borrowed(text),
                };
                Content::Cells(self.columns.iter().map(cell).collect())
            }
            Records::Json { line, .. } => Content::Line(safe_line(line, &self.setting)),
        };
        Ok(Some(RawRecord { number: outcome.number, row: outcome.row.ok(), content }))
    }
}

/// An error of a walk, as those see it who have planned the input before.
pub(super) fn input_fault(error: &InputError) -> InputFault {
    InputFault { message: error.to_string() }
}

fn carried(header: &Header, setting: &Setting<'_>) -> (Vec<String>, Vec<Column>) {
    let kept = header.names.iter().enumerate().filter(|(_, name)| !is_ours(name));
    kept.map(|(at, name)| {
        let target = header.targets.get(at).and_then(Option::as_deref);
        (name.clone(), Column { at, secret: setting.is_secret(target) })
    })
    .unzip()
}

/// The line without names of earlier results, and with card data masked.
fn safe_line<'l>(line: &'l str, setting: &Setting<'_>) -> Cow<'l, str> {
    let Ok(members) = json_lines::members(line) else {
        // It cannot be taken apart, so nothing in it can be masked.
        return if setting.secrets.is_empty() { Cow::Borrowed(line) } else { Cow::Borrowed(card::HIDDEN) };
    };
    let ours = members.iter().any(|(name, _)| is_ours(name));
    match rewrite(&members, "", setting, 1) {
        Some((text, masked)) if masked || ours => Cow::Owned(text),
        Some(_) => Cow::Borrowed(line.trim()),
        None => Cow::Borrowed(card::HIDDEN),
    }
}

/// Writes an object again, and tells whether anything was masked. None where it cannot be taken apart.
fn rewrite(members: &Members<'_>, prefix: &str, setting: &Setting<'_>, depth: usize) -> Option<(String, bool)> {
    let mut masked = false;
    let mut parts = Vec::with_capacity(members.len());
    for (name, raw) in members {
        if depth == 1 && is_ours(name) {
            continue;
        }
        let dotted = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let value = if setting.is_secret(setting.mapping.target(&dotted)) && raw.get() != "null" {
            masked = true;
            let (text, _) = json_lines::scalar(raw.get()).ok()?;
            Cow::Owned(serde_json::to_string(&card::mask(&text)).ok()?)
        } else if raw.get().starts_with('{') {
            if depth > json_lines::DEEPEST {
                return None;
            }
            let (text, inside) = rewrite(&json_lines::members(raw.get()).ok()?, &dotted, setting, depth + 1)?;
            masked |= inside;
            Cow::Owned(text)
        } else {
            Cow::Borrowed(raw.get())
        };
        parts.push(format!("{}:{value}", serde_json::to_string(name).ok()?));
    }
    Some((format!("{{{}}}", parts.join(",")), masked))
}

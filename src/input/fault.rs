//! What is wrong with an input, and where.
//!
//! A [`Fault`] is about one row and leaves the others alone; a [`FileFault`] is about the file and ends the reading.
//! Neither ever holds card data: secret values are masked before they come here.

use std::fmt;

use crate::model::ids::RowNumber;

/// The most faults that are kept; the others are only counted.
pub const FAULTS_KEPT: usize = 20;

/// The most characters of a value that a fault shows.
const VALUE_SHOWN: usize = 40;

/// Something wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The row: the line on which it starts.
    pub row: RowNumber,
    /// The line of the value at fault; more than the row's number where an earlier cell has line breaks.
    pub line: u64,
    /// Where on the line: the number of the cell in CSV, the character in JSONL, both counted from 1.
    pub column: Option<usize>,
    /// The parameter or column at fault; none where the row as a whole is.
    pub name: Option<String>,
    /// What stands there: shortened, and masked where it is a secret.
    pub value: Option<String>,
    /// What was expected instead.
    pub expected: String,
    /// What may have gone wrong, and what to do about it.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault of the row as a whole.
    pub(super) fn of_row(row: RowNumber, value: Option<String>, expected: impl Into<String>) -> Self {
        Self { row, line: row.0, column: None, name: None, value, expected: expected.into(), hint: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        f.write_str(": ")?;
        match (&self.name, &self.value) {
            (Some(name), Some(value)) => write!(f, "{name} = `{value}`, ")?,
            (Some(name), None) => write!(f, "{name} is not given, ")?,
            (None, Some(value)) => write!(f, "{value}, ")?,
            (None, None) => {}
        }
        write!(f, "expected {}", self.expected)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// Prepares a value to be shown: shortened, and without characters that a terminal would obey.
pub(super) fn shown(value: &str) -> String {
    let mut text = String::new();
    for character in value.chars().take(VALUE_SHOWN) {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    if value.chars().nth(VALUE_SHOWN).is_some() {
        text.push('…');
    }
    text
}

/// The rows that cannot be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadRows {
    /// The input, as the person named it.
    pub input: String,
    /// All rows, good and bad.
    pub rows: u64,
    /// Rows with at least one fault.
    pub bad: u64,
    /// Faults in all; a row may have several.
    pub count: u64,
    /// The first [`FAULTS_KEPT`] of them, in order of the file.
    pub faults: Vec<Fault>,
}

impl BadRows {
    /// Counts a row and keeps its faults while there is room.
    pub(super) fn add(&mut self, faults: Vec<Fault>) {
        self.bad += 1;
        self.count += faults.len() as u64;
        let room = FAULTS_KEPT.saturating_sub(self.faults.len());
        self.faults.extend(faults.into_iter().take(room));
    }
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} rows cannot be sent", self.bad, self.rows)?;
        for fault in &self.faults {
            write!(f, "\n{}:{fault}", self.input)?;
        }
        let rest = self.count - self.faults.len() as u64;
        if rest > 0 {
            write!(f, "\nand {rest} more")?;
        }
        Ok(())
    }
}

/// Something wrong with the file as a whole: it ends the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// The input, as the person named it.
    pub input: String,
    /// The line, where there is one.
    pub line: Option<u64>,
    /// Where on the line, where it is known.
    pub column: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl FileFault {
    /// A fault of the whole file.
    pub(super) fn new(input: &str, message: impl Into<String>) -> Self {
        Self { input: input.to_owned(), line: None, column: None, message: message.into(), hint: None }
    }

    /// The same, at a line.
    pub(super) fn line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same, at a place on its line.
    pub(super) fn column(self, column: u64) -> Self {
        Self { column: Some(column), ..self }
    }

    /// The same with a hint.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.input)?;
        for place in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{place}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FileFault {}

/// Why there is no plan of an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Rows are bad, and were not asked to be left out (or none is good).
    #[error("{0}")]
    BadRows(BadRows),
    /// The file as a whole cannot be used.
    #[error("{0}")]
    File(FileFault),
    /// There is card data where none belongs: the file is refused whatever was asked, and a copy of it must not stay.
    #[error("{0}")]
    CardData(FileFault),
    /// There are rows with card data, so the digest must be keyed: [`super::InputSpec::digest_key`].
    #[error("an input with card data needs a key for its digest")]
    KeyNeeded,
}

impl From<FileFault> for InputError {
    fn from(fault: FileFault) -> Self {
        InputError::File(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_value_is_short_and_tame() {
        assert_eq!(shown("8.0E+7"), "8.0E+7");
        assert_eq!(shown("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(shown(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
    }

    #[test]
    fn twenty_faults_are_kept_and_all_are_counted() {
        let mut bad = BadRows { input: "x.csv".to_owned(), rows: 30, ..BadRows::default() };
        for row in 2..27 {
            bad.add(vec![Fault::of_row(RowNumber(row), Some("4 fields".to_owned()), "3")]);
        }
        assert_eq!((bad.bad, bad.count, bad.faults.len()), (25, 25, 20));
        assert!(bad.to_string().ends_with("and 5 more"), "{bad}");
    }
}

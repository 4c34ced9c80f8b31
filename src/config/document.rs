//! A TOML file as it was written: each key with its line, each number with its own digits.
//!
//! Must not turn a number into a floating-point value, and must not show a value unless the caller says what it is: the
//! parser's own messages print the line at fault, which may hold a secret, so only their words and their line are used.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, listed};
use crate::model::near::near;

/// The text of a TOML file, and where it came from.
#[derive(Clone, Copy)]
pub(crate) struct Document<'d> {
    /// The file.
    pub(crate) file: &'d Path,
    /// What is in it.
    pub(crate) text: &'d str,
}

impl<'d> Document<'d> {
    /// Reads the text as TOML.
    pub(crate) fn parse(self) -> Result<DeTable<'d>, ConfigError> {
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|fault| {
            let offset = fault.span().map_or(0, |span| span.start);
            ConfigError::new(format!("not valid TOML: {}", fault.message())).at(self.place(offset))
        })
    }

    fn place(self, offset: usize) -> Place {
        Place::of(self.file, self.text, offset)
    }
}

/// A table of a document, with its name for messages.
#[derive(Clone)]
pub(crate) struct Section<'d> {
    document: Document<'d>,
    table: &'d DeTable<'d>,
    name: String,
}

impl<'d> Section<'d> {
    /// The whole document.
    pub(crate) fn top(document: Document<'d>, table: &'d DeTable<'d>) -> Self {
        Self { document, table, name: String::new() }
    }

    /// Refuses every key that is not among `known`; the first one in the file is named, with the nearest known key.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        let unknown = self.entries().into_iter().find(|entry| !known.contains(&entry.key));
        unknown.map_or(Ok(()), |entry| Err(entry.unknown(known)))
    }

    /// The entries, in the order of the file.
    pub(crate) fn entries(&self) -> Vec<Entry<'d>> {
        let by_offset: BTreeMap<usize, Entry<'d>> = self
            .table
            .iter()
            .map(|(key, value)| (key.span().start, self.entry(key.get_ref(), key.span().start, value)))
            .collect();
        by_offset.into_values().collect()
    }

    /// The entry of this key.
    pub(crate) fn get(&self, key: &str) -> Option<Entry<'d>> {
        let (key, value) = self.table.get_key_value(key)?;
        Some(self.entry(key.get_ref(), key.span().start, value))
    }

    /// The table of this key.
    pub(crate) fn table(&self, key: &str) -> Result<Option<Section<'d>>, ConfigError> {
        self.get(key).map(|entry| entry.table()).transpose()
    }

    /// The text of this key.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&'d str>, ConfigError> {
        self.get(key).map(|entry| entry.text()).transpose()
    }

    /// What `parse` makes of this key's scalar, or an error that shows the value and says what was `expected`.
    pub(crate) fn parsed<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(entry) = self.get(key) else { return Ok(None) };
        let text = entry.scalar(expected)?;
        let wrong = || entry.error(format!("{} = `{text}`: expected {expected}", entry.path()));
        parse(&text).map(Some).ok_or_else(wrong)
    }

    fn entry(&self, key: &'d str, offset: usize, value: &'d Spanned<DeValue<'d>>) -> Entry<'d> {
        Entry { section: self.clone(), key, offset, value }
    }
}

/// A key with its value.
pub(crate) struct Entry<'d> {
    section: Section<'d>,
    /// The key.
    pub(crate) key: &'d str,
    offset: usize,
    value: &'d Spanned<DeValue<'d>>,
}

impl<'d> Entry<'d> {
    /// The line on which it stands.
    pub(crate) fn place(&self) -> Place {
        self.section.document.place(self.offset)
    }

    /// Its dotted path in backticks.
    pub(crate) fn path(&self) -> String {
        match self.section.name.as_str() {
            "" => format!("`{}`", self.key),
            above => format!("`{above}.{}`", self.key),
        }
    }

    /// An error about it.
    pub(crate) fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::new(message).at(self.place())
    }

    /// The error that says that it is none of the `known` keys.
    pub(crate) fn unknown(&self, known: &[&str]) -> ConfigError {
        let hint = match near(self.key, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here: {}", listed(known.iter().copied())),
        };
        self.error(format!("unknown key {}", self.path())).hint(hint)
    }

    /// Its value as a table.
    pub(crate) fn table(&self) -> Result<Section<'d>, ConfigError> {
        match self.value.get_ref() {
            DeValue::Table(table) => {
                let name = self.path().trim_matches('`').to_owned();
                Ok(Section { document: self.section.document, table, name })
            }
            other => Err(self.mistyped("a table", other)),
        }
    }

    /// Its value as a string.
    pub(crate) fn text(&self) -> Result<&'d str, ConfigError> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            other => Err(self.mistyped("text in quotes", other)),
        }
    }

    /// Its value as `true` or `false`.
    pub(crate) fn boolean(&self) -> Result<bool, ConfigError> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            other => Err(self.mistyped("`true` or `false`", other)),
        }
    }

    /// Its value as a list of strings.
    pub(crate) fn texts(&self) -> Result<Vec<&'d str>, ConfigError> {
        let wrong = |other: &DeValue<'_>| self.mistyped("a list of texts in quotes", other);
        match self.value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => Ok(text.as_ref()),
                    other => Err(wrong(other)),
                })
                .collect(),
            other => Err(wrong(other)),
        }
    }

    /// Its value as text, digit for digit as it was written (`_` between digits left out): `19.90` stays `19.90`.
    pub(crate) fn scalar(&self, expected: &str) -> Result<String, ConfigError> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text.clone().into_owned()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Integer(_) => Err(self.error(format!("{}: expected {expected}, in decimal digits", self.path()))),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            DeValue::Boolean(value) => Ok(value.to_string()),
            // As it was written: the parsed value would print in a form of its own.
            DeValue::Datetime(value) => {
                let written = self.section.document.text.get(self.value.span());
                Ok(written.map_or_else(|| value.to_string(), |text| text.trim().to_owned()))
            }
            other => Err(self.mistyped(expected, other)),
        }
    }

    /// The error for a value of the wrong type. The value itself is not shown: nobody knows what it is.
    pub(crate) fn mistyped(&self, expected: &str, found: &DeValue<'_>) -> ConfigError {
        self.error(format!("{}: expected {expected}, found {}", self.path(), kind(found)))
    }

    /// The value itself.
    pub(crate) fn value(&self) -> &'d DeValue<'d> {
        self.value.get_ref()
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test stops at the first surprise")]
    use super::*;

    fn scalar(line: &str) -> Result<String, String> {
        let document = Document { file: Path::new("job.toml"), text: line };
        let table = document.parse().map_err(|fault| fault.to_string())?;
        let section = Section::top(document, &table);
        section.get("x").expect("x is there").scalar("a value").map_err(|fault| fault.to_string())
    }

    #[test]
    fn scalars_keep_their_written_digits() {
        for (line, expected) in [
            ("x = 30", "30"),
            ("x = 19.90", "19.90"),
            ("x = 1234567890123456.78", "1234567890123456.78"),
            ("x = 9223372036854775808123", "9223372036854775808123"),
            ("x = 1_000.50", "1000.50"),
            ("x = -5", "-5"),
            ("x = 1e3", "1e3"),
            ("x = true", "true"),
            ("x = '  a b '", "  a b "),
            ("x = 2026-12-01", "2026-12-01"),
            ("x = 2026-12-01T10:00:00Z # comment", "2026-12-01T10:00:00Z"),
        ] {
            assert_eq!(scalar(line).as_deref(), Ok(expected), "{line}");
        }
        assert_eq!(scalar("\nx = 0x1F"), Err("job.toml:2: `x`: expected a value, in decimal digits".to_owned()));
        assert_eq!(scalar("x = [1]"), Err("job.toml:1: `x`: expected a value, found a list".to_owned()));
    }

    #[test]
    fn a_broken_line_is_named_and_not_shown() {
        let fault = scalar("a = 1\naccess_key = canary-7f3a").expect_err("no TOML");
        assert!(fault.starts_with("job.toml:2: not valid TOML: ") && !fault.contains("canary"), "{fault}");
    }
}

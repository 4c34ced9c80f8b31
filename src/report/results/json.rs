//! A JSONL row: its cells for the CSV files, and its twin that can be fed back exactly. Pure.
//!
//! Numbers are never parsed: a value is copied as the text that it is in the input, so that long ids and amounts stay as
//! they are.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::OWN_PREFIX;
use super::cell::{Use, masked};

/// How deep objects are taken apart; what is deeper stays JSON in its cell.
const DEEPEST: usize = 16;

/// The columns that the rows of a JSONL file have in the CSV files: every key found, in the order of appearance, objects
/// taken apart (`EndUser.Email`). Show it every row before the results are written.
#[derive(Debug, Default)]
pub struct Keys {
    names: Vec<String>,
    known: HashSet<String>,
}

impl Keys {
    /// Looks at one row: an object as text.
    pub fn learn(&mut self, object: &str) -> Result<(), serde_json::Error> {
        visit(object, &mut |path, _| {
            if !path.starts_with(OWN_PREFIX) && !self.known.contains(path) {
                self.known.insert(path.to_owned());
                self.names.push(path.to_owned());
            }
        })
    }

    /// The columns.
    pub fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// The cells of one row, by column, as a CSV file would hold them: text without quotes, nothing for `null`, a list of
/// texts separated by `;`, and other arrays as JSON.
pub(super) fn cells(object: &str, columns: &[String]) -> Result<Vec<String>, serde_json::Error> {
    let mut found = std::collections::HashMap::new();
    visit(object, &mut |path, value| {
        found.insert(path.to_owned(), cell(value));
    })?;
    Ok(columns.iter().map(|column| found.remove(column).unwrap_or_default()).collect())
}

fn cell(value: &str) -> String {
    match value.as_bytes().first() {
        Some(b'"') => serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()),
        Some(b'n') => String::new(),
        Some(b'[') => match serde_json::from_str::<Vec<String>>(value) {
            Ok(texts) if texts.iter().all(|text| !text.is_empty() && !text.contains(';')) => texts.join(";"),
            _ => value.to_owned(),
        },
        _ => value.to_owned(),
    }
}

/// The object with `own` (members as JSON text) at its end: without members of our own from an earlier run, with card
/// numbers masked and security codes left out.
pub(super) fn twin(
    object: &str,
    own: &str,
    usage: &dyn Fn(&str) -> Use,
    has_secrets: bool,
) -> Result<String, serde_json::Error> {
    let mut text = String::with_capacity(object.len() + own.len() + 2);
    text.push('{');
    for (key, value) in fields(object)?.0 {
        if !key.starts_with(OWN_PREFIX) {
            member(&mut text, &key, &key, value.get(), usage, if has_secrets { DEEPEST } else { 0 })?;
        }
    }
    separate(&mut text);
    text.push_str(own);
    text.push('}');
    Ok(text)
}

fn member(
    text: &mut String,
    key: &str,
    path: &str,
    value: &str,
    usage: &dyn Fn(&str) -> Use,
    depth: usize,
) -> Result<(), serde_json::Error> {
    let usage_here = usage(path);
    if usage_here == Use::SecurityCode {
        return Ok(());
    }
    separate(text);
    text.push_str(&serde_json::to_string(key)?);
    text.push(':');
    if usage_here == Use::CardNumber {
        text.push_str(&serde_json::to_string(&masked(&cell(value)))?);
    } else if depth > 0 && value.starts_with('{') {
        text.push('{');
        for (inner, value) in fields(value)?.0 {
            member(text, &inner, &format!("{path}.{inner}"), value.get(), usage, depth - 1)?;
        }
        text.push('}');
    } else {
        text.push_str(value);
    }
    Ok(())
}

fn separate(text: &mut String) {
    if !text.ends_with('{') {
        text.push(',');
    }
}

/// Calls `take` with the path and the JSON text of every value that is not an object.
fn visit(object: &str, take: &mut dyn FnMut(&str, &str)) -> Result<(), serde_json::Error> {
    fn inner(
        object: &str,
        prefix: &str,
        depth: usize,
        take: &mut dyn FnMut(&str, &str),
    ) -> Result<(), serde_json::Error> {
        for (key, value) in fields(object)?.0 {
            let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            if depth > 0 && value.get().starts_with('{') {
                inner(value.get(), &path, depth - 1, take)?;
            } else {
                take(&path, value.get());
            }
        }
        Ok(())
    }
    inner(object, "", DEEPEST, take)
}

/// The members of an object, in their order, each value as its text.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

fn fields(object: &str) -> Result<Fields<'_>, serde_json::Error> {
    serde_json::from_str(object)
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(member) = map.next_entry()? {
                    fields.push(member);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    const ROW: &str = r#"{"Id":"80012345","Big":12345678901234567890.10,"EndUser":{"Email":"a@b.c","Card":{"Number":"4111111111111111","Code":"123"}},"Tags":["x","y"],"Items":[{"a":1}],"Note":null,"subops_row":3}"#;

    #[test]
    fn objects_are_taken_apart_and_numbers_stay_text() {
        let mut keys = Keys::default();
        keys.learn(ROW).expect("an object");
        keys.learn(r#"{"Late":true,"Id":"1"}"#).expect("an object");
        let names = keys.into_names();
        let expected =
            ["Id", "Big", "EndUser.Email", "EndUser.Card.Number", "EndUser.Card.Code", "Tags", "Items", "Note", "Late"];
        assert_eq!(names, expected);
        let expected =
            ["80012345", "12345678901234567890.10", "a@b.c", "4111111111111111", "123", "x;y", r#"[{"a":1}]"#, "", ""];
        assert_eq!(cells(ROW, &names).expect("an object"), expected);
    }

    #[test]
    fn the_twin_is_the_object_with_ours_and_without_card_data() {
        let usage = |path: &str| match path {
            "EndUser.Card.Number" => Use::CardNumber,
            "EndUser.Card.Code" => Use::SecurityCode,
            _ => Use::Sent,
        };
        let twin = twin(ROW, r#""subops_row":9"#, &usage, true).expect("an object");
        let expected = r#"{"Id":"80012345","Big":12345678901234567890.10,"EndUser":{"Email":"a@b.c","Card":{"Number":"•••• 1111"}},"Tags":["x","y"],"Items":[{"a":1}],"Note":null,"subops_row":9}"#;
        assert_eq!(twin, expected);
    }

    #[test]
    fn a_row_without_members_and_one_without_end() {
        let usage = |_: &str| Use::Sent;
        assert_eq!(twin("{}", r#""a":1"#, &usage, true).expect("an object"), r#"{"a":1}"#);
        assert!(Keys::default().learn("[1]").is_err());
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        let mut keys = Keys::default();
        keys.learn(&deep).expect("an object");
        assert_eq!(keys.into_names().len(), 1, "what is too deep stays JSON");
    }
}

//! Reads JSONL: one object a line, every scalar as the text that stands there.
//!
//! No number is ever turned into a binary one: a 19-digit id and `19.90` come out as they were written. A name that
//! appears twice in an object is an error, since readers disagree about which one counts.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::FileFault;
use super::source::{Limits, TextSource, whole_lines};

/// How deep objects may lie in each other.
pub(super) const DEEPEST: usize = 16;

/// The most names in one object.
const MOST_NAMES: usize = 1_000;

/// Reads lines from a source, blank ones excepted.
pub(super) struct LineReader {
    source: TextSource,
    limits: Limits,
    line: u64,
}

impl LineReader {
    /// Reads from the start of `source`.
    pub(super) fn new(source: TextSource, limits: Limits) -> Self {
        Self { source, limits, line: 0 }
    }

    /// Where the lines come from.
    pub(super) fn source(&self) -> &TextSource {
        &self.source
    }

    /// The line that was read last.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Passes over lines before this one, without a look at them. The next one read is it, or one behind it.
    pub(super) fn pass_to(&mut self, line: u64) -> Result<(), FileFault> {
        while self.line + 1 < line {
            let chunk = self.source.chunk()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let (passed, used) = whole_lines(chunk, line - self.line - 1);
            self.line += passed;
            // Behind the last whole line the start of another may stand: its end comes with the next chunk.
            let used = if self.line + 1 < line { chunk.len() } else { used };
            self.source.consume(used);
        }
        Ok(())
    }

    /// Reads the next line that is not blank into `text`, without its end; false after the last.
    pub(super) fn read(&mut self, text: &mut String) -> Result<bool, FileFault> {
        while self.read_any(text)? {
            if !text.trim().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_any(&mut self, text: &mut String) -> Result<bool, FileFault> {
        text.clear();
        self.line += 1;
        loop {
            let chunk = self.source.chunk()?;
            let newline = chunk.bytes().position(|byte| byte == b'\n');
            let part = &chunk[..newline.unwrap_or(chunk.len())];
            let (ended, used) = (chunk.is_empty(), part.len() + usize::from(newline.is_some()));
            if text.len() + part.len() > self.limits.row {
                let message = format!("a row of more than {} bytes", self.limits.row);
                return Err(FileFault::new(self.source.shown(), message).line(self.line));
            }
            text.push_str(part);
            self.source.consume(used);
            if newline.is_some() || ended {
                return Ok(newline.is_some() || !text.is_empty());
            }
        }
    }
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LineFault {
    /// The character at which it is wrong, counted from 1.
    pub(super) column: usize,
    /// What is wrong, without anything from the line.
    pub(super) message: String,
}

/// The names and raw values of one object, in order.
pub(super) type Members<'a> = Vec<(String, &'a RawValue)>;

/// Takes a line apart into its top-level names and raw values.
pub(super) fn members(line: &str) -> Result<Members<'_>, LineFault> {
    members_at(line, line)
}

/// Takes the object `text`, a part of `line`, apart.
fn members_at<'a>(line: &str, text: &'a str) -> Result<Members<'a>, LineFault> {
    match serde_json::from_str::<Object<'a>>(text) {
        Ok(object) => Ok(object.0),
        Err(error) => {
            let start = offset(line, text);
            let byte = (start + error.column().saturating_sub(1)).min(line.len());
            let whole = error.to_string();
            // What serde says about a wrong type shows the value, which may be a secret.
            let message = match whole.split(" at line ").next().unwrap_or(&whole) {
                text if text.starts_with("invalid type") => "something else".to_owned(),
                text => text.to_owned(),
            };
            Err(LineFault { column: character(line, byte), message })
        }
    }
}

/// One name and value after objects were flattened.
pub(super) struct Leaf<'a> {
    /// The name; dots where it lay in other objects.
    pub(super) name: String,
    /// The character of the line at which the value starts, counted from 1.
    pub(super) column: usize,
    /// The value as text; empty for null.
    pub(super) text: Cow<'a, str>,
    /// Whether it is an array or an object, whose JSON is in `text`.
    pub(super) structured: bool,
}

/// Flattens an object's members. An object whose dotted name `is_whole` stays together.
pub(super) fn flatten<'a>(
    line: &str,
    members: Members<'a>,
    is_whole: &dyn Fn(&str) -> bool,
) -> Result<Vec<Leaf<'a>>, LineFault> {
    let mut leaves = Vec::with_capacity(members.len());
    let flattening = Flattening { line, is_whole };
    flattening.add(members, "", 1, &mut leaves)?;
    Ok(leaves)
}

struct Flattening<'f> {
    line: &'f str,
    is_whole: &'f dyn Fn(&str) -> bool,
}

impl Flattening<'_> {
    fn add<'a>(
        &self,
        members: Members<'a>,
        prefix: &str,
        depth: usize,
        leaves: &mut Vec<Leaf<'a>>,
    ) -> Result<(), LineFault> {
        for (name, raw) in members {
            let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            let column = character(self.line, offset(self.line, raw.get()));
            if raw.get().starts_with('{') && !(self.is_whole)(&name) {
                if depth == DEEPEST {
                    return Err(LineFault { column, message: format!("objects more than {DEEPEST} deep") });
                }
                self.add(members_at(self.line, raw.get())?, &name, depth + 1, leaves)?;
            } else {
                let (text, structured) = scalar(raw.get()).map_err(|message| LineFault { column, message })?;
                leaves.push(Leaf { name, column, text, structured });
            }
        }
        Ok(())
    }
}

/// The text of a raw value, and whether it is an array or an object.
pub(super) fn scalar(raw: &str) -> Result<(Cow<'_, str>, bool), String> {
    match raw.as_bytes().first() {
        Some(b'n') => Ok((Cow::Borrowed(""), false)),
        Some(b'"') => match raw.get(1..raw.len().saturating_sub(1)) {
            Some(inner) if !inner.contains('\\') => Ok((Cow::Borrowed(inner), false)),
            _ => serde_json::from_str::<String>(raw)
                .map(|text| (Cow::Owned(text), false))
                .map_err(|_| "a text with an invalid escape".to_owned()),
        },
        Some(b'[' | b'{') => Ok((Cow::Borrowed(raw), true)),
        _ => Ok((Cow::Borrowed(raw), false)),
    }
}

/// Where `part`, which lies in `line`, starts.
fn offset(line: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize)
}

/// The number, from 1, of the character at a byte.
fn character(line: &str, byte: usize) -> usize {
    line.char_indices().take_while(|(at, _)| *at < byte).count() + 1
}

/// An object whose names are all different.
struct Object<'a>(Members<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members_;
        impl<'de> Visitor<'de> for Members_ {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one object a line")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Members<'de> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if members.len() == MOST_NAMES {
                        return Err(serde::de::Error::custom(format!("more than {MOST_NAMES} names in an object")));
                    }
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(serde::de::Error::custom("a name that appears twice in its object"));
                    }
                    members.push((name, map.next_value()?));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members_).map(Object)
    }
}

/// Confirms that a text is an array or an object of JSON in which no object has a name twice, and gives it without
/// the spaces between its tokens. Numbers stay as they are written.
pub(super) fn compact(text: &str) -> Option<String> {
    serde_json::from_str::<Sound>(text).ok()?;
    let mut compact = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            quoted = character == '"';
        }
        compact.push(character);
    }
    compact.starts_with(['[', '{']).then_some(compact)
}

/// Any JSON value in which no object has a name twice.
struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SoundVisitor)
    }
}

struct SoundVisitor;

impl<'de> Visitor<'de> for SoundVisitor {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sound, A::Error> {
        while items.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sound, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<Sound>()?;
            if !names.insert(name) {
                return Err(serde::de::Error::custom("a name that appears twice"));
            }
        }
        Ok(Sound)
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot go on says why")]
mod tests {
    use super::*;

    fn leaves(line: &str) -> Result<Vec<(String, String, usize)>, LineFault> {
        let whole = |name: &str| name == "whole";
        let leaves = flatten(line, members(line)?, &whole)?;
        Ok(leaves.into_iter().map(|leaf| (leaf.name, leaf.text.into_owned(), leaf.column)).collect())
    }

    fn texts(line: &str) -> Vec<String> {
        leaves(line).expect("an object").into_iter().map(|(name, text, _)| format!("{name}={text}")).collect()
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        let line = r#"{"id":1234567890123456789,"a":19.90,"b":1e3,"c":-0,"d":123456789012345678901234567890.5}"#;
        assert_eq!(
            texts(line),
            ["id=1234567890123456789", "a=19.90", "b=1e3", "c=-0", "d=123456789012345678901234567890.5"]
        );
    }

    #[test]
    fn every_other_value_becomes_text() {
        assert_eq!(
            texts(r#"{"t":true,"f":false,"n":null,"s":"a\"bä","l":["x", 1],"whole":{"a": 1},"o":{"p":{"q":"r"}}}"#),
            ["t=true", "f=false", "n=", "s=a\"bä", r#"l=["x", 1]"#, r#"whole={"a": 1}"#, "o.p.q=r"]
        );
    }

    #[test]
    fn a_value_is_found_where_it_stands() {
        let found = leaves(r#"{"ä":1,"o":{"p": 2}}"#).expect("an object");
        assert_eq!(found, [("ä".to_owned(), "1".to_owned(), 6), ("o.p".to_owned(), "2".to_owned(), 18)]);
    }

    #[test]
    fn what_is_no_row_is_refused() {
        let message = |line: &str| leaves(line).expect_err("refused").message;
        assert_eq!(message(r#"{"a":1,"a":2}"#), "a name that appears twice in its object");
        assert_eq!(message(r#"{"o":{"a":1,"a":2}}"#), "a name that appears twice in its object");
        for line in [r#"{"a":NaN}"#, r#"{"a":Infinity}"#, r#"{"a":1"#, "[1]", "1", r#"{"a":1} x"#, r#"{"a":01}"#] {
            assert!(leaves(line).is_err(), "{line}");
        }
        assert_eq!(message(r#"{"a":"\ud800"}"#), "a text with an invalid escape");
        assert_eq!(message("\"a secret\""), "something else");
        let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
        assert_eq!(message(&deep), "objects more than 16 deep");
    }

    #[test]
    fn compact_json_loses_nothing_but_space() {
        let compacted = compact(r#"[ {"a b" : "c \" d", "n": 1.10} , 12345678901234567890123 ]"#);
        assert_eq!(compacted.as_deref(), Some(r#"[{"a b":"c \" d","n":1.10},12345678901234567890123]"#));
        for text in ["1", "\"a\"", "[1", r#"{"a":1,"a":2}"#, r#"[{"a":{"b":1,"b":2}}]"#, ""] {
            assert_eq!(compact(text), None, "{text}");
        }
    }
}

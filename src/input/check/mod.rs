//! Checks one value against its parameter's kind, and gives its canonical spelling.
//!
//! Pure. Nothing is trimmed, rounded or guessed: what is not exactly a value of its kind is wrong, with a hint about
//! what may have happened to it.

mod country;
mod numbers;
mod rules;
mod text;
mod words;

use std::borrow::Cow;

pub(super) use rules::broken;

use super::card;
use super::json_lines::compact;
use crate::model::money::Currency;
use crate::model::operation::Kind;

/// A value as it stands in the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// Its text; JSON where it is structured.
    pub(super) text: &'a str,
    /// Whether it is an array or an object of a JSONL file.
    pub(super) structured: bool,
}

/// What a value should have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) expected: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    fn new(expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// A value in canonical spelling.
pub(super) type Checked<'a> = Result<Cow<'a, str>, Wrong>;

/// What else a check needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings {
    /// The currency of the row's amounts.
    pub(super) currency: Currency,
    /// Whether a rule decides about negative amounts of this parameter.
    pub(super) negative: bool,
}

/// Checks a value that is given (not empty).
pub(super) fn check<'a>(kind: Kind, given: Given<'a>, around: Surroundings) -> Checked<'a> {
    let text = given.text;
    match kind {
        Kind::List { words } => return words::list(given, words),
        Kind::Json => return json(text),
        _ if given.structured => {
            return Err(Wrong::new(expectation(kind)).hint("an array or object stands here instead of one value"));
        }
        Kind::Text { max } => return text::free(text, max),
        _ => {}
    }
    if text.trim() != text {
        return Err(Wrong::new(expectation(kind)).hint("there is a space before or after it; remove it"));
    }
    match kind {
        Kind::Integer { min, max, expected } => numbers::integer(text, min, max, expected),
        Kind::Amount { zero } => numbers::amount(text, zero, around),
        Kind::Id { max } => text::id(text, max),
        Kind::Bool => words::boolean(text),
        Kind::Date => text::date(text),
        Kind::DateTime => text::date_time(text),
        Kind::Currency => words::currency(text),
        Kind::Country => words::country(text),
        Kind::Choice(words) => words::choice(text, words),
        Kind::Code(codes) => numbers::code(text, codes),
        Kind::CardNumber => secret(text, card::is_card_number(text), kind),
        Kind::SecurityCode => {
            secret(text, matches!(text.len(), 3 | 4) && text.bytes().all(|byte| byte.is_ascii_digit()), kind)
        }
        Kind::Text { .. } | Kind::List { .. } | Kind::Json => Ok(Cow::Borrowed(text)),
    }
}

/// What a cell of this kind must hold, in words.
pub(super) fn expectation(kind: Kind) -> String {
    match kind {
        Kind::Integer { expected, .. } => expected.to_owned(),
        Kind::Amount { .. } => "an amount such as 19.90".to_owned(),
        Kind::Text { max } => format!("a text of at most {max} characters"),
        Kind::Id { max } => format!("an id of at most {max} characters, without spaces"),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Date => "a date such as 2026-11-23".to_owned(),
        Kind::DateTime => "a date such as 2026-11-23, or with a time such as 2026-11-23T14:05:00Z".to_owned(),
        Kind::Currency => "a currency code such as USD".to_owned(),
        Kind::Country => "a country code of two letters such as US".to_owned(),
        Kind::Choice(words) => words::one_of(words),
        Kind::Code(codes) => numbers::one_of(codes),
        Kind::List { words: [] } => "a list of texts".to_owned(),
        Kind::List { words } => format!("a list of {}", words::one_of(words)),
        Kind::Json => "a JSON array of objects".to_owned(),
        Kind::CardNumber => "a card number: 12 to 19 digits with a valid check digit".to_owned(),
        Kind::SecurityCode => "a security code: 3 or 4 digits".to_owned(),
    }
}

fn secret(text: &str, good: bool, kind: Kind) -> Checked<'_> {
    if good { Ok(Cow::Borrowed(text)) } else { Err(Wrong::new(expectation(kind))) }
}

fn json(text: &str) -> Checked<'_> {
    compact(text).map(Cow::Owned).ok_or_else(|| {
        Wrong::new(expectation(Kind::Json)).hint("in CSV the cell holds JSON, with its quotes doubled; no name twice")
    })
}

#[cfg(test)]
mod tests;

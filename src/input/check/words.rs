//! Words from a list: choices, booleans, currencies, countries, and lists of words.

use std::borrow::Cow;

use super::country::COUNTRIES;
use super::{Checked, Given, Wrong, expectation};
use crate::model::money::Currency;
use crate::model::near::near_list;
use crate::model::operation::Kind;

/// One of the listed words, in the listed spelling.
pub(super) fn choice<'a>(text: &'a str, words: &'static [&'static str]) -> Checked<'a> {
    match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        Some(word) => Ok(Cow::Borrowed(word)),
        None => {
            let wrong = Wrong::new(one_of(words));
            Err(match near_list(text, words.iter().copied()) {
                Some(names) if words.len() > 3 => wrong.hint(format!("perhaps {names}")),
                _ => wrong,
            })
        }
    }
}

/// The listed words, in words.
pub(super) fn one_of(words: &[&str]) -> String {
    let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("one of {}", listed.join(", "))
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Checked<'_> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "yes", "1"]) {
        Ok(Cow::Borrowed("true"))
    } else if is(["false", "no", "0"]) {
        Ok(Cow::Borrowed("false"))
    } else {
        Err(Wrong::new(expectation(Kind::Bool)))
    }
}

/// A currency code, in capitals. "No currency" is none.
pub(super) fn currency(text: &str) -> Checked<'_> {
    match Currency::parse(text).filter(|currency| *currency != Currency::UNKNOWN) {
        Some(currency) => Ok(Cow::Borrowed(currency.code())),
        None => Err(Wrong::new(expectation(Kind::Currency))),
    }
}

/// A country code, in capitals.
pub(super) fn country(text: &str) -> Checked<'_> {
    let capitals = text.to_ascii_uppercase();
    if COUNTRIES.binary_search(&capitals.as_str()).is_ok() {
        return Ok(Cow::Owned(capitals));
    }
    let wrong = Wrong::new(expectation(Kind::Country));
    Err(if capitals == "UK" { wrong.hint("the United Kingdom is GB") } else { wrong })
}

/// A list of texts as a JSON array: from an array, or separated by `;`.
pub(super) fn list<'a>(given: Given<'a>, words: &'static [&'static str]) -> Checked<'a> {
    let wrong = || Wrong::new(expectation(Kind::List { words }));
    let items: Vec<String> = if given.structured {
        serde_json::from_str(given.text).map_err(|_| wrong().hint("write an array of texts: [\"a\", \"b\"]"))?
    } else {
        given.text.split(';').map(str::to_owned).collect()
    };
    let mut checked: Vec<Cow<'_, str>> = Vec::with_capacity(items.len());
    for item in &items {
        if item.trim() != item || item.is_empty() {
            return Err(wrong().hint("an entry is empty, or has a space before or after it"));
        }
        if item.contains(char::is_control) {
            return Err(wrong().hint("an entry has a control character"));
        }
        checked.push(if words.is_empty() { Cow::Borrowed(item.as_str()) } else { choice(item, words)? });
    }
    serde_json::to_string(&checked).map(Cow::Owned).map_err(|_| wrong())
}

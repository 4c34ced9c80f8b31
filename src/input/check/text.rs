//! Free text, identifiers and dates.

use std::borrow::Cow;

use jiff::civil;

use super::{Checked, Wrong, expectation};
use crate::model::operation::Kind;

/// Free text: kept as it is.
pub(super) fn free(text: &str, max: usize) -> Checked<'_> {
    let length = text.chars().count();
    if length > max {
        return Err(Wrong::new(expectation(Kind::Text { max })).hint(format!("it has {length}")));
    }
    let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if text.contains(strange) {
        return Err(Wrong::new("a text without control characters"));
    }
    Ok(Cow::Borrowed(text))
}

/// An identifier: kept as it is, leading zeros included.
pub(super) fn id(text: &str, max: usize) -> Checked<'_> {
    let wrong = || Wrong::new(expectation(Kind::Id { max }));
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(wrong());
    }
    if in_scientific_notation(text) {
        return Err(wrong()
            .hint("a spreadsheet turned the id into scientific notation; format the column as text and export again"));
    }
    let length = text.chars().count();
    if length > max { Err(wrong().hint(format!("it has {length}"))) } else { Ok(Cow::Borrowed(text)) }
}

/// `8.0E+7`: a sign after the `E` is what spreadsheets write, and no id has.
fn in_scientific_notation(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(exponent) && digits(&mantissa.replacen(['.', ','], "", 1))
}

/// A calendar date.
pub(super) fn date(text: &str) -> Checked<'_> {
    match parse_date(text) {
        Ok(_) => Ok(Cow::Borrowed(text)),
        Err(hint) => Err(Wrong { expected: expectation(Kind::Date), hint }),
    }
}

/// A date, or a date and time with or without an offset.
pub(super) fn date_time(text: &str) -> Checked<'_> {
    let good = match text.split_once('T') {
        None => parse_date(text).map(|_| ()),
        Some((day, time)) => {
            parse_date(day).and_then(|_| if is_time(time) && parse_moment(text).is_some() { Ok(()) } else { Err(None) })
        }
    };
    match good {
        Ok(()) => Ok(Cow::Borrowed(text)),
        Err(hint) => Err(Wrong { expected: expectation(Kind::DateTime), hint }),
    }
}

/// `YYYY-MM-DD`; the error is a hint where one helps.
fn parse_date(text: &str) -> Result<civil::Date, Option<String>> {
    let number = |at: std::ops::Range<usize>| {
        text.get(at).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<i16>().ok()
    };
    let shaped = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let parts = if shaped { (number(0..4), number(5..7), number(8..10)) } else { (None, None, None) };
    let (Some(year), Some(month), Some(day)) = parts else {
        let slashes = text.contains(['/', '.']).then(|| "write year, month and day: 2026-11-23".to_owned());
        return Err(slashes);
    };
    let small = |value: i16| i8::try_from(value).unwrap_or(i8::MAX);
    civil::Date::new(year, small(month), small(day))
        .map_err(|_| Some("there is no such day in the calendar".to_owned()))
}

/// `hh:mm[:ss[.fraction]][Z|±hh:mm]`: only its shape.
fn is_time(text: &str) -> bool {
    let clock = text.find(['Z', '+', '-']).map_or(text, |at| &text[..at]);
    let zone = &text[clock.len()..];
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(whole, fraction)| (whole, Some(fraction)));
    let shape: String = whole.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let zone_shape: String = zone.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let fraction_good = fraction.is_none_or(|part| {
        shape == "00:00:00" && (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    });
    matches!(shape.as_str(), "00:00" | "00:00:00")
        && fraction_good
        && matches!(zone_shape.as_str(), "" | "Z" | "+00:00" | "-00:00")
}

/// A moment: exact where an offset is given, otherwise as a clock on a wall shows it.
enum Moment {
    /// With an offset.
    Exact(jiff::Timestamp),
    /// Without.
    Wall(civil::DateTime),
}

/// Parses a date with a time. None for what is a date alone.
fn parse_moment(text: &str) -> Option<Moment> {
    match text.split_once('T') {
        None => None,
        Some((_, time)) if time.contains(['Z', '+', '-']) => text.parse().ok().map(Moment::Exact),
        Some(_) => text.parse().ok().map(Moment::Wall),
    }
}

/// Whether one moment is certainly later than the other; days are compared where only days are comparable.
pub(super) fn is_later(one: &str, other: &str) -> bool {
    match (parse_moment(one), parse_moment(other)) {
        (Some(Moment::Exact(one)), Some(Moment::Exact(other))) => one > other,
        (Some(Moment::Wall(one)), Some(Moment::Wall(other))) => one > other,
        // `YYYY-MM-DD` sorts as text.
        _ => one.get(..10) > other.get(..10),
    }
}

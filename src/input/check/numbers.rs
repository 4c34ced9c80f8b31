//! Whole numbers, listed numbers and amounts.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{Checked, Surroundings, Wrong};
use crate::model::money::{AmountError, check_decimals, parse_amount};

/// A whole number between `min` and `max`.
pub(super) fn integer<'a>(text: &'a str, min: i64, max: i64, expected: &str) -> Checked<'a> {
    let wrong = || Wrong::new(expected);
    let Some(digits) = canonical(text) else {
        return Err(match number_hint(text) {
            Some(hint) => wrong().hint(hint),
            None => wrong(),
        });
    };
    match digits.parse::<i64>() {
        Ok(value) if (min..=max).contains(&value) => Ok(digits),
        Ok(value) if value < min => Err(wrong().hint(format!("the smallest is {min}"))),
        _ => Err(wrong().hint(format!("the largest is {max}"))),
    }
}

/// A whole number without plus sign and leading zeros; none where the text is no whole number.
fn canonical(text: &str) -> Option<Cow<'_, str>> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bare = digits.trim_start_matches('0');
    Some(match (bare, negative) {
        ("", _) => Cow::Borrowed("0"),
        (_, true) if bare.len() == digits.len() => Cow::Borrowed(text),
        (_, true) => Cow::Owned(format!("-{bare}")),
        (_, false) => Cow::Borrowed(bare),
    })
}

/// One of the listed numbers.
pub(super) fn code<'a>(text: &'a str, codes: &'static [(i64, &'static str)]) -> Checked<'a> {
    let known =
        |digits: &Cow<'_, str>| digits.parse::<i64>().is_ok_and(|value| codes.iter().any(|(code, _)| *code == value));
    canonical(text).filter(known).ok_or_else(|| Wrong::new(one_of(codes)))
}

/// The listed numbers with their meanings, in words.
pub(super) fn one_of(codes: &[(i64, &str)]) -> String {
    let listed: Vec<String> = codes.iter().map(|(code, about)| format!("{code} ({about})")).collect();
    format!("one of {}", listed.join(", "))
}

/// An exact amount with no more decimals than the currency has.
pub(super) fn amount(text: &str, zero: bool, around: Surroundings) -> Checked<'_> {
    let amount = parse_amount(text).map_err(|error| {
        let wrong = Wrong::new(error.to_string());
        match (error, number_hint(text)) {
            (AmountError::Form, Some(hint)) => wrong.hint(hint),
            _ => wrong,
        }
    })?;
    check_decimals(amount, around.currency).map_err(|error| Wrong::new(error.to_string()))?;
    if amount.is_zero() && (!zero || text.starts_with('-')) {
        return Err(Wrong::new(if zero { "an amount, 0 or more" } else { "an amount of more than 0" }));
    }
    if amount < Decimal::ZERO && !around.negative {
        return Err(Wrong::new(if zero { "an amount, 0 or more" } else { "an amount of more than 0" }));
    }
    // Only zeros in front can make the spelling differ; the scale stays as it was written.
    let plain = text.strip_prefix('-').unwrap_or(text);
    let padded = plain.starts_with('0') && plain.len() > 1 && !plain.starts_with("0.");
    Ok(if padded { Cow::Owned(amount.to_string()) } else { Cow::Borrowed(text) })
}

/// What may have happened to a number.
fn number_hint(text: &str) -> Option<&'static str> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E'])
        && digits(&mantissa.replace(['.', ','], ""))
        && digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
    {
        return Some("a spreadsheet turned it into scientific notation; format the column as text and export again");
    }
    if text.contains(|c: char| c.is_whitespace()) {
        return Some("write the digits without spaces");
    }
    if text.contains(',') {
        return Some("write a point before the decimals, and nothing between thousands: 1234.50");
    }
    if text.starts_with(['$', '€', '£']) || text.ends_with(['$', '€', '£']) {
        return Some("leave out the currency sign; the currency has its own column");
    }
    if let Some((whole, decimals)) = unsigned.split_once('.')
        && digits(whole)
        && decimals.bytes().all(|byte| byte == b'0')
    {
        return Some("write it without a decimal point; a spreadsheet may have added it");
    }
    if unsigned.chars().any(|c| matches!(c, 'O' | 'o' | 'l' | 'I'))
        && digits(&unsigned.replace(['O', 'o', 'l', 'I'], ""))
    {
        return Some("a letter stands where a digit should");
    }
    None
}

//! Numbers, money, times and columns, as people read them. Pure; nothing here goes back into a calculation.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::contract::Millis;
use crate::model::money::{Currency, Money};

/// A count with thousands separators: `1,234`.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A signed whole number with thousands separators.
pub fn whole(number: i64) -> String {
    grouped(&number.to_string())
}

/// A count and what is counted: `1 row`, `2 rows`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// An amount for a machine: exact, with at least the decimals that its currency has (`0.00`, `995.00`).
pub fn exact_amount(amount: Decimal, currency: Currency) -> String {
    let mut amount = amount;
    if let Some(decimals) = currency.decimals()
        && amount.scale() < decimals
    {
        amount.rescale(decimals);
    }
    amount.to_string()
}

/// Money for a person: `USD 1,234.50`; where no currency is known, that is said.
pub fn money(money: Money) -> String {
    let amount = grouped(&exact_amount(money.amount, money.currency));
    if money.currency == Currency::UNKNOWN {
        format!("{amount} (currency unknown)")
    } else {
        format!("{} {amount}", money.currency)
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (integer, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    text.push_str(sign);
    for (at, digit) in integer.chars().enumerate() {
        if at > 0 && (integer.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(fraction);
    text
}

/// A rate in calls a second: one decimal below 100 (`49.9`), whole above (`1,250`).
pub fn per_second(rate: f64) -> String {
    if !rate.is_finite() || rate < 0.0 {
        return "0".to_owned();
    }
    let text = if rate < 99.95 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    grouped(text.strip_suffix(".0").unwrap_or(&text))
}

/// A duration that was measured: `84 ms`, `20.4 s`, `2m 14s`, `1h 05m`, `2d 03h`.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1_000 {
        format!("{millis} ms")
    } else if millis < 60_000 {
        // Cut, not rounded: 59.96 s is not a minute yet.
        format!("{}.{} s", millis / 1_000, millis % 1_000 / 100)
    } else {
        long(duration.as_secs())
    }
}

/// A duration that was estimated: whole seconds, at least one (`8 s`, `2m 14s`).
pub fn estimate(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
    if seconds < 60 { format!("{} s", seconds.max(1)) } else { long(seconds) }
}

fn long(seconds: u64) -> String {
    match seconds {
        0..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// What is left of a wait, counting down: `00:12`, `1:00:05`. Begun seconds count, so that it ends at `00:00`.
pub fn countdown(left: Duration) -> String {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    if seconds < 3_600 {
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    } else {
        format!("{}:{:02}:{:02}", seconds / 3_600, seconds % 3_600 / 60, seconds % 60)
    }
}

/// The time of day: `02:14:07`.
pub fn time_of_day(at: Millis, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(|| at.to_string(), |time| time.strftime("%H:%M:%S").to_string())
}

/// Date and time with the offset, for a person: `2026-11-23 03:14:07 +01:00`, or `… 02:14:07Z` in UTC.
pub fn moment(at: Millis, zone: &TimeZone) -> String {
    let Some(time) = zoned(at, zone) else { return at.to_string() };
    let offset = if time.offset().seconds() == 0 { "Z" } else { " %:z" };
    time.strftime(&format!("%Y-%m-%d %H:%M:%S{offset}")).to_string()
}

/// Date and time in UTC, for a machine (RFC 3339): `2026-11-23T02:14:10Z`.
pub fn rfc3339(at: Millis) -> String {
    zoned(at, &TimeZone::UTC).map_or_else(|| at.to_string(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Date and time in UTC, for a file's name: `20261123T021350Z`.
pub fn stamp(at: Millis) -> String {
    zoned(at, &TimeZone::UTC).map_or_else(|| at.to_string(), |time| time.strftime("%Y%m%dT%H%M%SZ").to_string())
}

fn zoned(at: Millis, zone: &TimeZone) -> Option<jiff::ZonedDateTime> {
    Timestamp::from_millisecond(at).ok().map(|time| time.to_zoned_datetime(zone.clone()))
}

/// A value as JSON on one line, and a line break. What cannot be JSON (a map whose keys are no texts; there is none here)
/// would be an object that says so.
pub fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value);
    let mut text = text.unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string());
    text.push('\n');
    text
}

/// Text from outside on one line: control characters, and characters that change the direction of writing, become
/// `\u{FFFD}`, line breaks and tabs a space. Otherwise a reply could move the cursor and rewrite what was said before.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// How many columns a text takes on a terminal; colours take none.
pub fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text with spaces after it, up to `width` columns.
pub fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The text with spaces before it, up to `width` columns.
pub fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The text in at most `width` columns, with `…` where something was cut off.
pub fn shortened(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

/// Puts parts side by side, `gap` between them, and goes to the next line (indented by `indent`) where the next part
/// would not fit. A part is never broken: paths and commands stay whole.
pub fn flow(parts: &[String], gap: &str, start: usize, indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut column = start;
    for (at, part) in parts.iter().enumerate() {
        let wide = columns(part);
        if at == 0 {
            column += wide;
        } else if column + columns(gap) + wide <= width {
            text.push_str(gap);
            column += columns(gap) + wide;
        } else {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent + wide;
        }
        text.push_str(part);
    }
    text
}

/// The words of a sentence, laid out by [`flow`].
pub fn sentence(text: &str, start: usize, indent: usize, width: usize) -> String {
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    flow(&words, " ", start, indent, width)
}

/// A table without lines, its columns two spaces apart; those in `numbers` are set to the right. Where it is wider than
/// `width`, long cells are broken between words.
pub fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>, numbers: &[usize], width: usize) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(header);
    table.add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at == 0 {
            // What a line begins with is its name: to be recognised, and copied, whole.
            column.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
        }
        if numbers.contains(&at) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n"))
}

#[cfg(test)]
#[path = "format_tests.rs"]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests;

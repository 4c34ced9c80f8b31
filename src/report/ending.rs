//! What is said at the end of a run, and by `status`. Pure.
//!
//! Every row of the run is in one of the lines, and the lines' sum is said: nobody has to add up.

use std::time::Duration;

use super::format::{
    columns, count, counted, duration, flow, left, moment, money, per_second, printable, right, sentence, whole,
};
use super::progress::{coloured, words};
use super::results::{DoubtBrief, Tally};
use super::style::Style;
use crate::contract::Millis;
use crate::model::event::Halt;
use crate::model::money::{Currency, Money, parse_own};
use crate::model::state::State;
use crate::model::summary::{Amounts, RowCounts, Summary};

/// What the text at the end is made from.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The run in numbers.
    pub summary: &'a Summary,
    /// What was counted while the results were written.
    pub tally: &'a Tally,
    /// How long this start of the run took.
    pub elapsed: Duration,
    /// What halted it.
    pub halt: Option<&'a Halt>,
}

/// The states in the order of the lines.
const LINES: [State; 7] =
    [State::Applied, State::Already, State::Refused, State::Failed, State::InDoubt, State::Held, State::NotSent];

/// The text at the end of a run.
pub fn ending(ending: &Ending<'_>, style: &Style) -> String {
    let summary = ending.summary;
    let mut text = head(summary, &format!("{} in {}", summary.state, duration(ending.elapsed)), style);
    if let Some(halt) = ending.halt {
        let reason = printable(&halt.describe());
        text.push_str(&format!("\n{}", style.alarm(&sentence(&format!("  halted: {reason}"), 0, 10, style.width))));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&lines(summary, Some(ending.tally), style));
    if let Some(next) = next(summary, style) {
        text.push_str(&format!("\n{next}"));
    }
    text
}

/// Where a run stands.
pub fn status(summary: &Summary, started: Millis, style: &Style) -> String {
    let mut text = head(summary, &format!("{}, started {}", summary.state, moment(started, &style.zone)), style);
    if let Some(halted_by) = &summary.halted_by {
        text.push_str(&format!("  {}\n", style.alarm(&format!("halted by {halted_by}"))));
    }
    text.push('\n');
    text.push_str(&lines(summary, None, style));
    if let Some(next) = next(summary, style) {
        text.push_str(&format!("\n{next}"));
    }
    text
}

fn head(summary: &Summary, how: &str, style: &Style) -> String {
    let mut measured = vec![counted(summary.calls, "call", "calls")];
    if summary.retries > 0 {
        measured.push(counted(summary.retries, "retry", "retries"));
    }
    if summary.rate.achieved > 0.0 {
        measured.push(format!("{}/s", per_second(summary.rate.achieved)));
    }
    if summary.latency_ms.p50 > 0 {
        let shown = |millis| duration(Duration::from_millis(millis));
        measured.push(format!("p50 {}", shown(summary.latency_ms.p50)));
        measured.push(format!("p95 {}", shown(summary.latency_ms.p95)));
    }
    let mut parts = vec![style.strong(&printable(&summary.job)), format!("run {}", summary.run), how.to_owned()];
    if summary.calls > 0 {
        parts.push(measured.join(", "));
    }
    format!("{}\n", flow(&parts, "   ", 0, 2, style.width))
}

/// A line for each state that has rows, and their sum.
fn lines(summary: &Summary, tally: Option<&Tally>, style: &Style) -> String {
    const NAME: usize = 10;
    let total = count(summary.rows.total);
    let number = columns(&total).max(7);
    let indent = 2 + NAME + number + 3;
    let mut text = String::new();
    for state in LINES {
        let rows = rows(&summary.rows, state);
        if rows == 0 && state != State::Applied {
            continue;
        }
        let name = left(words(state), NAME);
        let name = if rows > 0 { coloured(state, &name, style) } else { name };
        let about = about(summary, tally, state, indent, style);
        text.push_str(format!("  {name}{}   {about}", right(&count(rows), number)).trim_end());
        text.push('\n');
    }
    let rule = "─".repeat(columns(&total).max(5));
    text.push_str(&format!("  {}{}\n", " ".repeat(NAME), right(&rule, number)));
    let sum = format!("  {}{}", " ".repeat(NAME), right(&total, number));
    let place = match &summary.results {
        Some(folder) => {
            let words = "every row is in exactly one file of".split(' ').map(str::to_owned);
            let parts: Vec<String> = words.chain([format!("{folder}/")]).collect();
            format!("   {}", flow(&parts, " ", indent, indent, style.width))
        }
        None => "   rows in all".to_owned(),
    };
    text.push_str(&format!("{sum}{place}\n"));
    text
}

/// What is said behind the count of a state: sums, reasons, the first rows in doubt.
fn about(summary: &Summary, tally: Option<&Tally>, state: State, indent: usize, style: &Style) -> String {
    let mut parts = Vec::new();
    if let Some(tally) = tally {
        let sums = tally.quantities.iter().filter(|((of, _), sum)| *of == state && **sum != 0);
        parts.extend(sums.map(|((_, unit), sum)| format!("{} {unit}", whole(*sum))));
    }
    parts.extend(sums_of_money(summary, state));
    if let Some(tally) = tally {
        parts.extend(reasons(tally, state));
    }
    let mut text = flow(&parts, "   ", indent, indent, style.width);
    if let Some(tally) = tally.filter(|_| state == State::InDoubt) {
        let all = rows(&summary.rows, state);
        for line in doubts(tally, all) {
            if !text.is_empty() {
                text.push('\n');
                text.push_str(&" ".repeat(indent));
            }
            text.push_str(&sentence(&line, indent, indent + 2, style.width));
        }
    }
    text
}

fn sums_of_money(summary: &Summary, state: State) -> Vec<String> {
    let sums = summary.amounts.iter().filter_map(|(code, amounts)| {
        let amount = parse_own(amount(amounts, state))?;
        let currency = Currency::parse(code)?;
        (!amount.is_zero()).then(|| money(Money { amount, currency }))
    });
    sums.collect()
}

/// The most frequent reasons first.
fn reasons(tally: &Tally, state: State) -> Vec<String> {
    const MOST: usize = 5;
    let mut reasons: Vec<_> = tally.reasons.iter().filter(|((of, _), _)| *of == state).collect();
    reasons.sort_by_key(|(_, reason)| std::cmp::Reverse(reason.rows));
    let more: u64 = reasons.iter().skip(MOST).map(|(_, reason)| reason.rows).sum();
    let told = reasons.iter().take(MOST).map(|((_, code), reason)| {
        let said = reason.message.as_deref().filter(|message| !message.is_empty());
        format!("{} {}", count(reason.rows), printable(said.unwrap_or(code)))
    });
    let mut told: Vec<String> = told.collect();
    if more > 0 {
        told.push(format!("{} other", count(more)));
    }
    told
}

fn doubts(tally: &Tally, all: u64) -> Vec<String> {
    let line = |doubt: &DoubtBrief| {
        let subject = doubt.subject.as_deref().map_or(String::new(), |subject| format!(", {}", printable(subject)));
        format!("line {}{subject}: {}", doubt.row, printable(&doubt.message))
    };
    let mut lines: Vec<String> = tally.doubts.iter().map(line).collect();
    let more = all.saturating_sub(lines.len() as u64);
    if more > 0 && !lines.is_empty() {
        lines.push(format!("and {} more", count(more)));
    }
    lines
}

/// What is left to do, and the exact command for it on the same line.
fn next(summary: &Summary, style: &Style) -> Option<String> {
    let command = summary.next.as_deref()?;
    let rows = &summary.rows;
    let why = if command.starts_with("subops doubt") && rows.in_doubt > 0 {
        let needs = if rows.in_doubt == 1 { "needs a decision" } else { "need a decision" };
        format!("{} {needs}:", counted(rows.in_doubt, "row", "rows"))
    } else if command.starts_with("subops resume") && rows.not_sent + rows.held > 0 {
        let open = rows.not_sent + rows.held;
        format!("{} {} not sent; to go on:", counted(open, "row", "rows"), if open == 1 { "was" } else { "were" })
    } else {
        "next:".to_owned()
    };
    Some(format!("  {}\n", flow(&[why, style.strong(command)], "  ", 2, 4, style.width)))
}

fn rows(rows: &RowCounts, state: State) -> u64 {
    match state {
        State::Applied => rows.applied,
        State::Already => rows.already,
        State::Refused => rows.refused,
        State::Failed => rows.failed,
        State::InDoubt | State::Intended => rows.in_doubt,
        State::Held => rows.held,
        State::NotSent | State::Planned => rows.not_sent,
    }
}

fn amount(amounts: &Amounts, state: State) -> &str {
    match state {
        State::Applied => &amounts.applied,
        State::Already => &amounts.already,
        State::Refused => &amounts.refused,
        State::Failed => &amounts.failed,
        State::InDoubt | State::Intended => &amounts.in_doubt,
        State::Held => &amounts.held,
        State::NotSent | State::Planned => &amounts.not_sent,
    }
}

#[cfg(test)]
#[path = "ending_tests.rs"]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests;

//! A plan as text and as JSON. Pure. It says that nothing was sent, because that is what a person wants to know first.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::format::{count, counted, estimate, exact_amount, flow, left, money, printable, right, sentence, whole};
use super::style::Style;
use crate::model::ids::AccountName;
use crate::model::money::Money;
use crate::model::operation::Effect;
use crate::model::plan::{Group, Plan};

/// The columns of the labels.
const LABEL: usize = 13;

/// How long the whole plan takes: accounts run side by side, what is in one account one after the other.
pub fn estimated(plan: &Plan) -> Duration {
    sum_by_account(plan, Group::duration)
}

fn sum_by_account(plan: &Plan, duration: impl Fn(&Group) -> Duration) -> Duration {
    let mut accounts: BTreeMap<&AccountName, Duration> = BTreeMap::new();
    for group in &plan.groups {
        *accounts.entry(&group.account).or_default() += duration(group);
    }
    accounts.into_values().max().unwrap_or_default()
}

fn without_extra(group: &Group) -> Duration {
    group.rate.interval().saturating_mul(u32::try_from(group.rows).unwrap_or(u32::MAX))
}

/// The plan as text, and that it was only looked at. `command` runs it.
pub fn text(plan: &Plan, command: &str, style: &Style) -> String {
    let run = vec!["Nothing was sent. To run it:".to_owned(), style.strong(command)];
    format!("{}\n{}\n", outline(plan, style), flow(&run, "  ", 0, 2, style.width))
}

/// What a plan comes to.
pub fn outline(plan: &Plan, style: &Style) -> String {
    let mut text = head(plan, style);
    for group in &plan.groups {
        text.push('\n');
        text.push_str(&operation(group, style));
    }
    text.push('\n');
    if plan.repeated.subjects > 0 {
        text.push_str(&labelled("subjects", &subjects(plan), style));
    }
    if let Some(totals) = totals(plan, style) {
        text.push_str(&format!("  {}{totals}\n", left("totals", LABEL)));
    }
    text.push_str(&labelled(&pace(plan), &time(plan), style));
    text.push_str(&first_rows(plan, style));
    text
}

fn head(plan: &Plan, style: &Style) -> String {
    let digest = plan.digest.strip_prefix("blake3:").unwrap_or(&plan.digest);
    let digest: String = digest.chars().take(6).collect();
    let mut parts =
        vec![style.strong(&printable(&plan.job)), printable(&plan.input), counted(plan.rows, "row", "rows")];
    if plan.skipped > 0 {
        parts.push(style.caution(&format!("{} left out", counted(plan.skipped, "bad row", "bad rows"))));
    }
    parts.push(format!("blake3:{digest}…"));
    format!("{}\n", flow(&parts, "   ", 0, 2, style.width))
}

fn operation(group: &Group, style: &Style) -> String {
    let operation = group.operation;
    let parts = [
        style.strong(operation.name),
        counted(group.rows, "row", "rows"),
        format!("account {} ({})", printable(group.account.as_str()), printable(&group.url)),
    ];
    let mut effect = format!("  effect: {}", effect(operation.effect));
    if operation.moves_money {
        effect.push_str("; moves money");
    }
    match operation.verified_by {
        Some(how) => effect.push_str(&format!("; verified by {how}")),
        None if operation.effect != Effect::Read => {
            effect.push_str("; a row in doubt needs a person: nothing verifies it")
        }
        None => {}
    }
    format!("  {}\n{}\n", flow(&parts, "   ", 2, 4, style.width), sentence(&effect, 0, 4, style.width))
}

/// What a repeat does, in words.
pub(super) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "only reads",
        Effect::Absolute => "sets a value; a repeat leaves the same",
        Effect::Conditional => "guarded by the provider's own state; a repeat changes nothing more",
        Effect::Additive => "adds up; a repeat doubles it",
    }
}

fn labelled(label: &str, text: &str, style: &Style) -> String {
    let indent = 2 + LABEL;
    format!("  {}{}\n", left(label, LABEL), sentence(text, indent, indent, style.width))
}

fn subjects(plan: &Plan) -> String {
    let repeated = &plan.repeated;
    let mut text = format!("{} different", count(repeated.subjects));
    if repeated.repeated > 0 {
        let lines: Vec<String> = repeated.examples.iter().map(|row| row.0.to_string()).collect();
        let verb = if repeated.repeated == 1 { "appears" } else { "appear" };
        text.push_str(&format!("; {} {verb} more than once", count(repeated.repeated)));
        if !lines.is_empty() {
            let label = if lines.len() == 1 { "line" } else { "lines" };
            text.push_str(&format!(" ({label} {})", lines.join(", ")));
        }
        text.push_str(": run in file order");
    }
    text
}

fn totals(plan: &Plan, style: &Style) -> Option<String> {
    let mut quantities: BTreeMap<&str, i64> = BTreeMap::new();
    for (quantity, unit) in plan.groups.iter().filter_map(|group| group.quantity) {
        let sum = quantities.entry(unit).or_default();
        *sum = sum.saturating_add(quantity);
    }
    let quantities = quantities.into_iter().map(|(unit, sum)| format!("{} {unit}", whole(sum)));
    let amounts = plan.amounts.iter().map(|(currency, amount)| money(Money { amount: *amount, currency: *currency }));
    let parts: Vec<String> = quantities.chain(amounts).collect();
    (!parts.is_empty()).then(|| flow(&parts, "   ", 2 + LABEL, 2 + LABEL, style.width))
}

fn pace(plan: &Plan) -> String {
    match plan.groups.as_slice() {
        [first, rest @ ..] if rest.iter().all(|group| group.account == first.account) => format!("at {}", first.rate),
        _ => "time".to_owned(),
    }
}

fn time(plan: &Plan) -> String {
    let calls = sum_by_account(plan, without_extra);
    let all = estimated(plan);
    let about = format!("about {}", estimate(calls));
    let longest = sum_by_account(plan, Group::longest);
    match (estimate(all), estimate(longest)) {
        _ if all <= calls => about,
        (all, longest) if all == longest => format!("{about} (baselines included: {all})"),
        (all, longest) => format!("{about} (baselines included: about {all}, or {longest} where no list shows them)"),
    }
}

fn first_rows(plan: &Plan, style: &Style) -> String {
    let width = plan.first.iter().map(|row| row.row.to_string().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (at, row) in plan.first.iter().enumerate() {
        let label = if at == 0 { "first rows" } else { "" };
        let values = row.values.iter().map(|(name, value)| format!("{name} {}", printable(value)));
        let parts: Vec<String> = [right(&row.row.to_string(), width)].into_iter().chain(values).collect();
        let indent = 2 + LABEL;
        text.push_str(&format!(
            "  {}{}\n",
            left(label, LABEL),
            flow(&parts, "   ", indent, indent + width + 3, style.width)
        ));
    }
    text
}

#[derive(Serialize)]
struct PlanJson<'a> {
    job: &'a str,
    input: &'a str,
    digest: &'a str,
    rows: u64,
    skipped: u64,
    operations: Vec<OperationJson<'a>>,
    amounts: BTreeMap<&'static str, String>,
    repeated: RepeatedJson,
    estimated_seconds: u64,
    longest_seconds: u64,
    sent: bool,
}

#[derive(Serialize)]
struct OperationJson<'a> {
    operation: &'static str,
    account: &'a str,
    url: &'a str,
    rows: u64,
    effect: &'static str,
    moves_money: bool,
    verified_by: Option<&'static str>,
}

#[derive(Serialize)]
struct RepeatedJson {
    subjects: u64,
    repeated: u64,
    lines: Vec<u64>,
}

/// The plan as JSON: one object on one line, and a line break. `sent` is false, always.
pub fn to_json(plan: &Plan) -> String {
    let operations = plan.groups.iter().map(|group| OperationJson {
        operation: group.operation.name,
        account: group.account.as_str(),
        url: &group.url,
        rows: group.rows,
        effect: group.operation.effect.as_str(),
        moves_money: group.operation.moves_money,
        verified_by: group.operation.verified_by,
    });
    super::format::json(&PlanJson {
        job: &plan.job,
        input: &plan.input,
        digest: &plan.digest,
        rows: plan.rows,
        skipped: plan.skipped,
        operations: operations.collect(),
        amounts: plan.amounts.iter().map(|(currency, sum)| (currency.code(), exact_amount(*sum, *currency))).collect(),
        repeated: RepeatedJson {
            subjects: plan.repeated.subjects,
            repeated: plan.repeated.repeated,
            lines: plan.repeated.examples.iter().map(|row| row.0).collect(),
        },
        // Begun seconds count: it takes at least so long.
        estimated_seconds: begun_seconds(estimated(plan)),
        longest_seconds: begun_seconds(sum_by_account(plan, Group::longest)),
        sent: false,
    })
}

fn begun_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests;

//! What Segpay's reports show about a subscription or a transaction, and what that proves.
//!
//! The reading keeps a handful of columns; the same report has names, addresses and passwords. The judging is pure, and
//! one-sided: only what fits exactly settles a doubt, and a refund that does not show is never proof that there was none.

use std::time::Duration;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::operations::Evidence;
use super::srs::{Srs, unrecognised};
use crate::contract::{Doubt, Finding, Observation};
use crate::model::failure::Failure;
use crate::model::money::parse_amount;
use crate::model::row::Row;
use crate::providers::xml::ReportRow;

const BY_PURCHASE: &str = "/MWS.asmx/TransactionByPurchaseID";
const BY_TRANSACTION: &str = "/MWS.asmx/TransactionByTransID";

/// The columns that are read, and no others.
const COLUMNS: &[&str] = &[
    "TransID",
    "RelatedTransID",
    "PurchaseID",
    "Type",
    "Auth",
    "PurchStatus",
    "RecurringAmount",
    "NextDate",
    "CancelDate",
    "ExpiredDate",
];

/// Names of facts.
mod fact {
    pub(super) const FOUND: &str = "found";
    pub(super) const STATUS: &str = "status";
    pub(super) const NEXT_BILL_DATE: &str = "next_bill_date";
    pub(super) const RECURRING_AMOUNT: &str = "recurring_amount";
    pub(super) const CANCEL_DATE: &str = "cancel_date";
    pub(super) const EXPIRED_DATE: &str = "expired_date";
    pub(super) const SALES: &str = "sales";
    pub(super) const REFUNDS: &str = "refunds";
    pub(super) const UNATTRIBUTED_REFUNDS: &str = "unattributed_refunds";
}

/// Reads a subscription.
pub(super) async fn observe_purchase(srs: &Srs, purchase: &str) -> Result<Observation, Failure> {
    let rows = srs.report(BY_PURCHASE, ("PurchaseID", purchase), COLUMNS).await?;
    about_purchase(&rows, purchase)
}

/// Reads a transaction's purchase, and there the credits of the transaction: two requests, since a credit is not listed
/// under the transaction that it pays back.
pub(super) async fn observe_refund(srs: &Srs, transaction: &str) -> Result<Observation, Failure> {
    let rows = srs.report(BY_TRANSACTION, ("TransID", transaction), COLUMNS).await?;
    let own = rows.iter().find(|row| row.get("TransID") == Some(transaction));
    let Some(purchase) = own.and_then(|row| row.get("PurchaseID")) else {
        return Ok(not_found());
    };
    let rows = srs.report(BY_PURCHASE, ("PurchaseID", purchase), COLUMNS).await?;
    about_refunds(&rows, purchase, transaction)
}

/// The facts about a subscription in its rows.
fn about_purchase(rows: &[ReportRow], purchase: &str) -> Result<Observation, Failure> {
    belong_to(rows, purchase)?;
    if rows.is_empty() {
        return Ok(not_found());
    }
    let sales = rows.iter().filter(|row| is_type(row, &["Sale"])).count();
    let facts = [
        (fact::STATUS, agreed(rows, "PurchStatus", |text| Some(text.to_owned()))),
        (fact::NEXT_BILL_DATE, agreed(rows, "NextDate", date)),
        (fact::RECURRING_AMOUNT, agreed(rows, "RecurringAmount", amount)),
        (fact::CANCEL_DATE, agreed(rows, "CancelDate", date)),
        (fact::EXPIRED_DATE, agreed(rows, "ExpiredDate", date)),
        (fact::SALES, Some(sales.to_string())),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(Observation { facts: facts.collect() })
}

/// The credits of a transaction among the rows of its purchase, and those that name no transaction.
fn about_refunds(rows: &[ReportRow], purchase: &str, transaction: &str) -> Result<Observation, Failure> {
    belong_to(rows, purchase)?;
    let credits = |wanted: &dyn Fn(Option<&str>) -> bool| {
        let rows = rows.iter().filter(|row| is_refund(row) && wanted(row.get("RelatedTransID")));
        let mut numbers: Vec<&str> = rows.map(|row| row.get("TransID").unwrap_or("?")).collect();
        numbers.sort_unstable();
        numbers.join(" ")
    };
    let facts = [
        (fact::FOUND, "yes".to_owned()),
        (fact::REFUNDS, credits(&|related| related == Some(transaction))),
        (fact::UNATTRIBUTED_REFUNDS, credits(&|related| matches!(related, None | Some("0")))),
    ];
    Ok(Observation { facts: facts.map(|(name, value)| (name.to_owned(), value)).into() })
}

fn not_found() -> Observation {
    Observation { facts: vec![(fact::FOUND.to_owned(), "no".to_owned())] }
}

/// A report about another purchase is no evidence about this one.
fn belong_to(rows: &[ReportRow], purchase: &str) -> Result<(), Failure> {
    if rows.iter().filter_map(|row| row.get("PurchaseID")).any(|own| own != purchase) {
        return Err(unrecognised("the report is about another purchase"));
    }
    Ok(())
}

fn is_type(row: &ReportRow, types: &[&str]) -> bool {
    row.get("Type").is_some_and(|own| types.iter().any(|known| known.eq_ignore_ascii_case(own)))
}

/// Money that went back: a credit or a void that was not declined. A chargeback is the bank's doing, not ours.
fn is_refund(row: &ReportRow) -> bool {
    let declined = row.get("Auth").is_some_and(|auth| auth.eq_ignore_ascii_case("No"));
    is_type(row, &["Credit", "Refund", "Void"]) && !declined
}

/// A column that belongs to the purchase: every row that has it must say the same, or we do not choose.
fn agreed(rows: &[ReportRow], column: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut values = rows.iter().filter_map(|row| row.get(column));
    let first = read(values.next()?)?;
    values.all(|value| read(value).as_ref() == Some(&first)).then_some(first)
}

/// A date as `YYYY-MM-DD`, from that or from `MM/DD/YYYY`, with or without a time. The far past and the far future
/// stand for "none" in such databases.
fn date(text: &str) -> Option<String> {
    let day = text.split(['T', ' ']).next()?;
    let date: Date = match day.split('/').collect::<Vec<_>>()[..] {
        [month, day, year] => Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?,
        _ => day.parse().ok()?,
    };
    (1990..2200).contains(&date.year()).then(|| date.to_string())
}

/// An amount without the zeros that the reports append: `2.95` for `2.9500`.
fn amount(text: &str) -> Option<String> {
    parse_amount(text).ok().map(|amount| amount.normalize().to_string())
}

/// Judges what was read.
pub(super) fn judge(
    evidence: Evidence,
    row: &Row,
    doubt: &Doubt<'_>,
    now: &Observation,
    settle_delay: Duration,
) -> Finding {
    if now.get(fact::FOUND) == Some("no") {
        return Finding::Conflict("the report does not have it".to_owned());
    }
    let absent = |what: String| {
        if doubt.age < settle_delay {
            return Finding::NotYet(what);
        }
        Finding::NotApplied(what)
    };
    match evidence {
        Evidence::Cancelled => judge_end(now, doubt, &["canceled", "cancelled", "expired"], absent),
        Evidence::Expired => judge_end(now, doubt, &["expired"], absent),
        Evidence::Extended => judge_extension(row, doubt, now, absent),
        Evidence::Repriced => judge_amount(row, now, absent),
        Evidence::Refunded => judge_refund(doubt, now),
        Evidence::Upgraded => judge_upgrade(row, doubt, now),
    }
}

/// The wanted end state holds, whoever brought it about: a second call would change nothing.
fn judge_end(now: &Observation, doubt: &Doubt<'_>, wanted: &[&str], absent: impl Fn(String) -> Finding) -> Finding {
    let Some(status) = now.get(fact::STATUS) else {
        return Finding::Conflict("the report does not show one status".to_owned());
    };
    let is = |known: &str| status.eq_ignore_ascii_case(known);
    if wanted.iter().any(|known| is(known)) {
        return Finding::Applied(format!("status {status}"));
    }
    let cancelled = is("canceled") || is("cancelled");
    if !cancelled && !is("active") {
        return Finding::Conflict(format!("status {status}"));
    }
    // A subscription that runs to the end of its paid time may still be called active.
    if let Some(date) = now.get(fact::CANCEL_DATE).filter(|_| wanted.contains(&"cancelled")) {
        let before = doubt.baseline.map(|baseline| baseline.get(fact::CANCEL_DATE));
        return match before {
            Some(before) if before != Some(date) => Finding::Applied(format!("status {status}, cancel date {date}")),
            _ => Finding::Conflict(format!("status {status}, but with the cancel date {date}")),
        };
    }
    absent(format!("status {status}"))
}

/// The next bill date moved by exactly the days, and no sale moved it.
fn judge_extension(row: &Row, doubt: &Doubt<'_>, now: &Observation, absent: impl Fn(String) -> Finding) -> Finding {
    let Some(baseline) = doubt.baseline else {
        return Finding::Conflict("no baseline was read before the call".to_owned());
    };
    let (Some(before), Some(after)) = (bill_date(baseline), bill_date(now)) else {
        return Finding::Conflict("the report does not show one next bill date".to_owned());
    };
    let days: Option<i64> = row.get("Days").and_then(|days| days.parse().ok());
    let expected = days.and_then(|days| before.checked_add(jiff::Span::new().try_days(days).ok()?).ok());
    let moved = format!("next bill date {before}, now {after}");
    let unchanged = |name| baseline.get(name) == now.get(name);
    if !unchanged(fact::SALES) || !unchanged(fact::STATUS) {
        return Finding::Conflict(format!("{moved}, and a sale or a change of status since"));
    }
    if expected == Some(after) {
        Finding::Applied(moved)
    } else if before == after {
        absent(format!("next bill date still {after}"))
    } else {
        Finding::Conflict(moved)
    }
}

fn bill_date(observation: &Observation) -> Option<Date> {
    observation.get(fact::NEXT_BILL_DATE)?.parse().ok()
}

fn judge_amount(row: &Row, now: &Observation, absent: impl Fn(String) -> Finding) -> Finding {
    let read = |text: Option<&str>| text.and_then(|text| parse_amount(text).ok());
    let wanted: Option<Decimal> = read(row.get("RecurringAmount"));
    match (read(now.get(fact::RECURRING_AMOUNT)), wanted) {
        (Some(now), Some(wanted)) if now == wanted => Finding::Applied(format!("recurring amount {now}")),
        (Some(now), Some(_)) => absent(format!("recurring amount {now}")),
        _ => Finding::Conflict("the report does not show one recurring amount".to_owned()),
    }
}

/// Only a new credit of this very transaction proves anything: refunds may show later than any delay we could wait.
fn judge_refund(doubt: &Doubt<'_>, now: &Observation) -> Finding {
    let Some(baseline) = doubt.baseline else {
        return match added(None, now, fact::REFUNDS) {
            Some(credit) => Finding::Conflict(format!("credit {credit}, but no baseline was read before the call")),
            None => Finding::NotYet("no credit of the transaction".to_owned()),
        };
    };
    if let Some(credit) = added(Some(baseline), now, fact::REFUNDS) {
        return Finding::Applied(format!("credit {credit}"));
    }
    match added(Some(baseline), now, fact::UNATTRIBUTED_REFUNDS) {
        Some(credit) => Finding::Conflict(format!("new credit {credit} that names no transaction")),
        None => Finding::NotYet("no new credit of the transaction".to_owned()),
    }
}

/// Only both effects together prove an upgrade: the recurring amount became the wanted one, and one sale was added. That
/// neither shows is never proof that there was none: the charge may show later.
fn judge_upgrade(row: &Row, doubt: &Doubt<'_>, now: &Observation) -> Finding {
    let Some(baseline) = doubt.baseline else {
        return Finding::Conflict("no baseline was read before the call".to_owned());
    };
    let amount = |text: Option<&str>| text.and_then(|text| parse_amount(text).ok());
    let recurring = |observation: &Observation| amount(observation.get(fact::RECURRING_AMOUNT));
    let sales = |observation: &Observation| observation.get(fact::SALES).and_then(|sales| sales.parse::<u32>().ok());
    let (Some(before), Some(after), Some(wanted)) =
        (recurring(baseline), recurring(now), amount(row.get("NewRecurringAmount")))
    else {
        return Finding::Conflict("the report does not show one recurring amount".to_owned());
    };
    let (Some(sales_before), Some(sales_after)) = (sales(baseline), sales(now)) else {
        return Finding::Conflict("the report does not show the sales".to_owned());
    };
    let seen = format!("recurring amount {before}, now {after}; sales {sales_before}, now {sales_after}");
    let one_more = sales_before.checked_add(1) == Some(sales_after);
    if after == wanted && after != before && one_more {
        Finding::Applied(seen)
    } else if after == before && sales_after == sales_before {
        Finding::NotYet(seen)
    } else {
        Finding::Conflict(seen)
    }
}

/// The first number in a list of the observation that the baseline's list does not have.
fn added<'a>(baseline: Option<&Observation>, now: &'a Observation, name: &str) -> Option<&'a str> {
    let known: Vec<&str> = baseline.and_then(|baseline| baseline.get(name)).unwrap_or_default().split(' ').collect();
    now.get(name)?.split(' ').find(|number| !number.is_empty() && !known.contains(number))
}

#[cfg(test)]
mod tests;

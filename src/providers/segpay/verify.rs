//! What Segpay's reports show about a subscription or a transaction, and what that proves.
//!
//! The reading keeps a handful of columns; the same report has names, addresses and passwords. The judging is pure, and
//! one-sided: only what fits exactly settles a doubt, and a refund that does not show is never proof that there was none.
//!
//! Ends and refunds are read from a purchase's transactions and judged here; what bills, and when, is read from the
//! report of active subscriptions, in [`active`].

use std::borrow::Cow;
use std::time::Duration;

use jiff::civil::Date;

use super::operations::Evidence;
use super::srs::{Srs, unrecognised};
use crate::contract::{Doubt, Finding, Observation};
use crate::model::failure::Failure;
use crate::model::money::parse_amount;
use crate::model::row::Row;
use crate::providers::xml::ReportRow;

mod active;

pub(super) use active::{observe as observe_active, page as page_of_active};

const BY_PURCHASE: &str = "/MWS.asmx/TransactionByPurchaseID";
const BY_TRANSACTION: &str = "/MWS.asmx/TransactionByTransID";

/// The columns that are read of a transaction, and no others.
const COLUMNS: &[&str] =
    &["TransID", "RelatedTransID", "PurchaseID", "Type", "Auth", "PurchStatus", "CancelDate", "ExpiredDate"];

/// The columns that show an upgrade: its charge is a sale of the same purchase.
const UPGRADE_COLUMNS: &[&str] = &["TransID", "PurchaseID", "Type", "RecurringAmount"];

/// Names of facts.
mod fact {
    pub(super) const FOUND: &str = "found";
    pub(super) const STATUS: &str = "status";
    pub(super) const NEXT_BILL_DATE: &str = "next_bill_date";
    pub(super) const LAST_BILL_DATE: &str = "last_bill_date";
    pub(super) const PURCHASES: &str = "purchases";
    pub(super) const RECURRING_AMOUNT: &str = "recurring_amount";
    pub(super) const CANCEL_DATE: &str = "cancel_date";
    pub(super) const EXPIRED_DATE: &str = "expired_date";
    pub(super) const SALES: &str = "sales";
    pub(super) const REFUNDS: &str = "refunds";
    pub(super) const UNATTRIBUTED_REFUNDS: &str = "unattributed_refunds";
}

/// Reads whether a subscription has ended.
pub(super) async fn observe_purchase(srs: &Srs, purchase: &str) -> Result<Observation, Failure> {
    let rows = srs.report(BY_PURCHASE, &[("PurchaseID", Cow::Borrowed(purchase))], COLUMNS).await?;
    about_purchase(&rows, purchase)
}

/// Reads the recurring amount of a subscription, and how many sales it has.
pub(super) async fn observe_upgrade(srs: &Srs, purchase: &str) -> Result<Observation, Failure> {
    let rows = srs.report(BY_PURCHASE, &[("PurchaseID", Cow::Borrowed(purchase))], UPGRADE_COLUMNS).await?;
    about_upgrade(&rows, purchase)
}

/// Reads a transaction's purchase, and there the credits of the transaction: two requests, since a credit is not listed
/// under the transaction that it pays back.
pub(super) async fn observe_refund(srs: &Srs, transaction: &str) -> Result<Observation, Failure> {
    let rows = srs.report(BY_TRANSACTION, &[("TransID", Cow::Borrowed(transaction))], COLUMNS).await?;
    let own = rows.iter().find(|row| row.get("TransID") == Some(transaction));
    let Some(purchase) = own.and_then(|row| row.get("PurchaseID")) else {
        return Ok(not_found());
    };
    let rows = srs.report(BY_PURCHASE, &[("PurchaseID", Cow::Borrowed(purchase))], COLUMNS).await?;
    about_refunds(&rows, purchase, transaction)
}

/// The facts about a subscription in its rows.
fn about_purchase(rows: &[ReportRow], purchase: &str) -> Result<Observation, Failure> {
    belong_to(rows, purchase)?;
    if rows.is_empty() {
        return Ok(not_found());
    }
    let facts = [
        (fact::STATUS, agreed(rows, "PurchStatus", |text| Some(text.to_owned()))),
        (fact::CANCEL_DATE, agreed(rows, "CancelDate", date)),
        (fact::EXPIRED_DATE, agreed(rows, "ExpiredDate", date)),
    ];
    Ok(shown(facts))
}

fn about_upgrade(rows: &[ReportRow], purchase: &str) -> Result<Observation, Failure> {
    belong_to(rows, purchase)?;
    if rows.is_empty() {
        return Ok(not_found());
    }
    let sales = rows.iter().filter(|row| is_type(row, &["Sale"])).count();
    let facts =
        [(fact::RECURRING_AMOUNT, agreed(rows, "RecurringAmount", amount)), (fact::SALES, Some(sales.to_string()))];
    Ok(shown(facts))
}

/// An observation of those facts that show.
fn shown<const N: usize>(facts: [(&str, Option<String>); N]) -> Observation {
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Observation { facts: facts.collect() }
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
fn agreed<'a>(
    rows: impl IntoIterator<Item = &'a ReportRow>,
    column: &str,
    read: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let mut values = rows.into_iter().filter_map(|row| row.get(column));
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
        return Finding::Conflict(match evidence {
            Evidence::Extended | Evidence::Repriced => "it is not in the report of active subscriptions".to_owned(),
            Evidence::Cancelled | Evidence::Expired | Evidence::Refunded | Evidence::Upgraded => {
                "the report does not have it".to_owned()
            }
        });
    }
    match evidence {
        Evidence::Cancelled => judge_end(now, doubt, &["canceled", "cancelled", "expired"], settle_delay),
        Evidence::Expired => judge_end(now, doubt, &["expired"], settle_delay),
        Evidence::Extended => active::judge_extension(row, doubt, now, settle_delay),
        Evidence::Repriced => active::judge_amount(row, doubt, now, settle_delay),
        Evidence::Refunded => judge_refund(doubt, now),
        Evidence::Upgraded => judge_upgrade(row, doubt, now),
    }
}

/// The old state shows: proof once `patience` has passed since the call, and nothing before.
fn unchanged(doubt: &Doubt<'_>, patience: Duration, what: String) -> Finding {
    if doubt.age < patience { Finding::NotYet(what) } else { Finding::NotApplied(what) }
}

/// The wanted end state holds, whoever brought it about: a second call would change nothing.
fn judge_end(now: &Observation, doubt: &Doubt<'_>, wanted: &[&str], settle_delay: Duration) -> Finding {
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
    unchanged(doubt, settle_delay, format!("status {status}"))
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

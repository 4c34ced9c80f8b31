//! What a subscription's details show, and what that proves.
//!
//! The judging is pure and one-sided: only what fits exactly settles a doubt. The vendor names no time zone for dates,
//! and does not say whether a price is for one unit or for all: what turns on either is left to a person.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;

use super::operations::Evidence;
use super::reply::{SUBSCRIPTION, unrecognised};
use super::store::Store;
use crate::contract::{Doubt, Finding, Observation};
use crate::model::failure::{Failure, Reply};
use crate::model::money::parse_amount;
use crate::model::row::Row;
use crate::providers::json::{JsonFault, Object};

/// Names of facts.
mod fact {
    pub(super) const FOUND: &str = "found";
    pub(super) const STATUS: &str = "status";
    pub(super) const NEXT_PAYMENT: &str = "next_payment";
    pub(super) const PRICE: &str = "price";
    pub(super) const CURRENCY: &str = "currency";
    pub(super) const QUANTITY: &str = "quantity";
    pub(super) const NAME: &str = "name";
}

/// Reads a subscription.
pub(super) async fn observe(store: &Store, subscription: &str) -> Result<Observation, Failure> {
    let reply = store.details(subscription).await?;
    match store.classify(&reply, Some(subscription)) {
        Reply::Applied(_) => match facts(&reply.body) {
            Ok(Some(observation)) => Ok(observation),
            Ok(None) => Err(unrecognised("the reply has no details")),
            Err(fault) => Err(unrecognised(fault.to_string())),
        },
        Reply::Refused(answer) if answer.code.eq_ignore_ascii_case(SUBSCRIPTION) => {
            Ok(Observation { facts: vec![(fact::FOUND.to_owned(), "no".to_owned())] })
        }
        Reply::Refused(answer) | Reply::Already(answer) => {
            Err(unrecognised(format!("no details were given: {}", answer.message)))
        }
        Reply::Failed(failure) => Err(failure),
    }
}

/// The facts in a reply; none where it has no details.
fn facts(body: &[u8]) -> Result<Option<Observation>, JsonFault> {
    let Some(details) = Object::read(body)?.object("response")? else { return Ok(None) };
    let date = |text: String| wall_clock(&text).map(|date| date.to_string());
    let amount = |text: String| parse_amount(&text).ok().map(|amount| amount.normalize().to_string());
    let facts = [
        (fact::STATUS, details.text("status")),
        (fact::NEXT_PAYMENT, details.text("nextPayment").and_then(date)),
        (fact::PRICE, details.text("subscriptionPrice").and_then(amount)),
        (fact::CURRENCY, details.text("subscriptionCurrency")),
        (fact::QUANTITY, details.text("quantity")),
        (fact::NAME, details.text("subscriptionName")),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(Some(Observation { facts: facts.collect() }))
}

/// A date and time without a zone. The far past and the far future stand for "none".
fn wall_clock(text: &str) -> Option<DateTime> {
    text.parse().ok().filter(|date: &DateTime| (1990..2200).contains(&date.year()))
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
        return Finding::Conflict("the store does not know the subscription".to_owned());
    }
    let finding = match evidence {
        Evidence::Suspended => judge_status(now, "Suspended", &["Active"]),
        Evidence::Terminated => judge_status(now, "Terminated", &["Active", "Suspended"]),
        Evidence::Renewed => judge_status(now, "Active", &["Suspended"]),
        Evidence::Postponed => weigh(&[next_payment(row, now), name(row, now)]),
        Evidence::Repriced => weigh(&[price(row, now), quantity(row, now), name(row, now)]),
    };
    match finding {
        Finding::NotApplied(what) if doubt.age < settle_delay => Finding::NotYet(what),
        other => other,
    }
}

/// The wanted state holds, whoever brought it about; or one still does from which the call would have led away.
///
/// A renewal whose overdue payment fails leads back to where it began, and looks like one that never was. Renewing once
/// more tries that payment once more, and takes nothing twice.
fn judge_status(now: &Observation, wanted: &str, before: &[&str]) -> Finding {
    let Some(status) = now.get(fact::STATUS) else {
        return Finding::Conflict("the details show no status".to_owned());
    };
    let is = |known: &&str| status.eq_ignore_ascii_case(known);
    let what = format!("status {status}");
    if is(&wanted) {
        Finding::Applied(what)
    } else if before.iter().any(is) {
        Finding::NotApplied(what)
    } else {
        Finding::Conflict(what)
    }
}

/// How one thing that the row sets compares with what is there.
enum Aspect {
    /// The row does not set it.
    Unset,
    /// It is as wanted.
    Same(String),
    /// It is not.
    Other(String),
    /// It cannot be told.
    Unclear(String),
}

/// One call sets everything or nothing: a row whose parts disagree was not what made them so.
fn weigh(aspects: &[Aspect]) -> Finding {
    let (mut same, mut other, mut unclear) = (false, false, false);
    let mut seen = Vec::new();
    for aspect in aspects {
        let (flag, what) = match aspect {
            Aspect::Unset => continue,
            Aspect::Same(what) => (&mut same, what),
            Aspect::Other(what) => (&mut other, what),
            Aspect::Unclear(what) => (&mut unclear, what),
        };
        *flag = true;
        seen.push(what.as_str());
    }
    let seen = seen.join(", ");
    match (same, other, unclear) {
        (true, false, false) => Finding::Applied(seen),
        (false, true, false) => Finding::NotApplied(seen),
        _ => Finding::Conflict(seen),
    }
}

fn next_payment(row: &Row, now: &Observation) -> Aspect {
    let (Some(wanted), Some(shown)) = (row.get("newNextPaymentDate"), now.get(fact::NEXT_PAYMENT)) else {
        return Aspect::Unclear("the details show no next payment".to_owned());
    };
    let what = format!("next payment {shown}");
    match wall_clock(shown).and_then(|shown| days_apart(wanted, shown)) {
        Some(Apart::Nothing) => Aspect::Same(what),
        Some(Apart::Days(2..)) => Aspect::Other(what),
        // A day is what a time zone can make of a date.
        Some(Apart::Days(_)) | None => Aspect::Unclear(what),
    }
}

/// What lies between two dates.
enum Apart {
    /// They are the same as far as the row goes: its day, or its moment.
    Nothing,
    /// So many calendar days; none where only the time differs.
    Days(u32),
}

fn days_apart(wanted: &str, shown: DateTime) -> Option<Apart> {
    let (day, time) = wanted.split_once('T').map_or((wanted, None), |(day, time)| (day, Some(time)));
    let date: Date = day.parse().ok()?;
    let same = match time {
        None => shown.date() == date,
        Some(time) => {
            let clock = time.split(['Z', '+', '-']).next().unwrap_or_default();
            shown == format!("{day}T{clock}").parse().ok()?
        }
    };
    if same {
        return Some(Apart::Nothing);
    }
    Some(Apart::Days(date.until(shown.date()).ok()?.get_days().unsigned_abs()))
}

fn price(row: &Row, now: &Observation) -> Aspect {
    let amount = |text: Option<&str>| text.and_then(|text| parse_amount(text).ok());
    let wanted: Option<Decimal> = amount(row.get("newPriceValue"));
    let (Some(shown), Some(currency), Some(wanted)) = (amount(now.get(fact::PRICE)), now.get(fact::CURRENCY), wanted)
    else {
        return Aspect::Unclear("the details do not show price and currency".to_owned());
    };
    let units = now.get(fact::QUANTITY).unwrap_or("1");
    if units != "1" {
        return Aspect::Unclear(format!("recurring price {currency} {shown} for {units} units"));
    }
    let what = format!("recurring price {currency} {shown}");
    match row.get("priceCurrencyCode") {
        Some(code) if !code.eq_ignore_ascii_case(currency) => Aspect::Unclear(what),
        _ if shown == wanted => Aspect::Same(what),
        _ => Aspect::Other(what),
    }
}

fn quantity(row: &Row, now: &Observation) -> Aspect {
    compare(row.get("quantity"), now.get(fact::QUANTITY), "quantity")
}

fn name(row: &Row, now: &Observation) -> Aspect {
    compare(row.get("newSubscriptionName").map(str::trim), now.get(fact::NAME), "name")
}

fn compare(wanted: Option<&str>, shown: Option<&str>, what: &str) -> Aspect {
    match (wanted, shown) {
        (None, _) => Aspect::Unset,
        (Some(_), None) => Aspect::Unclear(format!("no {what}")),
        (Some(wanted), Some(shown)) if wanted == shown => Aspect::Same(format!("{what} {shown}")),
        (Some(_), Some(shown)) => Aspect::Other(format!("{what} {shown}")),
    }
}

#[cfg(test)]
mod tests;

//! What is read to settle a doubt, and what it proves.
//!
//! 2Checkout shows changes up to five minutes late, expiration dates move by themselves when a subscription renews, and
//! refunds are carried out later. So only an exact match proves an effect, and a missing effect proves something only
//! after the account's `settle_delay`, and only where the effect is immediate. Everything else is for a person.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::contract::{Doubt, Finding, Observation};
use crate::model::failure::{Failure, FailureClass};
use crate::model::money::parse_amount;
use crate::model::row::Row;

use super::operations::Evidence;
use super::replies::{Heard, in_words};
use super::value::{Argument, Value};

/// How long before its expiration date a subscription may renew: 2Checkout bills ahead of it. Taken wide, for a renewal
/// in between can look like an extension.
const RENEWAL_AHEAD_DAYS: i64 = 15;

/// Campaigns that are looked at; more of one name settle nothing.
const CAMPAIGNS: &str = "200";

/// The method that reads it, with the arguments after the session.
pub(super) fn question<'a>(evidence: Evidence, row: &'a Row) -> Option<(&'static str, Vec<Argument<'a>>)> {
    let subject = row.get(row.operation.subject?)?;
    Some(match evidence {
        Evidence::Extended | Evidence::Enabled(_) | Evidence::Renews(_) | Evidence::Upgraded => {
            ("getSubscription", vec![("subscriptionReference", Value::text(subject))])
        }
        Evidence::Refunded => ("getOrder", vec![("orderReference", Value::text(subject))]),
        Evidence::Unassigned => ("getProductByCode", vec![("ProductCode", Value::text(subject))]),
        Evidence::Campaign => {
            let mut filter = Value::object();
            filter.set("CampaignName", Value::text(subject));
            filter.set("Pagination.Page", Value::number("1"));
            filter.set("Pagination.Limit", Value::number(CAMPAIGNS));
            ("searchCrossSellCampaigns", vec![("SearchOptions", filter)])
        }
    })
}

/// The facts in the answer. A complaint is a fact too: the thing cannot be read. Only what is needed is kept; the
/// customer's name and address are not.
pub(super) fn facts(
    evidence: Evidence,
    row: &Row,
    heard: Heard,
    now: Timestamp,
    secrets: &[&str],
) -> Result<Observation, Failure> {
    let value = match heard {
        Heard::Result(value) => value,
        Heard::Complaint(complaint, None) => {
            return Ok(observation([("found", "no".to_owned()), ("said", in_words(&complaint, secrets))]));
        }
        Heard::Complaint(_, Some(failure)) | Heard::Failed(failure) => return Err(failure),
        Heard::Refused(answer) => return Err(Failure::new(FailureClass::Unrecognised, answer.message)),
    };
    let unreadable = || Failure::new(FailureClass::Unrecognised, "what was read is not of the documented form");
    let text = |name: &str| value.get(name).and_then(Value::as_text).unwrap_or("unknown").to_owned();
    let flag = |name: &str| match value.get(name).and_then(Value::as_bool) {
        Some(true) => "yes".to_owned(),
        Some(false) => "no".to_owned(),
        None => "unknown".to_owned(),
    };
    let found = ("found", "yes".to_owned());
    Ok(match evidence {
        Evidence::Extended | Evidence::Enabled(_) | Evidence::Renews(_) | Evidence::Upgraded => {
            value.get("SubscriptionReference").ok_or_else(unreadable)?;
            observation([
                found,
                ("expiration_date", text("ExpirationDate")),
                ("enabled", flag("SubscriptionEnabled")),
                ("renews", flag("RecurringEnabled")),
                ("product_code", text("Product.ProductCode")),
                ("latest_order", text("LatestSubscriptionOrder")),
                ("read_on", now.strftime("%Y-%m-%d").to_string()),
            ])
        }
        Evidence::Refunded => {
            value.get("Status").ok_or_else(unreadable)?;
            observation([
                found,
                ("status", text("Status")),
                ("total", text("GrossPrice")),
                ("currency", text("Currency")),
            ])
        }
        Evidence::Unassigned => {
            value.get("ProductCode").ok_or_else(unreadable)?;
            let group = value.get("ProductGroup.Code").or_else(|| value.get("GroupCode"));
            observation([found, ("group", group.and_then(Value::as_text).unwrap_or("unknown").to_owned())])
        }
        Evidence::Campaign => {
            let (codes, complete) = campaigns(&value, row.get("Name").unwrap_or_default()).ok_or_else(unreadable)?;
            observation([("campaigns", codes), ("complete", if complete { "yes" } else { "no" }.to_owned())])
        }
    })
}

fn observation<const N: usize>(facts: [(&str, String); N]) -> Observation {
    Observation { facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

/// The codes of the campaigns of this very name, and whether all that were found have been seen. The result is
/// documented as an array; a page of `Items` is taken as well.
fn campaigns(value: &Value<'_>, name: &str) -> Option<(String, bool)> {
    let items = if value.as_list().is_some() { value } else { value.get("Items")? };
    let items = items.as_list()?;
    let total = value.get("Pagination.Count").and_then(Value::as_text).and_then(|text| text.parse::<usize>().ok());
    let text = |item: &Value<'_>, name: &str| item.get(name).and_then(Value::as_text).map(str::to_owned);
    let same = items.iter().filter(|item| text(item, "Name").as_deref() == Some(name));
    let mut codes: Vec<String> = same.filter_map(|item| text(item, "CampaignCode")).collect();
    codes.sort_unstable();
    // Without a total, ten or more may be a first page: ten is the vendor's default.
    Some((codes.join(" "), total.map_or(items.len() < 10, |total| total <= items.len())))
}

/// What was read proves this much. Pure.
pub(super) fn judge(evidence: Evidence, row: &Row, doubt: &Doubt<'_>, now: &Observation, delay: Duration) -> Finding {
    if now.get("found") == Some("no") {
        return match doubt.baseline.and_then(|before| before.get("found")) {
            Some("no") if doubt.age >= delay => {
                Finding::NotApplied("2Checkout knows no such thing, neither before the call nor now".to_owned())
            }
            Some("no") => too_soon(),
            _ => Finding::Conflict(format!("it cannot be read: {}", now.get("said").unwrap_or("no reason given"))),
        };
    }
    let settled = doubt.age >= delay;
    match evidence {
        Evidence::Extended => extended(row, doubt, now, settled),
        Evidence::Enabled(wanted) => flag(now, "enabled", wanted, settled),
        Evidence::Renews(wanted) => flag(now, "renews", wanted, settled),
        Evidence::Upgraded => upgraded(row, doubt, now, settled),
        Evidence::Refunded => refunded(row, doubt, now, settled),
        Evidence::Unassigned => unassigned(row, now, settled),
        Evidence::Campaign => created(doubt, now, settled),
    }
}

fn too_soon() -> Finding {
    Finding::NotYet("2Checkout shows changes up to five minutes late".to_owned())
}

fn not_applied(what: String, settled: bool) -> Finding {
    if settled { Finding::NotApplied(what) } else { too_soon() }
}

fn extended(row: &Row, doubt: &Doubt<'_>, now: &Observation, settled: bool) -> Finding {
    let Some(baseline) = doubt.baseline else {
        return Finding::Conflict("no expiration date was read before the call".to_owned());
    };
    let (before, after) = (day(baseline, "expiration_date"), day(now, "expiration_date"));
    let days = row.get("days").and_then(|days| days.parse::<i64>().ok());
    let (Some(before), Some(after), Some(days)) = (before, after, days) else {
        return Finding::Conflict("an expiration date is missing".to_owned());
    };
    let moved = format!("the expiration date was {before} and is {after}");
    if renewed(baseline, now, before) {
        return Finding::Conflict(format!("{moved}, and it may have renewed in between"));
    }
    match before.checked_add(days.days()) {
        Ok(wanted) if wanted == after => Finding::Applied(moved),
        _ if before == after => not_applied(format!("the expiration date is still {after}"), settled),
        _ => Finding::Conflict(format!("{moved}, which is not {days} days")),
    }
}

/// Whether a renewal may have moved the date: the latest order says so where it is shown, else the calendar.
fn renewed(baseline: &Observation, now: &Observation, expires: Date) -> bool {
    let order = |of: &Observation| of.get("latest_order").filter(|order| *order != "unknown").map(str::to_owned);
    match (order(baseline), order(now)) {
        (Some(before), Some(after)) => before != after,
        _ if baseline.get("renews") == Some("no") && now.get("renews") == Some("no") => false,
        _ => match (day(now, "read_on"), expires.checked_sub(RENEWAL_AHEAD_DAYS.days())) {
            (Some(today), Ok(from)) => today >= from,
            _ => true,
        },
    }
}

fn day(of: &Observation, fact: &str) -> Option<Date> {
    of.get(fact)?.get(..10)?.parse().ok()
}

fn flag(now: &Observation, fact: &str, wanted: bool, settled: bool) -> Finding {
    let word = if wanted { "yes" } else { "no" };
    match now.get(fact) {
        Some(is) if is == word => Finding::Applied(format!("{fact}: {is}")),
        Some(is @ ("yes" | "no")) => not_applied(format!("{fact}: {is}"), settled),
        _ => Finding::Conflict(format!("2Checkout does not say whether it is so ({fact})")),
    }
}

/// Never a proof that nothing was charged: an upgrade may wait for its payment.
fn upgraded(row: &Row, doubt: &Doubt<'_>, now: &Observation, settled: bool) -> Finding {
    let (wanted, is) = (row.get("productCode").unwrap_or_default(), now.get("product_code").unwrap_or("unknown"));
    let was = doubt.baseline.and_then(|before| before.get("product_code"));
    match was {
        Some(was) if is == wanted && was != wanted && was != "unknown" => {
            Finding::Applied(format!("the product was {was} and is {is}"))
        }
        _ if is != wanted && !settled => too_soon(),
        _ => Finding::Conflict(format!(
            "the product was {} and is {is}: look at the subscription's orders",
            was.unwrap_or("not read")
        )),
    }
}

/// Only a full refund shows in an order's status, and its absence shows nothing: refunds are carried out later.
fn refunded(row: &Row, doubt: &Doubt<'_>, now: &Observation, settled: bool) -> Finding {
    let is_refund = |status: &str| status.to_ascii_uppercase().contains("REFUND");
    let status = now.get("status").unwrap_or("unknown");
    let before = doubt.baseline.and_then(|before| before.get("status"));
    let amount = |text: Option<&str>| text.and_then(|text| parse_amount(text).ok());
    let total = amount(now.get("total"));
    let full = total.is_some() && total == amount(row.get("amount"));
    match before {
        Some(before) if is_refund(status) && !is_refund(before) && full => {
            Finding::Applied(format!("the order was {before} and is {status}"))
        }
        _ if !is_refund(status) && !settled => {
            Finding::NotYet(format!("the order is {status}; a refund is carried out some time later"))
        }
        _ => Finding::Conflict(format!(
            "the order was {} and is {status}: look at its refunds in the Control Panel",
            before.unwrap_or("not read")
        )),
    }
}

fn unassigned(row: &Row, now: &Observation, settled: bool) -> Finding {
    let group = row.get("Code").unwrap_or_default();
    match now.get("group").filter(|is| *is != "unknown") {
        Some(is) if is != group => Finding::Applied(format!("the product is in the group {is}")),
        Some(is) => not_applied(format!("the product is still in the group {is}"), settled),
        None => Finding::Conflict("2Checkout does not say in which group the product is".to_owned()),
    }
}

fn created(doubt: &Doubt<'_>, now: &Observation, settled: bool) -> Finding {
    let Some(baseline) = doubt.baseline else {
        return Finding::Conflict("no campaigns were read before the call".to_owned());
    };
    let codes = |of: &Observation| -> Vec<String> {
        of.get("campaigns").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let complete = |of: &Observation| of.get("complete") == Some("yes");
    let before = codes(baseline);
    let new: Vec<String> = codes(now).into_iter().filter(|code| !before.contains(code)).collect();
    match new.as_slice() {
        [] if complete(now) => not_applied("no new campaign has this name".to_owned(), settled),
        [code] if complete(baseline) => Finding::Applied(format!("campaign {code} has this name")),
        _ => Finding::Conflict("more campaigns are there than one search shows".to_owned()),
    }
}

//! What the report of active subscriptions shows about an extension or a new price, and what that proves.
//!
//! As far as is documented, an extension makes no transaction. So a bill date that stands beside a purchase's transactions
//! may be the one that held when each of them was made: it need not move, and "not moved" would be read as "not extended",
//! and the days be added twice. This report has one row a subscription, and the vendor names its two dates: when it was
//! last billed, and when it will be next.
//!
//! What the vendor does not say, and what is made of it here:
//!
//! | not said | so |
//! |---|---|
//! | whether `PurchaseID` filters, or is where a list begins | rows of other subscriptions are passed over; where ours is not among the rows, nothing is concluded; see [`page`] |
//! | which of a subscription's dates the range is about | the range has all of them |
//! | how old the report may be | an extension that does not show is given twice the settle delay |
//!
//! An extension is proven by its exact date alone, and disproven only by the very dates from before the call. Nothing else
//! that is documented could disprove it: the operation takes no text in which a token could ride, no documented report lists
//! extensions, and this one does not say as of when it is. What is left is to look twice: the engine first reads at one
//! settle delay after the call, hears "not yet", and reads again after another; had the first read shown the extension, it
//! would be settled. After a resume a single read stands for both, being later than either. Where an account's reports lag
//! by more than that, its `settle_delay` must say so: no rule here can make up for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::srs::Srs;
use super::{agreed, amount, date, fact, not_found, shown, unchanged};
use crate::contract::{Doubt, Finding, Listed, Observation};
use crate::model::failure::Failure;
use crate::model::money::parse_amount;
use crate::model::row::Row;
use crate::providers::xml::ReportRow;

const ACTIVE: &str = "/MWS.asmx/AssetsActiveSubscriptionsByURL";

/// The columns that are read of a subscription, and no others.
pub(super) const COLUMNS: &[&str] = &["PurchaseID", "RecurringAmount", "LastDate", "NextDate", "Purchases"];

/// The range, as `mmddyyyy`: from before any subscription that still runs, to beyond any bill date. Always the same, so
/// that a baseline and a later read are answers to one question. 2078 is the last full year of the shorter of the date
/// types that such services keep dates in: an end that could not be stored might be an error instead of a report.
const RANGE: [(&str, &str); 2] = [("BegDate", "01012000"), ("EndDate", "12312078")];

/// How many settle delays an extension has to show in.
const EXTENSION_DELAYS: u32 = 2;

/// Reads what a subscription is billed, and when.
pub(in super::super) async fn observe(srs: &Srs, purchase: &str) -> Result<Observation, Failure> {
    Ok(about(&report(srs, purchase).await?, purchase))
}

async fn report(srs: &Srs, purchase: &str) -> Result<Vec<ReportRow>, Failure> {
    let [begin, end] = RANGE.map(|(name, day)| (name, Cow::Borrowed(day)));
    // All sites of the merchant: which of them a subscription belongs to is not in the input.
    let parameters = [begin, end, ("PurchaseID", Cow::Borrowed(purchase)), ("URLID", Cow::Borrowed("0"))];
    srs.report(ACTIVE, &parameters, COLUMNS).await
}

/// The facts about a subscription in its own rows. There should be one; where more disagree, the fact is left out.
pub(super) fn about(rows: &[ReportRow], purchase: &str) -> Observation {
    let own: Vec<&ReportRow> = rows.iter().filter(|row| row.get("PurchaseID") == Some(purchase)).collect();
    if own.is_empty() { not_found() } else { facts(&own) }
}

/// What a subscription's rows say of it.
fn facts(own: &[&ReportRow]) -> Observation {
    let read = |column, form: fn(&str) -> Option<String>| agreed(own.iter().copied(), column, form);
    shown([
        (fact::NEXT_BILL_DATE, read("NextDate", date)),
        (fact::LAST_BILL_DATE, read("LastDate", date)),
        (fact::PURCHASES, read("Purchases", |text| Some(text.to_owned()))),
        (fact::RECURRING_AMOUNT, read("RecurringAmount", amount)),
    ])
}

/// Reads the report once for several subscriptions; an entry that is no number is not asked for.
///
/// The vendor does not say what `PurchaseID` does here. Elsewhere in these services such a number is a cursor: the rows
/// after it come, 250 at a time. So the number asked for is the one just below the smallest that is wanted, with which a
/// cursor that leaves out its own row shows the same as one that does not. Where it is a filter instead, the reply names
/// nobody who is wanted, and says so with one request. Nothing is concluded from what does not show.
pub(in super::super) async fn page(srs: &Srs, purchases: Vec<Option<i64>>) -> Result<Vec<Listed>, Failure> {
    let Some(first) = purchases.iter().flatten().min() else { return Ok(vec![Listed::Absent; purchases.len()]) };
    let rows = report(srs, &(first - 1).to_string()).await?;
    Ok(listed(&rows, &purchases))
}

/// What a page says about each of the subscriptions. One is shown where exactly one row names it, with both its dates.
pub(super) fn listed(rows: &[ReportRow], purchases: &[Option<i64>]) -> Vec<Listed> {
    let mut own: BTreeMap<i64, Vec<&ReportRow>> = BTreeMap::new();
    for row in rows {
        if let Some(purchase) = row.get("PurchaseID").and_then(|purchase| purchase.parse().ok()) {
            own.entry(purchase).or_default().push(row);
        }
    }
    let first = purchases.iter().flatten().min();
    let last = own.last_key_value().map(|(purchase, _)| *purchase);
    let entry = |purchase: i64| {
        // The last one may have a second row on the next page, which would be another word about it.
        if last.is_some_and(|last| purchase >= last && Some(&last) > first) {
            return Listed::Beyond;
        }
        match own.get(&purchase).map(Vec::as_slice) {
            Some([row]) if last > Some(purchase) => {
                let observation = facts(&[row]);
                if Bills::of(&observation).is_some() { Listed::Shown(observation) } else { Listed::Absent }
            }
            _ => Listed::Absent,
        }
    };
    purchases.iter().map(|purchase| purchase.map_or(Listed::Absent, entry)).collect()
}

/// When a subscription is billed.
struct Bills<'a> {
    next: Date,
    last: Date,
    /// How many there were. Days are coarse: a second bill on the day of the last one shows only here.
    purchases: Option<&'a str>,
}

impl<'a> Bills<'a> {
    fn of(observation: &'a Observation) -> Option<Self> {
        let day = |name| observation.get(name)?.parse().ok();
        let (next, last) = (day(fact::NEXT_BILL_DATE)?, day(fact::LAST_BILL_DATE)?);
        Some(Self { next, last, purchases: observation.get(fact::PURCHASES) })
    }

    /// A bill moves the next date as well, often by as many days as an extension.
    fn billed_since(&self, before: &Self) -> bool {
        self.last != before.last || self.purchases != before.purchases
    }
}

/// The next bill date moved by exactly the days, or not at all, and no bill moved it. All else is for a person.
pub(super) fn judge_extension(row: &Row, doubt: &Doubt<'_>, now: &Observation, settle_delay: Duration) -> Finding {
    let conflict = |what: &str| Finding::Conflict(what.to_owned());
    let Some(before) = doubt.baseline.and_then(Bills::of) else {
        return conflict("no bill dates were read before the call");
    };
    let Some(after) = Bills::of(now) else {
        return conflict("the report does not show one next and one last bill date");
    };
    let Some(expected) = days_after(before.next, row) else {
        return conflict("the days do not lead to a date");
    };
    let moved = format!("next bill date {}, now {}", before.next, after.next);
    if after.billed_since(&before) {
        return Finding::Conflict(format!("{moved}, and it was billed since"));
    }
    if after.next == expected {
        Finding::Applied(moved)
    } else if after.next == before.next {
        let patience = settle_delay.saturating_mul(EXTENSION_DELAYS);
        unchanged(doubt, patience, format!("next bill date still {}, last bill date still {}", after.next, after.last))
    } else {
        Finding::Conflict(moved)
    }
}

fn days_after(date: Date, row: &Row) -> Option<Date> {
    let days: i64 = row.get("Days")?.parse().ok()?;
    date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// The wanted amount holds, whoever set it; any other is proof only where it is the one from before. One delay is enough:
/// the amount is set and not added to, so that sending it again for a report that lags does no harm.
pub(super) fn judge_amount(row: &Row, doubt: &Doubt<'_>, now: &Observation, settle_delay: Duration) -> Finding {
    let read = |text: Option<&str>| text.and_then(|text| parse_amount(text).ok());
    let billed = |observation: &Observation| read(observation.get(fact::RECURRING_AMOUNT));
    let wanted: Option<Decimal> = read(row.get("RecurringAmount"));
    let (Some(after), Some(wanted)) = (billed(now), wanted) else {
        return Finding::Conflict("the report does not show one recurring amount".to_owned());
    };
    if after == wanted {
        return Finding::Applied(format!("recurring amount {after}"));
    }
    match doubt.baseline.and_then(billed) {
        Some(before) if before != after => Finding::Conflict(format!("recurring amount {before}, now {after}")),
        _ => unchanged(doubt, settle_delay, format!("recurring amount {after}")),
    }
}

//! The membership upgrade: a higher amount from the next bill on, and a prorated charge at once.
//!
//! The reply's names are written as in the vendor's samples, where their case follows no rule. What the page calls
//! "blank" is null in JSON and an empty element in XML. Statuses of refusals are not documented: whatever was understood
//! is answered with 200, and `IsSuccess` says what came of it.

use std::collections::HashMap;
use std::time::Instant;

use http::{Method, StatusCode, header};
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::value::RawValue;

use super::super::credentials::{SEGPAY_API_PASSWORD, SEGPAY_API_USERNAME};
use super::super::ledger::{Effect, Ledger};
use super::super::message::{Reply, Request};
use super::super::today;
use super::super::xml::{self, escaped};
use super::Exception;
use super::subscriptions::{Kind, Subscription, Subscriptions, Transaction};
use crate::model::money::parse_amount;

/// The longest period that an upgrade may ask for, in days.
const LONGEST_PERIOD: i32 = 365;

/// What the body asks for, by parameter in lower case: ASP.NET ignores case in names.
type Asked = HashMap<String, String>;

/// What came of it.
struct Outcome {
    is_success: bool,
    message: &'static str,
    /// The charge, approved or declined; none where no charge was tried.
    charge: Option<Charge>,
}

struct Charge {
    trans_id: i32,
    amount: Decimal,
    new_recurring_amount: Decimal,
    next_transaction_date: Date,
}

/// Answers an upgrade of the purchase that the path names.
pub(super) fn answer(subscriptions: &mut Subscriptions, ledger: &mut Ledger, id: &str, request: &Request) -> Reply {
    if request.method != Method::POST {
        return Reply::only("POST");
    }
    if !request.is_login(SEGPAY_API_USERNAME, SEGPAY_API_PASSWORD) {
        return Reply::unauthorized();
    }
    let Ok(purchase_id) = id.parse::<i32>() else { return Reply::status_page(StatusCode::NOT_FOUND) };
    let asked = match request.media_type().as_str() {
        "application/json" => from_json(&request.body),
        "application/xml" | "text/xml" => from_xml(&request.body),
        // The page lists form types, and says that forms are not supported.
        _ => return Reply::status_page(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    };
    let Some(asked) = asked else { return Reply::status_page(StatusCode::BAD_REQUEST) };
    match upgrade(subscriptions, ledger, purchase_id, &asked) {
        Ok(outcome) => outcome.reply(purchase_id.saturating_add(i32::from(request.wrong_id)), request),
        Err(exception) => exception.into(),
    }
}

/// The members of the body's object, as they were written: an amount must not pass through floating point.
fn from_json(body: &[u8]) -> Option<Asked> {
    let members: HashMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    let text = |value: &RawValue| serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
    Some(members.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect())
}

/// The elements below `Parameters`.
fn from_xml(body: &[u8]) -> Option<Asked> {
    let root = xml::parse(body).filter(|root| root.name.eq_ignore_ascii_case("Parameters"))?;
    Some(root.children.into_iter().map(|child| (child.name.to_ascii_lowercase(), child.text)).collect())
}

fn refused(message: &'static str) -> Outcome {
    Outcome { is_success: false, message, charge: None }
}

/// Charges and upgrades, where it may.
fn upgrade(
    subscriptions: &mut Subscriptions,
    ledger: &mut Ledger,
    purchase_id: i32,
    asked: &Asked,
) -> Result<Outcome, Exception> {
    let Some(before) = subscriptions.get(purchase_id) else { return Ok(refused("Purchase was not found.")) };
    let (amount, period) = match check(&before, asked) {
        Ok(wanted) => wanted,
        Err(message) => return Ok(refused(message)),
    };
    let today = today();
    let prorated = prorated(&before, amount, today);
    let is_success = purchase_id % 1000 != 989;
    let kind = if is_success { Kind::Upgrade } else { Kind::DeclinedUpgrade };
    let trans_id = subscriptions.next_transaction();
    let mut after = before.clone();
    let made_at = Instant::now();
    after.transactions.push(Transaction { trans_id, made_on: today, made_at, amount: prorated, kind });
    if is_success {
        after.recurring_amount = amount;
        after.recurring_period_days = period;
        record(ledger, asked, &before, &after, prorated)?;
    }
    let charge = Charge {
        trans_id,
        amount: prorated,
        new_recurring_amount: amount,
        next_transaction_date: after.next_bill_date,
    };
    // A declined charge changes nothing but the list of transactions, so it is no effect for the ledger.
    subscriptions.put(after);
    let message =
        if is_success { "Purchase has been upgraded successfully." } else { "Upgrade transaction was declined." };
    Ok(Outcome { is_success, message, charge: Some(charge) })
}

/// The amount and the period that are asked for, or why they cannot be had.
fn check(subscription: &Subscription, asked: &Asked) -> Result<(Decimal, i32), &'static str> {
    if !subscription.is_active() {
        return Err("Purchase is not active.");
    }
    let amount = asked.get("newrecurringamount").and_then(|amount| parse_amount(amount).ok());
    let amount = amount
        .filter(|amount| *amount > Decimal::ZERO && amount.normalize().scale() <= 2)
        .ok_or("NewRecurringAmount must be a positive value in the allowed range.")?;
    let period = match asked.get("newrecurringdurationindays") {
        None => Some(subscription.recurring_period_days),
        Some(days) => days.parse().ok().filter(|days| (1..=LONGEST_PERIOD).contains(days)),
    };
    let period = period.ok_or("NewRecurringDurationInDays must be a positive value in the allowed range.")?;
    if amount < subscription.recurring_amount {
        return Err("NewRecurringAmount is lower than the current recurring amount.");
    }
    Ok((amount, period))
}

/// The difference for the days until the next bill, to the cent.
fn prorated(subscription: &Subscription, amount: Decimal, today: Date) -> Decimal {
    let days = (subscription.next_bill_date - today).get_days().max(0);
    let whole = (amount - subscription.recurring_amount) * Decimal::from(days);
    let part = whole / Decimal::from(subscription.recurring_period_days);
    let mut cents = part.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    cents.rescale(2);
    cents
}

/// Writes the effect into the ledger, before it takes place.
fn record(
    ledger: &mut Ledger,
    asked: &Asked,
    before: &Subscription,
    after: &Subscription,
    prorated: Decimal,
) -> Result<(), Exception> {
    let subject = before.purchase_id.to_string();
    let mut request = serde_json::Map::new();
    request.insert("purchaseId".to_owned(), subject.clone().into());
    for name in ["NewRecurringAmount", "NewRecurringDurationInDays"] {
        if let Some(value) = asked.get(&name.to_ascii_lowercase()) {
            request.insert(name.to_owned(), value.clone().into());
        }
    }
    // Not asked for, but it is the money that moved.
    request.insert("TransactionAmount".to_owned(), prorated.to_string().into());
    let effect =
        Effect { provider: "segpay", operation: "MembershipUpgrade", subject: &subject, request, before, after };
    ledger.append(&effect).map_err(|error| Exception::Ledger(error.to_string()))
}

/// One value of the reply.
enum Value {
    Text(String),
    /// A number or a boolean: written without quotes in JSON.
    Bare(String),
    Blank,
}

impl Outcome {
    /// The reply in the form that `Accept` asks for, whatever form the request had.
    fn reply(self, purchase_id: i32, request: &Request) -> Reply {
        let fields = self.fields(purchase_id);
        if request.header(header::ACCEPT).to_ascii_lowercase().contains("xml") {
            let elements: String = fields.iter().map(|(_, name, value)| element(name, value)).collect();
            let body = format!("<Result>{elements}</Result>");
            return Reply::new(StatusCode::OK, "application/xml; charset=utf-8", body);
        }
        let members: Vec<_> = fields.iter().map(|(name, _, value)| member(name, value)).collect();
        Reply::json(StatusCode::OK, format!("{{{}}}", members.join(",")))
    }

    /// The names in JSON and in XML, each as in its sample, and the values.
    fn fields(self, purchase_id: i32) -> [(&'static str, &'static str, Value); 8] {
        let of_charge = |value: fn(&Charge) -> Value| self.charge.as_ref().map_or(Value::Blank, value);
        let of_success = |value: fn(&Charge) -> Value| if self.is_success { of_charge(value) } else { Value::Blank };
        let auth_code = if self.is_success { "OK:0" } else { "Insufficient Funds:51" };
        [
            ("IsSuccess", "IsSuccess", Value::Bare(self.is_success.to_string())),
            ("Message", "Message", Value::Text(self.message.to_owned())),
            ("purchaseid", "Purchaseid", Value::Bare(purchase_id.to_string())),
            ("TransactionId", "TransactionId", of_charge(|charge| Value::Bare(charge.trans_id.to_string()))),
            ("TransactionAmount", "TransactionAmount", of_success(|charge| Value::Bare(charge.amount.to_string()))),
            (
                "newRecurringAmount",
                "newRecurringAmount",
                of_success(|charge| Value::Bare(charge.new_recurring_amount.to_string())),
            ),
            (
                "nextTransactionDate",
                "nextTransactionDate",
                of_success(|charge| Value::Text(charge.next_transaction_date.to_string())),
            ),
            (
                "transactionAuthCode",
                "transactionAuthCode",
                self.charge.as_ref().map_or(Value::Blank, |_| Value::Text(auth_code.to_owned())),
            ),
        ]
    }
}

/// No text of a reply needs escaping in JSON: all of them are sentences of this module, numbers or dates.
fn member(name: &str, value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{name}\":\"{text}\""),
        Value::Bare(text) => format!("\"{name}\":{text}"),
        Value::Blank => format!("\"{name}\":null"),
    }
}

fn element(name: &str, value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Bare(text) => format!("<{name}>{}</{name}>", escaped(text)),
        Value::Blank => format!("<{name} />"),
    }
}

//! The consumer support tasks: `adm.asmx`, and the reactivation link beside it.
//!
//! Reply words are the vendor's, task by task: some say `Success` where others say `Successful`.

use std::time::Instant;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::ledger::{Effect, Ledger};
use super::super::message::{Parameters, Reply, Request};
use super::super::today;
use super::super::xml::escaped;
use super::subscriptions::{Kind, Subscription, Subscriptions, Transaction};
use super::{Exception, guid, is_merchant, number, text};
use crate::model::money::parse_amount;

const MISMATCH: &str = "PurchaseID/MerchantID Mismatch";
const NOT_ACTIVE: &str = "Membership not Active";
const CANCEL_FAILED: &str = "Subscription not active, cancel failed";
const FAILED: &str = "Failed";

/// What the parameter that names the subject holds.
#[derive(Debug, Clone, Copy)]
enum Subject {
    PurchaseId,
    TransId,
}

/// One task.
struct Task {
    /// The vendor's name.
    name: &'static str,
    subject: Subject,
    /// The parameters after the subject, in the documented order.
    parameters: &'static [&'static str],
    /// The word for success.
    done: &'static str,
    /// The word where the subject is unknown to the merchant.
    unknown: &'static str,
    /// Changes the subscription, or refuses with a word.
    change: fn(&mut Subscription, &Given<'_>) -> Result<(), &'static str>,
}

/// What a change may look at.
struct Given<'a> {
    today: Date,
    subject: i32,
    /// The values of the task's parameters, in their order.
    values: &'a [String],
    next_transaction: i32,
}

static TASKS: [Task; 6] = [
    Task {
        name: "CancelMembership",
        subject: Subject::PurchaseId,
        parameters: &["CancelReason"],
        done: "Successful",
        unknown: MISMATCH,
        change: cancel,
    },
    Task {
        name: "ExpireMembership",
        subject: Subject::PurchaseId,
        parameters: &["CancelReason"],
        done: "Success",
        unknown: MISMATCH,
        change: expire,
    },
    Task {
        name: "ExtendMembership",
        subject: Subject::PurchaseId,
        parameters: &["Days"],
        done: "Successful",
        unknown: MISMATCH,
        change: extend,
    },
    Task {
        name: "InsertConsumerNote",
        subject: Subject::PurchaseId,
        parameters: &["Note"],
        done: "Successful",
        unknown: MISMATCH,
        change: insert_note,
    },
    Task {
        name: "ModifyRebillAmount",
        subject: Subject::PurchaseId,
        parameters: &["RecurringAmount", "Comments"],
        done: "Successful",
        unknown: MISMATCH,
        change: modify_amount,
    },
    Task {
        name: "RefundTransaction",
        subject: Subject::TransId,
        parameters: &["RefundReason"],
        done: "Success",
        // The only refusal of the documented list that fits; its explanation there says to check the TransID.
        unknown: CANCEL_FAILED,
        change: refund,
    },
];

fn cancel(subscription: &mut Subscription, given: &Given<'_>) -> Result<(), &'static str> {
    if !subscription.is_active() {
        return Err(CANCEL_FAILED);
    }
    subscription.cancel(given.today);
    Ok(())
}

fn expire(subscription: &mut Subscription, given: &Given<'_>) -> Result<(), &'static str> {
    if !subscription.gives_access(given.today) {
        return Err(CANCEL_FAILED);
    }
    subscription.expire(given.today);
    Ok(())
}

fn extend(subscription: &mut Subscription, given: &Given<'_>) -> Result<(), &'static str> {
    if !subscription.is_active() {
        return Err(NOT_ACTIVE);
    }
    let days = given.values[0].trim().parse().ok().filter(|days| (1..=3650).contains(days)).ok_or(FAILED)?;
    subscription.extend(days);
    Ok(())
}

fn insert_note(subscription: &mut Subscription, _given: &Given<'_>) -> Result<(), &'static str> {
    if !subscription.is_active() {
        return Err(NOT_ACTIVE);
    }
    subscription.add_note();
    Ok(())
}

fn modify_amount(subscription: &mut Subscription, given: &Given<'_>) -> Result<(), &'static str> {
    if !subscription.is_active() {
        return Err(NOT_ACTIVE);
    }
    let amount = parse_amount(given.values[0].trim()).map_err(|_| FAILED)?;
    if amount <= Decimal::ZERO || amount >= subscription.recurring_amount {
        return Err(FAILED);
    }
    subscription.recurring_amount = amount;
    Ok(())
}

fn refund(subscription: &mut Subscription, given: &Given<'_>) -> Result<(), &'static str> {
    if !subscription.is_active() {
        return Err(CANCEL_FAILED);
    }
    let amount = subscription.charged(given.subject).ok_or(CANCEL_FAILED)?;
    let (trans_id, kind) = (given.next_transaction, Kind::Credit { of: given.subject });
    let (made_on, made_at) = (given.today, Instant::now());
    subscription.transactions.push(Transaction { trans_id, made_on, made_at, amount, kind });
    Ok(())
}

/// Answers one task, by its name in lower case.
pub(super) fn answer(subscriptions: &mut Subscriptions, ledger: &mut Ledger, name: &str, request: &Request) -> Reply {
    let Some(task) = TASKS.iter().find(|task| task.name.eq_ignore_ascii_case(name)) else {
        return Exception::NoSuchMethod(name.to_owned()).into();
    };
    match task.perform(subscriptions, ledger, &request.parameters()) {
        Ok(word) => Reply::xml(string(word)),
        Err(exception) => exception.into(),
    }
}

impl Task {
    /// Performs the task, if it may, and returns the word that says what came of it.
    fn perform(
        &self,
        subscriptions: &mut Subscriptions,
        ledger: &mut Ledger,
        parameters: &Parameters,
    ) -> Result<&'static str, Exception> {
        text(parameters, "UserID")?;
        text(parameters, "UserAccessKey")?;
        let subject = number(parameters, self.subject.parameter())?;
        let values = self.parameters.iter().map(|name| text(parameters, name)).collect::<Result<Vec<_>, _>>()?;
        if !is_merchant(parameters) {
            return Ok("Invalid Merchant");
        }
        let found = match self.subject {
            Subject::PurchaseId => subscriptions.get(subject),
            Subject::TransId => subscriptions.of_charge(subject),
        };
        let Some(before) = found else { return Ok(self.unknown) };
        let mut after = before.clone();
        let next_transaction = subscriptions.next_transaction();
        let given = Given { today: today(), subject, values: &values, next_transaction };
        if let Err(refusal) = (self.change)(&mut after, &given) {
            return Ok(refusal);
        }
        self.record(ledger, subject, &values, &before, &after)?;
        subscriptions.put(after);
        Ok(self.done)
    }

    /// Writes the effect into the ledger, before it takes place.
    fn record(
        &self,
        ledger: &mut Ledger,
        subject: i32,
        values: &[String],
        before: &Subscription,
        after: &Subscription,
    ) -> Result<(), Exception> {
        let subject = subject.to_string();
        let mut request = serde_json::Map::new();
        request.insert(self.subject.parameter().to_owned(), subject.clone().into());
        for (name, value) in self.parameters.iter().zip(values) {
            request.insert((*name).to_owned(), value.clone().into());
        }
        let effect = Effect { provider: "segpay", operation: self.name, subject: &subject, request, before, after };
        ledger.append(&effect).map_err(|error| Exception::Ledger(error.to_string()))
    }
}

impl Subject {
    fn parameter(self) -> &'static str {
        match self {
            Self::PurchaseId => "PurchaseID",
            Self::TransId => "TransID",
        }
    }
}

/// A string as the web service returns it.
fn string(word: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<string xmlns=\"http://srs.segpay.com/ADM.asmx\">{}</string>",
        escaped(word)
    )
}

/// The link with which the consumer of a cancelled or expired subscription can come back. It changes nothing.
pub(super) fn reactivation(subscriptions: &Subscriptions, parameters: &Parameters) -> Reply {
    const REFUSED: &str = "Invalid user name or password";
    let given = ["purchaseid", "UserID", "UserAccessKey"].map(|name| parameters.get(name).unwrap_or_default());
    let answer = if given.iter().any(String::is_empty) {
        "You must include all the values for reactivation".to_owned()
    } else if !is_merchant(parameters) {
        REFUSED.to_owned()
    } else {
        let subscription = given[0].trim().parse().ok().and_then(|id| subscriptions.get(id));
        match subscription.filter(|subscription| !subscription.is_active()) {
            Some(subscription) => link(subscription.purchase_id),
            None => REFUSED.to_owned(),
        }
    };
    // The vendor's sample of this reply has no namespace.
    Reply::xml(format!("<string>{}</string>", escaped(&answer)))
}

/// A link that is always the same for the same purchase.
fn link(purchase_id: i32) -> String {
    format!("https://secure2.segpay.com/reactivation?tguid={}&sprs=ms", guid(&purchase_id.to_be_bytes()))
}

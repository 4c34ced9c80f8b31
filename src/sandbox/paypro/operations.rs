//! The operations: their fields, and what each does to a subscription or says of one.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::super::ledger::{Effect, Ledger};
use super::super::today;
use super::fields::{Field, Fields, Kind, Problem, optional, required};
use super::subscriptions::{IDS, Status, Subscription, Subscriptions};

/// One operation.
pub(super) struct Operation {
    /// The vendor's name.
    name: &'static str,
    /// Its fields beside the credentials.
    pub(super) fields: &'static [Field],
    action: Action,
}

/// What an operation does.
enum Action {
    /// Changes a subscription, or says why not.
    Change(fn(&mut Subscription, &Fields) -> Result<(), Problem>),
    /// Describes one subscription.
    Details,
    /// Lists subscriptions.
    List,
}

const SUBSCRIPTION: Field = required("subscriptionId", Kind::Integer);
const NOTIFY: Field = optional("sendCustomerNotification", Kind::Boolean);
const NAME: Field = optional("newSubscriptionName", Kind::Text);
const FORMAT: Field = optional("dateFormat", Kind::Text);
const REASON: [Field; 4] =
    [optional("cancellationReasonId", Kind::Integer), optional("reasonText", Kind::Text), NOTIFY, SUBSCRIPTION];
const SEARCH: [Field; 5] = [
    optional("subscriptionIds", Kind::Integers),
    optional("statusIds", Kind::Integers),
    optional("customerEmail", Kind::Text),
    optional("dateFrom", Kind::DateTime),
    optional("dateTo", Kind::DateTime),
];

static OPERATIONS: [Operation; 7] = [
    Operation { name: "Suspend", fields: &REASON, action: Action::Change(suspend) },
    Operation { name: "Terminate", fields: &REASON, action: Action::Change(terminate) },
    Operation {
        name: "Renew",
        fields: &[required("reasonText", Kind::Text), NOTIFY, SUBSCRIPTION],
        action: Action::Change(renew),
    },
    Operation {
        name: "ChangeNextPaymentDate",
        fields: &[
            required("newNextPaymentDate", Kind::DateTime),
            optional("shiftPaymentSchedule", Kind::Boolean),
            NAME,
            NOTIFY,
            SUBSCRIPTION,
        ],
        action: Action::Change(change_next_payment_date),
    },
    Operation {
        name: "ChangeRecurringPrice",
        fields: &[
            required("newPriceValue", Kind::Amount),
            required("priceCurrencyCode", Kind::Text),
            optional("quantity", Kind::Integer),
            NAME,
            NOTIFY,
            SUBSCRIPTION,
        ],
        action: Action::Change(change_recurring_price),
    },
    Operation { name: "GetSubscriptionDetails", fields: &[FORMAT, SUBSCRIPTION], action: Action::Details },
    Operation {
        name: "GetList",
        fields: &[
            optional("skip", Kind::Integer),
            optional("take", Kind::Integer),
            optional("search", Kind::Object(&SEARCH)),
            optional("sortByDate", Kind::Text),
            FORMAT,
            optional("includeOrders", Kind::Boolean),
        ],
        action: Action::List,
    },
];

/// An operation by its name, whatever its case.
pub(super) fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name.eq_ignore_ascii_case(name))
}

/// What is wrong lies in the subscription's state, not in a value.
fn not_now(message: &str) -> Problem {
    Problem::new("subscriptionId", message)
}

/// Refuses all but an active subscription.
fn must_be_active(subscription: &Subscription) -> Result<(), Problem> {
    match subscription.status {
        Status::Active => Ok(()),
        Status::Suspended => Err(not_now("Subscription is suspended")),
        Status::Terminated => Err(not_now("Subscription is terminated")),
        Status::Finished => Err(not_now("Subscription is finished")),
    }
}

fn check_reason(fields: &Fields) -> Result<(), Problem> {
    match fields.integer("cancellationReasonId") {
        Some(1..=6 | 8) => Ok(()),
        Some(_) => Err(Problem::new("cancellationReasonId", "The cancellation reason does not exist.")),
        None if fields.text("reasonText").is_some_and(|text| !text.trim().is_empty()) => Ok(()),
        None => Err(Problem::new("reasonText", "The reason is required if CancellationReasonId is not passed.")),
    }
}

fn suspend(subscription: &mut Subscription, fields: &Fields) -> Result<(), Problem> {
    check_reason(fields)?;
    if subscription.status == Status::Suspended {
        return Err(not_now("Subscription is already suspended"));
    }
    must_be_active(subscription)?;
    subscription.status = Status::Suspended;
    Ok(())
}

fn terminate(subscription: &mut Subscription, fields: &Fields) -> Result<(), Problem> {
    check_reason(fields)?;
    match subscription.status {
        Status::Active | Status::Suspended => subscription.status = Status::Terminated,
        Status::Terminated => return Err(not_now("Subscription is already terminated")),
        Status::Finished => return Err(not_now("Subscription is finished")),
    }
    Ok(())
}

fn renew(subscription: &mut Subscription, fields: &Fields) -> Result<(), Problem> {
    if fields.text("reasonText").is_none_or(|text| text.trim().is_empty()) {
        return Err(Problem::new("reasonText", "The field reasonText is required."));
    }
    if subscription.status != Status::Suspended {
        return Err(not_now("Subscription is not suspended"));
    }
    subscription.status = Status::Active;
    Ok(())
}

fn change_next_payment_date(subscription: &mut Subscription, fields: &Fields) -> Result<(), Problem> {
    must_be_active(subscription)?;
    let wanted = fields.date_time("newNextPaymentDate").filter(|wanted| wanted.date() >= today());
    let past = || Problem::new("newNextPaymentDate", "The next payment date must not lie in the past.");
    subscription.next_payment = wanted.ok_or_else(past)?;
    subscription.schedule_shifted = fields.boolean("shiftPaymentSchedule").unwrap_or(false);
    rename(subscription, fields);
    Ok(())
}

fn change_recurring_price(subscription: &mut Subscription, fields: &Fields) -> Result<(), Problem> {
    must_be_active(subscription)?;
    if fields.text("priceCurrencyCode") != Some(subscription.currency) {
        return Err(Problem::new("priceCurrencyCode", "The currency must be that of the subscription."));
    }
    let price = fields.amount("newPriceValue");
    let price = price.filter(|price| *price > Decimal::ZERO && price.normalize().scale() <= 2);
    let quantity = fields.integer("quantity").unwrap_or(subscription.quantity);
    if quantity < 1 {
        return Err(Problem::new("quantity", "The quantity must be greater than zero."));
    }
    subscription.price = price.ok_or_else(|| Problem::new("newPriceValue", "The price must be greater than zero."))?;
    subscription.quantity = quantity;
    rename(subscription, fields);
    Ok(())
}

fn rename(subscription: &mut Subscription, fields: &Fields) {
    if let Some(name) = fields.text("newSubscriptionName") {
        name.clone_into(&mut subscription.name);
    }
}

type Outcome = Result<Option<Box<RawValue>>, Vec<Problem>>;

impl Operation {
    /// Does what is asked, or says why not. Returns the reply's `response`, where there is one.
    pub(super) fn perform(&self, subscriptions: &mut Subscriptions, ledger: &mut Ledger, fields: &Fields) -> Outcome {
        match self.action {
            Action::Change(change) => self.change(change, subscriptions, ledger, fields).map(|()| None),
            Action::Details => {
                let subscription = subject(subscriptions, fields)?;
                let format = DateFormat::read(fields)?;
                response(&Details::new(&subscription, format, true))
            }
            Action::List => response(&list(subscriptions, fields)?),
        }
    }

    fn change(
        &self,
        change: fn(&mut Subscription, &Fields) -> Result<(), Problem>,
        subscriptions: &mut Subscriptions,
        ledger: &mut Ledger,
        fields: &Fields,
    ) -> Result<(), Vec<Problem>> {
        let before = subject(subscriptions, fields)?;
        let mut after = before.clone();
        change(&mut after, fields).map_err(|problem| vec![problem])?;
        let effect = Effect {
            provider: "paypro",
            operation: self.name,
            subject: &before.id.to_string(),
            request: fields.written(),
            before: &before,
            after: &after,
        };
        let not_written =
            |error| Problem::new("", format!("the ledger cannot be written, and nothing was done: {error}"));
        ledger.append(&effect).map_err(|error| vec![not_written(error)])?;
        subscriptions.put(after);
        Ok(())
    }
}

fn subject(subscriptions: &Subscriptions, fields: &Fields) -> Result<Subscription, Vec<Problem>> {
    let found = fields.integer("subscriptionId").and_then(|id| subscriptions.get(id));
    found.ok_or_else(|| vec![not_now("Subscription not found")])
}

fn response(value: &impl Serialize) -> Outcome {
    to_raw_value(value).map(Some).map_err(|error| vec![Problem::new("", error.to_string())])
}

/// How dates are written in a reply.
#[derive(Debug, Clone, Copy)]
struct DateFormat(&'static str);

impl DateFormat {
    fn read(fields: &Fields) -> Result<Self, Vec<Problem>> {
        match fields.text("dateFormat") {
            None | Some("a") => Ok(Self("%Y-%m-%dT%H:%M:%S.%3f")),
            Some("b") => Ok(Self("%-m/%-d/%Y")),
            Some("c") => Ok(Self("%-d-%b-%Y")),
            Some(_) => Err(vec![Problem::new("dateFormat", "The date format must be a, b or c.")]),
        }
    }

    fn write(self, time: DateTime) -> String {
        // Every directive of the three formats is one that a civil time has.
        strtime::format(self.0, time).unwrap_or_else(|_| time.to_string())
    }
}

/// A subscription as the reads describe it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    id: i64,
    status: Status,
    created_at: String,
    next_payment: Option<String>,
    last_payment: String,
    current_charge_counter: i64,
    subscription_name: String,
    product_id: i64,
    #[serde(serialize_with = "as_number")]
    subscription_price: Decimal,
    subscription_currency: &'static str,
    subscription_period: &'static str,
    subscription_period_value: i64,
    quantity: i64,
    is_trial: bool,
    renewal_type: &'static str,
    discount_to_be_applied: Option<String>,
    customer_email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Vec<Order>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: i64,
}

/// An exact number: through a float of JSON its zeros would be lost.
fn as_number<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(amount.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

impl Details {
    fn new(subscription: &Subscription, format: DateFormat, with_orders: bool) -> Self {
        let is_active = subscription.status == Status::Active;
        let first = subscription.id * 100;
        let orders = || (1..=subscription.payments).map(|payment| Order { order_id: first + payment }).collect();
        Self {
            id: subscription.id,
            status: subscription.status,
            created_at: format.write(subscription.created_at),
            next_payment: is_active.then(|| format.write(subscription.next_payment)),
            last_payment: format.write(subscription.last_payment),
            current_charge_counter: subscription.payments,
            subscription_name: subscription.name.clone(),
            product_id: 50_000 + subscription.id % 10,
            subscription_price: subscription.price,
            subscription_currency: subscription.currency,
            subscription_period: "Month",
            subscription_period_value: 1,
            quantity: subscription.quantity,
            is_trial: false,
            renewal_type: "Auto",
            discount_to_be_applied: None,
            customer_email: subscription.email(),
            orders: with_orders.then(orders),
        }
    }
}

/// A page of the subscriptions that are searched for.
fn list(subscriptions: &Subscriptions, fields: &Fields) -> Result<Vec<Details>, Vec<Problem>> {
    let format = DateFormat::read(fields)?;
    let problem = |property: &str, message: &str| vec![Problem::new(property, message)];
    let skip = usize::try_from(fields.integer("skip").unwrap_or(0));
    let skip = skip.map_err(|_| problem("skip", "The field skip must not be negative."))?;
    let take = fields.integer("take").unwrap_or(50);
    if !(1..=100).contains(&take) {
        return Err(problem("take", "The field take must be between 1 and 100."));
    }
    let descending = match fields.text("sortByDate") {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(problem("sortByDate", "The order must be asc or desc.")),
    };
    let everything = Fields::default();
    let search = fields.object("search").unwrap_or(&everything);
    let with_orders = fields.boolean("includeOrders").unwrap_or(false);
    let found = candidates(search, descending)
        .filter_map(|id| subscriptions.get(id))
        .filter(|subscription| matches(subscription, search))
        .skip(skip)
        .take(take as usize);
    Ok(found.map(|subscription| Details::new(&subscription, format, with_orders)).collect())
}

/// The ids to look at, in order: those asked for, or all.
fn candidates(search: &Fields, descending: bool) -> Box<dyn Iterator<Item = i64>> {
    match (search.integers("subscriptionIds"), descending) {
        (Some(ids), _) => {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids.dedup();
            if descending {
                ids.reverse();
            }
            Box::new(ids.into_iter())
        }
        (None, false) => Box::new(IDS),
        (None, true) => Box::new(IDS.rev()),
    }
}

fn matches(subscription: &Subscription, search: &Fields) -> bool {
    search.integers("statusIds").is_none_or(|ids| ids.contains(&subscription.status.id()))
        && search.text("customerEmail").is_none_or(|email| subscription.email().eq_ignore_ascii_case(email))
        && search.date_time("dateFrom").is_none_or(|from| subscription.created_at >= from)
        && search.date_time("dateTo").is_none_or(|to| subscription.created_at <= to)
}

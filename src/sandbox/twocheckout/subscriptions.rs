//! Subscriptions: made from their references when first asked for, kept once changed. The conventions are in the head of
//! [`super`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::catalog::known_product;
use super::methods::Arguments;
use super::shapes::{Shape, TEXTS, Type, optional};
use super::value::{Value, object, texts};
use super::{Call, Exception};
use crate::model::money::parse_amount;

/// The most days by which one call may move a subscription's end.
const MOST_DAYS: i64 = 36_500;

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Subscription {
    #[serde(skip)]
    pub(super) reference: String,
    pub(super) enabled: bool,
    pub(super) recurring_enabled: bool,
    #[serde(serialize_with = "as_text")]
    pub(super) start_date: Date,
    #[serde(serialize_with = "as_text")]
    pub(super) expiration_date: Date,
    pub(super) product_code: String,
    /// Upgrades that were charged.
    upgrades: u32,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) imported: Option<Imported>,
}

/// What an import brought that others do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Imported {
    pub(super) external_subscription_reference: String,
    pub(super) external_customer_reference: Option<String>,
    pub(super) email: Option<String>,
    #[serde(skip)]
    pub(super) additional_info: Option<String>,
    /// All that is kept of a card.
    pub(super) card_last_four: Option<String>,
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Subscription {
    /// What a subscription is before anything was done to it, if it exists.
    fn untouched(reference: &str, opened: Date) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        if reference.len() != 10 || !reference.bytes().all(is_digit) || reference.starts_with("DEAD") {
            return None;
        }
        let number = i64::from_str_radix(reference, 16).ok()?;
        Some(Self {
            reference: reference.to_owned(),
            enabled: !reference.ends_with("00"),
            recurring_enabled: !reference.ends_with("FF"),
            start_date: opened.saturating_sub((1 + number % 300).days()),
            expiration_date: opened.saturating_add((1 + number % 365).days()),
            product_code: "PROD-BASIC".to_owned(),
            upgrades: 0,
            imported: None,
        })
    }

    /// One that comes from elsewhere.
    pub(super) fn imported(reference: String, product_code: String, dates: (Date, Date), imported: Imported) -> Self {
        let (start_date, expiration_date) = dates;
        let (enabled, recurring_enabled, upgrades) = (true, true, 0);
        let imported = Some(imported);
        Self { reference, enabled, recurring_enabled, start_date, expiration_date, product_code, upgrades, imported }
    }

    fn email(&self) -> String {
        let own = self.imported.as_ref().and_then(|imported| imported.email.clone());
        own.unwrap_or_else(|| format!("{}@example.com", self.reference.to_ascii_lowercase()))
    }

    fn to_value(&self) -> Value {
        let imported = self.imported.as_ref();
        let external_customer = imported.and_then(|imported| imported.external_customer_reference.as_deref());
        object([
            ("SubscriptionReference", self.reference.as_str().into()),
            ("StartDate", self.start_date.into()),
            ("ExpirationDate", self.expiration_date.into()),
            ("RecurringEnabled", self.recurring_enabled.into()),
            ("SubscriptionEnabled", self.enabled.into()),
            ("Status", if self.enabled { "ACTIVE" } else { "DISABLED" }.into()),
            (
                "Product",
                object([
                    ("ProductCode", self.product_code.as_str().into()),
                    ("ProductId", "4507199".into()),
                    ("ProductName", "Example Product".into()),
                    ("ProductQuantity", 1.into()),
                    ("ProductVersion", "".into()),
                    ("PriceOptionCodes", texts([""; 0])),
                ]),
            ),
            (
                "EndUser",
                object([
                    ("FirstName", "Jane".into()),
                    ("LastName", "Example".into()),
                    ("Email", self.email().into()),
                    ("CountryCode", "US".into()),
                ]),
            ),
            ("SKU", Value::Null),
            ("ReceiveNotifications", true.into()),
            ("Lifetime", false.into()),
            ("PartnerCode", "".into()),
            ("ExternalCustomerReference", external_customer.into()),
            ("AdditionalInfo", imported.and_then(|imported| imported.additional_info.as_deref()).into()),
            (
                "ExternalSubscriptionReference",
                imported.map(|imported| imported.external_subscription_reference.as_str()).into(),
            ),
            ("TestSubscription", false.into()),
            ("IsTrial", false.into()),
        ])
    }

    /// The orders that made it what it is: the sale, and an order for each upgrade.
    fn history(&self) -> Value {
        let entry = |number: u32| {
            object([
                ("ReferenceNo", self.order(number).into()),
                ("Type", if number == 0 { "SALE" } else { "UPGRADE" }.into()),
                ("SubscriptionReference", self.reference.as_str().into()),
                ("StartDate", self.start_date.into()),
                ("ExpirationDate", self.expiration_date.into()),
                ("Lifetime", false.into()),
                ("SKU", Value::Null),
                ("PartnerCode", "".into()),
            ])
        };
        Value::List((0..=self.upgrades).map(entry).collect())
    }

    /// The number of one of its orders: 8 digits, always the same.
    fn order(&self, number: u32) -> String {
        let hash = blake3::hash(format!("{} {number}", self.reference).as_bytes());
        let digits = hash.as_bytes().iter().take(4).fold(0_u32, |digits, byte| digits << 8 | u32::from(*byte));
        (10_000_000 + digits % 80_000_000).to_string()
    }
}

/// All subscriptions.
#[derive(Debug)]
pub(super) struct Subscriptions {
    opened: Date,
    changed: BTreeMap<String, Subscription>,
    external_references: BTreeSet<String>,
}

impl Subscriptions {
    pub(super) fn new(opened: Date) -> Self {
        Self { opened, changed: BTreeMap::new(), external_references: BTreeSet::new() }
    }

    /// The subscription as it is now.
    pub(super) fn get(&self, reference: &str) -> Result<Subscription, Exception> {
        let changed = self.changed.get(reference).cloned();
        let found = changed.or_else(|| Subscription::untouched(reference, self.opened));
        found.ok_or_else(|| Exception::not_found("Subscription"))
    }

    pub(super) fn put(&mut self, subscription: Subscription) {
        if let Some(imported) = &subscription.imported {
            self.external_references.insert(imported.external_subscription_reference.clone());
        }
        self.changed.insert(subscription.reference.clone(), subscription);
    }

    /// Whether an import with this reference was made before.
    pub(super) fn is_imported(&self, external_reference: &str) -> bool {
        self.external_references.contains(external_reference)
    }

    /// A reference that was not given out before, and that no convention says anything about.
    pub(super) fn next_reference(&self) -> String {
        format!("5B{:07X}A", self.external_references.len() + 1)
    }
}

/// Changes a subscription, and answers `false` where `change` does.
fn change(
    call: &mut Call<'_>,
    arguments: &Arguments,
    change: impl FnOnce(&mut Subscription) -> Result<bool, Exception>,
) -> Result<Value, Exception> {
    let before = call.account.subscriptions.get(arguments.text("subscriptionReference"))?;
    let mut after = before.clone();
    if !change(&mut after)? {
        return Ok(false.into());
    }
    call.record(&before.reference, arguments, &before, &after)?;
    call.account.subscriptions.put(after);
    Ok(true.into())
}

pub(super) fn extend(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let days = arguments.text("days").parse().ok().filter(|days: &i64| days.abs() <= MOST_DAYS);
    let days = days.ok_or_else(|| Exception::invalid("days is out of range"))?;
    change(call, arguments, |subscription| {
        subscription.expiration_date = subscription.expiration_date.saturating_add(days.days());
        Ok(subscription.enabled)
    })
}

pub(super) fn cancel(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    change(call, arguments, |subscription| {
        let was_enabled = std::mem::replace(&mut subscription.enabled, false);
        Ok(was_enabled)
    })
}

pub(super) fn enable(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    change(call, arguments, |subscription| {
        subscription.enabled = true;
        Ok(true)
    })
}

pub(super) fn disable_recurring(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    change(call, arguments, |subscription| {
        subscription.recurring_enabled = false;
        Ok(true)
    })
}

pub(super) fn enable_recurring(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    change(call, arguments, |subscription| {
        subscription.recurring_enabled = true;
        Ok(true)
    })
}

pub(super) fn upgrade(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let product = known_product(arguments.text("productCode"))?;
    if let Some(price) = arguments.optional_text("customPrice") {
        let price = parse_amount(price).ok().filter(|price| *price > Decimal::ZERO);
        price.ok_or_else(|| Exception::invalid("customPrice must be a price above zero"))?;
    }
    change(call, arguments, |subscription| {
        if !subscription.recurring_enabled {
            return Err(Exception::conflict("Automatic renewal is not enabled for the subscription"));
        }
        product.clone_into(&mut subscription.product_code);
        subscription.upgrades += 1;
        Ok(subscription.enabled)
    })
}

pub(super) fn get(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    Ok(call.account.subscriptions.get(arguments.text("subscriptionReference"))?.to_value())
}

pub(super) fn history(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    Ok(call.account.subscriptions.get(arguments.text("subscriptionReference"))?.history())
}

/// Those that were imported or changed here, by the filters that can tell them apart. The others are too many to search.
pub(super) fn search(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let by = arguments.get("searchBy");
    let page = by.text("Page").and_then(|page| page.parse().ok()).unwrap_or(1_usize).max(1);
    let limit = by.text("Limit").and_then(|limit| limit.parse().ok()).unwrap_or(10_usize);
    let found = call.account.subscriptions.changed.values().filter(|subscription| matches(subscription, by));
    let found = found.skip((page - 1).saturating_mul(limit)).take(limit);
    Ok(Value::List(found.map(Subscription::to_value).collect()))
}

fn matches(subscription: &Subscription, by: &Value) -> bool {
    let is_exact = by.get("ExactMatchEmail").and_then(Value::as_boolean).unwrap_or(false);
    let email_fits = |wanted: &str| {
        let (email, wanted) = (subscription.email().to_ascii_lowercase(), wanted.to_ascii_lowercase());
        if is_exact { email == wanted } else { email.contains(&wanted) }
    };
    let imported = subscription.imported.as_ref();
    let customer = imported.and_then(|imported| imported.external_customer_reference.as_deref());
    let products = by.list("ProductCodes");
    let is = |name: &str, value: bool| by.get(name).and_then(Value::as_boolean).is_none_or(|wanted| wanted == value);
    by.text("CustomerEmail").is_none_or(email_fits)
        && by.text("ExternalCustomerReference").is_none_or(|wanted| customer == Some(wanted))
        && (products.is_empty() || products.contains(&subscription.product_code.as_str().into()))
        && by.text("PurchasedAfter").and_then(date).is_none_or(|after| subscription.start_date >= after)
        && by.text("PurchasedBefore").and_then(date).is_none_or(|before| subscription.start_date <= before)
        && is("SubscriptionEnabled", subscription.enabled)
        && is("RecurringEnabled", subscription.recurring_enabled)
}

fn date(text: &str) -> Option<Date> {
    text.parse().ok()
}

pub(super) static SUBSCRIPTION: Type = Type {
    name: "Subscription",
    fields: &[
        optional("SubscriptionReference", Shape::Text),
        optional("StartDate", Shape::Date),
        optional("ExpirationDate", Shape::Date),
        optional("RecurringEnabled", Shape::Boolean),
        optional("SubscriptionEnabled", Shape::Boolean),
        optional("Status", Shape::Text),
        optional("Product", Shape::Object(&super::import::PRODUCT)),
        optional("EndUser", Shape::Object(&super::import::END_USER)),
        optional("SKU", Shape::Text),
        optional("ReceiveNotifications", Shape::Boolean),
        optional("Lifetime", Shape::Boolean),
        optional("PartnerCode", Shape::Text),
        optional("ExternalCustomerReference", Shape::Text),
        optional("AdditionalInfo", Shape::Text),
        optional("ExternalSubscriptionReference", Shape::Text),
        optional("TestSubscription", Shape::Boolean),
        optional("IsTrial", Shape::Boolean),
    ],
};

pub(super) static HISTORY: Type = Type {
    name: "SubscriptionHistory",
    fields: &[
        optional("ReferenceNo", Shape::Text),
        optional("Type", Shape::Text),
        optional("SubscriptionReference", Shape::Text),
        optional("StartDate", Shape::Date),
        optional("ExpirationDate", Shape::Date),
        optional("Lifetime", Shape::Boolean),
        optional("SKU", Shape::Text),
        optional("PartnerCode", Shape::Text),
    ],
};

pub(super) static SEARCH: Type = Type {
    name: "SubscriptionSearchOptions",
    fields: &[
        optional("CustomerEmail", Shape::Text),
        optional("ExactMatchEmail", Shape::Boolean),
        optional("ExternalCustomerReference", Shape::Text),
        optional("SubscriptionEnabled", Shape::Boolean),
        optional("RecurringEnabled", Shape::Boolean),
        optional("ProductCodes", TEXTS),
        optional("PurchasedAfter", Shape::Date),
        optional("PurchasedBefore", Shape::Date),
        optional("Page", Shape::Integer),
        optional("Limit", Shape::Integer),
    ],
};

//! What an upgrade would cost. Nothing is charged by asking; all prices are made up.

use rust_decimal::Decimal;

use super::catalog::known_product;
use super::methods::Arguments;
use super::shapes::{Shape, Type, optional};
use super::value::{Value, object};
use super::{Call, Exception};
use crate::model::money::Currency;

/// The price of an upgrade: for one unit, in the currency that is asked for.
pub(super) fn get(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    call.account.subscriptions.get(arguments.text("subscriptionReference"))?;
    known_product(arguments.text("productCode"))?;
    let currency = Currency::parse(arguments.text("currency"));
    let currency = || currency.map(Currency::code).ok_or_else(|| Exception::invalid("currency is not known"));
    let (net, gross) = (Value::from(49), Value::from(Decimal::new(5_831, 2)));
    let (prorated, prorated_gross) = (Value::from(Decimal::new(2_450, 2)), Value::from(Decimal::new(2_916, 2)));
    Ok(object([
        ("BillingPrice", net.clone()),
        ("BillingGrossPrice", gross.clone()),
        ("BillingCurrency", currency()?.into()),
        ("Quantity", "1".into()),
        ("DisplayPrice", net.clone()),
        ("DisplayGrossPrice", gross.clone()),
        ("DisplayCurrency", currency()?.into()),
        ("Discount", 0.into()),
        ("DiscountedProratedPrice", prorated),
        ("DiscountedProratedGrossPrice", prorated_gross),
        ("DiscountedBillingPrice", net.clone()),
        ("DiscountedBillingGrossPrice", gross.clone()),
        ("DisplayDiscount", 0.into()),
        ("DiscountedDisplayPrice", net),
        ("DiscountedDisplayGrossPrice", gross),
    ]))
}

pub(super) static UPGRADE_PRICE: Type = Type {
    name: "UpgradePrice",
    fields: &[
        optional("BillingPrice", Shape::Amount),
        optional("BillingGrossPrice", Shape::Amount),
        optional("BillingCurrency", Shape::Text),
        optional("Quantity", Shape::Text),
        optional("DisplayPrice", Shape::Amount),
        optional("DisplayGrossPrice", Shape::Amount),
        optional("DisplayCurrency", Shape::Text),
        optional("Discount", Shape::Amount),
        optional("DiscountedProratedPrice", Shape::Amount),
        optional("DiscountedProratedGrossPrice", Shape::Amount),
        optional("DiscountedBillingPrice", Shape::Amount),
        optional("DiscountedBillingGrossPrice", Shape::Amount),
        optional("DisplayDiscount", Shape::Amount),
        optional("DiscountedDisplayPrice", Shape::Amount),
        optional("DiscountedDisplayGrossPrice", Shape::Amount),
    ],
};

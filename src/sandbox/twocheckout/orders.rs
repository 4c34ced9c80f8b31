//! Orders and their refunds. An order that is given back in part stays complete until nothing of it is left.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::methods::Arguments;
use super::shapes::{Shape, Type, optional};
use super::value::{Value, object};
use super::{Call, Exception};
use crate::model::money::parse_amount;

/// What every order came to, in USD.
const TOTAL: Decimal = Decimal::from_parts(10_000, 0, 0, false, 2);

/// What was given back, by the order's reference; those that are not here are as they began.
#[derive(Debug, Default)]
pub(super) struct Orders {
    refunded: HashMap<String, Decimal>,
}

/// An order as the ledger shows it.
#[derive(Debug, Serialize)]
struct Order {
    status: &'static str,
    #[serde(serialize_with = "as_text")]
    refunded: Decimal,
    currency: &'static str,
}

fn as_text<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

impl Orders {
    fn refunded(&self, reference: &str) -> Result<Decimal, Exception> {
        if !(8..=9).contains(&reference.len()) || !reference.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Exception::not_found("Order"));
        }
        let before = if reference.starts_with('9') { TOTAL } else { Decimal::new(0, 2) };
        Ok(self.refunded.get(reference).copied().unwrap_or(before))
    }
}

impl Order {
    fn new(refunded: Decimal) -> Self {
        Self { status: if refunded >= TOTAL { "REFUND" } else { "COMPLETE" }, refunded, currency: "USD" }
    }
}

/// Gives back an amount of what is left of an order.
pub(super) fn issue_refund(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let reference = arguments.text("orderReference");
    let before = call.account.orders.refunded(reference)?;
    if before >= TOTAL {
        return Err(Exception::conflict("The order is not in a refundable status"));
    }
    let amount = parse_amount(arguments.text("amount")).ok();
    let amount = amount.filter(|amount| *amount > Decimal::ZERO && amount.normalize().scale() <= 2);
    let amount = amount.ok_or_else(|| Exception::invalid("amount must be above zero, with at most two decimals"))?;
    let mut after = before + amount;
    after.rescale(2);
    if after > TOTAL {
        return Err(Exception::conflict("The amount is higher than what can be refunded for the order"));
    }
    call.record(reference, arguments, &Order::new(before), &Order::new(after))?;
    call.account.orders.refunded.insert(reference.to_owned(), after);
    Ok(true.into())
}

/// An order; like the real one it does not say what was given back in part.
pub(super) fn get(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let reference = arguments.text("orderReference");
    let order = Order::new(call.account.orders.refunded(reference)?);
    let line = blake3::hash(reference.as_bytes()).to_hex()[..40].to_owned();
    let item = object([
        ("LineItemReference", line.into()),
        ("Code", "PROD-BASIC".into()),
        ("Quantity", 1.into()),
        ("Price", object([("Currency", order.currency.into()), ("GrossPrice", TOTAL.into())])),
    ]);
    Ok(object([
        ("RefNo", reference.into()),
        ("Status", order.status.into()),
        ("ApproveStatus", "OK".into()),
        ("OrderDate", format!("{} 09:30:00", call.account.opened).into()),
        ("Currency", order.currency.into()),
        ("NetPrice", TOTAL.into()),
        ("GrossPrice", TOTAL.into()),
        ("Items", Value::List(vec![item])),
    ]))
}

pub(super) static REFUND_ITEM: Type = Type {
    name: "RefundItem",
    fields: &[
        optional("Quantity", Shape::Integer),
        optional("LineItemReference", Shape::Text),
        optional("Amount", Shape::Amount),
    ],
};

pub(super) static ORDER: Type = Type {
    name: "Order",
    fields: &[
        optional("RefNo", Shape::Text),
        optional("Status", Shape::Text),
        optional("ApproveStatus", Shape::Text),
        optional("OrderDate", Shape::Text),
        optional("Currency", Shape::Text),
        optional("NetPrice", Shape::Amount),
        optional("GrossPrice", Shape::Amount),
        optional("Items", Shape::List(&Shape::Object(&ORDER_ITEM))),
    ],
};

static ORDER_ITEM: Type = Type {
    name: "OrderItem",
    fields: &[
        optional("LineItemReference", Shape::Text),
        optional("Code", Shape::Text),
        optional("Quantity", Shape::Integer),
        optional("Price", Shape::Object(&ORDER_ITEM_PRICE)),
    ],
};

static ORDER_ITEM_PRICE: Type = Type {
    name: "OrderItemPrice",
    fields: &[optional("Currency", Shape::Text), optional("GrossPrice", Shape::Amount)],
};

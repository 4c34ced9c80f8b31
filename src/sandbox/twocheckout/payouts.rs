//! Payouts: made up, one a week up to the day on which the sandbox was started.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::campaigns::PAGINATION;
use super::methods::Arguments;
use super::shapes::{Shape, TEXTS, Type, optional};
use super::value::{Value, object};
use super::{Call, Exception};

/// How many there are.
const COUNT: i64 = 37;

/// A payout before it is written.
struct Payout {
    number: i64,
    date: Date,
    status: &'static str,
    currency: &'static str,
    payment_type: &'static str,
    amount: Decimal,
}

impl Payout {
    fn new(number: i64, opened: Date) -> Self {
        Self {
            number,
            date: opened.saturating_sub((COUNT - number).weeks()),
            status: match number % 9 {
                4 => "PARTIALLY_PAID",
                8 => "CANCELED",
                _ => "PAID",
            },
            currency: if number % 3 == 0 { "EUR" } else { "USD" },
            payment_type: if number % 5 == 0 { "PAYPAL" } else { "WIRE" },
            // Now and then more is kept back than was earned.
            amount: Decimal::new(if number % 10 == 7 { -4_250 } else { 100_000 + number * 1_311 }, 2),
        }
    }

    fn invoice(&self) -> String {
        format!("SBX{:05}", self.number)
    }

    fn matches(&self, options: &Value) -> bool {
        let date = |name: &str| options.text(name).and_then(|date| date.parse::<Date>().ok());
        let statuses = options.list("Status");
        options.text("Reference").is_none_or(|wanted| self.invoice() == wanted)
            && (statuses.is_empty() || statuses.contains(&self.status.into()))
            && options.text("Currency").is_none_or(|wanted| wanted.eq_ignore_ascii_case(self.currency))
            && options.text("PaymentType").is_none_or(|wanted| wanted == self.payment_type)
            && date("StartDate").is_none_or(|start| self.date >= start)
            && date("EndDate").is_none_or(|end| self.date <= end)
    }

    fn to_value(&self) -> Value {
        let nothing = || Value::from(Decimal::new(0, 2));
        let invoice = object([
            ("Reference", self.invoice().into()),
            ("Amount", self.amount.into()),
            ("Description", "Period net sales".into()),
            ("Type", "Period net sales".into()),
            ("Code", "PERIOD_NET_SALES".into()),
            ("Date", self.date.saturating_sub(3.days()).into()),
            ("PaidAmount", self.amount.into()),
            ("PaidDate", self.date.into()),
            ("PaidCurrency", self.currency.into()),
        ]);
        let summary = object([
            ("ServicesAmount", nothing()),
            ("PurchaseOrdersAmount", nothing()),
            ("ChargeBacksAmount", nothing()),
            ("RollingReserveAmount", nothing()),
            ("PeriodNetSales", self.amount.into()),
            ("VendorToVendor", nothing()),
            ("ChargeBackFund", nothing()),
        ]);
        object([
            ("TransferCompletionDate", self.date.into()),
            ("PaymentType", self.payment_type.into()),
            ("Amount", self.amount.into()),
            ("Currency", self.currency.into()),
            ("Status", self.status.into()),
            ("Invoices", Value::List(vec![invoice])),
            ("Summary", summary),
        ])
    }
}

/// A page of the payouts that fit all filters, 10 unless told.
pub(super) fn search(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let options = arguments.get("searchOptions");
    let opened = call.account.opened;
    let mut found: Vec<_> = (1..=COUNT).map(|number| Payout::new(number, opened)).collect();
    found.retain(|payout| payout.matches(options));
    let order = options.list("OrderBy").first().and_then(|order| order.text("Direction"));
    if order.is_some_and(|direction| direction.eq_ignore_ascii_case("DESC")) {
        found.reverse();
    }
    let number = |name: &str, default| {
        let given = options.get("Pagination").and_then(|pagination| pagination.text(name));
        let number = given.map_or(Some(default), |text| text.parse::<usize>().ok());
        number.filter(|number| *number > 0).ok_or_else(|| Exception::invalid(format!("{name} must be above zero")))
    };
    let (page, limit) = (number("Page", 1)?, number("Limit", 10)?);
    let shown = found.iter().skip((page - 1).saturating_mul(limit)).take(limit).map(Payout::to_value);
    let count = |number: usize| Value::Number(number.to_string());
    Ok(object([
        ("Items", Value::List(shown.collect())),
        ("Pagination", object([("Page", count(page)), ("Limit", count(limit)), ("Count", count(found.len()))])),
    ]))
}

pub(super) static SEARCH: Type = Type {
    name: "PayoutSearchOptions",
    fields: &[
        optional("Reference", Shape::Text),
        optional("Status", TEXTS),
        optional("Currency", Shape::Text),
        optional("StartDate", Shape::Date),
        optional("EndDate", Shape::Date),
        optional("PaymentType", Shape::Text),
        optional("OrderBy", Shape::List(&Shape::Object(&ORDER_BY))),
        optional("Pagination", Shape::Object(&PAGINATION)),
    ],
};

static ORDER_BY: Type =
    Type { name: "OrderBy", fields: &[optional("Field", Shape::Text), optional("Direction", Shape::Text)] };

pub(super) static PAGE: Type = Type {
    name: "PayoutPage",
    fields: &[
        optional("Items", Shape::List(&Shape::Object(&PAYOUT))),
        optional("Pagination", Shape::Object(&PAGINATION)),
    ],
};

static PAYOUT: Type = Type {
    name: "PaymentInstance",
    fields: &[
        optional("TransferCompletionDate", Shape::Date),
        optional("PaymentType", Shape::Text),
        optional("Amount", Shape::Amount),
        optional("Currency", Shape::Text),
        optional("Status", Shape::Text),
        optional("Invoices", Shape::List(&Shape::Object(&INVOICE))),
        optional("Summary", Shape::Object(&SUMMARY)),
    ],
};

static INVOICE: Type = Type {
    name: "PayoutInvoice",
    fields: &[
        optional("Reference", Shape::Text),
        optional("Amount", Shape::Amount),
        optional("Description", Shape::Text),
        optional("Type", Shape::Text),
        optional("Code", Shape::Text),
        optional("Date", Shape::Date),
        optional("PaidAmount", Shape::Amount),
        optional("PaidDate", Shape::Date),
        optional("PaidCurrency", Shape::Text),
    ],
};

static SUMMARY: Type = Type {
    name: "PayoutSummary",
    fields: &[
        optional("ServicesAmount", Shape::Amount),
        optional("PurchaseOrdersAmount", Shape::Amount),
        optional("ChargeBacksAmount", Shape::Amount),
        optional("RollingReserveAmount", Shape::Amount),
        optional("PeriodNetSales", Shape::Amount),
        optional("VendorToVendor", Shape::Amount),
        optional("ChargeBackFund", Shape::Amount),
    ],
};

//! Dynamic recurring billing: a price within the approved limits is given a number, with which a consumer can be sent to
//! a payment page. It charges nobody, so it is not in the ledger.
//!
//! The limits are those of the vendor's table. A value that is missing or is no number lies outside them, since the
//! vendor names no other refusal; a foreign MerchantID is answered in the words of the support tasks.

use http::StatusCode;
use rust_decimal::Decimal;

use super::super::credentials::{SEGPAY_ACCESS_KEY, SEGPAY_MERCHANT_ID, SEGPAY_USER_ID};
use super::super::message::{Parameters, Reply, Request};
use super::guid;
use crate::model::money::parse_amount;

/// What one value must be, and the sentence that refuses it.
struct Limit {
    parameter: &'static str,
    least: Decimal,
    most: Decimal,
    /// Whether it may have decimals.
    is_amount: bool,
    refusal: &'static str,
}

static LIMITS: [Limit; 4] = [
    Limit {
        parameter: "InitialAmount",
        least: Decimal::from_parts(295, 0, 0, false, 2),
        most: Decimal::from_parts(10_000, 0, 0, false, 2),
        is_amount: true,
        refusal: "The initial price is outside your approved limits.",
    },
    Limit {
        parameter: "InitialLength",
        least: Decimal::from_parts(3, 0, 0, false, 0),
        most: Decimal::from_parts(30, 0, 0, false, 0),
        is_amount: false,
        refusal: "The initial length is outside your approved limits.",
    },
    Limit {
        parameter: "RecurringAmount",
        least: Decimal::from_parts(1_995, 0, 0, false, 2),
        most: Decimal::from_parts(4_995, 0, 0, false, 2),
        is_amount: true,
        refusal: "The recurring price is outside your approved limits.",
    },
    Limit {
        parameter: "RecurringLength",
        least: Decimal::from_parts(30, 0, 0, false, 0),
        most: Decimal::from_parts(60, 0, 0, false, 0),
        is_amount: false,
        refusal: "The recurring length is outside your approved limits.",
    },
];

impl Limit {
    fn allows(&self, parameters: &Parameters) -> bool {
        let value = parameters.get(self.parameter).and_then(|value| parse_amount(value.trim()).ok());
        let whole = |value: &Decimal| self.is_amount || value.scale() == 0;
        value.filter(whole).is_some_and(|value| (self.least..=self.most).contains(&value))
    }
}

/// Answers with a new number, or with the sentence for the first value that is outside its limits.
pub(super) fn answer(prices: &mut u64, request: &Request) -> Reply {
    if !request.is_login(SEGPAY_USER_ID, SEGPAY_ACCESS_KEY) {
        return Reply::unauthorized();
    }
    let parameters = request.parameters();
    let merchant = parameters.get("MerchantID").and_then(|merchant| merchant.trim().parse().ok());
    let refusal = if merchant == Some(SEGPAY_MERCHANT_ID) {
        LIMITS.iter().find(|limit| !limit.allows(&parameters)).map(|limit| limit.refusal)
    } else {
        Some("Invalid Merchant")
    };
    let answer = refusal.map_or_else(|| next_number(prices), str::to_owned);
    // The body is a string of JSON with its quotes, as integrations that strip them show.
    Reply::json(StatusCode::OK, format!("\"{answer}\""))
}

fn next_number(prices: &mut u64) -> String {
    *prices += 1;
    guid(format!("price {prices}").as_bytes())
}

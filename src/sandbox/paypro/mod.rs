//! PayPro Global: the calls that suspend, end, renew and change a subscription, and those that look at one.
//!
//! Wire behaviour is that of the vendor's pages below `api/Subscriptions`: JSON posted with the credentials in it, and a
//! reply that repeats the whole request, **the secret key included**. What the sandbox adds are conventions about who
//! exists:
//!
//! - Subscription ids 1,000,000 to 9,999,999 exist. What one is follows from its number, until something is done to it:
//!   - `id % 100` in 90..=92: suspended. In 93..=94: terminated. 95: finished. All others are active.
//!   - `id % 4` = 0, 1, 2, 3: it costs 9.95, 19.95, 29.95, 49.95 a month; `id % 3` = 0, 1, 2: in USD, EUR, GBP.
//!   - The next payment is `1 + id % 28` days after the day on which the sandbox was started, at 10:30.
//!   - It was created the later, the higher its number: a list is in order of numbers.
//!
//! And about what the documents leave open:
//!
//! - Only an active subscription can be suspended or changed, only a suspended one renewed, only an active or suspended
//!   one terminated. A new payment date must not lie before today.
//! - A refusal is `isSuccess: false` with errors. Its status is 200 where the subscription's id is even (or there is
//!   none) and 400 where it is odd: both have been seen.
//! - A field that is in no document, or of another type than there, is an error. A real server may ignore it, which is
//!   worse: a misspelt optional field would look as if it had been obeyed.

mod fields;
mod operations;
mod subscriptions;

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::credentials::{PAYPRO_API_SECRET_KEY, PAYPRO_VENDOR_ACCOUNT_ID};
use super::ledger::Ledger;
use super::message::{Reply, Request};
use fields::{Fields, Problem};
use subscriptions::Subscriptions;

/// What PayPro holds.
#[derive(Debug)]
pub(super) struct PayPro {
    subscriptions: Subscriptions,
}

/// The reply that every call gets.
#[derive(Serialize)]
struct Envelope<'a> {
    request: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Box<RawValue>>,
    errors: Vec<Problem>,
    #[serde(rename = "isSuccess")]
    is_success: bool,
}

impl PayPro {
    pub(super) fn new(today: jiff::civil::Date) -> Self {
        Self { subscriptions: Subscriptions::new(today) }
    }

    /// Answers a call below `api/subscriptions`, by its name in lower case.
    pub(super) fn answer(&mut self, name: &str, request: &Request, ledger: &mut Ledger) -> Reply {
        let Some(operation) = operations::find(name) else { return Reply::status_page(StatusCode::NOT_FOUND) };
        if request.method != Method::POST {
            return Reply::only("POST");
        }
        if request.media_type() != "application/json" {
            return Reply::status_page(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let Some(body) = fields::object(&request.body) else {
            return envelope(RawValue::NULL, Err(vec![Problem::new("", "The request is not a JSON object.")]), false);
        };
        let outcome = Fields::read(body, operation.fields).and_then(|fields| {
            if !is_vendor(&fields) {
                let message = "The vendor account ID or the API secret key is incorrect.";
                return Err(vec![Problem::new("apiSecretKey", message)]);
            }
            operation.perform(&mut self.subscriptions, ledger, &fields)
        });
        let is_odd = fields::names_odd_subscription(body);
        if request.wrong_id {
            return envelope(&fields::neighbours(body), outcome, is_odd);
        }
        envelope(body, outcome, is_odd)
    }
}

fn is_vendor(fields: &Fields) -> bool {
    let account = fields.integer("vendorAccountId").map(|id| id.to_string());
    account.as_deref() == Some(PAYPRO_VENDOR_ACCOUNT_ID) && fields.text("apiSecretKey") == Some(PAYPRO_API_SECRET_KEY)
}

fn envelope(request: &RawValue, outcome: Result<Option<Box<RawValue>>, Vec<Problem>>, is_odd: bool) -> Reply {
    let status = if outcome.is_err() && is_odd { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let envelope = match outcome {
        Ok(response) => Envelope { request, response, errors: Vec::new(), is_success: true },
        Err(errors) => Envelope { request, response: None, errors, is_success: false },
    };
    match serde_json::to_vec(&envelope) {
        Ok(body) => Reply::json(status, body),
        Err(error) => Reply::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

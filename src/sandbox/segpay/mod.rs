//! Segpay: the consumer support tasks and the reports that verify them (SRS), dynamic recurring prices, and the
//! membership upgrade.
//!
//! Wire behaviour is that of the vendor's pages "Consumer Support Tasks", "Transaction Details", "Subscription Activity",
//! "Dynamic Recurring Billing" and "Membership Upgrade API", and of the ASP.NET web services that they describe. What the sandbox adds are conventions about who exists:
//!
//! - PurchaseIDs 80,000,000 to 89,999,999 belong to the merchant. All others are another merchant's.
//! - Every one of them exists. What it is follows from the number, until something is done to it:
//!   - `id % 1000` in 990..=994: cancelled 45 days ago, and its access ended 15 days ago. In 995..=997: cancelled 60 days
//!     ago and expired 30 days ago. All others are active.
//!   - `id % 4` = 0, 1, 2, 3: it recurs at 9.95, 19.95, 29.95, 49.95 USD, every 30 days.
//!   - The next bill date is `1 + id % 28` days after the day on which the sandbox was started (UTC).
//! - TransID 900,000,000 + n, for n below 10,000,000, is the one sale of purchase 80,000,000 + n. Credits and the
//!   charges of upgrades are numbered from 950,000,001 in the order in which they are made.
//! - `id % 1000` = 989: the bank declines the charge of an upgrade.
//!
//! And about what the documents leave open:
//!
//! - A cancelled membership keeps its access until its next bill date and can be expired until then, but it is not active:
//!   a second cancellation, an extension, a lower price, a note or a refund is refused.
//! - `Days` is a whole number from 1 to 3650, and `RecurringAmount` an amount above zero and below the present one; else
//!   the answer is `Failed`.
//! - A refund of a transaction that was refunded before is **made again**: no reply for that case is documented, and that
//!   is what makes a blind repeat dangerous.
//! - Lists of subscriptions come in pages of 250 rows and begin with the PurchaseID that is asked for. `POST /control` with
//!   `{"lists": "after"}` begins them after it, `"only"` makes them about that one alone: no page says which is right.
//! - An upgrade charges the difference between the new and the present amount for the days until the next bill date,
//!   which stays where it is. An amount below the present one is refused; the same amount is not, and is charged 0.00.
//! - Wrong credentials are answered `Invalid Merchant`: as the word where a string is returned, as an exception's text
//!   (500) where a number or a report would be.

mod dynamic_recurring;
mod reports;
mod subscriptions;
mod support_tasks;
mod upgrade;

use http::{Method, StatusCode};

use super::credentials::{SEGPAY_ACCESS_KEY, SEGPAY_USER_ID};
use super::ledger::Ledger;
use super::message::{Parameters, Reply, Request};
pub(super) use subscriptions::ListReading;
use subscriptions::Subscriptions;

/// What Segpay holds.
#[derive(Debug)]
pub(super) struct Segpay {
    subscriptions: Subscriptions,
    /// Dynamic prices given out so far: each call makes a new one.
    prices: u64,
}

/// Why a call is refused by the web service before, or instead of, the method's own answer. Sent as 500 in plain text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Exception {
    #[error("Missing parameter: {0}.\r\n")]
    Missing(&'static str),
    #[error("Cannot convert {value} to System.Int32.\r\nParameter name: type ---> {reason}\r\n")]
    IllTyped { value: String, reason: &'static str },
    #[error(
        "System.Exception: Invalid Merchant - {method}\r\n   at NewSRSWebService.{service}.{method}(String UserID, String UserAccessKey)\r\n"
    )]
    InvalidMerchant { service: &'static str, method: &'static str },
    #[error("System.InvalidOperationException: {0} Web Service method name is not valid.\r\n")]
    NoSuchMethod(String),
    #[error("System.Exception: the ledger cannot be written, and nothing was done: {0}\r\n")]
    Ledger(String),
}

impl From<Exception> for Reply {
    fn from(exception: Exception) -> Self {
        Reply::text(StatusCode::INTERNAL_SERVER_ERROR, exception.to_string())
    }
}

impl Segpay {
    pub(super) fn new(today: jiff::civil::Date) -> Self {
        Self { subscriptions: Subscriptions::new(today), prices: 0 }
    }

    /// Lets credits show in reports only so long after they were made.
    pub(super) fn delay_refunds(&mut self, delay: std::time::Duration) {
        self.subscriptions.refund_delay = delay;
    }

    /// What lists of subscriptions show.
    pub(super) fn read_lists(&mut self, reading: ListReading) {
        self.subscriptions.lists = reading;
    }

    /// Answers a call to `adm.asmx` (tasks), `mws.asmx` (reports), `merchantservices` or `purchases` (upgrades), by the
    /// path's segments in lower case.
    pub(super) fn answer(&mut self, segments: &[&str], request: &Request, ledger: &mut Ledger) -> Reply {
        let is_get = request.method == Method::GET;
        match segments {
            ["adm.asmx", _] | ["merchantservices", "reactivation" | "dynamicrecurring"] if !is_get => {
                Reply::only("GET")
            }
            ["mws.asmx", _] if !is_get && request.method != Method::POST => Reply::only("GET, POST"),
            ["adm.asmx", method] => support_tasks::answer(&mut self.subscriptions, ledger, method, request),
            ["mws.asmx", method] => reports::answer(&self.subscriptions, method, request),
            ["merchantservices", "reactivation"] => {
                support_tasks::reactivation(&self.subscriptions, &request.parameters())
            }
            ["merchantservices", "dynamicrecurring"] => dynamic_recurring::answer(&mut self.prices, request),
            ["purchases", id, "upgrade"] => upgrade::answer(&mut self.subscriptions, ledger, id, request),
            _ => Reply::status_page(StatusCode::NOT_FOUND),
        }
    }
}

/// Whether the query's credentials are the sandbox's.
fn is_merchant(parameters: &Parameters) -> bool {
    parameters.get("UserID").as_deref() == Some(SEGPAY_USER_ID)
        && parameters.get("UserAccessKey").as_deref() == Some(SEGPAY_ACCESS_KEY)
}

/// The value of a parameter that must be present; it may be empty ("can be set to null").
fn text(parameters: &Parameters, name: &'static str) -> Result<String, Exception> {
    parameters.get(name).ok_or(Exception::Missing(name))
}

/// The value of a parameter that is an Int32, as .NET reads it: blanks around it and a sign are allowed.
fn number(parameters: &Parameters, name: &'static str) -> Result<i32, Exception> {
    let value = text(parameters, name)?;
    let trimmed = value.trim();
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let reason = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "Input string was not in a correct format."
    } else {
        "Value was either too large or too small for an Int32."
    };
    trimmed.parse().map_err(|_| Exception::IllTyped { value, reason })
}

/// A number in the form of a GUID, always the same for the same origin.
fn guid(origin: &[u8]) -> String {
    let hash = blake3::hash(origin).to_hex();
    let (a, b, c, d, e) = (&hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

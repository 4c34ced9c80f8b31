//! 2Checkout: the merchant API by JSON-RPC and by SOAP, which are two ways to say the same.
//!
//! Wire behaviour is that of the vendor's pages for the API's versions 3.0 to 6.0. What the sandbox adds are conventions
//! about who exists:
//!
//! - Subscription references are 10 hexadecimal digits in capitals. All of them exist, but those that begin with `DEAD`.
//!   One that ends in `00` is disabled, one that ends in `FF` is not renewed automatically, until something is done to it.
//! - Order references are 8 or 9 digits. All exist, with a total of 100.00 USD; those that begin with 9 were refunded.
//! - Product codes that begin with `PROD-` exist; pricing configurations are 10 digits, and begin without any price.
//!
//! And about what the documents leave open:
//!
//! - A session lives 10 minutes from its login, however it is used. `{"expire_sessions": true}` posted to `/control` ends
//!   them all. A login whose time is more than 15 minutes off is refused like one with a wrong hash.
//! - What is answered `false`: an extension, a cancellation or an upgrade of a disabled subscription. What is thrown:
//!   everything else that cannot be done. Setting a switch that is set already is done again.
//! - Errors about sessions and cards have the codes that were seen in the wild; all others are the sandbox's own, from
//!   90000 on, since the vendor publishes none.
//! - A `savePrices` for an interval that is there already replaces its price; one that overlaps another interval in part
//!   is thrown out. Deleting a price that is not there is fine.
//! - A second import with the same `ExternalSubscriptionReference` is thrown out.
//! - Numbers may come as text and text as numbers, as in the vendor's samples. A field that is in no document is refused:
//!   a misspelt one would look as if it had been obeyed.
//! - What was imported can be found at once, where the real system takes five minutes.

mod campaigns;
mod catalog;
mod import;
mod json_rpc;
mod methods;
mod orders;
mod payouts;
mod sessions;
mod shapes;
mod soap;
mod subscriptions;
mod upgrade_price;
mod value;
mod wsdl;

use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::ledger::{Effect, Ledger};
use super::message::{Reply, Request};
use methods::Arguments;

/// What the merchant has at 2Checkout.
#[derive(Debug)]
pub(super) struct TwoCheckout {
    /// The day on which the sandbox was started.
    opened: Date,
    sessions: sessions::Sessions,
    subscriptions: subscriptions::Subscriptions,
    orders: orders::Orders,
    catalog: catalog::Catalog,
    campaigns: campaigns::Campaigns,
}

/// The versions that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u8);

impl Version {
    fn parse(segment: &str) -> Option<Self> {
        let major = segment.strip_suffix(".0")?.parse().ok()?;
        (3..=6).contains(&major).then_some(Self(major))
    }

    /// Whether a login may name its digest.
    fn names_digest(self) -> bool {
        self.0 >= 6
    }
}

/// Why a call is thrown out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    code: i32,
    error_code: &'static str,
    message: String,
}

impl Exception {
    fn new(code: i32, error_code: &'static str, message: impl Into<String>) -> Self {
        Self { code, error_code, message: message.into() }
    }

    fn not_found(what: &str) -> Self {
        Self::new(90_404, "NOT_FOUND", format!("{what} not found"))
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(90_400, "INVALID_PARAMETER", message)
    }

    fn conflict(message: impl Into<String>) -> Self {
        Self::new(90_409, "CONFLICT", message)
    }
}

impl TwoCheckout {
    pub(super) fn new(opened: Date) -> Self {
        Self {
            opened,
            sessions: sessions::Sessions::default(),
            subscriptions: subscriptions::Subscriptions::new(opened),
            orders: orders::Orders::default(),
            catalog: catalog::Catalog::default(),
            campaigns: campaigns::Campaigns::default(),
        }
    }

    /// Ends all sessions.
    pub(super) fn expire_sessions(&mut self) {
        self.sessions.expire();
    }

    /// Answers a call to `rpc` or `soap`, by the path's segments.
    pub(super) fn answer(&mut self, protocol: &str, version: &str, request: &Request, ledger: &mut Ledger) -> Reply {
        let Some(version) = Version::parse(version) else { return Reply::status_page(StatusCode::NOT_FOUND) };
        let mut call = Call { account: self, ledger, version, now: Timestamp::now() };
        match (protocol, &request.method) {
            ("rpc", &Method::POST) => json_rpc::answer(&mut call, request),
            ("rpc", _) => Reply::only("POST"),
            (_, &Method::POST) => soap::answer(&mut call, request),
            (_, &Method::GET) if request.query.eq_ignore_ascii_case("wsdl") => wsdl::answer(version, request),
            _ => Reply::only("GET, POST"),
        }
    }
}

/// A call under way: what it may look at and change.
struct Call<'a> {
    account: &'a mut TwoCheckout,
    ledger: &'a mut Ledger,
    version: Version,
    now: Timestamp,
}

impl Call<'_> {
    /// Writes an effect into the ledger, before it takes place.
    fn record(
        &mut self,
        subject: &str,
        arguments: &Arguments,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Result<(), Exception> {
        let (before, after) = (serde_json::to_value(before), serde_json::to_value(after));
        let not_written = |error: &dyn std::fmt::Display| {
            Exception::new(-32603, "INTERNAL_ERROR", format!("the ledger cannot be written: {error}"))
        };
        let effect = Effect {
            provider: "twocheckout",
            operation: arguments.method(),
            subject,
            request: arguments,
            before: &before.map_err(|error| not_written(&error))?,
            after: &after.map_err(|error| not_written(&error))?,
        };
        self.ledger.append(&effect).map_err(|error| not_written(&error))
    }
}

//! Everything the providers hold, and the ledger of what changed it. One lock guards it all, so the ledger's order is the
//! order in which the effects took place.

use http::StatusCode;

use super::ledger::Ledger;
use super::message::{Reply, Request};
use super::paypro::PayPro;
use super::segpay::Segpay;
use super::twocheckout::TwoCheckout;

/// The providers and the ledger.
#[derive(Debug)]
pub(super) struct World {
    pub(super) ledger: Ledger,
    pub(super) segpay: Segpay,
    paypro: PayPro,
    pub(super) twocheckout: TwoCheckout,
}

impl World {
    /// A world in which nothing has happened yet. `today` is the day from which lazily made things count.
    pub(super) fn new(ledger: Ledger, today: jiff::civil::Date) -> Self {
        let (segpay, paypro) = (Segpay::new(today), PayPro::new(today));
        Self { ledger, segpay, paypro, twocheckout: TwoCheckout::new(today) }
    }

    /// Lets the provider that owns the path answer.
    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["adm.asmx" | "mws.asmx" | "merchantservices" | "purchases", ..] => {
                self.segpay.answer(&segments, request, &mut self.ledger)
            }
            ["api", "subscriptions", name] => self.paypro.answer(name, request, &mut self.ledger),
            [protocol @ ("rpc" | "soap"), version] => {
                self.twocheckout.answer(protocol, version, request, &mut self.ledger)
            }
            _ => Reply::status_page(StatusCode::NOT_FOUND),
        }
    }
}

//! Dynamic Recurring Billing: a price of one's own for one sign-up, as a link.
//!
//! Each call mints a new hash and changes nothing else, so a repeat does no harm. The credentials are those of the
//! Reporting Services, but in a header; the merchant's number is in the query. The reply is the hash, bare or as a JSON
//! string (integrations see quotes, the page shows none), or one of four sentences; its status is not documented.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::srs::{push_parameter, unrecognised};
use crate::contract::RowFault;
use crate::http::{Call, Endpoint, HttpReply, Transport, failure_of, redact, refusal_of};
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::row::Row;

const PATH: &str = "/MerchantServices/DynamicRecurring";

/// What is sent, in the documented order; the row's other parameters are for the link.
const SENT: [&str; 4] = ["InitialAmount", "InitialLength", "RecurringAmount", "RecurringLength"];

/// Where consumers join, as the page has it.
const JOIN_LINK: &str = "https://secure2.segpay.com/billing/poset.cgi";

/// The service, with the credentials of one account.
pub(super) struct DynamicPricing {
    endpoint: Endpoint,
    transport: Transport,
    authorization: HeaderValue,
    merchant_id: SecretString,
    /// What must never show.
    secrets: [SecretString; 2],
}

impl DynamicPricing {
    /// Prepares what every request has in common.
    pub(super) fn new(
        endpoint: Endpoint,
        transport: Transport,
        user_id: SecretString,
        access_key: SecretString,
        merchant_id: SecretString,
    ) -> Option<Self> {
        let authorization = basic(&user_id, &access_key)?;
        Some(Self { endpoint, transport, authorization, merchant_id, secrets: [user_id, access_key] })
    }

    /// Asks for a hash and makes the link of it.
    pub(super) async fn perform(&self, row: &Row) -> Reply {
        let mut target = format!("{PATH}?");
        push_parameter(&mut target, "MerchantID", self.merchant_id.expose_secret());
        for name in SENT {
            push_parameter(&mut target, name, row.get(name).unwrap_or_default());
        }
        let call = Call::get(&self.endpoint, target).header(AUTHORIZATION, self.authorization.clone());
        match self.transport.send(call).await {
            Ok(reply) => self.classify(row, &reply),
            Err(failure) => Reply::Failed(failure),
        }
    }

    fn classify(&self, row: &Row, reply: &HttpReply) -> Reply {
        let secrets = self.secrets.each_ref().map(ExposeSecret::expose_secret);
        let text = value(&reply.body);
        if let Some(word) = row.operation.words.iter().find(|word| is_sentence(word.text, &text)) {
            return Reply::Refused(Answer::word(word.text));
        }
        if let Some(failure) = failure_of(reply) {
            return Reply::Failed(failure);
        }
        if let Some(answer) = refusal_of(reply, &secrets) {
            return Reply::Refused(answer);
        }
        if !is_hash(&text) {
            let said = redact(&text, &secrets);
            return Reply::Failed(unrecognised(format!("a reply that is no hash: `{said}`")));
        }
        let link = link(row, &text);
        Reply::Applied(Answer { data: vec![("hash", text), ("link", link)], ..Answer::word("Success") })
    }
}

/// The `Authorization` header of a name and a password. None where the name has a colon, which ends it there.
pub(super) fn basic(name: &SecretString, password: &SecretString) -> Option<HeaderValue> {
    let (name, password) = (name.expose_secret(), password.expose_secret());
    let header = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    HeaderValue::from_str(&header).ok().filter(|_| !name.contains(':'))
}

/// Refuses what would not make a link.
pub(super) fn check(row: &Row) -> Result<(), RowFault> {
    for parameter in ["PackageID", "PricePointID"] {
        if row.get(parameter).is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(RowFault { parameter, expected: "a number as the Merchant Portal shows it".to_owned() });
        }
    }
    let is_link = |link: &str| {
        link.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
            && !link.contains('#')
    };
    match row.get("JoinLink") {
        Some(link) if !is_link(link) => {
            Err(RowFault { parameter: "JoinLink", expected: format!("an https link such as {JOIN_LINK}") })
        }
        _ => Ok(()),
    }
}

/// The reply's text: what is in the JSON string, or all of it.
fn value(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    serde_json::from_str(text).map_or_else(|_| text.to_owned(), |text: String| text.trim().to_owned())
}

/// The page ends its sentences with a point, which a server may leave out.
fn is_sentence(documented: &str, text: &str) -> bool {
    documented.trim_end_matches('.').eq_ignore_ascii_case(text.trim_end_matches('.'))
}

/// Of the form that the page shows: 32 hexadecimal digits in five groups.
fn is_hash(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn link(row: &Row, hash: &str) -> String {
    let base = row.get("JoinLink").unwrap_or(JOIN_LINK);
    let separator = match base.bytes().last() {
        Some(b'?' | b'&') => "",
        _ if base.contains('?') => "&",
        _ => "?",
    };
    let (package, price_point) =
        (row.get("PackageID").unwrap_or_default(), row.get("PricePointID").unwrap_or_default());
    format!("{base}{separator}x-eticketid={package}:{price_point}&DynamicPricingID={hash}")
}

/// Why nothing can be asked for: the account has no merchant's number, or a name that no header can carry.
pub(super) fn unconfigured() -> Failure {
    Failure::new(
        FailureClass::Credentials,
        "dynamic pricing needs the credential `merchant_id`, and a `user_id` without a colon",
    )
}

#[cfg(test)]
mod tests;

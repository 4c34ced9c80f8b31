//! The Membership Upgrade API: a higher price for a running subscription, and a prorated charge at once.
//!
//! Money moves, and a repeat may charge again: a success is only what the page describes in every part. Request and
//! reply are JSON or XML, each by a setting of the account. The page spells the reply's fields differently from sample
//! to sample, so their case is ignored; one that is there twice is ambiguous, and the reply unknown.

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use super::dynamic_pricing::basic;
use super::srs::unrecognised;
use crate::http::{Call, Endpoint, HttpReply, Transport, failure_of, redact, refusal_of};
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::row::Row;
use crate::providers::json::{JsonFault, Object};
use crate::providers::xml;

/// What the vendor calls a charge that went through.
const APPROVED: &str = "OK:0";

/// The fields of a request, in the documented order.
const SENT: [&str; 2] = ["NewRecurringAmount", "NewRecurringDurationInDays"];

/// How a request or a reply is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `application/json`.
    Json,
    /// `application/xml`.
    Xml,
}

impl Format {
    /// The words of the account's settings.
    pub(super) const WORDS: &'static [&'static str] = &["json", "xml"];

    /// The format of this word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "json" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            _ => None,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }
}

/// The service, with the credentials of one account.
pub(super) struct Upgrade {
    endpoint: Endpoint,
    transport: Transport,
    authorization: HeaderValue,
    request: Format,
    response: Format,
    /// What must never show.
    secrets: [SecretString; 2],
}

impl Upgrade {
    /// Prepares what every request has in common. None where name and password make no header.
    pub(super) fn new(
        endpoint: Endpoint,
        transport: Transport,
        name: SecretString,
        password: SecretString,
        (request, response): (Format, Format),
    ) -> Option<Self> {
        let authorization = basic(&name, &password)?;
        Some(Self { endpoint, transport, authorization, request, response, secrets: [name, password] })
    }

    /// Sends one upgrade and classifies the reply.
    pub(super) async fn perform(&self, row: &Row) -> Reply {
        let purchase = row.get("purchaseId").unwrap_or_default();
        let Some(body) = body(row, self.request).filter(|_| !purchase.is_empty()) else {
            return Reply::Failed(Failure::new(
                FailureClass::NotWritten,
                "the row has a value that no request can carry",
            ));
        };
        let path = format!("/purchases/{purchase}/upgrade");
        let call = Call::post(&self.endpoint, path, self.request.media_type(), body)
            .header(ACCEPT, HeaderValue::from_static(self.response.media_type()))
            .header(AUTHORIZATION, self.authorization.clone());
        match self.transport.send(call).await {
            Ok(reply) => self.classify(&reply, purchase),
            Err(failure) => Reply::Failed(failure),
        }
    }

    /// What a reply means. The page gives no status for a refusal, so a body may say it at a success or at a plain 4xx;
    /// whatever else the status says holds against any body.
    fn classify(&self, reply: &HttpReply, purchase: &str) -> Reply {
        if let Some(failure) = failure_of(reply) {
            return Reply::Failed(failure);
        }
        let secrets = self.secrets.each_ref().map(ExposeSecret::expose_secret);
        let said = Said::read(&reply.body);
        match said.and_then(|said| said.meaning(purchase, reply.is_success(), &secrets)) {
            Ok(meaning) => meaning,
            Err(why) => match refusal_of(reply, &secrets).filter(|_| why == Unclear::NoResult) {
                Some(answer) => Reply::Refused(answer),
                None => Reply::Failed(unrecognised(why.to_string())),
            },
        }
    }
}

/// Why a reply cannot be taken for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unclear {
    #[error("the reply is not the result of an upgrade")]
    NoResult,
    #[error("the reply has a field twice")]
    Twice,
    #[error("the reply is about another purchase")]
    AnotherPurchase,
    #[error("the reply names no purchase")]
    NoPurchase,
    #[error("a success with a status that is none")]
    Status,
    #[error("a success whose charge is not `OK:0`")]
    NotApproved,
    #[error("a success without a transaction")]
    NoTransaction,
    #[error("a failure whose charge is `OK:0`")]
    ChargedForNothing,
}

/// The fields of a reply. What is blank counts as not there.
#[derive(Default)]
struct Said {
    is_success: bool,
    message: Option<String>,
    purchase: Option<String>,
    transaction: Option<String>,
    amount: Option<String>,
    authorization: Option<String>,
    next_date: Option<String>,
}

impl Said {
    /// Reads a reply in either format: which one it is shows in its first character, whatever was asked for.
    fn read(body: &[u8]) -> Result<Self, Unclear> {
        let trimmed = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
        if trimmed.first() == Some(&b'<') {
            let root = xml::parse(body).ok().filter(|root| root.is("Result")).ok_or(Unclear::NoResult)?;
            let mut names: Vec<String> = root.children.iter().map(|field| field.name.to_ascii_lowercase()).collect();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair.first() == pair.last()) {
                return Err(Unclear::Twice);
            }
            let field = |name: &str| root.child(name).filter(|field| field.children.is_empty());
            return Self::from(|name| field(name).map(|field| field.text().to_owned()));
        }
        match Object::read(body) {
            Ok(object) => Self::from(|name| object.text(name)),
            Err(JsonFault::Twice) => Err(Unclear::Twice),
            Err(JsonFault::Form) => Err(Unclear::NoResult),
        }
    }

    fn from(field: impl Fn(&str) -> Option<String>) -> Result<Self, Unclear> {
        let field = |name| field(name).filter(|text| !text.is_empty());
        let is_success = match field("IsSuccess").map(|text| text.to_ascii_lowercase()).as_deref() {
            Some("true") => true,
            Some("false") => false,
            _ => return Err(Unclear::NoResult),
        };
        Ok(Self {
            is_success,
            message: field("Message"),
            purchase: field("PurchaseId"),
            // A number that cannot be blank is 0 instead.
            transaction: field("TransactionId").filter(|id| id != "0"),
            amount: field("TransactionAmount"),
            authorization: field("TransactionAuthCode"),
            next_date: field("NextTransactionDate"),
        })
    }

    fn meaning(self, purchase: &str, is_success: bool, secrets: &[&str]) -> Result<Reply, Unclear> {
        if self.purchase.as_deref().is_some_and(|own| own != purchase) {
            return Err(Unclear::AnotherPurchase);
        }
        let approved = self.authorization.as_deref().is_some_and(|code| code.eq_ignore_ascii_case(APPROVED));
        match (self.is_success, approved) {
            (true, _) if !is_success => Err(Unclear::Status),
            (true, false) => Err(Unclear::NotApproved),
            (true, true) if self.purchase.is_none() => Err(Unclear::NoPurchase),
            (true, true) => self.applied(secrets),
            (false, true) => Err(Unclear::ChargedForNothing),
            (false, false) => Ok(Reply::Refused(self.refused(secrets))),
        }
    }

    fn applied(self, secrets: &[&str]) -> Result<Reply, Unclear> {
        let clean = |text: Option<String>| text.map(|text| redact(&text, secrets));
        let transaction = clean(self.transaction).ok_or(Unclear::NoTransaction)?;
        let data = [
            ("TransactionId", Some(transaction.clone())),
            ("TransactionAmount", clean(self.amount)),
            ("nextTransactionDate", clean(self.next_date)),
        ];
        Ok(Reply::Applied(Answer {
            code: "Success".to_owned(),
            message: clean(self.message).unwrap_or_else(|| "Success".to_owned()),
            reference: Some(transaction),
            data: data.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        }))
    }

    /// With a transaction it was the charge that was declined; without one nothing was tried.
    fn refused(self, secrets: &[&str]) -> Answer {
        let clean = |text: Option<String>| text.map(|text| redact(&text, secrets));
        let code = if self.transaction.is_some() { "declined" } else { "refused" };
        let said = [Some(code.to_owned()), clean(self.authorization), clean(self.message)];
        let message = said.into_iter().flatten().collect::<Vec<_>>().join(": ");
        Answer { code: code.to_owned(), message, reference: clean(self.transaction), data: Vec::new() }
    }
}

/// The request's body. None where a value is no number, which the row's check prevents.
fn body(row: &Row, format: Format) -> Option<String> {
    let mut fields = String::new();
    for name in SENT {
        // A number in XML is one in JSON too, with the same digits.
        let number = RawValue::from_string(row.get(name)?.to_owned()).ok()?;
        let number = number.get();
        match format {
            Format::Json if fields.is_empty() => fields.extend(["\"", name, "\":", number]),
            Format::Json => fields.extend([",\"", name, "\":", number]),
            Format::Xml => fields.extend(["<", name, ">", number, "</", name, ">"]),
        }
    }
    Some(match format {
        Format::Json => format!("{{{fields}}}"),
        Format::Xml => format!("<Parameters>{fields}</Parameters>"),
    })
}

/// Why nothing can be sent: the account has no login for this API.
pub(super) fn unconfigured() -> Failure {
    Failure::new(FailureClass::Credentials, "an upgrade needs the credentials `api_username` and `api_password`")
}

#[cfg(test)]
mod tests;

//! The store's API: one funnel for every request.
//!
//! Every call is a POST of one JSON object with the credentials at its end, so nothing here may show a body. Numbers
//! leave with the digits that the row has.

use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use super::reply::{SUBSCRIPTION, classify};
use crate::http::{Call, Endpoint, HttpReply, Transport};
use crate::model::failure::{Failure, FailureClass, Reply};
use crate::model::operation::{Kind, Parameter};
use crate::model::row::Row;

const LIST: &str = "/api/Subscriptions/GetList";
const DETAILS: &str = "/api/Subscriptions/GetSubscriptionDetails";

/// The service, with the credentials of one account.
pub(super) struct Store {
    endpoint: Endpoint,
    transport: Transport,
    /// `"vendorAccountId":…,"apiSecretKey":"…"`, ready to be sent.
    login: SecretString,
    /// What must never show. The account's number is no secret: it stands on the vendor's invoices.
    secret: SecretString,
}

/// One field of a request: its name and its value as JSON.
type Field = (&'static str, Box<RawValue>);

impl Store {
    /// Prepares what every request has in common. None where the account's number is no number.
    pub(super) fn new(
        endpoint: Endpoint,
        transport: Transport,
        vendor_account_id: &SecretString,
        secret: SecretString,
    ) -> Option<Self> {
        let number = vendor_account_id.expose_secret().trim();
        let is_number = !number.starts_with('0') && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let key = serde_json::to_string(secret.expose_secret()).ok().filter(|_| is_number)?;
        let login = SecretString::from(format!("\"vendorAccountId\":{number},\"apiSecretKey\":{key}"));
        Some(Self { endpoint, transport, login, secret })
    }

    /// Sends a row's operation and classifies the reply. `token` goes behind the row's free text.
    pub(super) async fn perform(&self, path: &str, row: &Row, token: Option<&str>) -> Reply {
        let (Some(fields), Some(subscription)) = (fields(row, token), row.get(SUBSCRIPTION)) else {
            return Reply::Failed(unsendable());
        };
        match self.post(path, &fields).await {
            Ok(reply) => self.classify(&reply, Some(subscription)),
            Err(failure) => Reply::Failed(failure),
        }
    }

    /// Asks for one subscription: the shortest list there is.
    pub(super) async fn probe(&self) -> Reply {
        let Some(one) = number("1") else { return Reply::Failed(unsendable()) };
        match self.post(LIST, &[("take", one)]).await {
            Ok(reply) => self.classify(&reply, None),
            Err(failure) => Reply::Failed(failure),
        }
    }

    /// Reads a subscription's details. The reply is not yet classified.
    pub(super) async fn details(&self, subscription: &str) -> Result<HttpReply, Failure> {
        let (Some(format), Some(id)) = (text("a"), number(subscription)) else { return Err(unsendable()) };
        self.post(DETAILS, &[("dateFormat", format), (SUBSCRIPTION, id)]).await
    }

    /// What a reply means; see [`classify`].
    pub(super) fn classify(&self, reply: &HttpReply, subscription: Option<&str>) -> Reply {
        classify(reply, subscription, self.secret.expose_secret())
    }

    async fn post(&self, path: &str, fields: &[Field]) -> Result<HttpReply, Failure> {
        let login = self.login.expose_secret();
        let values: usize = fields.iter().map(|(name, value)| name.len() + value.get().len() + 4).sum();
        let mut body = String::with_capacity(values + login.len() + 2);
        body.push('{');
        for (name, value) in fields {
            body.extend(["\"", name, "\":", value.get(), ","]);
        }
        body.push_str(login);
        body.push('}');
        self.transport.send(Call::post(&self.endpoint, path.to_owned(), "application/json", body)).await
    }
}

/// The fields that the row has, in the documented order. None where a value is no JSON, which the row's check prevents.
fn fields(row: &Row, token: Option<&str>) -> Option<Vec<Field>> {
    let field = |(parameter, value): (&'static Parameter, &str)| {
        let json = match (parameter.kind, token) {
            (Kind::Integer { .. } | Kind::Amount { .. } | Kind::Code(_) | Kind::Bool, _) => number(value),
            (_, Some(token)) if row.operation.token == Some(parameter.name) => {
                text(row.marked(token).as_deref().unwrap_or(value))
            }
            _ => text(value),
        };
        Some((parameter.name, json?))
    };
    row.given().map(field).collect()
}

/// A number or a truth value, with the digits that it has.
fn number(value: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(value.to_owned()).ok()
}

fn text(value: &str) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

fn unsendable() -> Failure {
    Failure::new(FailureClass::NotWritten, "the row has a value that no request can carry")
}

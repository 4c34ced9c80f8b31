//! Segpay Reporting Services: one funnel for every request, and the table by which replies are classified.
//!
//! Writes are GETs with the credentials in the query, so nothing here may show a URL. No reply carries the identifier
//! that it is about, so none can be compared with what was asked; reports do, and are.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};

use super::operations::Success;
use crate::http::{Call, Endpoint, HttpReply, Transport, failure_of, redact, refusal_of};
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::operation::{Meaning, Need, OperationSpec};
use crate::model::row::Row;
use crate::providers::xml;

/// What the service says of credentials that it does not know.
const INVALID_MERCHANT: &str = "Invalid Merchant";

/// The service, with the credentials of one account.
pub(super) struct Srs {
    endpoint: Endpoint,
    transport: Transport,
    /// `UserID=…&UserAccessKey=…`, ready to be sent.
    login: SecretString,
    /// What must never show.
    secrets: [SecretString; 2],
}

impl Srs {
    /// Prepares what every request has in common.
    pub(super) fn new(
        endpoint: Endpoint,
        transport: Transport,
        user_id: SecretString,
        access_key: SecretString,
    ) -> Self {
        let mut login = String::new();
        push_parameter(&mut login, "UserID", user_id.expose_secret());
        push_parameter(&mut login, "UserAccessKey", access_key.expose_secret());
        Self { endpoint, transport, login: SecretString::from(login), secrets: [user_id, access_key] }
    }

    /// Sends one request: credentials first, then the parameters in the order given.
    pub(super) async fn get(&self, path: &str, parameters: &[(&str, Cow<'_, str>)]) -> Result<HttpReply, Failure> {
        let login = self.login.expose_secret();
        let values: usize = parameters.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        let mut target = String::with_capacity(path.len() + login.len() + values + 16);
        target.push_str(path);
        target.push('?');
        target.push_str(login);
        for (name, value) in parameters {
            push_parameter(&mut target, name, value);
        }
        self.transport.send(Call::get(&self.endpoint, target)).await
    }

    /// Sends an operation and classifies the reply.
    pub(super) async fn perform(
        &self,
        operation: &OperationSpec,
        path: &str,
        success: Success,
        parameters: &[(&str, Cow<'_, str>)],
    ) -> Reply {
        match self.get(path, parameters).await {
            Ok(reply) => self.classify(operation, success, &reply),
            Err(failure) => Reply::Failed(failure),
        }
    }

    /// Reads a report, keeping only some columns of it.
    pub(super) async fn report(
        &self,
        path: &str,
        parameters: &[(&str, Cow<'_, str>)],
        keep: &[&'static str],
    ) -> Result<Vec<xml::ReportRow>, Failure> {
        let reply = self.get(path, parameters).await?;
        if let Some(failure) = credentials_refused(&reply).or_else(|| failure_of(&reply)) {
            return Err(failure);
        }
        if !reply.is_success() {
            return Err(unrecognised(format!("HTTP {} for a report", reply.status)));
        }
        xml::report(&reply.body, keep).map_err(|fault| match xml::parse(&reply.body) {
            Ok(root) if is_invalid_merchant(&root) => wrong_credentials(),
            _ => unrecognised(fault.to_string()),
        })
    }

    /// What a reply means: the documented words first, then what its status says, and else unknown.
    pub(super) fn classify(&self, operation: &OperationSpec, success: Success, reply: &HttpReply) -> Reply {
        if let Some(failure) = credentials_refused(reply) {
            return Reply::Failed(failure);
        }
        if let Some(code) = never_ran(reply) {
            return Reply::Refused(Answer { code: code.to_owned(), message: self.excerpt(reply), ..Answer::default() });
        }
        if let Some(failure) = failure_of(reply) {
            return Reply::Failed(failure);
        }
        let secrets = self.secrets.each_ref().map(ExposeSecret::expose_secret);
        if let Some(answer) = refusal_of(reply, &secrets) {
            return Reply::Refused(answer);
        }
        match xml::parse(&reply.body) {
            Ok(root) if root.children.is_empty() => self.by_word(operation, success, &root),
            Ok(_) => Reply::Failed(unrecognised("the reply is not a single value")),
            Err(fault) => Reply::Failed(unrecognised(fault.to_string())),
        }
    }

    fn by_word(&self, operation: &OperationSpec, success: Success, root: &xml::Element) -> Reply {
        if is_invalid_merchant(root) {
            return Reply::Failed(wrong_credentials());
        }
        let text = root.text();
        if root.is("string")
            && let Some(word) = operation.words.iter().find(|word| word.text.eq_ignore_ascii_case(text))
        {
            return documented(word.text, word.meaning);
        }
        let returned = match success {
            Success::Link if root.is("string") && is_link(text) => Some(("link", text)),
            Success::Merchant if root.is("int") && is_merchant(text) => Some(("merchant_id", text)),
            _ => None,
        };
        match returned {
            Some((name, value)) => {
                Reply::Applied(Answer { data: vec![(name, value.to_owned())], ..Answer::word("Success") })
            }
            None => {
                let said = self.clean(text);
                Reply::Failed(unrecognised(format!("a reply that is not documented: `{said}`")))
            }
        }
    }

    fn excerpt(&self, reply: &HttpReply) -> String {
        let text = String::from_utf8_lossy(&reply.body);
        self.clean(text.lines().next().unwrap_or_default().trim())
    }

    fn clean(&self, text: &str) -> String {
        redact(text, &self.secrets.each_ref().map(ExposeSecret::expose_secret))
    }
}

/// The parameters of a row in the documented order. One that may be null is sent empty: left out it is an error.
pub(super) fn parameters<'a>(row: &'a Row, token: Option<&str>) -> Vec<(&'static str, Cow<'a, str>)> {
    let mut parameters = Vec::with_capacity(row.operation.parameters.len());
    for (position, parameter) in row.operation.parameters.iter().enumerate() {
        let given = row.values.get(position);
        if given.is_none() && parameter.need == Need::Optional {
            continue;
        }
        let text = given.unwrap_or_default();
        let marked = token.filter(|_| row.operation.token == Some(parameter.name)).and_then(|token| row.marked(token));
        let value = marked.map_or(Cow::Borrowed(text), Cow::Owned);
        parameters.push((parameter.name, value));
    }
    parameters
}

/// Appends `name=value`, form-encoded, after a `&` where one is needed.
pub(super) fn push_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() && !query.ends_with('?') {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.extend(form_urlencoded::byte_serialize(value.as_bytes()));
}

fn documented(word: &'static str, meaning: Meaning) -> Reply {
    let answer = Answer::word(word);
    match meaning {
        Meaning::Applied => Reply::Applied(answer),
        Meaning::Already => Reply::Already(answer),
        Meaning::Refused => Reply::Refused(answer),
        Meaning::RefusedUnclear => {
            let message = format!("{word}: for a reason that Segpay does not give");
            Reply::Refused(Answer { message, ..answer })
        }
        Meaning::Credentials => Reply::Failed(wrong_credentials()),
    }
}

/// "Invalid Merchant" as the error that the service throws: the call went no further than the login.
///
/// Only where an error begins with it, the first or one in its chain: a note's own text could come back inside one.
fn credentials_refused(reply: &HttpReply) -> Option<Failure> {
    if reply.status != 500 || !reply.is_type("text/plain") {
        return None;
    }
    let text = String::from_utf8_lossy(&reply.body);
    let refused = text.split("--->").any(|error| begins_with(without_type(error), INVALID_MERCHANT));
    refused.then(wrong_credentials)
}

/// "Invalid Merchant" as a word, with or without the operation's name behind it.
fn is_invalid_merchant(root: &xml::Element) -> bool {
    root.is("string") && root.children.is_empty() && begins_with(root.text(), INVALID_MERCHANT)
}

/// The word for a refusal that comes before the operation's own code: proof that it never ran.
///
/// The service's framework checks parameters first, and says so in plain text with status 500. An error that names the
/// service's own code came later, and proves nothing.
fn never_ran(reply: &HttpReply) -> Option<&'static str> {
    if reply.status != 500 || !reply.is_type("text/plain") {
        return None;
    }
    let text = String::from_utf8_lossy(&reply.body);
    if text.contains("NewSRSWebService") {
        return None;
    }
    let error = without_type(&text);
    if begins_with(error, "Missing parameter: ") {
        return Some("Missing Parameter");
    }
    (begins_with(error, "Cannot convert ") && error.contains(" to System.")).then_some("Cannot convert")
}

/// An error's text without the name of its type (`System.Exception: …`).
fn without_type(error: &str) -> &str {
    let error = error.trim();
    match error.split_once(": ") {
        Some((name, rest)) if name.ends_with("Exception") && !name.contains(char::is_whitespace) => rest,
        _ => error,
    }
}

fn begins_with(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|own| own.eq_ignore_ascii_case(beginning))
}

/// A link that can be given to a consumer: https, and nothing around it.
fn is_link(text: &str) -> bool {
    text.strip_prefix("https://")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// A merchant's number. Zero and less could be how a login that failed is told; nobody documents it.
fn is_merchant(text: &str) -> bool {
    text.parse().is_ok_and(|number: i64| number > 0)
}

fn wrong_credentials() -> Failure {
    Failure::new(FailureClass::Credentials, "Invalid Merchant: the user ID or access key was not accepted")
}

pub(super) fn unrecognised(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Unrecognised, message)
}

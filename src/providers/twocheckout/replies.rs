//! The table of replies: what a documented result, a known or an unknown complaint, or anything else means for a row.
//!
//! Success is said by the documented result and nothing else. A complaint that the documentation does not know is proof
//! of nothing where a repeat would add up: it is a doubt there, and a refusal elsewhere. Nothing here repeats a call.

use crate::http::{HttpReply, failure_of, redact, refusal_of};
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::operation::{Effect, Meaning, OperationSpec};

use super::operations::Success;
use super::said::{Complaint, Said};
use super::value::Value;

/// What a call came to, before it is known what was wanted.
pub(super) enum Heard {
    /// A result.
    Result(Value<'static>),
    /// A complaint, with what the reply's status alone would mean.
    Complaint(Complaint, Option<Failure>),
    /// A plain 4xx without a body that we can read.
    Refused(Answer),
    /// No reply, or none that says anything.
    Failed(Failure),
}

/// What a reply says. `faults_are_500` is how SOAP sends its faults; elsewhere a 500 is a failure whatever its body says.
pub(super) fn heard(reply: &HttpReply, said: Said, faults_are_500: bool, secrets: &[&str]) -> Heard {
    let failure = failure_of(reply);
    let readable = !reply.is_page() && !(300..400).contains(&reply.status);
    match said {
        Said::Result(result) if reply.is_success() && readable => Heard::Result(result),
        Said::Complaint(complaint) if readable => {
            Heard::Complaint(complaint, failure.filter(|_| !(faults_are_500 && reply.status == 500)))
        }
        Said::Unclear(why) if reply.is_success() && failure.is_none() => {
            Heard::Failed(Failure::new(FailureClass::Unrecognised, why))
        }
        _ => match (failure, refusal_of(reply, secrets)) {
            (Some(failure), _) => Heard::Failed(failure),
            (None, Some(answer)) => Heard::Refused(answer),
            (None, None) => Heard::Failed(Failure::new(FailureClass::Unrecognised, "the reply says nothing")),
        },
    }
}

/// What that means for a row of this operation. `refusals` are the codes which the account's owner knows as refusals.
pub(super) fn reply_of(
    operation: &OperationSpec,
    success: Success,
    heard: Heard,
    refusals: &[String],
    secrets: &[&str],
) -> Reply {
    match heard {
        Heard::Result(result) => result_of(operation, success, &result),
        Heard::Complaint(complaint, status) => complaint_of(operation, &complaint, status, refusals, secrets),
        Heard::Refused(answer) => Reply::Refused(answer),
        Heard::Failed(failure) => Reply::Failed(failure),
    }
}

fn result_of(operation: &OperationSpec, success: Success, result: &Value<'_>) -> Reply {
    let answer = match success {
        Success::True => match result {
            Value::Bool(true) => Some(Answer::word("true")),
            Value::Bool(false) => return unsuccessful(operation),
            _ => None,
        },
        Success::Reference => result.as_text().filter(|text| is_own_reference(text)).map(|reference| Answer {
            message: format!("added as {reference}"),
            reference: Some(reference.to_owned()),
            data: vec![("SubscriptionReference", reference.to_owned())],
            code: "added".to_owned(),
        }),
        Success::Campaign => {
            let code = result.get("CampaignCode").and_then(Value::as_text).filter(|text| is_reference(text));
            code.map(|code| Answer {
                message: format!("created as {code}"),
                reference: Some(code.to_owned()),
                data: fields(operation, result),
                code: "created".to_owned(),
            })
        }
        Success::Fields => {
            let data = fields(operation, result);
            (!data.is_empty()).then(|| Answer { data, ..Answer::word("read") })
        }
        Success::ShippingFees => {
            let fees = if result.as_list().is_some() { Some(result) } else { result.get("ShippingFees") };
            let fees = fees.filter(|fees| fees.as_list().is_some()).and_then(Value::shown);
            fees.map(|fees| Answer { data: vec![("ShippingFees", fees)], ..Answer::word("read") })
        }
        // Pages are put together elsewhere; one of them is no answer.
        Success::Payouts => None,
    };
    match answer {
        Some(answer) => Reply::Applied(answer),
        None => Reply::Failed(Failure::new(FailureClass::Unrecognised, "the result is not a documented one")),
    }
}

/// `false`: by the documentation the operation did not succeed. Where a repeat would add up, a person or a read has a
/// look before anybody repeats it.
fn unsuccessful(operation: &OperationSpec) -> Reply {
    let message = "2Checkout answered `false`: not successful, without a reason";
    if operation.effect == Effect::Additive {
        Reply::Failed(Failure::new(FailureClass::Unrecognised, format!("{message}; look before it is repeated")))
    } else {
        Reply::Refused(Answer { code: "false".to_owned(), message: message.to_owned(), ..Answer::default() })
    }
}

fn complaint_of(
    operation: &OperationSpec,
    complaint: &Complaint,
    status: Option<Failure>,
    refusals: &[String],
    secrets: &[&str],
) -> Reply {
    let message = in_words(complaint, secrets);
    let meaning = complaint.known_word().and_then(|word| operation.meaning(word));
    let documented = matches!(meaning, Some(Meaning::Refused | Meaning::RefusedUnclear));
    if documented || complaint.is_one_of(refusals) {
        return Reply::Refused(Answer { code: complaint.short(), message, ..Answer::default() });
    }
    if let Some(mut failure) = status {
        failure.message = format!("{}: {message}", failure.message);
        return Reply::Failed(failure);
    }
    // A SOAP server's word for "something broke here".
    if complaint.code.eq_ignore_ascii_case("Server") && complaint.word.is_empty() && operation.effect != Effect::Read {
        return Reply::Failed(Failure::new(FailureClass::ServerError(500), message));
    }
    if operation.effect == Effect::Additive {
        let message =
            format!("{message}; not an error that the documentation lists, so no proof that nothing was done");
        return Reply::Failed(Failure::new(FailureClass::Unrecognised, message));
    }
    Reply::Refused(Answer { code: complaint.short(), message, ..Answer::default() })
}

/// A complaint for a person, without secrets.
pub(super) fn in_words(complaint: &Complaint, secrets: &[&str]) -> String {
    let parts = [&complaint.code, &complaint.word, &complaint.message];
    let given: Vec<&str> = parts.into_iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
    if given.is_empty() { "an error without a word".to_owned() } else { redact(&given.join(" "), secrets) }
}

/// The fields that the operation returns, as far as they are there.
fn fields(operation: &OperationSpec, result: &Value<'_>) -> Vec<(&'static str, String)> {
    operation.returns.iter().filter_map(|name| Some((*name, result.get(name)?.shown()?))).collect()
}

/// Whether a bare text is the reference of what was made. `false` or `error` is a word and no reference: the vendor's have
/// ten hexadecimal digits, and any other has a digit at least.
fn is_own_reference(text: &str) -> bool {
    let is_usual = text.len() == 10 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    is_reference(text) && (is_usual || text.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Whether it looks like a reference that the provider made: a short word.
fn is_reference(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

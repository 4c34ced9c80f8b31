//! What a reply says: the table of status and body by which each is classified. Pure.
//!
//! Every reply repeats the request with the secret key in it. Only the fields that are named here are read, no body is
//! ever quoted, and what an error says is redacted. A reply that is not documented is unknown.

use crate::http::{HttpReply, failure_of, redact};
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::providers::json::{JsonFault, Object};

/// The fields that are about the credentials; an error of one of them is about every row.
const CREDENTIAL_FIELDS: [&str; 2] = ["apiSecretKey", "vendorAccountId"];

/// The field that names the subscription.
pub(super) const SUBSCRIPTION: &str = "subscriptionId";

/// What a body says of itself.
enum Said {
    /// It was done, and the request was about this subscription.
    Yes(Option<String>),
    /// It was not done, because of these errors.
    No(Vec<Error>),
    /// Neither, and why.
    Nothing(String),
    /// Both at once, and why.
    Contradiction(String),
}

/// An error of one field. Not yet free of secrets: it may repeat what it was sent.
struct Error {
    field: String,
    messages: Vec<String>,
}

/// What a reply means, where `subscription` is what was asked about. `Applied` only where the vendor says so of that
/// very subscription.
pub(super) fn classify(reply: &HttpReply, subscription: Option<&str>, secret: &str) -> Reply {
    let by_status = failure_of(reply);
    // At these the vendor's own code may have answered: a success, or a request that it turned away. The documentation
    // gives no status for a refusal, so each of them will do; whatever else the status says holds against any body.
    let may_say = match &by_status {
        None => true,
        Some(failure) => matches!(failure.class, FailureClass::Conflict),
    };
    let said = if may_say { said(&reply.body) } else { Said::Nothing(String::new()) };
    match (said, by_status) {
        (Said::No(errors), _) => refused(&errors, secret),
        (_, Some(failure)) => Reply::Failed(failure),
        (Said::Yes(_), None) if !reply.is_success() => {
            Reply::Failed(unrecognised(format!("HTTP {}, but with `isSuccess` true", reply.status)))
        }
        (Said::Yes(own), None) if own.as_deref() == subscription || subscription.is_none() => {
            Reply::Applied(Answer::word("Success"))
        }
        (Said::Yes(Some(_)), None) => Reply::Failed(unrecognised("the reply is about another subscription")),
        (Said::Yes(None), None) => Reply::Failed(unrecognised("the reply names no subscription")),
        (Said::Nothing(_), None) if !reply.is_success() => {
            let code = format!("http_{}", reply.status);
            Reply::Refused(Answer { code, message: format!("HTTP {}", reply.status), ..Answer::default() })
        }
        (Said::Nothing(why) | Said::Contradiction(why), None) => Reply::Failed(unrecognised(why)),
    }
}

fn said(body: &[u8]) -> Said {
    match Object::read(body).and_then(|object| envelope(&object)) {
        Ok(said) => said,
        Err(fault @ JsonFault::Form) => Said::Nothing(fault.to_string()),
        Err(fault @ JsonFault::Twice) => Said::Contradiction(fault.to_string()),
    }
}

fn envelope(object: &Object<'_>) -> Result<Said, JsonFault> {
    let request = object.object("request")?;
    let success = object.truth("isSuccess");
    Ok(match (success, object.objects("errors")) {
        (Some(true), Ok(errors)) if errors.is_empty() => {
            Said::Yes(request.and_then(|request| request.text(SUBSCRIPTION)))
        }
        (Some(true), _) => Said::Contradiction("a success that has errors".to_owned()),
        (_, Err(fault)) => return Err(fault),
        (Some(false), Ok(errors)) if errors.is_empty() => Said::Nothing("no success, and no error".to_owned()),
        (Some(false), Ok(errors)) => Said::No(errors.iter().map(Error::read).collect()),
        (None, Ok(_)) => Said::Nothing("the reply has no `isSuccess`".to_owned()),
    })
}

impl Error {
    fn read(object: &Object<'_>) -> Self {
        Self {
            field: object.text("propertyWithError").unwrap_or_default(),
            messages: object.texts("propertyErrorMessages"),
        }
    }

    /// The field may be given with the objects that it is in.
    fn is_about(&self, field: &str) -> bool {
        self.field.rsplit('.').next().is_some_and(|own| own.eq_ignore_ascii_case(field))
    }
}

fn refused(errors: &[Error], secret: &str) -> Reply {
    let said: Vec<String> =
        errors.iter().map(|error| format!("{}: {}", error.field, error.messages.join(" "))).collect();
    let message = redact(&said.join("; "), &[secret]);
    if errors.iter().any(|error| CREDENTIAL_FIELDS.iter().any(|field| error.is_about(field))) {
        return Reply::Failed(Failure::new(FailureClass::Credentials, message));
    }
    let code = errors.first().map(|error| short(&redact(&error.field, &[secret]))).unwrap_or_default();
    Reply::Refused(Answer { code, message, ..Answer::default() })
}

/// A word for counting: the field's name, if it is one.
fn short(field: &str) -> String {
    let is_word = (1..=60).contains(&field.len())
        && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-[]".contains(&byte));
    if is_word { field.to_owned() } else { "refused".to_owned() }
}

pub(super) fn unrecognised(message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Unrecognised, message)
}

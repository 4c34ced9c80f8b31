//! PayPro Global, from its pages below "Subscriptions". They list no words: a reply says `isSuccess`, or errors by field.

use subops::model::failure::FailureClass as F;
use subops::model::operation::OperationSpec;

use super::Comes::{Failed, Refused};
use super::{Form, ProviderSamples, Said, Samples};

pub(crate) const SAMPLES: ProviderSamples = ProviderSamples {
    provider: "paypro",
    credentials: &[("vendor_account_id", "123456"), ("api_secret_key", "secret-canary")],
    forms: &[Form { name: "json", options: &[], only: "", login: None }],
    samples,
    fill: |template, _| template.to_owned(),
    session_words: &[],
};

/// A reply repeats the request, with the secret key in it.
fn said(status: u16, subscription: &str, outcome: &str) -> Said {
    let request = format!("{{{subscription}\"vendorAccountId\":123456,\"apiSecretKey\":\"secret-canary\"}}");
    let body = format!("{{\"request\":{request},\"response\":null,{outcome}}}");
    Said { status, content_type: "application/json; charset=utf-8", body }
}

const OWN: &str = "\"subscriptionId\":1111111,";
const DONE: &str = "\"errors\":[],\"isSuccess\":true";

fn error(field: &str, message: &str) -> String {
    format!(
        "\"errors\":[{{\"propertyWithError\":\"{field}\",\"propertyErrorMessages\":[\"{message}\"]}}],\"isSuccess\":false"
    )
}

fn samples(operation: &OperationSpec, _form: &str) -> Option<Samples> {
    let field = match operation.verb() {
        "suspend_subscription" | "terminate_subscription" => "cancellationReasonId",
        "renew_subscription" => "reasonText",
        "change_next_payment_date" => "newNextPaymentDate",
        "change_recurring_price" => "newPriceValue",
        _ => return None,
    };
    let no = || error(field, "Not possible with secret-canary.");
    let unknown = Failed(F::Unrecognised);
    let others = vec![
        ("an error of a field", said(200, OWN, &no()), Refused),
        ("an error of a field, as a 400", said(400, OWN, &no()), Refused),
        ("an error of the subscription", said(200, OWN, &error("subscriptionId", "Not found.")), Refused),
        ("already so, in words of no document", said(200, OWN, &error("", "Already suspended.")), Refused),
        ("an error of the secret key", said(200, OWN, &error("apiSecretKey", "Wrong.")), Failed(F::Credentials)),
        ("an error of the account", said(200, OWN, &error("vendorAccountId", "Unknown.")), Failed(F::Credentials)),
        ("an error of a server that failed", said(500, OWN, &no()), Failed(F::ServerError(500))),
        ("a success that names nothing", said(200, "", DONE), unknown),
        ("a success with errors", said(200, OWN, &no().replace("false", "true")), unknown),
        ("a failure without errors", said(200, OWN, "\"errors\":[],\"isSuccess\":false"), unknown),
        ("neither", said(200, OWN, "\"errors\":[]"), unknown),
        ("both", said(200, OWN, "\"errors\":[],\"isSuccess\":true,\"IsSuccess\":false"), unknown),
        ("nothing", Said { body: String::new(), ..said(200, "", DONE) }, unknown),
        ("a list", Said { body: "[true]".to_owned(), ..said(200, "", DONE) }, unknown),
    ];
    let another = Some(said(200, "\"subscriptionId\":1111112,", DONE));
    Some(Samples { success: said(200, OWN, DONE), words: Vec::new(), others, another })
}

//! Segpay, from its pages "Consumer Support Tasks", "Membership Upgrade API" and "Dynamic Recurring Billing".

use subops::model::failure::FailureClass as F;
use subops::model::operation::OperationSpec;

use super::Comes::{Already, Applied, Failed, Refused};
use super::{Comes, Form, ProviderSamples, Said, Sample, Samples};

pub(crate) const SAMPLES: ProviderSamples = ProviderSamples {
    provider: "segpay",
    credentials: &[
        ("user_id", "user-canary"),
        ("access_key", "key-canary-1"),
        ("api_username", "api-canary"),
        ("api_password", "password-canary"),
        ("merchant_id", "20213"),
    ],
    forms: &[
        Form { name: "json", options: &[], only: "", login: None },
        Form {
            name: "xml",
            options: &[("upgrade_request", "xml"), ("upgrade_response", "xml")],
            only: "upgrade_membership",
            login: None,
        },
    ],
    samples,
    fill: |template, _| template.to_owned(),
    session_words: &[],
};

const XML: &str = "text/xml; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

fn said(status: u16, content_type: &'static str, body: impl Into<String>) -> Said {
    Said { status, content_type, body: body.into() }
}

fn word(text: &str) -> Said {
    element("string", text)
}

fn element(name: &str, text: &str) -> Said {
    let space = "xmlns=\"http://srs.segpay.com/ADM.asmx\"";
    said(200, XML, format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<{name} {space}>{text}</{name}>"))
}

const NO_ACCESS: (&str, Comes) = ("Invalid Merchant", Failed(F::Credentials));
const MISSING: (&str, Comes) = ("Missing Parameter", Refused);
const NOT_ACTIVE: &str = "Subscription not active, cancel failed";
const ANOTHER_MERCHANT: (&str, Comes) = ("PurchaseID/MerchantID Mismatch", Refused);

fn samples(operation: &OperationSpec, form: &str) -> Option<Samples> {
    let done = [("Successful", Applied), ("Success", Applied)];
    let common = [ANOTHER_MERCHANT, NO_ACCESS, MISSING];
    let (success, words): (Said, Vec<(&'static str, Comes)>) = match operation.verb() {
        "cancel_membership" | "expire_membership" => {
            (word("Successful"), [&done[..], &common, &[(NOT_ACTIVE, Already)]].concat())
        }
        "extend_membership" | "insert_consumer_note" | "modify_rebill_amount" => {
            let refused = [("Membership not Active", Refused), ("Failed", Refused)];
            (word("Success"), [&done[..], &common, &refused].concat())
        }
        "refund_transaction" => (word("Successful"), [&done[..], &common, &[(NOT_ACTIVE, Refused)]].concat()),
        "reactivation_link" => {
            let refused = [
                ("Invalid user name or password", Refused),
                ("You must include all the values for reactivation", Refused),
            ];
            let link = "https://secure2.segpay.com/billing/poset.cgi?x-eticketid=125696:3097&amp;oneclick=1";
            (word(link), [&refused[..], &[NO_ACCESS, MISSING]].concat())
        }
        "validate_user_access" => (element("int", "20213"), vec![NO_ACCESS, MISSING]),
        "upgrade_membership" => return Some(upgrade(form)),
        "dynamic_pricing" => return Some(pricing()),
        _ => return None,
    };
    let words = words.into_iter().map(|(text, comes)| (text, word(text), comes)).collect();
    Some(Samples { success, words, others: task_replies(), another: None })
}

/// What every consumer support task may say beside its words.
fn task_replies() -> Vec<Sample> {
    let thrown = |text: &str| said(500, PLAIN, text);
    let unknown = Failed(F::Unrecognised);
    vec![
        ("a word that nobody documents", word("Perhaps, key-canary-1"), unknown),
        ("an empty word", word(""), unknown),
        ("a word in a wrong element", element("boolean", "Success"), unknown),
        ("a number that is none", element("int", "0"), unknown),
        ("nothing", said(200, XML, ""), unknown),
        ("a document within", word("<a>Success</a>"), unknown),
        ("a missing parameter, thrown", thrown("Missing parameter: CancelReason.\r\n"), Refused),
        ("a value of a wrong type, thrown", thrown("Cannot convert x to System.Int32.\r\n"), Refused),
        ("wrong credentials, thrown", thrown("System.Exception: Invalid Merchant\r\n at …"), Failed(F::Credentials)),
        ("anything else, thrown", thrown("System.Exception: key-canary-1"), Failed(F::ServerError(500))),
        (
            "an error of the service's own code",
            thrown("Missing parameter: x\r\n at NewSRSWebService.ADM.Extend()"),
            Failed(F::ServerError(500)),
        ),
    ]
}

/// The fields of a result, in either form.
fn result(form: &str, fields: &[(&str, &str)]) -> Said {
    if form == "xml" {
        let fields: String = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
        return said(200, "application/xml", format!("<Result>{fields}</Result>"));
    }
    let is_bare = |value: &str| matches!(value, "true" | "false");
    let quoted = |value: &str| if is_bare(value) { value.to_owned() } else { format!("\"{value}\"") };
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{}", quoted(value))).collect();
    said(200, JSON, format!("{{{}}}", fields.join(",")))
}

fn upgrade(form: &str) -> Samples {
    let fields = |change: &[(&'static str, &'static str)]| {
        let mut fields = vec![
            ("IsSuccess", "true"),
            ("Message", "Success"),
            ("PurchaseId", "80012345"),
            ("TransactionId", "900123456"),
            ("TransactionAmount", "5.25"),
            ("TransactionAuthCode", "OK:0"),
            ("NextTransactionDate", "2027-01-31"),
        ];
        for (name, value) in change {
            fields.retain(|(known, _)| known != name);
            fields.push((*name, *value));
        }
        result(form, &fields)
    };
    let at = |status, said: Said| Said { status, ..said };
    let not_tried = || {
        let none = [("TransactionId", ""), ("TransactionAuthCode", ""), ("TransactionAmount", "")];
        fields(&[&[("IsSuccess", "false"), ("Message", "Upgrade not allowed for password-canary")][..], &none].concat())
    };
    let unknown = Failed(F::Unrecognised);
    let others = vec![
        ("declined", fields(&[("IsSuccess", "false"), ("TransactionAuthCode", "DE:51")]), Refused),
        ("not tried", not_tried(), Refused),
        ("not tried, as a 400", at(400, not_tried()), Refused),
        ("a refusal of a server that failed", at(500, not_tried()), Failed(F::ServerError(500))),
        ("a success that was not charged", fields(&[("TransactionAuthCode", "")]), unknown),
        ("a success that was declined", fields(&[("TransactionAuthCode", "DE:51")]), unknown),
        ("a success without a transaction", fields(&[("TransactionId", "0")]), unknown),
        ("a success without a purchase", fields(&[("PurchaseId", "")]), unknown),
        ("a failure that was charged", fields(&[("IsSuccess", "false")]), unknown),
        ("neither", fields(&[("IsSuccess", "perhaps")]), unknown),
        ("nothing", said(200, JSON, ""), unknown),
        ("another kind of object", result(form, &[("Success", "true")]), unknown),
    ];
    let another = Some(fields(&[("PurchaseId", "80012346")]));
    Samples { success: fields(&[]), words: Vec::new(), others, another }
}

fn pricing() -> Samples {
    const HASH: &str = "\"3F2504E0-4F89-11D3-9A0C-0305E82C3301\"";
    let limits = [
        "The initial price is outside your approved limits.",
        "The initial length is outside your approved limits.",
        "The recurring price is outside your approved limits.",
        "The recurring length is outside your approved limits.",
    ];
    let unknown = Failed(F::Unrecognised);
    let others = vec![
        ("a hash without quotes", said(200, PLAIN, HASH.trim_matches('"')), Applied),
        ("a refusal as a 400", said(400, JSON, format!("\"{}\"", limits[0])), Refused),
        ("a sentence that nobody documents", said(200, JSON, "\"Try later, key-canary-1\""), unknown),
        ("a number", said(200, JSON, "12345678"), unknown),
        ("nothing", said(200, JSON, ""), unknown),
    ];
    let words = limits.map(|sentence| (sentence, said(200, JSON, format!("\"{sentence}\"")), Refused)).to_vec();
    Samples { success: said(200, JSON, HASH), words, others, another: None }
}

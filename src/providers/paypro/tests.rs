//! Requests as they leave, and the table of replies: each status with each body, for every operation.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use std::future::Future;

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::http::scripted::{Server, Step, reply, say};
use crate::http::{HttpReply, Transport, TransportSettings};
use crate::model::ids::{AccountName, RowNumber};
use crate::model::row::Values;
use crate::providers::find_operation;

/// With what JSON escapes, and with what .NET escapes beyond that.
const KEY: &str = "canary+\"key\"/3";
const JSON: &str = "application/json; charset=utf-8";

pub(super) fn row(verb: &str, values: &[(&str, &str)]) -> Row {
    let operation = find_operation(&format!("paypro.{verb}")).expect("an operation");
    let mut given = Values::new(operation.parameters.len());
    for (name, value) in values {
        given.set(operation.position(name).expect("a parameter"), *value);
    }
    let account = AccountName::new("paypro");
    Row { number: RowNumber(2), operation, account, values: given, subject: None, amount: None }
}

/// A row with the example of each parameter that has one.
fn example(operation: &OperationSpec) -> Row {
    let examples = operation.parameters.iter().map(|own| (own.name, own.example));
    let values: Vec<(&str, &str)> = examples.filter(|(_, example)| !example.is_empty()).collect();
    row(operation.verb(), &values)
}

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

fn setup(url: &str) -> AccountSetup {
    let settings = TransportSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_millis(500),
        ca_file: None,
        user_agent: "subops-test".to_owned(),
    };
    AccountSetup {
        name: AccountName::new("paypro"),
        urls: vec![("store", url.to_owned())],
        credentials: vec![("vendor_account_id", "123456".into()), ("api_secret_key", KEY.into())],
        options: vec![("settle_delay", "60s".to_owned())],
        transport: Transport::new(settings).expect("a transport"),
    }
}

fn open(url: &str) -> Box<dyn Account> {
    PayPro.open(setup(url)).expect("an account")
}

/// Replies as the vendor's samples show them, with the secret in the echo.
fn echoed(subscription: &str, rest: &str) -> String {
    let key = serde_json::to_string(KEY).expect("JSON").replace('+', "\\u002B");
    let request = format!(r#""subscriptionId":{subscription},"vendorAccountId":123456,"apiSecretKey":{key}"#);
    format!("{{\"request\":{{{request}}},{rest}}}")
}

fn success(subscription: &str) -> String {
    echoed(subscription, r#""errors":[],"isSuccess":true"#)
}

fn error(field: &str, message: &str) -> String {
    let message = serde_json::to_string(message).expect("JSON");
    let errors = format!(r#"[{{"propertyWithError":"{field}","propertyErrorMessages":[{message}]}}]"#);
    echoed("1111111", &format!(r#""errors":{errors},"isSuccess":false"#))
}

fn came_as(status: u16, content_type: &str, body: &str) -> HttpReply {
    let (content_type, body) = (Some(content_type.to_owned()), Bytes::copy_from_slice(body.as_bytes()));
    HttpReply { status, content_type, body, retry_after: None }
}

/// What a reply about subscription 1111111 comes to, in one word.
fn meaning(status: u16, content_type: &str, body: &str) -> String {
    let came = reply::classify(&came_as(status, content_type, body), Some("1111111"), KEY);
    let shown = format!("{came:?}");
    assert!(!shown.contains("canary"), "{shown}");
    match came {
        Reply::Applied(_) => "applied".to_owned(),
        Reply::Already(_) => "already".to_owned(),
        Reply::Refused(answer) => format!("refused {}", answer.code),
        Reply::Failed(failure) => failure.class.code().to_owned(),
    }
}

fn class(came: &Reply) -> Option<FailureClass> {
    match came {
        Reply::Failed(failure) => Some(failure.class),
        _ => None,
    }
}

/// The table: each status with a success, a refusal, wrong credentials, and a body that says neither.
const TABLE: &[(u16, &str, &str, &str, &str)] = &[
    (200, "applied", "refused reasonText", "credentials", "unrecognised"),
    (201, "applied", "refused reasonText", "credentials", "unrecognised"),
    (400, "unrecognised", "refused reasonText", "credentials", "refused http_400"),
    (404, "unrecognised", "refused reasonText", "credentials", "refused http_404"),
    (422, "unrecognised", "refused reasonText", "credentials", "refused http_422"),
    (409, "conflict", "refused reasonText", "credentials", "conflict"),
    (401, "credentials", "credentials", "credentials", "credentials"),
    (403, "credentials", "credentials", "credentials", "credentials"),
    (408, "server_error", "server_error", "server_error", "server_error"),
    (429, "throttled", "throttled", "throttled", "throttled"),
    (302, "redirect", "redirect", "redirect", "redirect"),
    (500, "server_error", "server_error", "server_error", "server_error"),
    (502, "server_error", "server_error", "server_error", "server_error"),
    (503, "unavailable", "unavailable", "unavailable", "unavailable"),
];

#[test]
fn the_whole_table() {
    for (status, applied, refused, credentials, neither) in TABLE {
        let came = |body: &str| meaning(*status, JSON, body);
        assert_eq!(came(&success("1111111")), *applied, "{status}");
        assert_eq!(came(&error("reasonText", "Too long.")), *refused, "{status}");
        for field in ["apiSecretKey", "VendorAccountId", "request.apiSecretKey"] {
            assert_eq!(came(&error(field, "Invalid.")), *credentials, "{status} {field}");
        }
        for body in ["", "{}", r#"{"message":"canary"}"#, &echoed("1111111", r#""isSuccess":null"#)] {
            assert_eq!(came(body), *neither, "{status} {body}");
        }
    }
}

#[rstest]
#[case::another_id(&success("1111112"), "another subscription")]
#[case::a_longer_id(&success("11111110"), "another subscription")]
#[case::no_id(r#"{"request":{},"errors":[],"isSuccess":true}"#, "names no subscription")]
#[case::no_echo(r#"{"errors":[],"isSuccess":true}"#, "names no subscription")]
#[case::two_ids(&success("1111111,\"SubscriptionID\":2"), "a name twice")]
#[case::with_errors(&error("reasonText", "No.").replace("false", "true"), "a success that has errors")]
#[case::no_errors(&success("1111111").replace("true", "false"), "no success, and no error")]
#[case::a_word(&success("1111111").replace("true", "\"true\""), "no `isSuccess`")]
#[case::a_number(&success("1111111").replace("true", "1"), "no `isSuccess`")]
#[case::twice(&success("1111111").replace("\"errors\"", "\"IsSuccess\":false,\"errors\""), "a name twice")]
#[case::odd_errors(&echoed("1111111", r#""errors":["no"],"isSuccess":false"#), "not a JSON object")]
#[case::cut(&success("1111111")[..40], "not a JSON object")]
fn what_is_not_documented_is_unknown(#[case] body: &str, #[case] why: &str) {
    assert_eq!(meaning(200, JSON, body), "unrecognised", "{body}");
    let came = reply::classify(&came_as(200, JSON, body), Some("1111111"), KEY);
    assert!(matches!(&came, Reply::Failed(failure) if failure.message.contains(why)), "{came:?}");
}

#[test]
fn a_4xx_whose_body_contradicts_itself_is_unknown() {
    let wrong = error("reasonText", "No.").replace("false", "true");
    let twice = success("1111111").replace("\"errors\"", "\"IsSuccess\":false,\"errors\"");
    let odd = echoed("1111111", r#""errors":{"reasonText":["No."]},"isSuccess":true"#);
    for body in [wrong, twice, odd] {
        assert_eq!(meaning(400, JSON, &body), "unrecognised", "{body}");
    }
    let plain = r#"{"title":"Bad","errors":{"reasonText":["No."]}}"#;
    assert_eq!(meaning(400, JSON, plain), "refused http_400", "the web framework's own refusal");
}

#[test]
fn an_id_may_come_as_text_and_a_page_is_no_answer() {
    assert_eq!(meaning(200, JSON, &success("\"1111111\"")), "applied");
    assert_eq!(meaning(200, "text/html", &success("1111111")), "html_page");
    assert_eq!(meaning(200, JSON, "<html>canary</html>"), "html_page");
    assert_eq!(meaning(404, "text/html", "<html>canary</html>"), "refused http_404");
}

#[test]
fn a_refusal_says_what_the_vendor_said_without_the_secret() {
    let errors = r#""errors":[{"propertyWithError":"newPriceValue","propertyErrorMessages":["Too low.","Not canary+\"key\"/3."]},{"propertyWithError":"","propertyErrorMessages":null}],"isSuccess":false"#;
    let came = reply::classify(&came_as(200, JSON, &echoed("1", errors)), Some("1111111"), KEY);
    let Reply::Refused(answer) = came else { panic!("{came:?}") };
    assert_eq!(answer.code, "newPriceValue");
    assert_eq!(answer.message, "newPriceValue: Too low. Not ***.; : ");
    let odd = error("what is this?", "Already suspended.");
    assert_eq!(meaning(200, JSON, &odd), "refused refused", "no word for \"already so\" is documented");
}

proptest! {
    #[test]
    fn random_bytes_are_never_an_answer(status in 100..600_u16, body in any::<Vec<u8>>()) {
        let reply = HttpReply { status, content_type: None, body: body.into(), retry_after: None };
        let came = reply::classify(&reply, Some("1111111"), KEY);
        prop_assert!(!matches!(came, Reply::Applied(_) | Reply::Already(_)));
    }

    #[test]
    fn a_success_that_was_tampered_with_is_one_or_unknown(at in 0..200_usize, byte in any::<u8>()) {
        let mut body = success("1111111").into_bytes();
        let at = at % body.len();
        body[at] = byte;
        let reply = HttpReply { status: 200, content_type: None, body: body.into(), retry_after: None };
        let came = reply::classify(&reply, Some("1111111"), KEY);
        prop_assert!(matches!(class(&came), None | Some(FailureClass::Unrecognised)), "{:?}", came);
        prop_assert!(matches!(came, Reply::Applied(_) | Reply::Failed(_)));
    }
}

/// The request line, the content type and the body of what is sent for a row.
fn sent(row: &Row, token: Option<&str>) -> (String, String) {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, reply("200 OK", JSON, &success("1"))]]).await;
        let came = open(&server.url()).perform(row, token).await;
        assert!(matches!(came, Reply::Applied(_)), "{came:?}");
        let (_, request) = server.requests().remove(0);
        assert!(request.to_lowercase().contains("\r\ncontent-type: application/json\r\n"), "{request}");
        let body = request.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).expect("a body");
        let login = r#""vendorAccountId":123456,"apiSecretKey":"canary+\"key\"/3"}"#;
        (server.targets().remove(0), body.replace(login, "…"))
    })
}

#[rstest]
#[case("suspend_subscription", &[("subscriptionId", "1"), ("cancellationReasonId", "8")], None,
    "Suspend", r#"{"cancellationReasonId":8,"subscriptionId":1,…"#)]
#[case("suspend_subscription",
    &[("subscriptionId", "1"), ("reasonText", "said \"no\"\n– é"), ("sendCustomerNotification", "true")], Some("x"),
    "Suspend", r#"{"reasonText":"said \"no\"\n– é [x]","sendCustomerNotification":true,"subscriptionId":1,…"#)]
#[case("terminate_subscription", &[("subscriptionId", "1"), ("cancellationReasonId", "1")], None,
    "Terminate", r#"{"cancellationReasonId":1,"subscriptionId":1,…"#)]
#[case("renew_subscription", &[("subscriptionId", "1"), ("reasonText", "came back")], Some("subops 7-2"),
    "Renew", r#"{"reasonText":"came back [subops 7-2]","subscriptionId":1,…"#)]
#[case("change_next_payment_date", &[("subscriptionId", "1"), ("newNextPaymentDate", "2027-01-31")], None,
    "ChangeNextPaymentDate", r#"{"newNextPaymentDate":"2027-01-31","subscriptionId":1,…"#)]
#[case("change_next_payment_date",
    &[("subscriptionId", "1"), ("newNextPaymentDate", "2027-01-31T08:00:00"), ("shiftPaymentSchedule", "false"), ("newSubscriptionName", "Pro")],
    None, "ChangeNextPaymentDate",
    r#"{"newNextPaymentDate":"2027-01-31T08:00:00","shiftPaymentSchedule":false,"newSubscriptionName":"Pro","subscriptionId":1,…"#)]
#[case("change_recurring_price",
    &[("subscriptionId", "1"), ("newPriceValue", "1234567890123456.70"), ("priceCurrencyCode", "EUR"), ("quantity", "3")],
    None, "ChangeRecurringPrice",
    r#"{"newPriceValue":1234567890123456.70,"priceCurrencyCode":"EUR","quantity":3,"subscriptionId":1,…"#)]
fn requests_are_those_that_are_documented(
    #[case] verb: &str,
    #[case] values: &[(&str, &str)],
    #[case] token: Option<&str>,
    #[case] method: &str,
    #[case] body: &str,
) {
    let expected = (format!("POST /api/Subscriptions/{method}"), body.to_owned());
    assert_eq!(sent(&row(verb, values), token), expected);
}

#[test]
fn a_value_that_is_no_json_never_leaves() {
    let row = row("change_recurring_price", &[("subscriptionId", "1"), ("newPriceValue", "01.5")]);
    let came = on_runtime(open("https://store.payproglobal.com").perform(&row, None));
    assert_eq!(class(&came), Some(FailureClass::NotWritten));
}

#[test]
fn every_operation_has_a_task_and_goes_by_the_table() {
    for operation in OPERATIONS {
        assert!(task(operation.verb()).is_some() && operation.verified_by.is_some(), "{}", operation.name);
        let steps = [
            (reply("200 OK", JSON, &success("1111111")), None),
            (reply("400 Bad Request", JSON, &error("subscriptionId", "canary+\"key\"/3")), None),
            (reply("200 OK", JSON, &success("2")), Some(FailureClass::Unrecognised)),
            (say("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"), Some(FailureClass::Truncated)),
            (say("HTTP/1.1 200"), Some(FailureClass::Lost)),
        ];
        for (step, expected) in steps {
            let came = on_runtime(async {
                let server = Server::start(vec![vec![Step::Read, step]]).await;
                let came = open(&server.url()).perform(&example(operation), None).await;
                assert_eq!(server.requests().len(), 1, "one request on the wire");
                came
            });
            assert!(!format!("{came:?}").contains("canary"), "{came:?}");
            assert_eq!(class(&came), expected, "{}: {came:?}", operation.name);
        }
    }
}

#[rstest]
#[case(
    reply("200 OK", JSON, r#"{"request":{"apiSecretKey":"canary"},"response":[],"errors":[],"isSuccess":true}"#),
    None
)]
#[case(reply("200 OK", JSON, &error("apiSecretKey", "Wrong.")), Some(FailureClass::Credentials))]
#[case(reply("403 Forbidden", "text/html", "<html>"), Some(FailureClass::Credentials))]
fn the_probe_asks_for_one_subscription(#[case] answer: Step, #[case] expected: Option<FailureClass>) {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, answer]]).await;
        let came = open(&server.url()).probe().await;
        assert_eq!(class(&came), expected, "{came:?}");
        assert!(!format!("{came:?}").contains("canary"));
        let (_, request) = server.requests().remove(0);
        assert!(request.starts_with("POST /api/Subscriptions/GetList ") && request.contains("\r\n\r\n{\"take\":1,"));
    });
}

#[test]
fn an_account_says_what_it_lacks() {
    let refused = |change: &dyn Fn(&mut AccountSetup)| {
        let mut setup = setup("https://store.payproglobal.com");
        change(&mut setup);
        let error = PayPro.open(setup).err().expect("an error");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary"), "{text}");
        text
    };
    assert!(refused(&|setup| setup.credentials.truncate(1)).contains("set PAYPRO_API_SECRET_KEY"));
    let plain = refused(&|setup| setup.urls[0].1 = "http://canary.example.com".to_owned());
    assert!(plain.contains("the URL `store` is not an https URL"), "{plain}");
    assert!(refused(&|setup| setup.options[0].1 = "soon".to_owned()).contains("`settle_delay` is `soon`"));
    for number in ["", "canary", "12a", "-1", "0123", "1,\"x\":2"] {
        let text = refused(&|setup| setup.credentials[0].1 = number.into());
        assert!(text.contains("`vendor_account_id` is not a whole number"), "{text}");
    }
}

/// What a read shows when the server answers so, and its body.
fn observed(answer: Step) -> (Result<Observation, Failure>, String) {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, answer]]).await;
        let row = row("suspend_subscription", &[("subscriptionId", "1111111")]);
        let observation = open(&server.url()).observe(&row).expect("a read").await;
        assert!(!format!("{observation:?}").contains("canary"));
        let (_, request) = server.requests().remove(0);
        (observation, request)
    })
}

#[test]
fn a_subscription_is_read_without_its_customer() {
    let details = r#""response":{"status":"Active","customerEmail":"canary@example.com","nextPayment":"2027-01-31T00:00:00.000","subscriptionPrice":19.900,"subscriptionCurrency":"USD","quantity":1,"lastPayment":null},"errors":[],"isSuccess":true"#;
    let (observation, request) = observed(reply("200 OK", JSON, &echoed("1111111", details)));
    let observation = observation.expect("facts");
    let facts: Vec<_> = observation.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("status", "Active"),
        ("next_payment", "2027-01-31T00:00:00"),
        ("price", "19.9"),
        ("currency", "USD"),
        ("quantity", "1"),
    ];
    assert_eq!(facts, expected);
    assert!(request.starts_with("POST /api/Subscriptions/GetSubscriptionDetails "), "{request}");
    assert!(
        request.contains("\r\n\r\n{\"dateFormat\":\"a\",\"subscriptionId\":1111111,\"vendorAccountId\""),
        "{request}"
    );
}

#[test]
fn a_subscription_that_is_not_there_is_a_fact() {
    let (observation, _) = observed(reply("404 Not Found", JSON, &error("SubscriptionId", "Unknown.")));
    assert_eq!(observation.expect("facts").get("found"), Some("no"));
}

#[rstest]
#[case(reply("200 OK", JSON, &success("1111111")), FailureClass::Unrecognised)]
#[case(reply("200 OK", JSON, &echoed("2", r#""response":{"status":"Active"},"errors":[],"isSuccess":true"#)), FailureClass::Unrecognised)]
#[case(reply("200 OK", JSON, &error("dateFormat", "canary+\"key\"/3")), FailureClass::Unrecognised)]
#[case(reply("200 OK", JSON, &error("apiSecretKey", "Wrong.")), FailureClass::Credentials)]
#[case(reply("404 Not Found", "text/plain", "canary"), FailureClass::Unrecognised)]
#[case(reply("500 Oops", JSON, "canary"), FailureClass::ServerError(500))]
fn a_read_that_brings_no_details_is_a_failure(#[case] answer: Step, #[case] expected: FailureClass) {
    assert_eq!(observed(answer).0.expect_err("no details").class, expected);
}

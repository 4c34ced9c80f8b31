//! Requests as they leave, every operation with every documented word, and what other replies come to.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use std::future::Future;

use rstest::rstest;

use super::*;
use crate::http::scripted::{Server, Step, reply, say};
use crate::http::{Transport, TransportSettings};
use crate::model::failure::{Answer, FailureClass};
use crate::model::ids::{AccountName, RowNumber};
use crate::model::operation::Meaning;
use crate::model::row::Values;
use crate::providers::find_operation;

const KEY: &str = "canary &$1";
const XML: &str = "text/xml; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

pub(super) fn row(verb: &str, values: &[(&str, &str)]) -> Row {
    let operation = find_operation(&format!("segpay.{verb}")).expect("an operation");
    let mut given = Values::new(operation.parameters.len());
    for (name, value) in values {
        given.set(operation.position(name).expect("a parameter"), *value);
    }
    let account = AccountName::new("segpay");
    Row { number: RowNumber(2), operation, account, values: given, subject: None, amount: None }
}

/// A row with the example of each parameter.
pub(super) fn example(operation: &OperationSpec) -> Row {
    let examples = operation.parameters.iter().map(|own| (own.name, own.example));
    let values: Vec<(&str, &str)> = examples.filter(|(_, example)| !example.is_empty()).collect();
    row(operation.verb(), &values)
}

pub(super) fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

pub(super) fn setup(url: &str) -> AccountSetup {
    let settings = TransportSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_millis(500),
        ca_file: None,
        user_agent: "subops-test".to_owned(),
    };
    AccountSetup {
        name: AccountName::new("segpay"),
        urls: vec![("srs", url.to_owned()), ("api", url.to_owned())],
        credentials: vec![
            ("user_id", "jane canary".into()),
            ("access_key", KEY.into()),
            ("api_username", "api canary".into()),
            ("api_password", "word+/canary=2".into()),
            ("merchant_id", "20213".into()),
        ],
        options: vec![
            ("settle_delay", "60s".to_owned()),
            ("upgrade_request", "json".to_owned()),
            ("upgrade_response", "json".to_owned()),
        ],
        transport: Transport::new(settings).expect("a transport"),
    }
}

pub(super) fn open(url: &str) -> Box<dyn Account> {
    Segpay.open(setup(url)).expect("an account")
}

/// The reply that an operation gets when the server answers so; and nothing secret in it.
pub(super) fn performed(row: &Row, answer: Step) -> Reply {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, answer]]).await;
        let came = open(&server.url()).perform(row, None).await;
        let shown = format!("{came:?}");
        assert!(!shown.contains("canary") && !shown.contains("UserAccessKey"), "{shown}");
        assert_eq!(server.requests().len(), 1, "one request on the wire");
        came
    })
}

fn word(text: &str) -> Step {
    reply(
        "200 OK",
        XML,
        &format!("<?xml version=\"1.0\"?>\n<string xmlns=\"http://srs.segpay.com/ADM.asmx\">{text}</string>"),
    )
}

pub(super) fn class(came: &Reply) -> Option<FailureClass> {
    match came {
        Reply::Failed(failure) => Some(failure.class),
        _ => None,
    }
}

/// The operations of the Reporting Services.
fn srs_operations() -> impl Iterator<Item = &'static OperationSpec> {
    let is_srs = |verb: &str| matches!(task(verb).map(|task| task.interface), Some(Interface::Srs { .. }));
    OPERATIONS.iter().filter(move |operation| is_srs(operation.verb()))
}

#[test]
fn every_operation_has_a_task() {
    for operation in OPERATIONS {
        let task = task(operation.verb()).expect(operation.name);
        assert_eq!(task.evidence.is_some(), operation.verified_by.is_some(), "{}", operation.name);
        let returns = !matches!(task.interface, Interface::Srs { success: operations::Success::Word, .. });
        assert_eq!(returns, !operation.returns.is_empty(), "{}", operation.name);
    }
}

#[test]
fn every_documented_word_of_every_operation() {
    for operation in srs_operations() {
        for known in operation.words {
            for text in [known.text.to_owned(), known.text.to_uppercase(), format!("\n {} ", known.text.to_lowercase())]
            {
                let came = performed(&example(operation), word(&text));
                let code = |answer: &Answer| assert_eq!(answer.code, known.text, "{}", operation.name);
                match (known.meaning, &came) {
                    (Meaning::Applied, Reply::Applied(answer))
                    | (Meaning::Already, Reply::Already(answer))
                    | (Meaning::Refused | Meaning::RefusedUnclear, Reply::Refused(answer)) => code(answer),
                    (Meaning::Credentials, Reply::Failed(failure)) => {
                        assert_eq!(failure.class, FailureClass::Credentials, "{}", operation.name);
                    }
                    _ => panic!("{}: `{text}` became {came:?}", operation.name),
                }
            }
        }
    }
}

#[test]
fn a_word_means_what_it_means_for_its_operation() {
    let meaning = |verb: &str, word: &str| find_operation(&format!("segpay.{verb}")).expect(verb).meaning(word);
    let not_active = "subscription not active, cancel failed";
    assert_eq!(meaning("cancel_membership", not_active), Some(Meaning::Already));
    assert_eq!(meaning("expire_membership", not_active), Some(Meaning::Already));
    assert_eq!(meaning("refund_transaction", not_active), Some(Meaning::Refused));
    assert_eq!(meaning("extend_membership", not_active), None);
    assert_eq!(meaning("extend_membership", "failed"), Some(Meaning::RefusedUnclear));
    assert_eq!(meaning("refund_transaction", "Failed"), None);
    assert_eq!(meaning("reactivation_link", "Successful"), None);
}

#[rstest]
#[case(word("Sucessful"))]
#[case(word("Successful!"))]
#[case(word(""))]
#[case(word("<b>Successful</b>"))]
#[case(word("canary &amp;$1"))]
#[case(reply("200 OK", XML, "<int>20213</int>"))]
#[case(reply("200 OK", XML, "<boolean>Successful</boolean>"))]
#[case(reply("200 OK", PLAIN, "Successful"))]
#[case(reply("200 OK", XML, "<string>Successful"))]
#[case(reply("200 OK", XML, ""))]
#[case(reply("200 OK", XML, "<!DOCTYPE a><string>Successful</string>"))]
fn what_is_not_documented_is_unknown(#[case] answer: Step) {
    for operation in srs_operations().filter(|operation| operation.verb() != "validate_user_access") {
        let came = performed(&example(operation), answer.clone());
        assert_eq!(class(&came), Some(FailureClass::Unrecognised), "{}: {came:?}", operation.name);
    }
}

#[rstest]
#[case("Missing parameter: PurchaseID.\r\n", "Missing Parameter")]
#[case("System.InvalidOperationException: Missing parameter: Days.", "Missing Parameter")]
#[case("Cannot convert abc to System.Int32.\r\nParameter name: type ---> Input string", "Cannot convert")]
#[case("System.ArgumentException: Cannot convert canary &$1 to System.Int32.", "Cannot convert")]
fn an_error_before_the_operation_ran_is_a_refusal(#[case] text: &str, #[case] code: &str) {
    let came = performed(&example(&OPERATIONS[2]), reply("500 Internal Server Error", PLAIN, text));
    assert!(matches!(&came, Reply::Refused(answer) if answer.code == code), "{came:?}");
}

#[rstest]
#[case("System.Exception: Invalid Merchant - ExtendMembership\r\n at NewSRSWebService.ADM.ExtendMembership()")]
#[case("System.Web.HttpException: No. ---> System.Exception: Invalid Merchant - ExtendMembership")]
#[case("invalid merchant")]
fn an_unknown_merchant_stops_at_the_login(#[case] text: &str) {
    let came = performed(&example(&OPERATIONS[2]), reply("500 Internal Server Error", PLAIN, text));
    assert_eq!(class(&came), Some(FailureClass::Credentials), "{came:?}");
    let named = performed(&example(&OPERATIONS[2]), word("Invalid Merchant - ExtendMembership"));
    assert_eq!(class(&named), Some(FailureClass::Credentials));
}

#[rstest]
#[case(reply("500 Oops", PLAIN, "The server was unable to process the request."), FailureClass::ServerError(500))]
#[case(reply("500 Oops", "text/html", "Missing parameter: PurchaseID."), FailureClass::ServerError(500))]
#[case(reply("500 Oops", PLAIN, "The note `Missing parameter: x.` Invalid Merchant"), FailureClass::ServerError(500))]
#[case(
    reply("500 Oops", PLAIN, "Cannot convert x to System.Int32.\r\n at NewSRSWebService.ADM.Extend()"),
    FailureClass::ServerError(500)
)]
#[case(
    say("HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 90\r\n\r\nMissing parameter: X."),
    FailureClass::ServerError(500)
)]
#[case(reply("502 Bad Gateway", "text/html", "<html>"), FailureClass::ServerError(502))]
#[case(reply("503 Unavailable", "text/html", "<html>"), FailureClass::Unavailable)]
#[case(reply("403 Forbidden", "text/html", "<html>"), FailureClass::Credentials)]
#[case(reply("429 Slow", PLAIN, ""), FailureClass::Throttled)]
#[case(reply("302 Found", PLAIN, ""), FailureClass::Redirect)]
#[case(reply("200 OK", "text/html", "<html>Successful</html>"), FailureClass::Html)]
#[case(reply("200 OK", XML, "<!DOCTYPE html><html>"), FailureClass::Html)]
#[case(say("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<string>Successful</string>"), FailureClass::Truncated)]
#[case(say("HTTP/1.1 200"), FailureClass::Lost)]
#[case(Step::Hang, FailureClass::Lost)]
fn other_replies_are_what_their_status_says(#[case] answer: Step, #[case] expected: FailureClass) {
    let came = performed(&example(&OPERATIONS[5]), answer);
    assert_eq!(class(&came), Some(expected), "{came:?}");
}

#[test]
fn another_4xx_is_a_refusal() {
    let came = performed(&example(&OPERATIONS[0]), reply("404 Not Found", PLAIN, "no canary &$1 here"));
    let Reply::Refused(answer) = came else { panic!("{came:?}") };
    assert_eq!((answer.code.as_str(), answer.message.as_str()), ("http_404", "HTTP 404: no *** here"));
}

#[test]
fn links_and_numbers_are_returned() {
    let link = "https://secure2.segpay.com/reactivation?tguid=89fc5cf7&amp;sprs=ms";
    let came = performed(&example(&OPERATIONS[6]), reply("200 OK", XML, &format!("<string>{link}</string>")));
    let Reply::Applied(answer) = came else { panic!("{came:?}") };
    assert_eq!(answer.data, [("link", link.replace("&amp;", "&"))]);
    for bad in ["http://a.example/", "https://", "https://a b", "javascript:x"] {
        let came = performed(&example(&OPERATIONS[6]), word(bad));
        assert_eq!(class(&came), Some(FailureClass::Unrecognised), "{bad}");
    }
    for (body, taken) in [("<int>20213</int>", true), ("<int>0</int>", false), ("<string>20213</string>", false)] {
        let came = performed(&example(&OPERATIONS[7]), reply("200 OK", XML, body));
        assert_eq!(matches!(came, Reply::Applied(_)), taken, "{body}");
    }
}

#[test]
fn the_probe_names_the_merchant() {
    on_runtime(async {
        let answer = reply("200 OK", XML, "<int xmlns=\"http://srs.segpay.com/MWS.asmx\">20213</int>");
        let server = Server::start(vec![vec![Step::Read, answer]]).await;
        let Reply::Applied(answer) = open(&server.url()).probe().await else { panic!("no answer") };
        assert_eq!(answer.message, "merchant 20213");
        assert_eq!(
            server.targets(),
            ["GET /MWS.asmx/ValidateUserAccess?UserID=jane+canary&UserAccessKey=canary+%26%241"]
        );
    });
}

#[rstest]
#[case(
    "System.Exception: Invalid Merchant - ValidateUserAccess\r\n   at NewSRSWebService.MWS.ValidateUserAccess(String UserID, String UserAccessKey)\r\n"
)]
#[case("System.Exception: Invalid Merchant - ValidateUserAccess")]
fn the_probe_knows_wrong_credentials(#[case] text: &str) {
    on_runtime(async {
        let answer = reply("500 Internal Server Error", PLAIN, text);
        let server = Server::start(vec![vec![Step::Read, answer]]).await;
        let came = open(&server.url()).probe().await;
        assert_eq!(class(&came), Some(FailureClass::Credentials), "{came:?}");
    });
}

/// What is sent for a row, without the credentials.
fn sent(row: &Row, token: Option<&str>) -> String {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, word("Successful")]]).await;
        open(&server.url()).perform(row, token).await;
        let target = server.targets().remove(0);
        target.replace("?UserID=jane+canary&UserAccessKey=canary+%26%241", "?…")
    })
}

#[rstest]
#[case("cancel_membership", &[("PurchaseID", "80012345")], None,
    "GET /adm.asmx/CancelMembership?…&PurchaseID=80012345&CancelReason=")]
#[case("expire_membership", &[("PurchaseID", "1"), ("CancelReason", "a+b & c=d é")], None,
    "GET /adm.asmx/ExpireMembership?…&PurchaseID=1&CancelReason=a%2Bb+%26+c%3Dd+%C3%A9")]
#[case("extend_membership", &[("PurchaseID", "1"), ("Days", "30")], Some("r7-2"),
    "GET /adm.asmx/ExtendMembership?…&PurchaseID=1&Days=30")]
#[case("insert_consumer_note", &[("PurchaseID", "1"), ("Note", "called")], Some("r7-2"),
    "GET /adm.asmx/InsertConsumerNote?…&PurchaseID=1&Note=called+%5Br7-2%5D")]
#[case("modify_rebill_amount", &[("PurchaseID", "1"), ("RecurringAmount", "19.90")], Some("r7-2"),
    "GET /adm.asmx/ModifyRebillAmount?…&PurchaseID=1&RecurringAmount=19.90&Comments=%5Br7-2%5D")]
#[case("refund_transaction", &[("TransID", "9")], None, "GET /adm.asmx/RefundTransaction?…&TransID=9&RefundReason=")]
#[case("reactivation_link", &[("PurchaseID", "1")], None, "GET /merchantservices/Reactivation?…&purchaseid=1")]
#[case("validate_user_access", &[], None, "GET /MWS.asmx/ValidateUserAccess?…")]
fn requests_are_those_that_are_documented(
    #[case] verb: &str,
    #[case] values: &[(&str, &str)],
    #[case] token: Option<&str>,
    #[case] expected: &str,
) {
    assert_eq!(sent(&row(verb, values), token), expected);
}

#[test]
fn a_text_that_no_request_could_carry_is_refused() {
    let check = |text: &str| Segpay.check(&row("insert_consumer_note", &[("PurchaseID", "1"), ("Note", text)]));
    assert_eq!(check(&"x".repeat(1000)), Ok(()));
    let fault = check(&"é".repeat(300)).expect_err("1,800 bytes");
    assert_eq!(fault.parameter, "Note");
    assert_eq!(fault.expected, "a shorter text: 1500 bytes once encoded, not 1800");
}

#[test]
fn an_account_says_what_it_lacks() {
    let refused = |change: &dyn Fn(&mut AccountSetup)| {
        let mut setup = setup("https://srs.segpay.com");
        change(&mut setup);
        let error = Segpay.open(setup).err().expect("an error");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary"), "{text}");
        text
    };
    assert!(refused(&|setup| setup.credentials.truncate(1)).contains("set SEGPAY_ACCESS_KEY"));
    let plain = refused(&|setup| setup.urls[0].1 = "http://canary.example.com".to_owned());
    assert!(plain.contains("the URL `srs` is not an https URL"), "{plain}");
    assert!(refused(&|setup| setup.options[0].1 = "soon".to_owned()).contains("`settle_delay` is `soon`"));
    assert!(refused(&|setup| setup.options[2].1 = "csv".to_owned()).contains("`upgrade_response` is `csv`"));
}

fn report_reply(rows: &str) -> Step {
    let text = format!("<DataSet><schema/><diffgram><NewDataSet>{rows}</NewDataSet></diffgram></DataSet>");
    reply("200 OK", XML, &text)
}

/// What a read shows when the server answers so, one connection a request, and the requests.
fn observed(row: &Row, answers: Vec<Step>) -> (Result<Observation, Failure>, Vec<String>) {
    on_runtime(async {
        let server = Server::start(answers.into_iter().map(|answer| vec![Step::Read, answer]).collect()).await;
        let account = open(&server.url());
        let observation = account.observe(row).expect("a read").await;
        assert!(!format!("{observation:?}").contains("canary"));
        let targets = server
            .targets()
            .into_iter()
            .map(|target| target.replace("UserID=jane+canary&UserAccessKey=canary+%26%241", "…"));
        (observation, targets.collect())
    })
}

#[rstest]
#[case("cancel_membership", ("status", "Active"), "TransactionByPurchaseID?…&PurchaseID=1")]
#[case("expire_membership", ("status", "Active"), "TransactionByPurchaseID?…&PurchaseID=1")]
#[case("extend_membership", ("next_bill_date", "2026-01-31"), ACTIVE_TARGET)]
#[case("modify_rebill_amount", ("recurring_amount", "19.95"), ACTIVE_TARGET)]
fn a_subscription_is_read_in_one_request_without_its_customer(
    #[case] verb: &str,
    #[case] (name, value): (&str, &str),
    #[case] target: &str,
) {
    let report = report_reply(
        "<Data><PurchaseID>1</PurchaseID><PurchStatus>Active</PurchStatus><RecurringAmount>19.9500</RecurringAmount>\
         <NextDate>01/31/2026</NextDate><CustName>canary</CustName><Username>canary</Username></Data>",
    );
    let (observation, targets) = observed(&row(verb, &[("PurchaseID", "1")]), vec![report]);
    assert_eq!(observation.expect("facts").get(name), Some(value));
    assert_eq!(targets, [format!("GET /MWS.asmx/{target}")]);
}

const ACTIVE_TARGET: &str = "AssetsActiveSubscriptionsByURL?…&BegDate=01012000&EndDate=12312078&PurchaseID=1&URLID=0";

#[test]
fn a_refund_is_read_through_its_purchase() {
    let transaction = report_reply("<Data><TransID>9</TransID><PurchaseID>1</PurchaseID></Data>");
    let credit = "<Data><PurchaseID>1</PurchaseID><TransID>12</TransID><Type>Credit</Type><RelatedTransID>9</RelatedTransID></Data>";
    let refund = row("refund_transaction", &[("TransID", "9")]);
    let (observation, targets) = observed(&refund, vec![transaction, report_reply(credit)]);
    assert_eq!(observation.expect("facts").get("refunds"), Some("12"));
    assert_eq!(
        targets,
        ["GET /MWS.asmx/TransactionByTransID?…&TransID=9", "GET /MWS.asmx/TransactionByPurchaseID?…&PurchaseID=1"]
    );
    let (observation, targets) = observed(&refund, vec![report_reply("")]);
    assert_eq!((observation.expect("facts").get("found"), targets.len()), (Some("no"), 1));
}

#[rstest]
#[case(word("Invalid Merchant"), FailureClass::Credentials)]
#[case(reply("500 Oops", PLAIN, "System.Exception: Invalid Merchant - X"), FailureClass::Credentials)]
#[case(reply("500 Oops", PLAIN, "canary"), FailureClass::ServerError(500))]
#[case(reply("404 Not Found", PLAIN, "canary"), FailureClass::Unrecognised)]
#[case(word("canary"), FailureClass::Unrecognised)]
#[case(report_reply("<Data><PurchaseID>2</PurchaseID></Data>"), FailureClass::Unrecognised)]
fn a_read_that_brings_no_report_is_a_failure(#[case] answer: Step, #[case] expected: FailureClass) {
    let (observation, _) = observed(&row("cancel_membership", &[("PurchaseID", "1")]), vec![answer]);
    assert_eq!(observation.expect_err("no report").class, expected);
}

#[test]
fn what_has_no_read_says_so() {
    let account = open("https://srs.segpay.com");
    for operation in OPERATIONS {
        assert_eq!(
            account.observe(&example(operation)).is_some(),
            operation.verified_by.is_some(),
            "{}",
            operation.name
        );
    }
}

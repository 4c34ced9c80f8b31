//! Requests in both formats as they leave, and the table of replies in both.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::contract::Provider;
use crate::http::scripted::{Server, Step, reply, say};
use crate::providers::segpay::Segpay;
use crate::providers::segpay::tests::{class, on_runtime, performed, row, setup};

const JSON: &str = "application/json; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";

fn upgrade() -> Row {
    row(
        "upgrade_membership",
        &[("purchaseId", "12345678"), ("NewRecurringAmount", "34.50"), ("NewRecurringDurationInDays", "12")],
    )
}

/// Fields as JSON: what is in quotes stays so.
fn json(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// The same as XML.
fn xml(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| {
        let value = value.trim_matches('"').replace("null", "").replace('&', "&amp;");
        format!("<{name}>{value}</{name}>")
    };
    format!("<?xml version=\"1.0\"?><Result xmlns=\"urn:x\">{}</Result>", fields.iter().map(field).collect::<String>())
}

const DONE: &[(&str, &str)] = &[
    ("IsSuccess", "true"),
    ("Message", "\"Purchase has been upgraded successfully.\""),
    ("purchaseid", "12345678"),
    ("TransactionId", "12341234"),
    ("TransactionAmount", "15.50"),
    ("newRecurringAmount", "34.5"),
    ("nextTransactionDate", "\"2021-07-15\""),
    ("transactionAuthCode", "\"OK:0\""),
];

/// `DONE` with other values for some fields; an empty one leaves the field out.
fn but(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let changed = |(name, value): &(&'static str, &'static str)| {
        let change = changes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        (*name, change.map_or(*value, |(_, value)| *value))
    };
    DONE.iter().map(changed).filter(|(_, value)| !value.is_empty()).collect()
}

/// What a reply comes to, in one word; the same in both formats.
fn meaning(status: &str, fields: &[(&str, &str)]) -> String {
    let one = |body: &str, content_type| match performed(&upgrade(), reply(status, content_type, body)) {
        Reply::Applied(answer) => format!("applied {}", answer.reference.unwrap_or_default()),
        Reply::Refused(answer) => format!("refused {}", answer.message),
        Reply::Already(_) => "already".to_owned(),
        Reply::Failed(failure) => failure.class.code().to_owned(),
    };
    let came = one(&json(fields), JSON);
    assert_eq!(one(&xml(fields), XML), came, "{fields:?}");
    came
}

#[test]
fn an_upgrade_returns_its_transaction() {
    for body in [json(DONE), xml(DONE)] {
        let Reply::Applied(answer) = performed(&upgrade(), reply("200 OK", JSON, &body)) else { panic!("{body}") };
        assert_eq!(answer.reference.as_deref(), Some("12341234"));
        assert_eq!(answer.message, "Purchase has been upgraded successfully.");
        let data =
            [("TransactionId", "12341234"), ("TransactionAmount", "15.50"), ("nextTransactionDate", "2021-07-15")];
        assert_eq!(answer.data, data.map(|(name, value)| (name, value.to_owned())));
    }
}

#[rstest]
#[case::as_documented(&[], "applied 12341234")]
#[case::numbers_as_text(&[("TransactionId", "\"12341234\""), ("purchaseid", "\"12345678\"")], "applied 12341234")]
#[case::truth_as_text(&[("IsSuccess", "\"True\"")], "applied 12341234")]
#[case::no_extras(&[("Message", ""), ("TransactionAmount", "null"), ("nextTransactionDate", "")], "applied 12341234")]
#[case::another_purchase(&[("purchaseid", "12345679")], "unrecognised")]
#[case::no_purchase(&[("purchaseid", "")], "unrecognised")]
#[case::another_code(&[("transactionAuthCode", "\"OK:1\"")], "unrecognised")]
#[case::no_code(&[("transactionAuthCode", "null")], "unrecognised")]
#[case::no_transaction(&[("TransactionId", "null")], "unrecognised")]
#[case::no_truth(&[("IsSuccess", "1")], "unrecognised")]
#[case::nothing_said(&[("IsSuccess", "")], "unrecognised")]
#[case::declined(
    &[("IsSuccess", "false"), ("transactionAuthCode", "\"05:Do not honor\""), ("Message", "\"Charge declined.\""), ("TransactionAmount", "null")],
    "refused declined: 05:Do not honor: Charge declined."
)]
#[case::refused(
    &[("IsSuccess", "false"), ("transactionAuthCode", "null"), ("TransactionId", "null"), ("Message", "\"Not active.\"")],
    "refused refused: Not active."
)]
#[case::refused_with_a_zero(
    &[("IsSuccess", "false"), ("transactionAuthCode", "\"\""), ("TransactionId", "0"), ("Message", "\"Not word+/canary=2.\"")],
    "refused refused: Not ***."
)]
#[case::charged_for_nothing(&[("IsSuccess", "false")], "unrecognised")]
#[case::refused_for_another(&[("IsSuccess", "false"), ("purchaseid", "1"), ("transactionAuthCode", "\"05\"")], "unrecognised")]
fn a_reply_is_taken_only_as_a_whole(#[case] changes: &[(&'static str, &'static str)], #[case] expected: &str) {
    assert_eq!(meaning("200 OK", &but(changes)), expected);
}

/// Status, then what a success, a declined charge, and a body that says neither come to.
#[rstest]
#[case("200 OK", "applied 12341234", "refused declined: 05", "unrecognised")]
#[case("400 Bad Request", "unrecognised", "refused declined: 05", "refused HTTP 400")]
#[case("404 Not Found", "unrecognised", "refused declined: 05", "refused HTTP 404")]
#[case("401 Unauthorized", "credentials", "credentials", "credentials")]
#[case("403 Forbidden", "credentials", "credentials", "credentials")]
#[case("409 Conflict", "conflict", "conflict", "conflict")]
#[case("429 Too Many", "throttled", "throttled", "throttled")]
#[case("500 Oops", "server_error", "server_error", "server_error")]
#[case("503 Away", "unavailable", "unavailable", "unavailable")]
fn each_status_with_each_body(
    #[case] status: &str,
    #[case] success: &str,
    #[case] declined: &str,
    #[case] neither: &str,
) {
    assert_eq!(meaning(status, DONE), success);
    let no = but(&[("IsSuccess", "false"), ("transactionAuthCode", "\"05\""), ("Message", "")]);
    assert_eq!(meaning(status, &no), declined);
    for body in ["", "{}", "<Error/>"] {
        let came = performed(&upgrade(), reply(status, JSON, body));
        let came = match came {
            Reply::Refused(answer) => format!("refused {}", answer.message.split(": ").next().unwrap_or_default()),
            Reply::Failed(failure) => failure.class.code().to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(came, neither, "{body}");
    }
}

#[rstest]
#[case(reply("200 OK", JSON, &json(DONE).replacen("\"Message\"", "\"issuccess\":false,\"Message\"", 1)), FailureClass::Unrecognised)]
#[case(reply("200 OK", XML, &xml(DONE).replace("<Message>", "<issuccess>false</issuccess><Message>")), FailureClass::Unrecognised)]
#[case(reply("400 Bad Request", JSON, &json(DONE).replacen("\"Message\"", "\"issuccess\":false,\"Message\"", 1)), FailureClass::Unrecognised)]
#[case(reply("200 OK", XML, &xml(DONE).replace("Result", "Answer")), FailureClass::Unrecognised)]
#[case(reply("200 OK", XML, &xml(DONE)[..120]), FailureClass::Unrecognised)]
#[case(reply("200 OK", JSON, &json(DONE)[..120]), FailureClass::Unrecognised)]
#[case(reply("200 OK", "text/html", &json(DONE)), FailureClass::Html)]
#[case(reply("302 Found", JSON, &json(DONE)), FailureClass::Redirect)]
#[case(say("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"), FailureClass::Truncated)]
#[case(say("HTTP/1.1 200"), FailureClass::Lost)]
fn anything_else_is_unknown(#[case] answer: Step, #[case] expected: FailureClass) {
    let came = performed(&upgrade(), answer);
    assert_eq!(class(&came), Some(expected), "{came:?}");
}

#[rstest]
#[case("json", "json", r#"{"NewRecurringAmount":34.50,"NewRecurringDurationInDays":12}"#)]
#[case(
    "xml",
    "json",
    "<Parameters><NewRecurringAmount>34.50</NewRecurringAmount><NewRecurringDurationInDays>12</NewRecurringDurationInDays></Parameters>"
)]
#[case("json", "xml", r#"{"NewRecurringAmount":34.50,"NewRecurringDurationInDays":12}"#)]
fn request_and_reply_have_a_format_each(#[case] request: &str, #[case] response: &str, #[case] body: &str) {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, reply("200 OK", JSON, &json(DONE))]]).await;
        let mut setup = setup(&server.url());
        setup.options = vec![
            ("settle_delay", "60s".to_owned()),
            ("upgrade_request", request.to_owned()),
            ("upgrade_response", response.to_owned()),
        ];
        let account = Segpay.open(setup).expect("an account");
        let came = account.perform(&upgrade(), None).await;
        assert!(matches!(came, Reply::Applied(_)), "{came:?}");
        let (_, sent) = server.requests().remove(0);
        let (head, own) = sent.split_once("\r\n\r\n").expect("a body");
        assert_eq!(own, body);
        let (line, headers) = head.split_once("\r\n").expect("headers");
        assert_eq!(line, "POST /purchases/12345678/upgrade HTTP/1.1");
        let mut headers: Vec<String> = headers
            .split("\r\n")
            .filter_map(|header| header.split_once(": "))
            .map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
            .filter(|header| !header.starts_with("host") && !header.starts_with("user-agent"))
            .collect();
        headers.sort_unstable();
        let expected = [
            format!("accept: application/{response}"),
            format!("authorization: Basic {}", STANDARD.encode("api canary:word+/canary=2")),
            format!("content-length: {}", body.len()),
            format!("content-type: application/{request}"),
        ];
        assert_eq!(headers, expected);
    });
}

#[test]
fn what_no_request_can_carry_never_leaves() {
    let setup_without = |key: &str| {
        let mut setup = setup("https://api.segpay.com");
        setup.credentials.retain(|(own, _)| *own != key);
        Segpay.open(setup).expect("an account")
    };
    for key in ["api_username", "api_password"] {
        let came = on_runtime(setup_without(key).perform(&upgrade(), None));
        assert_eq!(class(&came), Some(FailureClass::Credentials), "{key}");
    }
    for values in [&[("purchaseId", "1"), ("NewRecurringAmount", "034")][..], &[("NewRecurringAmount", "34")]] {
        let came = on_runtime(setup_without("").perform(&row("upgrade_membership", values), None));
        assert_eq!(class(&came), Some(FailureClass::NotWritten));
    }
}

proptest! {
    #[test]
    fn random_bytes_are_never_an_upgrade(body in any::<Vec<u8>>(), success in any::<bool>()) {
        for body in [body.clone(), [b"<", &body[..]].concat(), [b"{", &body[..], b"}"].concat()] {
            let said = Said::read(&body).and_then(|said| said.meaning("12345678", success, &[]));
            prop_assert!(!matches!(said, Ok(Reply::Applied(_) | Reply::Already(_))));
        }
    }

    #[test]
    fn one_changed_byte_never_turns_an_answer_round(at in 0..400_usize, byte in any::<u8>(), in_xml in any::<bool>()) {
        let no = but(&[("IsSuccess", "false"), ("transactionAuthCode", "\"05\"")]);
        for (fields, done) in [(&no[..], false), (DONE, true)] {
            let mut body = if in_xml { xml(fields) } else { json(fields) }.into_bytes();
            let at = at % body.len();
            body[at] = byte;
            let said = Said::read(&body).and_then(|said| said.meaning("12345678", true, &[]));
            prop_assert!(!matches!((said, done), (Ok(Reply::Applied(_)), false) | (Ok(Reply::Refused(_)), true)));
        }
    }
}

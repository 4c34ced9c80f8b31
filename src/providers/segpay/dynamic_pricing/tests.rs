//! The request as it leaves, the four sentences, and what is a hash.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::contract::Provider;
use crate::http::scripted::{Server, Step, reply};
use crate::providers::segpay::Segpay;
use crate::providers::segpay::tests::{class, on_runtime, open, performed, row, setup};

const HASH: &str = "4940196f-10ed-4264-96ec-0a576f142c5a";
const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

fn offer(more: &[(&str, &str)]) -> Row {
    let usual = [
        ("InitialAmount", "3.50"),
        ("InitialLength", "4"),
        ("RecurringAmount", "28.90"),
        ("RecurringLength", "30"),
        ("PackageID", "012569"),
        ("PricePointID", "3097"),
    ];
    row("dynamic_pricing", &[&usual[..], more].concat())
}

#[test]
fn the_request_is_the_documented_one() {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, reply("200 OK", JSON, &format!("\"{HASH}\""))]]).await;
        let came = open(&server.url()).perform(&offer(&[]), Some("token")).await;
        assert!(matches!(came, Reply::Applied(_)), "{came:?}");
        let (_, request) = server.requests().remove(0);
        let target = "GET /MerchantServices/DynamicRecurring?MerchantID=20213&InitialAmount=3.50&InitialLength=4\
                      &RecurringAmount=28.90&RecurringLength=30 HTTP/1.1\r\n";
        assert!(request.starts_with(target), "{request}");
        let credentials = STANDARD.encode("jane canary:canary &$1");
        assert!(request.to_lowercase().contains(&format!("\r\nauthorization: basic {credentials}\r\n").to_lowercase()));
        assert!(request.contains(&credentials), "{request}");
    });
}

#[rstest]
#[case(PLAIN, HASH.to_owned())]
#[case(JSON, format!("\"{HASH}\""))]
#[case(JSON, format!("\u{feff}  \"{HASH}\"\r\n"))]
fn a_hash_makes_a_link(#[case] content_type: &str, #[case] body: String) {
    let Reply::Applied(answer) = performed(&offer(&[]), reply("200 OK", content_type, &body)) else { panic!("{body}") };
    let link = format!("{JOIN_LINK}?x-eticketid=012569:3097&DynamicPricingID={HASH}");
    assert_eq!(answer.data, [("hash", HASH.to_owned()), ("link", link)]);
}

#[rstest]
#[case("https://join.example/a.cgi", "https://join.example/a.cgi?x-eticketid")]
#[case("https://join.example/a.cgi?", "https://join.example/a.cgi?x-eticketid")]
#[case("https://join.example/a.cgi?b=1", "https://join.example/a.cgi?b=1&x-eticketid")]
#[case("https://join.example/a.cgi?b=1&", "https://join.example/a.cgi?b=1&x-eticketid")]
fn a_link_may_have_a_query(#[case] base: &str, #[case] expected: &str) {
    assert!(link(&offer(&[("JoinLink", base)]), HASH).starts_with(expected), "{base}");
}

#[test]
fn every_documented_sentence_is_a_refusal() {
    for word in offer(&[]).operation.words {
        for text in [word.text.to_owned(), format!("\"{}\"", word.text), word.text.trim_end_matches('.').to_uppercase()]
        {
            for status in ["200 OK", "400 Bad Request", "500 Oops"] {
                let came = performed(&offer(&[]), reply(status, PLAIN, &text));
                assert!(
                    matches!(&came, Reply::Refused(answer) if answer.code == word.text),
                    "{status} {text}: {came:?}"
                );
            }
        }
    }
}

#[rstest]
#[case(reply("200 OK", PLAIN, "Unauthorized"), FailureClass::Unrecognised)]
#[case(reply("200 OK", PLAIN, "canary &$1"), FailureClass::Unrecognised)]
#[case(reply("200 OK", PLAIN, ""), FailureClass::Unrecognised)]
#[case(reply("200 OK", JSON, "{\"hash\":\"x\"}"), FailureClass::Unrecognised)]
#[case(reply("200 OK", PLAIN, "4940196f-10ed-4264-96ec-0a576f142c5g"), FailureClass::Unrecognised)]
#[case(reply("200 OK", PLAIN, "4940196f10ed426496ec0a576f142c5a"), FailureClass::Unrecognised)]
#[case(reply("200 OK", PLAIN, "4940196f-10ed-4264-96ec0-a576f142c5a"), FailureClass::Unrecognised)]
#[case(reply("200 OK", PLAIN, "----"), FailureClass::Unrecognised)]
#[case(reply("200 OK", "text/html", HASH), FailureClass::Html)]
#[case(reply("401 Unauthorized", "text/html", "<html>"), FailureClass::Credentials)]
#[case(reply("500 Oops", PLAIN, HASH), FailureClass::ServerError(500))]
fn anything_else_is_unknown(#[case] answer: Step, #[case] expected: FailureClass) {
    let came = performed(&offer(&[]), answer);
    assert_eq!(class(&came), Some(expected), "{came:?}");
}

#[test]
fn what_makes_no_link_is_refused_before_it_is_sent() {
    for (parameter, text) in [
        ("PackageID", "12:3"),
        ("PricePointID", "1&x=2"),
        ("JoinLink", "http://join.example/"),
        ("JoinLink", "https://"),
        ("JoinLink", "https://join.example/#a"),
        ("JoinLink", "https://join.example/\u{202e}"),
    ] {
        let fault = Segpay.check(&offer(&[(parameter, text)])).expect_err(text);
        assert_eq!(fault.parameter, parameter, "{text}");
    }
    assert_eq!(Segpay.check(&offer(&[("JoinLink", "https://join.example/poset.cgi?")])), Ok(()));
}

#[test]
fn without_a_merchant_nothing_is_sent() {
    let mut setup = setup("https://srs.segpay.com");
    setup.credentials.retain(|(key, _)| *key != "merchant_id");
    let account = Segpay.open(setup).expect("an account");
    let came = on_runtime(account.perform(&offer(&[]), None));
    assert_eq!(class(&came), Some(FailureClass::Credentials), "{came:?}");
}

proptest! {
    #[test]
    fn random_bytes_are_no_hash(body in any::<Vec<u8>>()) {
        prop_assert!(!is_hash(&value(&body)));
    }
}

//! Replies as tables, reads and what they prove, and whole accounts against a server that says what it is told.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use std::future::Future;

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;

use super::operations::{Evidence, OPERATIONS, task};
use super::replies::{Heard, heard, reply_of};
use super::*;
use crate::contract::{Doubt, Finding, Observation};
use crate::http::scripted::{Server, Step, reply};
use crate::http::{HttpReply, Transport, TransportSettings};
use crate::model::failure::{FailureClass, Reply};
use crate::model::ids::{AccountName, RowNumber};
use crate::model::operation::Effect;
use crate::model::row::Values;

const JSON: &str = "application/json";

pub(super) fn row(verb: &str, values: &[(&str, &str)]) -> Row {
    let operation = OPERATIONS.iter().find(|operation| operation.verb() == verb).expect("an operation");
    let mut given = Values::new(operation.parameters.len());
    for (name, value) in values {
        given.set(operation.position(name).expect("a parameter"), *value);
    }
    let account = AccountName::new("twocheckout");
    Row { number: RowNumber(2), operation, account, values: given, subject: None, amount: None }
}

fn extension() -> Row {
    row("extend_subscription", &[("subscriptionReference", "4A2F9C31B7"), ("days", "30")])
}

/// What a JSON-RPC reply to request 7 comes to for an operation.
fn came(verb: &str, status: u16, content_type: &str, body: &[u8]) -> Reply {
    let operation = OPERATIONS.iter().find(|operation| operation.verb() == verb).expect("an operation");
    let reply = HttpReply {
        status,
        content_type: Some(content_type.to_owned()),
        body: Bytes::copy_from_slice(body),
        retry_after: None,
    };
    let heard = heard(&reply, rpc::said(body, 7), false, &["canary"]);
    let success = task(verb).expect("a task").success;
    reply_of(operation, success, heard, &["SUBSCRIPTION_UNKNOWN".to_owned(), "40240".to_owned()], &["canary"])
}

fn in_short(reply: &Reply) -> String {
    match reply {
        Reply::Applied(answer) => format!("applied {}", answer.code),
        Reply::Already(answer) => format!("already {}", answer.code),
        Reply::Refused(answer) => format!("refused {}", answer.code),
        Reply::Failed(failure) => format!("failed {}", failure.class.code()),
    }
}

#[rstest]
#[case(200, JSON, r#"{"id":7,"result":true}"#, "applied true", "applied true")]
#[case(200, "text/html", r#"{"id":7,"result":true}"#, "failed html_page", "failed html_page")]
#[case(200, JSON, r#"{"id":7,"result":false}"#, "failed unrecognised", "refused false")]
#[case(200, JSON, r#"{"id":7,"result":null}"#, "failed unrecognised", "failed unrecognised")]
#[case(200, JSON, r#"{"id":7,"result":"true"}"#, "failed unrecognised", "failed unrecognised")]
#[case(200, JSON, r#"{"id":7,"result":1}"#, "failed unrecognised", "failed unrecognised")]
#[case(200, JSON, r#"{"id":7,"response":true}"#, "failed unrecognised", "failed unrecognised")]
#[case(200, JSON, r#"{"id":8,"result":true}"#, "failed unrecognised", "failed unrecognised")]
#[case(200, JSON, "", "failed unrecognised", "failed unrecognised")]
#[case(500, JSON, r#"{"id":7,"result":true}"#, "failed server_error", "failed server_error")]
#[case(302, JSON, r#"{"id":7,"result":true}"#, "failed redirect", "failed redirect")]
#[case(302, JSON, r#"{"id":7,"error":{"code":10004}}"#, "failed redirect", "failed redirect")]
#[case(404, JSON, r#"{"id":7,"result":true}"#, "refused http_404", "refused http_404")]
#[case(404, "text/html", "<html>", "refused http_404", "refused http_404")]
#[case(200, JSON, r#"{"id":7,"error":{"code":10004,"message":"no"}}"#, "refused 10004", "refused 10004")]
#[case(500, JSON, r#"{"id":7,"error":{"code":10004,"message":"no"}}"#, "refused 10004", "refused 10004")]
#[case(
    200,
    JSON,
    r#"{"id":7,"error":{"code":1,"data":{"error_code":"NOT_ALLOWED"}}}"#,
    "refused NOT_ALLOWED",
    "refused NOT_ALLOWED"
)]
#[case(200, JSON, r#"{"id":7,"error":{"code":11000}}"#, "refused 11000", "refused 11000")]
#[case(200, JSON, r#"{"id":7,"error":{"code":99,"message":"?"}}"#, "failed unrecognised", "refused 99")]
#[case(400, JSON, r#"{"id":7,"error":{"code":99,"message":"?"}}"#, "failed unrecognised", "refused 99")]
#[case(500, JSON, r#"{"id":7,"error":{"code":99,"message":"?"}}"#, "failed server_error", "failed server_error")]
#[case(503, JSON, r#"{"id":7,"error":{"code":99,"message":"?"}}"#, "failed unavailable", "failed unavailable")]
#[case(429, JSON, r#"{"id":7,"error":{"code":99,"message":"?"}}"#, "failed throttled", "failed throttled")]
#[case(200, JSON, r#"{"id":7,"error":{"code":40240,"message":"?"}}"#, "refused 40240", "refused 40240")]
#[case(
    200,
    JSON,
    r#"{"id":7,"error":{"code":1,"data":{"error_code":"subscription_unknown"}}}"#,
    "refused subscription_unknown",
    "refused subscription_unknown"
)]
fn replies_for_what_adds_up_and_for_what_does_not(
    #[case] status: u16,
    #[case] content_type: &str,
    #[case] body: &str,
    #[case] adds_up: &str,
    #[case] does_not: &str,
) {
    for operation in OPERATIONS {
        let verb = operation.verb();
        if task(verb).expect("a task").success != operations::Success::True {
            continue;
        }
        let expected = if operation.effect == Effect::Additive { adds_up } else { does_not };
        assert_eq!(in_short(&came(verb, status, content_type, body.as_bytes())), expected, "{verb} {body}");
    }
}

#[rstest]
#[case("import_subscription", r#""8AF9A9DC95""#, "applied added", &[("SubscriptionReference", "8AF9A9DC95")])]
#[case("import_subscription", "12345", "applied added", &[("SubscriptionReference", "12345")])]
#[case("import_subscription", "true", "failed unrecognised", &[])]
#[case("import_subscription", r#""""#, "failed unrecognised", &[])]
#[case("import_subscription", r#""false""#, "failed unrecognised", &[])]
#[case("import_subscription", r#""ABCDEFABCD""#, "applied added", &[("SubscriptionReference", "ABCDEFABCD")])]
#[case("import_subscription", r#""Subscription was not added""#, "failed unrecognised", &[])]
#[case("create_cross_sell_campaign", r#"{"CampaignCode":"C1","Name":"n","Products":[{"Discount":15.50}]}"#, "applied created", &[("CampaignCode", "C1"), ("Name", "n"), ("Products", r#"[{"Discount":15.50}]"#)])]
#[case("create_cross_sell_campaign", r#"{"Name":"n"}"#, "failed unrecognised", &[])]
#[case("create_cross_sell_campaign", "true", "failed unrecognised", &[])]
#[case("upgrade_price", r#"{"BillingPrice":12.50,"BillingCurrency":"USD","Discount":null}"#, "applied read", &[("BillingPrice", "12.50"), ("BillingCurrency", "USD")])]
#[case("upgrade_price", r#"{"other":1}"#, "failed unrecognised", &[])]
#[case("upgrade_price", "5", "failed unrecognised", &[])]
#[case("shipping_fees", r#"{"ProductCode":"P","ShippingFees":[{"Amount":"5.00"}]}"#, "applied read", &[("ShippingFees", r#"[{"Amount":"5.00"}]"#)])]
#[case("shipping_fees", r#"[{"Amount":"5.00"}]"#, "applied read", &[("ShippingFees", r#"[{"Amount":"5.00"}]"#)])]
#[case("shipping_fees", r#"{"ProductCode":"P"}"#, "failed unrecognised", &[])]
#[case("search_payouts", r#"{"Items":[]}"#, "failed unrecognised", &[])]
fn results_that_hold_something(
    #[case] verb: &str,
    #[case] result: &str,
    #[case] expected: &str,
    #[case] data: &[(&str, &str)],
) {
    let reply = came(verb, 200, JSON, format!("{{\"id\":7,\"result\":{result}}}").as_bytes());
    assert_eq!(in_short(&reply), expected, "{result}");
    let got = match reply {
        Reply::Applied(answer) => answer.data,
        _ => Vec::new(),
    };
    let got: Vec<(&str, &str)> = got.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(got, data);
}

#[test]
fn soap_faults_are_no_server_errors_but_a_broken_server_is() {
    let judged = |verb: &str, code: &str, text: &str| {
        let body = format!(
            "<e:Envelope xmlns:e=\"x\"><e:Body><e:Fault><faultcode>e:{code}</faultcode>\
             <faultstring>{text}</faultstring></e:Fault></e:Body></e:Envelope>"
        );
        let content_type = Some("text/xml".to_owned());
        let reply = HttpReply { status: 500, content_type, body: body.clone().into(), retry_after: None };
        let heard = heard(&reply, soap::said(body.as_bytes(), "m"), true, &[]);
        let operation = OPERATIONS.iter().find(|operation| operation.verb() == verb).expect("an operation");
        in_short(&reply_of(operation, task(verb).expect("a task").success, heard, &[], &[]))
    };
    assert_eq!(judged("extend_subscription", "NOT_ALLOWED", "no"), "refused NOT_ALLOWED");
    assert_eq!(judged("extend_subscription", "SOME_ERROR", "no"), "failed unrecognised");
    assert_eq!(judged("cancel_subscription", "SOME_ERROR", "no"), "refused SOME_ERROR");
    assert_eq!(judged("cancel_subscription", "Server", "Internal error"), "failed server_error");
    assert_eq!(judged("upgrade_price", "Server", "no such product"), "refused Server");
}

#[test]
fn what_the_provider_repeats_is_redacted() {
    let body = br#"{"id":7,"error":{"code":99,"message":"session canary, card"}}"#;
    let shown = format!("{:?}", came("extend_subscription", 200, JSON, body));
    assert!(shown.contains("session ***") && !shown.contains("canary"), "{shown}");
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_success(body in proptest::collection::vec(any::<u8>(), 0..200), status in 100_u16..600) {
        for operation in OPERATIONS {
            prop_assert!(!matches!(came(operation.verb(), status, JSON, &body), Reply::Applied(_) | Reply::Already(_)));
        }
        prop_assert!(!matches!(soap::said(&body, "m"), said::Said::Result(_)));
    }

    #[test]
    fn no_text_that_is_almost_a_reply_is_taken_for_success(
        cut in 0_usize..38,
        letter in any::<char>(),
    ) {
        let whole = r#"{"jsonrpc":"2.0","id":7,"result":true}"#;
        let broken = format!("{}{letter}", &whole[..cut]);
        prop_assert!(!matches!(came("refund_order", 200, JSON, broken.as_bytes()), Reply::Applied(_)) || broken == whole);
    }
}

fn seen(facts: &[(&str, &str)]) -> Observation {
    Observation { facts: facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

fn verdict(
    evidence: Evidence,
    row: &Row,
    before: Option<&[(&str, &str)]>,
    now: &[(&str, &str)],
    age: u64,
) -> &'static str {
    let baseline = before.map(seen);
    let doubt = Doubt { baseline: baseline.as_ref(), age: Duration::from_secs(age), token: None };
    match reads::judge(evidence, row, &doubt, &seen(now), Duration::from_secs(300)) {
        Finding::Applied(_) => "applied",
        Finding::NotApplied(_) => "not applied",
        Finding::NotYet(_) => "not yet",
        Finding::Conflict(_) => "conflict",
    }
}

#[rstest]
#[case("2027-01-15", "2027-02-14", "a", "a", 0, "applied")]
#[case("2027-01-15", "2027-01-15", "a", "a", 299, "not yet")]
#[case("2027-01-15", "2027-01-15", "a", "a", 300, "not applied")]
#[case("2027-01-15", "2027-03-16", "a", "a", 300, "conflict")]
#[case("2027-01-15", "2027-02-14", "a", "b", 300, "conflict")]
#[case("2027-01-15", "2027-01-15", "a", "b", 300, "conflict")]
#[case("2027-01-15", "unknown", "a", "a", 300, "conflict")]
#[case("9999-12-31", "9999-12-31", "a", "a", 300, "not applied")]
#[case("2027-01-15", "2027-02-14", "unknown", "unknown", 0, "applied")]
#[case("2026-06-20", "2026-07-20", "unknown", "unknown", 0, "conflict")]
#[case("2026-06-20", "2026-06-20", "unknown", "unknown", 300, "conflict")]
fn an_extension_is_proven_only_by_the_exact_date(
    #[case] before: &str,
    #[case] after: &str,
    #[case] order_before: &str,
    #[case] order_after: &str,
    #[case] age: u64,
    #[case] expected: &str,
) {
    let before =
        [("expiration_date", before), ("latest_order", order_before), ("renews", "yes"), ("read_on", "2026-06-10")];
    let after =
        [("expiration_date", after), ("latest_order", order_after), ("renews", "yes"), ("read_on", "2026-06-10")];
    assert_eq!(verdict(Evidence::Extended, &extension(), Some(&before), &after, age), expected);
    assert_eq!(verdict(Evidence::Extended, &extension(), None, &after, age), "conflict");
}

#[test]
fn other_reads_prove_no_more_than_they_show() {
    let flags = row("cancel_subscription", &[("subscriptionReference", "4A2F9C31B7")]);
    let off = Evidence::Enabled(false);
    assert_eq!(verdict(off, &flags, None, &[("enabled", "no")], 0), "applied");
    assert_eq!(verdict(off, &flags, None, &[("enabled", "yes")], 0), "not yet");
    assert_eq!(verdict(off, &flags, None, &[("enabled", "yes")], 300), "not applied");
    assert_eq!(verdict(off, &flags, None, &[("enabled", "unknown")], 300), "conflict");
    assert_eq!(verdict(Evidence::Renews(true), &flags, None, &[("renews", "yes")], 0), "applied");

    let upgrade = row("upgrade_subscription", &[("subscriptionReference", "4A2F9C31B7"), ("productCode", "PROD-2")]);
    let product = |before: Option<&'static str>, now: &'static str, age| {
        let before = before.map(|code| [("product_code", code)]);
        verdict(Evidence::Upgraded, &upgrade, before.as_ref().map(|facts| &facts[..]), &[("product_code", now)], age)
    };
    assert_eq!(product(Some("PROD-1"), "PROD-2", 0), "applied");
    assert_eq!(product(Some("PROD-2"), "PROD-2", 300), "conflict");
    assert_eq!(product(None, "PROD-2", 300), "conflict");
    assert_eq!(product(Some("PROD-1"), "PROD-1", 0), "not yet");
    assert_eq!(product(Some("PROD-1"), "PROD-1", 99_999), "conflict", "never proven not applied");

    let refund = row("refund_order", &[("orderReference", "11370513"), ("amount", "25.4")]);
    let order = |before: &'static str, now: &'static str, total: &'static str, age| {
        verdict(Evidence::Refunded, &refund, Some(&[("status", before)]), &[("status", now), ("total", total)], age)
    };
    assert_eq!(order("COMPLETE", "REFUND", "25.40", 0), "applied");
    assert_eq!(order("COMPLETE", "REFUND", "50.00", 300), "conflict", "a part does not show");
    assert_eq!(order("REFUND", "REFUND", "25.40", 300), "conflict", "refunded before");
    assert_eq!(order("COMPLETE", "COMPLETE", "25.40", 0), "not yet");
    assert_eq!(order("COMPLETE", "COMPLETE", "25.40", 99_999), "conflict", "never proven not applied");

    let group = row("unassign_product_group", &[("ProductCode", "PROD-1"), ("Code", "G")]);
    assert_eq!(verdict(Evidence::Unassigned, &group, None, &[("group", "General")], 0), "applied");
    assert_eq!(verdict(Evidence::Unassigned, &group, None, &[("group", "G")], 300), "not applied");
    assert_eq!(verdict(Evidence::Unassigned, &group, None, &[("group", "unknown")], 300), "conflict");
}

#[test]
fn a_campaign_is_ours_where_it_was_not_there_before() {
    let campaign = row("create_cross_sell_campaign", &[("Name", "n")]);
    let search = |before: &'static str, now: &'static str, complete: &'static str, age| {
        let before = [("campaigns", before), ("complete", "yes")];
        verdict(Evidence::Campaign, &campaign, Some(&before), &[("campaigns", now), ("complete", complete)], age)
    };
    assert_eq!(search("", "C1", "yes", 0), "applied");
    assert_eq!(search("C1", "C1 C2", "yes", 0), "applied");
    assert_eq!(search("C1", "C1", "yes", 0), "not yet");
    assert_eq!(search("C1", "C1", "yes", 300), "not applied");
    assert_eq!(search("", "", "no", 300), "conflict");
    assert_eq!(search("", "C1 C2", "yes", 300), "conflict");
}

#[test]
fn what_is_not_there_before_and_after_was_not_changed() {
    let no = [("found", "no"), ("said", "x")];
    assert_eq!(verdict(Evidence::Extended, &extension(), Some(&no), &no, 300), "not applied");
    assert_eq!(verdict(Evidence::Extended, &extension(), Some(&no), &no, 10), "not yet");
    assert_eq!(verdict(Evidence::Extended, &extension(), Some(&[("found", "yes")]), &no, 300), "conflict");
}

#[test]
fn reads_keep_facts_and_no_customer() {
    let facts = |evidence, result: &str| {
        let value = json::read(result).expect("JSON");
        let row = row("create_cross_sell_campaign", &[("Name", "n")]);
        let now = "2026-06-10T12:00:00Z".parse().expect("a time");
        reads::facts(evidence, &row, Heard::Result(value), now, &[]).map(|observation| observation.facts)
    };
    let subscription = r#"{"SubscriptionReference":"4A2F9C31B7","ExpirationDate":"2027-01-15","RecurringEnabled":"1",
        "SubscriptionEnabled":true,"Product":{"ProductCode":"PROD-1"},"EndUser":{"Email":"canary"}}"#;
    let known = facts(Evidence::Extended, subscription).expect("facts");
    let text: Vec<String> = known.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        text.join(" "),
        "found=yes expiration_date=2027-01-15 enabled=yes renews=yes product_code=PROD-1 latest_order=unknown read_on=2026-06-10"
    );
    let list =
        r#"[{"CampaignCode":"C2","Name":"n"},{"CampaignCode":"C1","Name":"n"},{"CampaignCode":"C3","Name":"nn"}]"#;
    let known = facts(Evidence::Campaign, list).expect("facts");
    assert_eq!(known.first().map(|(_, codes)| codes.as_str()), Some("C1 C2"));
    for (evidence, result) in [
        (Evidence::Extended, "{}"),
        (Evidence::Refunded, "true"),
        (Evidence::Unassigned, "[]"),
        (Evidence::Campaign, "5"),
    ] {
        assert!(facts(evidence, result).is_err(), "{result}");
    }
}

fn setup(url: &str, options: &[(&'static str, &str)]) -> AccountSetup {
    let settings = TransportSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        ca_file: None,
        user_agent: "subops-test".to_owned(),
    };
    AccountSetup {
        name: AccountName::new("twocheckout"),
        urls: vec![("api", url.to_owned())],
        credentials: vec![("merchant_code", "AVANGATE".into()), ("secret_key", "canary-key".into())],
        options: options.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        transport: Transport::new(settings).expect("a transport"),
    }
}

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

/// An account whose first request has id 1.
fn open(url: &str, protocol: Protocol) -> TwoCheckoutAccount {
    let setup = setup(url, &[]);
    TwoCheckoutAccount {
        endpoint: Endpoint::parse(url).expect("a URL"),
        transport: setup.transport,
        protocol,
        api_version: "6.0".to_owned(),
        login: Login { merchant_code: "AVANGATE".into(), secret_key: "canary-key".into(), hash: Hash::Sha256 },
        sessions: Sessions::default(),
        next_id: Cell::new(1),
        shipping_fees_method: None,
        refusals: Vec::new(),
        settle_delay: Duration::from_secs(300),
    }
}

/// A connection on which each request gets the next of these results or errors.
fn answers(bodies: &[&str]) -> Vec<Step> {
    bodies.iter().flat_map(|body| [Step::Read, reply("200 OK", JSON, body)]).collect()
}

fn methods(server: &Server) -> Vec<String> {
    let method = |text: &str| {
        let (_, rest) = text.split_once("\"method\":\"")?;
        Some(rest.split('"').next()?.to_owned())
    };
    server.requests().iter().filter_map(|(_, text)| method(text)).collect()
}

const EXPIRED: &str =
    r#""error":{"code":10001,"message":"canary-session expired","data":{"error_code":"INVALID_SESSION"}}"#;

#[test]
fn a_call_goes_out_in_its_session_and_alone() {
    on_runtime(async {
        let script = answers(&[r#"{"id":1,"result":"canary-session"}"#, r#"{"id":2,"result":true}"#]);
        let server = Server::start(vec![script]).await;
        let account = open(&server.url(), Protocol::JsonRpc);
        let early = account.perform(&extension(), None).await;
        assert_eq!(in_short(&early), "failed session_expired", "no login hides in a call");
        assert!(server.requests().is_empty());
        account.ready().await.expect("a session");
        assert_eq!(in_short(&account.perform(&extension(), None).await), "applied true");
        let requests = server.requests();
        assert_eq!(server.targets(), ["POST /rpc/6.0/", "POST /rpc/6.0/"]);
        let (_, last) = requests.last().expect("a request");
        let body =
            r#"{"jsonrpc":"2.0","id":2,"method":"extendSubscription","params":["canary-session","4A2F9C31B7",30]}"#;
        assert!(last.ends_with(body), "{last}");
        assert!(last.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{last}");
    });
}

#[test]
fn an_expired_session_is_replaced_once_for_all_workers() {
    on_runtime(async {
        let script = answers(&[
            r#"{"id":1,"result":"canary-session"}"#,
            r#"{"id":2,"result":true}"#,
            &format!("{{\"id\":3,{EXPIRED}}}"),
            r#"{"id":4,"result":"two"}"#,
            r#"{"id":5,"result":true}"#,
        ]);
        let server = Server::start(vec![script]).await;
        let account = open(&server.url(), Protocol::JsonRpc);
        account.ready().await.expect("a session");
        assert_eq!(in_short(&account.perform(&extension(), None).await), "applied true");
        let expired = account.perform(&extension(), None).await;
        assert_eq!(in_short(&expired), "failed session_expired");
        assert!(!format!("{expired:?}").contains("canary"), "{expired:?}");
        for _ in 0..3 {
            account.forget_session();
            account.ready().await.expect("a session");
        }
        assert_eq!(in_short(&account.perform(&extension(), None).await), "applied true");
        assert_eq!(
            methods(&server),
            ["login", "extendSubscription", "extendSubscription", "login", "extendSubscription"]
        );
    });
}

#[test]
fn workers_that_start_together_log_in_once() {
    on_runtime(async {
        let server = Server::start(vec![answers(&[r#"{"id":1,"result":"one"}"#])]).await;
        let account = open(&server.url(), Protocol::JsonRpc);
        let (first, second, third) = tokio::join!(account.ready(), account.ready(), account.ready());
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        assert_eq!(methods(&server), ["login"]);
    });
}

#[test]
fn a_new_session_that_is_refused_is_no_matter_of_age() {
    on_runtime(async {
        let script = answers(&[r#"{"id":1,"result":"one"}"#, &format!("{{\"id\":2,{EXPIRED}}}")]);
        let server = Server::start(vec![script]).await;
        let account = open(&server.url(), Protocol::JsonRpc);
        account.ready().await.expect("a session");
        let Reply::Failed(failure) = account.perform(&extension(), None).await else { panic!("a failure") };
        assert_eq!(failure.class, FailureClass::Credentials);
        assert!(failure.class.proves_not_applied() && failure.message.contains("another program"), "{failure:?}");
    });
}

#[rstest]
#[case(
    r#"{"id":1,"error":{"code":10000,"message":"Invalid hash canary-key","data":{"error_code":"FORBIDDEN"}}}"#,
    FailureClass::Credentials
)]
#[case(r#"{"id":1,"error":{"code":10004,"message":"x"}}"#, FailureClass::Credentials)]
#[case(r#"{"id":1,"result":true}"#, FailureClass::Unrecognised)]
#[case(r#"{"id":1,"result":""}"#, FailureClass::Unrecognised)]
#[case(r#"{"id":1,"result":"Not available now"}"#, FailureClass::Unrecognised)]
#[case("<html>", FailureClass::Html)]
fn a_login_that_fails_says_why(#[case] body: &str, #[case] expected: FailureClass) {
    login_fails("200 OK", body, expected);
}

#[rstest]
#[case("401 Unauthorized", "", FailureClass::Credentials)]
#[case("500 Internal Server Error", r#"{"id":1,"error":{"code":10000,"message":"x"}}"#, FailureClass::Credentials)]
#[case("500 Internal Server Error", r#"{"id":1,"error":{"code":1,"message":"x"}}"#, FailureClass::ServerError(500))]
#[case("404 Not Found", "nothing here", FailureClass::Unrecognised)]
fn a_login_that_fails_by_its_status_says_why(#[case] status: &str, #[case] body: &str, #[case] expected: FailureClass) {
    login_fails(status, body, expected);
}

fn login_fails(status: &str, body: &str, expected: FailureClass) {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, reply(status, JSON, body)]]).await;
        let account = open(&server.url(), Protocol::JsonRpc);
        let failure = account.ready().await.expect_err("no session");
        assert_eq!(failure.class, expected, "{failure:?}");
        assert!(!failure.message.contains("canary"), "{failure:?}");
        if expected == FailureClass::Credentials {
            assert!(failure.message.contains("`secret_key`") && failure.message.contains("clock"), "{failure:?}");
        }
    });
}

#[test]
fn soap_carries_the_same_call() {
    let answer = |method: &str, value: &str| {
        let body = format!(
            "<e:Envelope xmlns:e=\"x\" xmlns:i=\"y\"><e:Body><n:{method}Response xmlns:n=\"z\">{value}</n:{method}Response>\
             </e:Body></e:Envelope>"
        );
        [Step::Read, reply("200 OK", "text/xml; charset=utf-8", &body)]
    };
    on_runtime(async {
        let mut script = answer("login", "<return i:type=\"xsd:string\">canary-session</return>").to_vec();
        script.extend(answer("extendSubscription", "<return i:type=\"xsd:boolean\">true</return>"));
        let server = Server::start(vec![script]).await;
        let account = open(&server.url(), Protocol::Soap);
        account.ready().await.expect("a session");
        assert_eq!(in_short(&account.perform(&extension(), None).await), "applied true");
        assert_eq!(server.targets(), ["POST /soap/6.0/", "POST /soap/6.0/"]);
        let (_, last) = server.requests().pop().expect("a request");
        let argument = "<sessionID xsi:type=\"xsd:string\">canary-session</sessionID><subscriptionReference";
        assert!(last.contains(argument) && last.contains("#extendSubscription\"\r\n"), "{last}");
    });
}

#[test]
fn all_pages_of_payouts_are_read() {
    on_runtime(async {
        let script = answers(&[
            r#"{"id":1,"result":"one"}"#,
            r#"{"id":2,"result":{"Items":[{"Amount":1.10},{"Amount":2}],"Pagination":{"Count":3}}}"#,
            r#"{"id":3,"result":{"Items":[{"Amount":3}],"Pagination":{"Count":3}}}"#,
        ]);
        let server = Server::start(vec![script]).await;
        let account = open(&server.url(), Protocol::JsonRpc);
        account.ready().await.expect("a session");
        let reply = account.perform(&row("search_payouts", &[("Currency", "USD")]), None).await;
        let Reply::Applied(answer) = reply else { panic!("{reply:?}") };
        assert_eq!(
            answer.data.first().map(|(_, items)| items.as_str()),
            Some(r#"[{"Amount":1.10},{"Amount":2},{"Amount":3}]"#)
        );
        let (_, last) = server.requests().pop().expect("a request");
        assert!(last.contains(r#""Pagination":{"Page":2,"Limit":200}"#), "{last}");
    });
}

#[test]
fn an_observation_is_one_read() {
    on_runtime(async {
        let script = answers(&[
            r#"{"id":1,"result":"one"}"#,
            r#"{"id":2,"result":{"SubscriptionReference":"4A2F9C31B7","ExpirationDate":"2027-01-15"}}"#,
            r#"{"id":3,"error":{"code":99,"message":"no such subscription"}}"#,
        ]);
        let server = Server::start(vec![script]).await;
        let account = open(&server.url(), Protocol::JsonRpc);
        account.ready().await.expect("a session");
        let row = extension();
        let seen = account.observe(&row).expect("a read").await.expect("facts");
        assert_eq!(seen.get("expiration_date"), Some("2027-01-15"));
        let seen = account.observe(&row).expect("a read").await.expect("facts");
        assert_eq!((seen.get("found"), seen.get("said")), (Some("no"), Some("99 no such subscription")));
        assert_eq!(methods(&server), ["login", "getSubscription", "getSubscription"]);
    });
}

#[test]
fn accounts_that_cannot_work_are_refused_without_their_secrets() {
    let message = |options: &[(&'static str, &str)]| {
        let opened = TwoCheckout.open(setup("https://api.2checkout.com", options));
        opened.err().map(|error| format!("{error} {:?}", error.hint))
    };
    assert_eq!(message(&[]), None);
    assert_eq!(message(&[("api_version", "5.0"), ("hash", "md5"), ("protocol", "soap")]), None);
    for options in [
        [("api_version", "7.0")],
        [("hash", "sha1")],
        [("protocol", "rest")],
        [("settle_delay", "300")],
        [("shipping_fees_method", "setShippingFees")],
        [("shipping_fees_method", "get fees")],
    ] {
        let said = message(&options).expect("a refusal");
        assert!(said.contains(options[0].0) && !said.contains("canary"), "{said}");
    }
    assert!(message(&[("api_version", "5.0"), ("hash", "sha256")]).is_some());
    let mut keyless = setup("https://api.2checkout.com", &[]);
    keyless.credentials.truncate(1);
    let refused = TwoCheckout.open(keyless).err().expect("a refusal");
    assert!(refused.hint.is_some_and(|hint| hint.contains("TWOCHECKOUT_SECRET_KEY")));
}
